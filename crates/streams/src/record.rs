//! How a send stands, written down step by step under the fence.

use std::time::Duration;

use redis::Value;

use crate::begin::named;
use crate::commit::{Recorded, add_pairs, seconds};
use crate::entry::text;
use crate::lease::Lease;
use crate::script::RECORD;
use crate::{Entry, Fields, Redis, StreamsError};

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
    /// Do nothing when one of these is not any more as it was, and answer how they are now.
    pub judged_by: Vec<Judged>,
    /// A list that names the record, the item, and how many items are kept.
    pub list: Option<(String, String, usize)>,
    /// A key by which the record is found, and its value.
    pub index: Option<(String, String)>,
    /// Whether the entry ends with this step.
    pub ends_entry: bool,
    /// An entry for a stream of the same partition: its key and fields.
    pub entry: Option<(String, Vec<(String, String)>)>,
}

/// A hash as it was when a step was decided by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The hash.
    pub key: String,
    /// The fields that matter.
    pub fields: &'static [&'static str],
    /// Their values.
    pub values: Fields,
}

impl Judged {
    /// Each field with `=` and its value, or with nothing where it had none.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let value = |name| self.values.get(name);
        let shown = |name| value(name).map_or_else(String::new, |value| format!("={value}"));
        self.fields
            .iter()
            .map(|name| (*name, shown(*name)))
            .collect()
    }
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
            .run_within(lease.partition, &RECORD, |invocation| {
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
                invocation.arg(seconds(record.ttl));
                invocation.arg(item).arg(cap).arg(index_value);
                add_pairs(invocation, &record.fields);
                add_pairs(invocation, &target_fields);
                for judged in &record.judged_by {
                    invocation.key(&judged.key);
                    add_pairs(invocation, &judged.pairs());
                }
            })
            .await?;
        if answer.first().cloned().and_then(text).as_deref() == Some("CHANGED") {
            let now = answer.into_iter().skip(1).zip(&record.judged_by);
            let now = now.map(|(values, judged)| named(values, judged.fields));
            return Ok(Recorded::Changed(now.collect()));
        }
        self.recorded(lease, "record", answer)
    }
}
