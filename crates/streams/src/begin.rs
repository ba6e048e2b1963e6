//! The start of processing: token, attempt, and everything that the handler reads.

use std::collections::{BTreeMap, HashMap};

use redis::Value;
use uuid::Uuid;

use crate::entry::text;
use crate::lease::Lease;
use crate::script::{BEGIN, END_START};
use crate::{Entry, Redis, StreamId, StreamsError};

/// What a handler wants read together with the start of processing, in the same round trip.
/// All keys belong to the entry's partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// A list and how many of its last items.
    pub list: Option<(String, usize)>,
    /// Hashes and the fields wanted of each.
    pub hashes: Vec<(String, &'static [&'static str])>,
}

/// What [`Reads`] will be for most entries, before they are known: how the names of their keys begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EarlyReads {
    /// A list of the entry's conversation, and how many of its last items.
    pub list: Option<(String, usize)>,
    /// Hashes.
    pub hashes: Vec<EarlyHash>,
}

/// A hash by its name, in which the entry's conversation or event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyHash {
    /// What stands before.
    pub begins: String,
    /// Whether it is the event that stands there.
    pub of_event: bool,
    /// What stands behind.
    pub ends: &'static str,
    /// The fields wanted.
    pub fields: &'static [&'static str],
}

impl EarlyReads {
    /// What is read for this entry.
    pub fn of(&self, entry: &Entry) -> Reads {
        let list = self.list.as_ref();
        let hash = |hash: &EarlyHash| {
            let name = if hash.of_event {
                &entry.event
            } else {
                &entry.conversation
            };
            (format!("{}{name}{}", hash.begins, hash.ends), hash.fields)
        };
        Reads {
            list: list.map(|(begins, n)| (format!("{begins}{}", entry.conversation), *n)),
            hashes: self.hashes.iter().map(hash).collect(),
        }
    }
}

/// A start that the fetch made, with what it read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Early {
    pub(crate) start: Start,
    pub(crate) list: Option<(String, usize, Vec<String>)>,
    pub(crate) hashes: HashMap<String, (&'static [&'static str], Fields)>,
}

impl Early {
    /// What these reads would bring, where all of it was read.
    pub(crate) fn values(mut self, reads: &Reads) -> Option<ReadValues> {
        let list = match &reads.list {
            None => Vec::new(),
            Some((key, length)) => {
                let (early_key, early_length, items) = self.list.take()?;
                (early_key == *key && early_length == *length).then_some(items)?
            }
        };
        let hashes = reads.hashes.iter().map(|(key, fields)| {
            let (early_fields, values) = self.hashes.get(key)?;
            (early_fields == fields).then(|| values.clone())
        });
        let hashes = hashes.collect::<Option<_>>()?;
        Some(ReadValues { list, hashes })
    }
}

/// The fields of a hash that are set, of those that were asked for.
pub type Fields = BTreeMap<&'static str, String>;

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadValues {
    /// The items of the list, oldest first.
    pub list: Vec<String>,
    /// The hashes, in the order of [`Reads::hashes`].
    pub hashes: Vec<Fields>,
}

impl ReadValues {
    /// A field of the hash with this number.
    pub fn field(&self, hash: usize, name: &str) -> Option<&str> {
        self.hashes.get(hash)?.get(name).map(String::as_str)
    }
}

/// The answer to a start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    Fenced,
    /// The entry's effects are there and only the acknowledgement is missing, or somebody removed it.
    AlreadyDone,
    Started {
        /// Which attempt this is, from 1.
        attempt: u32,
        /// How many starts never ended, this one included: the others were crashes.
        unended: u32,
        values: ReadValues,
    },
}

impl Begun {
    /// The first start of an entry.
    pub(crate) const fn first(values: ReadValues) -> Self {
        Self::Started {
            attempt: 1,
            unended: 1,
            values,
        }
    }
}

/// The name of one start of processing. Repeated under the same name it counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start(String);

