//! CRM writes that could not be made within their turn, and changes of hands: repeated until they land.

use std::time::Duration;

use crm::{Crm, CrmEntry};
use runtime::traces::consumer_span;
use streams::{DeadLetterReason, Handler, Job, Queue, Settled};
use tracing::Instrument;

use crate::metrics::WorkerMetrics;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Handles the CRM's queue.
pub(crate) struct Outbox {
    pub(crate) crm: Crm,
    pub(crate) metrics: WorkerMetrics,
}

impl Handler for Outbox {
    type Payload = CrmEntry;

    async fn handle(&self, job: Job<CrmEntry>) -> Settled {
        let entry = job.entry.clone();
        let span = consumer_span(Queue::Crm, &entry.kind, entry.trace.as_deref());
        self.write(job).instrument(span).await
    }
}

impl Outbox {
    async fn write(&self, mut job: Job<CrmEntry>) -> Settled {
        let mut pause = FIRST_PAUSE;
        loop {
            let written = match &*job.payload {
                CrmEntry::Write(write) => self.crm.apply(write).await.map(drop),
                CrmEntry::Handover(change) => self.crm.hand_over(change).await,
            };
            match written {
                Ok(()) => {
                    self.metrics.crm().written("later");
                    return job.acknowledge().await;
                }
                Err(error) if error.is_refusal() => {
                    let why = DeadLetterReason {
                        reason: "crm_refused",
                        error: error.to_string(),
                    };
                    return job.dead_letter(why, None).await;
                }
                Err(error) => tracing::debug!(%error, "the CRM does not take a write yet"),
            }
            if job.pause(pause).await.is_err() {
                return job.leave();
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
