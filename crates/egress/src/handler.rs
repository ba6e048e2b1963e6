use shared_types::TypingSignal;
use streams::{DeadLetterReason, Delivery, Entry, Handler, PartitionKeys, Reads, Settled};

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
        match delivery.entry.kind.as_str() {
            "message" => self.gate.send(delivery).await,
            "delivery" => self.reports.apply(delivery).await,
            TypingSignal::KIND => self.indicator.show(delivery).await,
            kind => {
                let error = format!("egress does not handle entries of kind {kind:?}");
                tracing::error!(
                    outbound.id = delivery.entry.event,
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