impl Start {
    pub(crate) fn new() -> Self {
        let mut name = Uuid::new_v4().simple().to_string();
        // Names are compared within one entry only.
        name.truncate(12);
        Self(name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// How a start ended whose entry goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartEnd {
    /// It failed and is tried again.
    Failed,
    /// This process stops. It is no attempt.
    Left,
}

impl Redis {
    /// Counts the start, once for its name, and reads what the handler wants.
    pub(crate) async fn begin(
        &self,
        lease: &Lease,
        entry: &Entry,
        reads: &Reads,
        start: &Start,
    ) -> Result<Begun, StreamsError> {
        let keys = self.keys().of(lease.partition);
        let done = keys.done(&entry.event);
        let (list, length) = reads.list.clone().unwrap_or_else(|| (done.clone(), 0));
        let answer: Vec<Value> = self
            .run_within(lease.partition, &BEGIN, |invocation| {
                invocation
                    .key(keys.owner(lease.queue))
                    .key(keys.attempts(lease.queue));
                invocation.key(done).key(list);
                invocation.key(keys.stream(lease.queue));
                invocation.arg(lease.token()).arg(entry.id.to_string());
                invocation
                    .arg(&start.0)
                    .arg(lease.queue.group())
                    .arg(length);
                for (key, fields) in &reads.hashes {
                    invocation.key(key).arg(fields.len()).arg(*fields);
                }
            })
            .await?;
        parse(answer, lease, self, reads)
    }

    /// Notes that a start ended although its entry goes on, so that it counts as no crash.
    pub(crate) async fn end_start(
        &self,
        lease: &Lease,
        entry: StreamId,
        start: &Start,
        end: StartEnd,
    ) -> Result<(), StreamsError> {
        let keys = self.keys().of(lease.partition);
        self.run_within(lease.partition, &END_START, |invocation| {
            invocation
                .key(keys.owner(lease.queue))
                .key(keys.attempts(lease.queue));
            invocation
                .arg(lease.token())
                .arg(entry.to_string())
                .arg(&start.0);
            invocation.arg(u8::from(end == StartEnd::Left));
        })
        .await
    }
}

fn parse(
    answer: Vec<Value>,
    lease: &Lease,
    redis: &Redis,
    reads: &Reads,
) -> Result<Begun, StreamsError> {
    let mut answer = answer.into_iter();
    match answer.next().and_then(text).as_deref() {
        Some("FENCED") => {
            redis.observer().fenced(lease.queue, "begin");
            Ok(Begun::Fenced)
        }
        Some("DONE") => Ok(Begun::AlreadyDone),
        Some("OK") => {
            let mut number = || answer.next().and_then(text)?.parse().ok();
            let (Some(attempt), Some(unended)) = (number(), number()) else {
                return Err(StreamsError::Answer { script: "begin" });
            };
            let list = answer.next().map(texts).unwrap_or_default();
            let hashes = answer.zip(&reads.hashes);
            let hashes = hashes.map(|(values, (_, names))| named(values, names));
            let values = ReadValues {
                list: list.into_iter().flatten().collect(),
                hashes: hashes.collect(),
            };
            Ok(Begun::Started {
                attempt,
                unended,
                values,
            })
        }
        _ => Err(StreamsError::Answer { script: "begin" }),
    }
}

pub(crate) fn named(values: Value, names: &'static [&'static str]) -> Fields {
    let pairs = names.iter().copied().zip(texts(values));
    pairs
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

pub(crate) fn texts(value: Value) -> Vec<Option<String>> {
    match value {
        Value::Array(items) => items.into_iter().map(text).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[&str] = &["ver"];

    fn early() -> Early {
        let fields = Fields::from([("ver", "7".to_owned())]);
        Early {
            start: Start::new(),
            list: Some(("hist:c".into(), 10, vec!["line".into()])),
            hashes: HashMap::from([("conv:c".into(), (FIELDS, fields))]),
        }
    }

    fn reads(list: (&str, usize), hashes: &[(&str, &'static [&'static str])]) -> Reads {
        let hashes = hashes
            .iter()
            .map(|(key, fields)| ((*key).to_owned(), *fields));
        Reads {
            list: Some((list.0.to_owned(), list.1)),
            hashes: hashes.collect(),
        }
    }

    #[test]
    fn what_was_read_early_is_used_where_it_is_all_that_is_wanted() {
        let wanted = reads(("hist:c", 10), &[("conv:c", FIELDS)]);
        let values = early().values(&wanted).unwrap();
        assert_eq!(values.list, ["line"]);
        assert_eq!(values.field(0, "ver"), Some("7"));
        assert_eq!(
            early().values(&Reads::default()),
            Some(ReadValues::default())
        );
        for other in [
            reads(("hist:d", 10), &[("conv:c", FIELDS)]),
            reads(("hist:c", 11), &[("conv:c", FIELDS)]),
            reads(("hist:c", 10), &[("conv:d", FIELDS)]),
            reads(("hist:c", 10), &[("conv:c", &["ver", "last"])]),
            reads(("hist:c", 10), &[("conv:c", FIELDS), ("contact:c", FIELDS)]),
        ] {
            assert_eq!(early().values(&other), None, "{other:?}");
        }
    }
}
