//! What does the message tell?

use std::sync::Arc;

use futures_util::future::BoxFuture;
use shared_types::ExtractionOutput;

use super::{Agent, AgentError, Parts};
use crate::domain::Domain;
use crate::graph::Node;
use crate::llm::Model;
use crate::metrics::WorkerMetrics;
use crate::turn::{Extracted, Output, Turn};
use crate::understanding::Understander;

pub(super) struct Extraction {
    domain: Arc<Domain>,
    rules: Arc<Understander>,
    model: Option<Arc<Model>>,
    metrics: WorkerMetrics,
}

impl Extraction {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            domain: parts.domain.clone(),
            rules: parts.understander.clone(),
            model: parts.model.clone(),
            metrics: parts.metrics.clone(),
        }
    }

    async fn extract(&self, turn: &Turn) -> Extracted {
        let mut found = Extracted {
            output: ExtractionOutput {
                slots: turn.reading.slots.clone(),
                intent: turn.intent().to_owned(),
            },
            denied: turn.reading.negated.clone(),
            tokens: 0,
        };
        if let Some(model) = &self.model {
            let asked = model.extract(&self.domain, &self.rules, turn).await;
            found.tokens = asked.tokens;
            match asked.answer {
                Ok(slots) => found.output.slots = slots,
                Err(why) => self.metrics.fallback(Node::Extraction, why.name()),
            }
        }
        found
    }
}

impl Agent for Extraction {
    fn node(&self) -> Node {
        Node::Extraction
    }

    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        Box::pin(async move { Ok(Output::Extracted(self.extract(turn).await)) })
    }
}
