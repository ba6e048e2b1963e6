//! What does the message tell?

use std::sync::Arc;

use futures_util::future::BoxFuture;
use shared_types::{ExtractionOutput, SlotValue, Slots};

use super::{Agent, AgentError, Parts};
use crate::dialogue::act::{Act, Does, Inform, Origin, Thing, Told};
use crate::domain::{About, Domain};
use crate::graph::Node;
use crate::llm::Model;
use crate::metrics::WorkerMetrics;
use crate::register::Register;
use crate::turn::{Extracted, Output, Turn};
use crate::understanding::Understander;

pub(super) struct Extraction {
    domain: Arc<Domain>,
    rules: Arc<Understander>,
    model: Option<Arc<Model>>,
    register: Option<Arc<Register>>,
    metrics: WorkerMetrics,
}

impl Extraction {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            domain: parts.domain.clone(),
            rules: parts.understander.clone(),
            model: parts.model.clone(),
            register: parts.register.clone(),
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

impl Extraction {
    /// What the register says of the plate of the customer's own thing, as if they had told it too. Not
    /// when it is known, or a colleague has the conversation.
    async fn ask_register(&self, turn: &Turn, found: &mut Extracted) {
        let silent = turn.memory.is_with_human(turn.now);
        let Some(register) = self.register.as_ref().filter(|_| !silent) else {
            return;
        };
        let mut acts = found.acts.clone().unwrap_or_else(|| turn.acts.clone());
        let own = acts.iter_mut().filter_map(|act| match &mut act.does {
            Does::Inform(inform) if inform.thing == Thing::Own => Some(inform),
            _ => None,
        });
        let plate = |inform: &Inform| {
            let mut told = inform.values.iter();
            let told = told.find(|told| told.slot == register.slot())?;
            told.any_of.last().map(ToString::to_string)
        };
        let mut own: Vec<&mut Inform> = own.collect();
        let is_told = |slot: &str| {
            let told = |inform: &&mut Inform| inform.values.iter().any(|told| told.slot == slot);
            turn.memory.own.contains_key(slot) || own.iter().any(told)
        };
        if register.gives().any(is_told) {
            return;
        }
        let mut with_plate = own
            .iter_mut()
            .filter_map(|inform| Some((plate(inform)?, inform)));
        let Some((plate, inform)) = with_plate.next() else {
            return;
        };
        for (slot, value) in register.look_up(&plate, turn.deadline).await {
            let value = SlotValue::Text(value);
            if turn.about == About::Own {
                found
                    .output
                    .slots
                    .entry(slot.clone())
                    .or_insert_with(|| value.clone());
            }
            inform.values.push(Told {
                slot,
                any_of: vec![value],
                came_with: Some(register.slot().to_owned()),
                rather: false,
                also: false,
            });
        }
        found.acts = Some(acts);
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
    let told = |(slot, value): (&String, &SlotValue)| Told {
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
        Box::pin(async move {
            let mut found = self.extract(turn).await;
            self.ask_register(turn, &mut found).await;
            Ok(Output::Extracted(found))
        })
    }
}
