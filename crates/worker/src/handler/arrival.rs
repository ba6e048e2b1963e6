//! Something came into stock: its entry gets a turn of the conversation.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use shared_types::{Inbound as Payload, StockArrival};
use streams::{Job, Settled};

use super::Inbound;
use crate::arrival;
use crate::mirror;
use crate::remembered::{known, last_inbound};

/// By when the shelf of every worker has what one of them found, as a rule.
const SHELF_FOLLOWS: Duration = Duration::from_secs(3);
const SHELF_LOOK: Duration = Duration::from_millis(200);

impl Inbound {
    /// Tells the customer of something that came into stock, where that is right now; else nothing is said, then
    /// or later.
    pub(super) async fn arrival(
        &self,
        mut job: Job<Payload>,
        arrival: &StockArrival,
        version: u64,
    ) -> Settled {
        // Another worker read the feed; the shelf here follows. On an older one nothing of it can be judged.
        let follows = || self.turns.shelf.has(&arrival.feed, arrival.revision);
        let since = Instant::now();
        while !follows() {
            let waited = since.elapsed() >= SHELF_FOLLOWS;
            if self.turns.domain.stock.is_none() {
                return self.untold(job, "unjudged").await;
            }
            if waited && job.is_last_attempt() {
                // Nobody asked for it, and it would be old news after a replay.
                tracing::warn!(
                    feed = arrival.feed,
                    "the stock of this worker stays older than what came in"
                );
                return self.untold(job, "unjudged").await;
            }
            if waited {
                let error = "the stock of this worker is older than what came in";
                return job.retry(error.into(), None).await;
            }
            if job.pause(SHELF_LOOK).await.is_err() {
                return job.leave();
            }
        }
        let known = known(&job.values, None);
        let known = self.turns.overtaken(known, job.entry.id, Timestamp::now());
        let last = last_inbound(&job.values, None);
        let last = last.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let told = last.and_then(|last| arrival::told(&self.turns, arrival, known, last));
        let Some(mut effects) = told else {
            return self.untold(job, "untold").await;
        };
        let shown = effects.reply.as_ref().filter(|_| self.mirrors);
        effects.mirror.extend(shown.and_then(mirror::of_late_reply));
        let settled = self.commit(job, version, effects).await;
        if settled.is_done() {
            self.metrics.stock().arrived("told");
        }
        settled
    }

    async fn untold(&self, job: Job<Payload>, outcome: &'static str) -> Settled {
        tracing::info!(outcome, "the customer is not told of what came into stock");
        let settled = job.acknowledge().await;
        if settled.is_done() {
            self.metrics.stock().arrived(outcome);
        }
        settled
    }
}
