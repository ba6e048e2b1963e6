//! Which send a report is about, and where its record lies.
//!
//! A report comes to the partition of the chat that its provider names. WAHA may name the chat of a number
//! by its hidden id, Twilio a recipient in another spelling: the record lies in another partition then.
//! Only a cluster's partitions are apart, so only there such a report is passed on.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use shared_types::{ConversationId, DeliveryEvent, Outbound, OutboundId};
use streams::{Destination, Ingest, Job, NewEntry, PartitionKeys, Queue, Settled, StreamsError};

use super::Reports;
use crate::ledger::names;

/// How often a report waits for the note of the send that it is about, which it may overtake.
const WAITS: u32 = 5;
/// Longer than any report takes to be passed on twice.
const DEDUP: Duration = Duration::from_secs(24 * 60 * 60);

/// What the ledger says of the message that a report is about.
pub(super) struct Send {
    pub(super) id: OutboundId,
    pub(super) fields: BTreeMap<String, String>,
}

/// Where the record of a report's message is.
pub(super) enum Found {
    /// In the partition that the report came to.
    Here(Send),
    /// In another one, which has the report now.
    PassedOn,
    /// In none.
    Nowhere,
}

impl Reports {
    /// The ledger's record, by our id or by the provider's. Waits a little when the send has not
    /// been noted yet, and as long as it takes when Redis does not answer.
    pub(super) async fn find(
        &self,
        job: &mut Job<Outbound>,
        report: &DeliveryEvent,
    ) -> Result<Found, Settled> {
        let mut waits = 0;
        loop {
            // Reports that overtake a note are many, those of other partitions few.
            let everywhere = waits == 0 || waits == WAITS;
            match self.look(job, report, everywhere).await {
                Ok(Found::Nowhere) if waits < WAITS => waits += 1,
                Ok(found) => return Ok(found),
                Err(error) => tracing::debug!(%error, "a report waits for Redis"),
            }
            if job.pause(self.wait).await.is_err() {
                return Err(Settled::left());
            }
        }
    }

    async fn look(
        &self,
        job: &Job<Outbound>,
        report: &DeliveryEvent,
        everywhere: bool,
    ) -> Result<Found, StreamsError> {
        let own = job.keys();
        if let Some(send) = self.look_in(own, report).await? {
            return Ok(Found::Here(send));
        }
        if !everywhere || self.redis.keys().spans_partitions() {
            return Ok(Found::Nowhere);
        }
        let others = self.redis.partitions().all();
        let others = others.filter(|other| *other != own.partition());
        let looks = others.map(|other| self.look_in(self.redis.keys().of(other), report));
        let found = try_join_all(looks).await?.into_iter().flatten().next();
        let conversation = found.and_then(|send| send.fields.get("conv")?.parse().ok());
        match conversation {
            Some(conversation) => self.pass_on(job, report, conversation).await,
            None => Ok(Found::Nowhere),
        }
    }

    async fn look_in(
        &self,
        keys: PartitionKeys,
        report: &DeliveryEvent,
    ) -> Result<Option<Send>, StreamsError> {
        let id = match &report.outbound_id {
            Some(id) => Some(id.clone()),
            None => {
                let names = names_of(report, keys);
                let owners = self.redis.values(&names).await?.into_iter().flatten();
                owners.filter_map(|id| id.parse().ok()).next()
            }
        };
        let Some(id) = id else {
            return Ok(None);
        };
        let fields = self.redis.hash(&keys.send(id.as_str())).await?;
        Ok((!fields.is_empty()).then_some(Send { id, fields }))
    }

    /// Queues the report for the conversation that the message was sent in, once.
    async fn pass_on(
        &self,
        job: &Job<Outbound>,
        report: &DeliveryEvent,
        conversation: ConversationId,
    ) -> Result<Found, StreamsError> {
        let report = DeliveryEvent {
            conversation_id: conversation.clone(),
            ..report.clone()
        };
        let Ok(entry) = NewEntry::new(&report, &*job.entry.event, conversation.as_str()) else {
            return Ok(Found::Nowhere);
        };
        let entry = NewEntry {
            mailbox: Some(job.entry.mailbox.clone()),
            trace: job.entry.trace.clone(),
            ..entry
        };
        let ingest = Ingest {
            destination: Destination::Work(Queue::Outbound),
            entry: &entry,
            rate: None,
            replay: None,
            dedup_for: DEDUP,
            max_backlog: 0,
            replicas: 0,
            replica_timeout: Duration::ZERO,
        };
        self.redis.ingest(&ingest).await?;
        Ok(Found::PassedOn)
    }
}

/// The names under which the message that a report is about may be noted.
pub(super) fn names_of(report: &DeliveryEvent, keys: PartitionKeys) -> [String; 2] {
    let (source, id) = (report.source, &report.provider_id);
    names(source, &report.conversation_id, id, keys)
}
