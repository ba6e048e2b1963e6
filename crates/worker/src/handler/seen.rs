//! What is kept of a turn for people who look on, and told to traces.

use std::time::Duration;

use jiff::Timestamp;
use runtime::traces;
use serde_json::{Value, json};
use shared_types::Inbound as Payload;
use streams::Job;

use super::{Inbound, events};
use crate::effects::Effects;
use crate::onlooker::{self, Before, SeenTurn, Times};
use crate::turns::Turns;

impl Inbound {
    /// Whether anybody is shown anything.
    pub(super) fn is_seen(&self) -> bool {
        !self.retention.turn.is_zero() || traces::has_content()
    }

    /// Has a turn kept; gives what its trace says, where anybody collects it. `before` is what was known of
    /// the things when it began.
    pub(super) fn seen(
        &self,
        job: &Job<Payload>,
        (before, received): (Before, Option<Timestamp>),
        effects: &mut Effects,
        took: Duration,
    ) -> Option<Value> {
        let times = Times {
            received,
            queued: Timestamp::from_millisecond(job.entry.id.added_at_ms()).ok(),
            turn: effects.history.first().map(|line| line.at),
            took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        };
        let turn = SeenTurn::of(effects, before, events(job), times);
        let kept = serde_json::to_string(&turn).ok();
        let whole = traces::has_content().then(|| {
            let Turns {
                domain,
                understander,
                ..
            } = &self.turns;
            let cues = onlooker::cues(domain, understander, effects);
            json!(turn.whole(effects, cues))
        });
        effects.seen = kept;
        whole
    }
}
