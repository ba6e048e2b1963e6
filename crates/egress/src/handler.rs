use runtime::traces::consumer_span;
use shared_types::Outbound as Payload;
use streams::{EarlyReads, Entry, Handler, Job, PartitionKeys, Queue, Reads, Settled};
use tracing::Instrument;

use crate::gate::Gate;
use crate::indicator::Indicator;
use crate::reports::Reports;

/// Hands each entry of the outbound queue to what handles its kind.
pub(crate) struct Outbound {
    pub(crate) gate: Gate,
    pub(crate) reports: Reports,
    pub(crate) indicator: Indicator,
}

impl Handler for Outbound {
    type Payload = Payload;

    fn reads(&self, entry: &Entry, payload: &Payload, keys: PartitionKeys) -> Reads {
        match payload {
            Payload::Message(message) => self.gate.reads(&entry.conversation, message, keys),
            Payload::Typing(signal) => Indicator::reads(signal, keys),
            Payload::Delivery(_) => Reads::default(),
        }
    }

    fn early_reads(&self, keys: PartitionKeys) -> Option<EarlyReads> {
        Some(Gate::early_reads(keys))
    }

    fn lane(&self, payload: &Payload) -> Option<String> {
        match payload {
            Payload::Message(message) => self.gate.lane(message),
            Payload::Delivery(_) => Some("delivery".into()),
            Payload::Typing(_) => Some("typing".into()),
        }
    }

    async fn handle(&self, job: Job<Payload>) -> Settled {
        let entry = job.entry.clone();
        let span = || consumer_span(Queue::Outbound, &entry.kind, entry.trace.as_deref());
        match &*job.payload.clone() {
            Payload::Message(message) => self.gate.send(job, message).instrument(span()).await,
            // Goes on from the trace of the message, which the ledger has.
            Payload::Delivery(report) => self.reports.apply(job, report).await,
            Payload::Typing(signal) => self.indicator.show(job, signal).instrument(span()).await,
        }
    }
}
