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
        let answer: Result<Vec<Value>, StreamsError> = self
            .run_within(lease.partition, &FETCH, |invocation| {
                invocation
                    .key(keys.owner(lease.queue))
                    .key(keys.stream(lease.queue))
                    .key(keys.attempts(lease.queue));
                invocation
                    .arg(lease.token())
                    .arg(lease.queue.group())
                    .arg(CONSUMER);
                invocation.arg(count).arg(id).arg(lease.unanswered());
                match early {
                    Some(early) => add_early(invocation, early, &start, keys),
                    None => {
                        invocation.arg(0);
                    }
                }
            })
            .await;
        if answer.is_err() && *from == From::New {
            lease.had_no_answer();
        }
        let mut answer = answer?.into_iter();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;
    use test_support::RedisServer;

    use super::*;
    use crate::{Ingest, MemberId, NewEntry, Queue, RedisConfig};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        redis: RedisConfig,
    }

    #[tokio::test]
    async fn a_read_whose_answer_was_lost_takes_nothing_when_it_runs_after_the_next_one() {
        let server = RedisServer::start();
        let url = server.url();
        let cli = Cli::parse_from(["test", "--redis-url", &url, "--redis-partitions", "1"]);
        let redis = Redis::new(&cli.redis).unwrap();
        let entry = NewEntry {
            kind: "message".into(),
            event: "e1".into(),
            conversation: "c1".into(),
            mailbox: None,
            payload: "hoi".into(),
            trace: None,
            fences: false,
        };
        let partition = redis.partitions().partition_of(&entry.conversation);
        let member = MemberId::unique("test");
        let minute = Duration::from_secs(60);
        let acquired = redis.acquire(Queue::Inbound, partition, &member, minute);
        let lease = acquired.await.unwrap().unwrap();
        let late = lease.as_it_was();
        let ingest = Ingest::unlimited(Queue::Inbound, &entry);
        redis.ingest(&ingest).await.unwrap();
        let read = async |lease: &Lease, from| match redis.fetch(lease, &from, 10, None).await {
            Ok(Fetched::Entries(entries, _)) => entries.len(),
            other => panic!("{other:?}"),
        };
        lease.had_no_answer();
        let pending = From::Pending {
            after: StreamId::ZERO,
        };
        assert_eq!(read(&lease, pending.clone()).await, 0);
        assert_eq!(read(&late, From::New).await, 0, "it runs only now");
        assert_eq!(read(&lease, pending).await, 0, "and took nothing");
        assert_eq!(read(&lease, From::New).await, 1);
    }
}
