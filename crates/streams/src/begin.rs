//! The start of processing: token, attempt, and everything that the handler reads.

use std::collections::BTreeMap;

use redis::Value;

use crate::entry::text;
use crate::lease::Lease;
use crate::script::BEGIN;
use crate::{Entry, Redis, StreamsError};

/// What a handler wants read together with the start of processing, in the same round trip.
/// All keys belong to the entry's partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// A list and how many of its last items.
    pub list: Option<(String, usize)>,
    /// Hashes and the fields wanted of each.
    pub hashes: Vec<(String, &'static [&'static str])>,
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
    /// The entry's turn is committed already; only the acknowledgement is missing.
    AlreadyDone,
    Started {
        attempt: u32,
        values: ReadValues,
    },
}

impl Redis {
    /// `recount` is false when this is a repetition of a start whose answer was lost.
    pub(crate) async fn begin(
        &self,
        lease: &Lease,
        entry: &Entry,
        reads: &Reads,
        recount: bool,
    ) -> Result<Begun, StreamsError> {
        let keys = self.keys().of(lease.partition);
        let done = keys.done(&entry.event);
        let (list, length) = reads.list.clone().unwrap_or_else(|| (done.clone(), 0));
        let answer: Vec<Value> = self
            .run(&BEGIN, |invocation| {
                invocation
                    .key(keys.owner(lease.queue))
                    .key(keys.attempts(lease.queue));
                invocation.key(done).key(list);
                invocation.arg(lease.token()).arg(entry.id.to_string());
                invocation.arg(u8::from(recount)).arg(length);
                for (key, fields) in &reads.hashes {
                    invocation.key(key).arg(fields.len()).arg(*fields);
                }
            })
            .await?;
        parse(answer, lease, self, reads)
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
            let attempt = answer.next().and_then(text).and_then(|n| n.parse().ok());
            let attempt = attempt.ok_or(StreamsError::Answer { script: "begin" })?;
            let list = answer.next().map(texts).unwrap_or_default();
            let hashes = answer.zip(&reads.hashes);
            let hashes = hashes.map(|(values, (_, names))| named(values, names));
            let values = ReadValues {
                list: list.into_iter().flatten().collect(),
                hashes: hashes.collect(),
            };
            Ok(Begun::Started { attempt, values })
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

fn texts(value: Value) -> Vec<Option<String>> {
    match value {
        Value::Array(items) => items.into_iter().map(text).collect(),
        _ => Vec::new(),
    }
}
