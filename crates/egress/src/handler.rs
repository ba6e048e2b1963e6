use runtime::traces::consumer_span;
use shared_types::TypingSignal;
use streams::{DeadLetterReason, Delivery, Entry, Handler, PartitionKeys, Queue, Reads, Settled};
use tracing::Instrument;

use crate::gate::Gate;
use crate::indicator::Indicator;
use crate::reports::Reports;

const UNKNOWN_KIND: &str = "unknown_kind";

/// Hands each entry of the outbound queue to what handles its kind.
pub(crate) struct Outbound {
    pub(crate) gate: Gate,
    pub(crate) reports: Reports,
    pub(crate) indicator: Indicator,
}

impl Handler for Outbound {
    fn reads(&self, entry: &Entry, keys: PartitionKeys) -> Reads {
        match entry.kind.as_str() {
            "message" => self.gate.reads(entry, keys),
            TypingSignal::KIND => self.indicator.reads(entry, keys),
            _ => Reads::default(),
        }
    }

    fn lane(&self, entry: &Entry) -> Option<String> {
        match entry.kind.as_str() {
            "message" => self.gate.lane(entry),
            kind => Some(kind.to_owned()),
        }
    }

    async fn handle(&self, delivery: Delivery) -> Settled {
        let entry = delivery.entry.clone();
        let span = || consumer_span(Queue::Outbound, &entry.kind, entry.trace.as_deref());
        match entry.kind.as_str() {
            "message" => self.gate.send(delivery).instrument(span()).await,
            // Goes on from the trace of the message, which the ledger has.
            "delivery" => self.reports.apply(delivery).await,
            TypingSignal::KIND => self.indicator.show(delivery).instrument(span()).await,
            kind => {
                let error = format!("egress does not handle entries of kind {kind:?}");
                tracing::error!(
                    outbound.id = entry.event,
                    reason = UNKNOWN_KIND,
                    error,
                    "entry set aside as a dead letter"
                );
                delivery
                    .dead_letter(
                        DeadLetterReason {
                            reason: UNKNOWN_KIND,
                            error,
                        },
                        None,
                    )
                    .await
            }
        }
    }
}
