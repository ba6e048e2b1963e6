//! What does the message tell?

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use shared_types::{ExtractionOutput, Slots};

use super::{Agent, AgentError, Parts};
use crate::domain::Domain;
use crate::graph::Node;
use crate::llm::Model;
use crate::metrics::WorkerMetrics;
use crate::turn::{Extracted, Output, Turn};
use crate::understanding::Understander;

pub(super) struct Extraction {
    domain: Arc<Domain>,
    understander: Arc<Understander>,
    model: Option<Arc<Model>>,
    metrics: WorkerMetrics,
}

impl Extraction {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            domain: parts.domain.clone(),
            understander: parts.understander.clone(),
            model: parts.model.clone(),
            metrics: parts.metrics.clone(),
        }
    }

    async fn extract(&self, turn: &Turn) -> Extracted {
        let mut found = Extracted {
            output: ExtractionOutput {
                slots: self.by_rules(turn),
                intent: turn.intent().to_owned(),
            },
            denied: turn.reading.negated.clone(),
            tokens: 0,
        };
        if let Some(model) = &self.model {
            match model.extract(&self.domain, turn).await {
                Ok((slots, tokens)) => {
                    found.output.slots = slots;
                    found.tokens = tokens;
                }
                Err(why) => self.metrics.fallback(Node::Extraction, why.name()),
            }
        }
        found
    }

    /// What the rules read. When they read nothing, the text may be a bare answer to the question
    /// that was asked: "15" after the budget.
    fn by_rules(&self, turn: &Turn) -> Slots {
        let topic = turn
            .memory
            .open_question
            .as_deref()
            .and_then(|name| self.domain.dialogue.topic(name));
        let Some(topic) = topic.filter(|topic| !topic.values.is_empty()) else {
            return turn.reading.slots.clone();
        };
        let answered = topic
            .values
            .iter()
            .any(|value| turn.reading.slots.contains_key(value));
        let Some(prefix) = topic.answer_prefix.as_deref().filter(|_| !answered) else {
            return turn.reading.slots.clone();
        };
        let read = self
            .understander
            .understand(&format!("{prefix} {}", turn.message.content));
        let mut slots = turn.reading.slots.clone();
        slots.extend(
            read.slots
                .into_iter()
                .filter(|(name, _)| topic.values.contains(name)),
        );
        slots
    }
}

impl Agent for Extraction {
    fn node(&self) -> Node {
        Node::Extraction
    }

    fn budget(&self) -> Duration {
        Model::budget_of(self.model.as_deref())
    }

    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        Box::pin(async move { Ok(Output::Extracted(self.extract(turn).await)) })
    }
}
