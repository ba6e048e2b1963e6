//! What is kept of a turn for people who look on, and told to traces.

use std::time::Duration;

use jiff::Timestamp;
use runtime::traces;
use serde_json::{Value, json};
use shared_types::Inbound as Payload;
use streams::Job;

use super::{Inbound, events};
use crate::dialogue::State;
use crate::effects::Effects;
use crate::onlooker;
use crate::turns::Turns;

impl Inbound {
    /// Whether anybody is shown anything.
    pub(super) fn is_seen(&self) -> bool {
        !self.retention.turn.is_zero() || traces::has_content()
    }

    /// Has a turn kept; gives what its trace says. `before` is what was remembered when it began.
    pub(super) fn seen(
        &self,
        job: &Job<Payload>,
        (before, received): (&State, Option<Timestamp>),
        effects: &mut Effects,
        took: Duration,
    ) -> Value {
        let mut seen = onlooker::turn(before, effects);
        seen["events"] = json!(events(job));
        seen["times"] = json!({
            "received": received,
            "queued": Timestamp::from_millisecond(job.entry.id.added_at_ms()).ok(),
            "turn": effects.history.first().map(|line| line.at),
            "took_us": u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        });
        effects.seen = Some(kept(&seen));
        if traces::has_content() {
            let Turns {
                domain,
                understander,
                ..
            } = &self.turns;
            seen["cues"] = json!(onlooker::cues(domain, understander, effects));
        }
        seen
    }
}

/// What is kept of a turn for some hours: without what stands in the history, and without what is not there.
fn kept(seen: &Value) -> String {
    let mut kept = seen.clone();
    let state = &seen["state"];
    let router = &state["router_output"];
    if state.is_object() {
        kept["state"] = json!({
            "content": state["content"],
            "router_output": {
                "intent": router["intent"], "confidence": router["confidence"], "next_agent": router["next_agent"],
            },
            "conversation_output": { "sentiment": state["conversation_output"]["sentiment"] },
            "crm_output": state["crm_output"],
        });
    }
    if let Some(reply) = kept["reply"].as_object_mut() {
        reply.remove("text");
    }
    if let Some(fields) = kept.as_object_mut() {
        fields.retain(|_, value| !value.is_null() && *value != json!([]));
    }
    kept.to_string()
}
