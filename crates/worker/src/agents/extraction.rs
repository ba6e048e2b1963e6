//! What does the message tell?

use std::sync::Arc;

use futures_util::future::BoxFuture;
use shared_types::{ExtractionOutput, Slots};

use super::{Agent, AgentError, Parts};
use crate::dialogue::act::{Act, Does, Inform, Origin, Thing, Told};
use crate::domain::{About, Domain};
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
            acts: None,
            tokens: 0,
        };
        let silent = turn.memory.is_with_human(turn.now);
        let Some(model) = self.model.as_ref().filter(|_| !silent) else {
            return found;
        };
        let asked = model.extract(&self.domain, &self.rules, turn).await;
        found.tokens = asked.tokens;
        match asked.answer {
            Ok(slots) => {
                found.acts = Some(with_values(turn, &slots));
                found.output.slots = slots;
            }
            Err(why) => self.metrics.fallback(Node::Extraction, why.name()),
        }
        found
    }
}

/// The acts with the values that a model found, in the place of those that the rules were told.
fn with_values(turn: &Turn, slots: &Slots) -> Vec<Act> {
    let tells = |act: &&Act| match &act.does {
        Does::Inform(inform) => inform.when.is_none(),
        Does::Unclear { .. } => !slots.is_empty(),
        _ => false,
    };
    let mut acts: Vec<Act> = turn
        .acts
        .iter()
        .filter(|act| !tells(act))
        .cloned()
        .collect();
    if slots.is_empty() {
        return acts;
    }
    let told = |(slot, value): (&String, &shared_types::SlotValue)| Told {
        slot: slot.clone(),
        any_of: vec![value.clone()],
        came_with: None,
        rather: false,
        also: false,
    };
    acts.push(Act {
        does: Does::Inform(Inform {
            thing: match turn.about {
                About::Wanted => Thing::Wanted,
                About::Own => Thing::Own,
            },
            values: slots.iter().map(told).collect(),
            when: None,
            attachment: None,
            remark: None,
        }),
        confidence: 1.0,
        words: 0..turn.message.content.len(),
        clause: 0,
        origin: Origin::Model,
    });
    acts
}

impl Agent for Extraction {
    fn node(&self) -> Node {
        Node::Extraction
    }

    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        Box::pin(async move { Ok(Output::Extracted(self.extract(turn).await)) })
    }
}
