use std::collections::HashMap;

use redis::Value;

use crate::begin::{Early, EarlyReads, Start, named, texts};
use crate::entry::{RawEntry, parse_entries, text};
use crate::lease::Lease;
use crate::script::{Call, FETCH};
use crate::{PartitionKeys, Redis, StreamId, StreamsError};

/// The one consumer name of every group: what is pending belongs to the partition, not to a
/// process, so a new owner has nothing to claim and no dead consumer is left behind.
const CONSUMER: &str = "owner";

/// Where to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    /// Pending entries after this id: what an earlier owner began or left.
    Pending { after: StreamId },
    /// Entries that were never delivered.
    New,
}

/// What a fenced read brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// The entries, and the starts of those that were started.
    Entries(Vec<RawEntry>, HashMap<StreamId, Early>),
    Fenced,
}

/// How many new entries are started by the fetch itself, and what is read for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StartEarly<'a> {
    pub(crate) most: usize,
    pub(crate) reads: &'a EarlyReads,
}

impl Redis {
    pub(crate) async fn fetch(
        &self,
        lease: &Lease,
        from: &From,
        count: usize,
        early: Option<StartEarly<'_>>,
    ) -> Result<Fetched, StreamsError> {
        let keys = self.keys().of(lease.partition);
        let (id, early) = match from {
            From::Pending { after } => (&*after.to_string(), None),
            From::New => (">", early.filter(|early| early.most > 0)),
        };
        let start = Start::new();
        let answer: Vec<Value> = self
            .run_within(lease.partition, &FETCH, |invocation| {
                invocation
                    .key(keys.owner(lease.queue))
                    .key(keys.stream(lease.queue))
                    .key(keys.attempts(lease.queue));
                invocation
                    .arg(lease.token())
                    .arg(lease.queue.group())
                    .arg(CONSUMER);
                invocation.arg(count).arg(id);
                match early {
                    Some(early) => add_early(invocation, early, &start, keys),
                    None => {
                        invocation.arg(0);
                    }
                }
            })
            .await?;
        let mut answer = answer.into_iter();
        match answer.next().and_then(text).as_deref() {
            Some("OK") => {
                let entries = answer.next().map(parse_entries).unwrap_or_default();
                self.observer().fetched(lease.queue, entries.len());
                let started = answer.next().map(items).unwrap_or_default();
                let reads = early.map(|early| early.reads);
                let started = reads.into_iter().flat_map(|reads| {
                    let started = started.iter().cloned();
                    started.filter_map(|one| parse_early(one, reads, &start))
                });
                let started = started.collect();
                Ok(Fetched::Entries(entries, started))
            }
            Some("FENCED") => {
                self.observer().fenced(lease.queue, "fetch");
                Ok(Fetched::Fenced)
            }
            _ => Err(StreamsError::Answer { script: "fetch" }),
        }
    }
}

fn add_early(invocation: &mut Call, early: StartEarly<'_>, start: &Start, keys: PartitionKeys) {
    let reads = early.reads;
    invocation.arg(early.most).arg(start.name());
    invocation.arg(keys.done(""));
    let (list, length) = reads.list.as_ref().map_or(("", 0), |(key, n)| (key, *n));
    invocation.arg(length).arg(list);
    for hash in &reads.hashes {
        let by = if hash.of_event { "event" } else { "conv" };
        invocation.arg(&hash.begins).arg(by).arg(hash.ends);
        invocation.arg(hash.fields.len()).arg(hash.fields);
    }
}

fn parse_early(value: Value, reads: &EarlyReads, start: &Start) -> Option<(StreamId, Early)> {
    let mut parts = items(value).into_iter();
    let id = text(parts.next()?)?.parse().ok()?;
    let mut pair = || {
        let mut pair = items(parts.next()?).into_iter();
        Some((text(pair.next()?)?, pair.next()?))
    };
    let (key, lines) = pair()?;
    let list = reads.list.as_ref().map(|(_, length)| {
        let lines = texts(lines).into_iter().flatten().collect();
        (key, *length, lines)
    });
    let mut hashes = HashMap::new();
    for hash in &reads.hashes {
        let (key, values) = pair()?;
        hashes.insert(key, (hash.fields, named(values, hash.fields)));
    }
    let start = start.clone();
    Some((
        id,
        Early {
            start,
            list,
            hashes,
        },
    ))
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}
