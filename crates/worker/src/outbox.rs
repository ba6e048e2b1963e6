//! CRM writes that could not be made within their turn: repeated until they land.

use std::time::Duration;

use runtime::traces::consumer_span;
use streams::{DeadLetterReason, Delivery, Entry, Handler, PartitionKeys, Queue, Reads, Settled};
use tracing::Instrument;

use crate::crm::{Crm, CrmWrite};
use crate::metrics::WorkerMetrics;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Handles the CRM's queue.
pub(crate) struct Outbox {
    pub(crate) crm: Crm,
    pub(crate) metrics: WorkerMetrics,
}

impl Handler for Outbox {
    fn reads(&self, _entry: &Entry, _keys: PartitionKeys) -> Reads {
        Reads::default()
    }

    async fn handle(&self, delivery: Delivery) -> Settled {
        let entry = delivery.entry.clone();
        let span = consumer_span(Queue::Crm, &entry.kind, entry.trace.as_deref());
        self.write(delivery).instrument(span).await
    }
}

impl Outbox {
    async fn write(&self, mut delivery: Delivery) -> Settled {
        let write: CrmWrite = match serde_json::from_str(&delivery.entry.payload) {
            Ok(write) => write,
            Err(error) => {
                let why = DeadLetterReason {
                    reason: "undecodable",
                    error: error.to_string(),
                };
                return delivery.dead_letter(why, None).await;
            }
        };
        let mut pause = FIRST_PAUSE;
        loop {
            match self.crm.apply(&write).await {
                Ok(_) => {
                    self.metrics.crm_written("later");
                    return delivery.acknowledge().await;
                }
                Err(error) if error.is_refusal() => {
                    let why = DeadLetterReason {
                        reason: "crm_refused",
                        error: error.to_string(),
                    };
                    return delivery.dead_letter(why, None).await;
                }
                Err(error) => tracing::debug!(%error, "the CRM does not take a write yet"),
            }
            if delivery.pause(pause).await.is_err() {
                return delivery.leave();
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
