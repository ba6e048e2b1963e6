//! How a send stands, written down step by step under the fence.

use std::time::Duration;

use redis::Value;

use crate::commit::{Recorded, add_pairs};
use crate::lease::Lease;
use crate::script::RECORD;
use crate::{Entry, Redis, StreamsError};

/// What a send's record looks like after a step (see `record.lua`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The key of the record.
    pub key: String,
    /// Fields to set.
    pub fields: Vec<(&'static str, String)>,
    /// How long the record is kept.
    pub ttl: Duration,
    /// Do nothing when this field is set already, and answer its value.
    pub unless: Option<&'static str>,
    /// A list that names the record, the item, and how many items are kept.
    pub list: Option<(String, String, usize)>,
    /// A key by which the record is found, and its value.
    pub index: Option<(String, String)>,
    /// Whether the entry ends with this step.
    pub ends_entry: bool,
    /// An entry for a stream of the same partition: its key and fields.
    pub entry: Option<(String, Vec<(String, String)>)>,
}

impl Redis {
    pub(crate) async fn record(
        &self,
        lease: &Lease,
        entry: &Entry,
        record: &Record,
    ) -> Result<Recorded, StreamsError> {
        let keys = self.keys().of(lease.partition);
        let own = keys.stream(lease.queue);
        let (list, item, cap) = record.list.clone().unwrap_or_default();
        let (index, index_value) = record.index.clone().unwrap_or_default();
        let (target, target_fields) = record.entry.clone().unwrap_or_default();
        // A key that is not used must still hash to the partition's slot.
        let or_own = |key: String| if key.is_empty() { own.clone() } else { key };
        let answer: Vec<Value> = self
            .run(&RECORD, |invocation| {
                invocation
                    .key(keys.owner(lease.queue))
                    .key(&own)
                    .key(keys.attempts(lease.queue));
                invocation.key(or_own(record.key.clone())).key(or_own(list));
                invocation.key(or_own(index)).key(or_own(target));
                invocation
                    .arg(lease.token())
                    .arg(lease.queue.group())
                    .arg(entry.id.to_string());
                invocation
                    .arg(u8::from(record.ends_entry))
                    .arg(record.unless.unwrap_or_default());
                invocation.arg(record.ttl.as_secs());
                add_pairs(invocation, &record.fields);
                invocation.arg(item).arg(cap).arg(index_value);
                add_pairs(invocation, &target_fields);
            })
            .await?;
        self.recorded(lease, "record", answer)
    }
}
