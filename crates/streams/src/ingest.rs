//! Taking an event in: rate limit, dedup and XADD.

use std::time::Duration;

use redis::Value;

use serde::{Deserialize, Serialize};

use crate::entry::text;
use crate::script::{Call, INGEST};
use crate::{NewEntry, Partition, Queue, Redis, StreamsError};

/// How many events one conversation may send in a window. Repetitions of an event do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The most events within [`RateLimit::window`]; 0 switches the limit off.
    pub limit: u32,
    /// The length of the sliding window.
    pub window: Duration,
}

/// The mark of what was signed: a replay is known by it, whatever else the request says and long
/// after [`Ingest::dedup_for`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay<'a> {
    /// The same for the same signed content.
    pub mark: &'a str,
    /// For how long it is known.
    pub known_for: Duration,
}

/// Where an event goes. JSON: the queue's name, or `"rejected"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// The stream of verified events that failed validation.
    Rejected,
    /// A work stream.
    #[serde(untagged)]
    Work(Queue),
}

/// How an event is taken in.
#[derive(Debug, Clone)]
pub struct Ingest<'a> {
    /// Where it goes.
    pub destination: Destination,
    /// The entry. Its conversation decides the partition.
    pub entry: &'a NewEntry,
    /// What the entry's conversation may send.
    pub rate: Option<RateLimit>,
    /// The mark of what was signed, where signatures have no time.
    pub replay: Option<Replay<'a>>,
    /// For how long repetitions of the event are recognised; zero to take every one.
    pub dedup_for: Duration,
    /// The most entries in the partition's stream; 0 for no limit. A work stream refuses more, the
    /// stream of rejected events drops its oldest.
    pub max_backlog: u32,
    /// How many replicas must have the entry before it counts as taken; 0 for none.
    pub replicas: u16,
    /// How long to wait for the replicas.
    pub replica_timeout: Duration,
}

impl<'a> Ingest<'a> {
    /// Into a work stream, without limits and taken each time.
    pub fn unlimited(queue: Queue, entry: &'a NewEntry) -> Self {
        Self {
            destination: Destination::Work(queue),
            entry,
            rate: None,
            replay: None,
            dedup_for: Duration::ZERO,
            max_backlog: 0,
            replicas: 0,
            replica_timeout: Duration::ZERO,
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ingested {
    /// It is in the stream.
    Queued {
        /// The entry's id.
        id: String,
        /// The number of entries in the partition's stream, this one included.
        backlog: u64,
    },
    /// It was taken in before.
    Duplicate {
        /// Whether it went into the rejected stream then.
        rejected: bool,
    },
    /// The conversation has used its budget up.
    RateLimited {
        /// When to try again.
        retry_after: Duration,
    },
    /// Too many entries wait already.
    Busy {
        /// The number of entries in the partition's stream.
        backlog: u64,
    },
    /// It is in the stream, but too few replicas have it yet.
    Unreplicated,
}

/// How long a fence is kept in a conversation without a state, until the worker has made one.
const FENCE_TTL_SECS: u64 = 7 * 24 * 60 * 60;

const REJECTED_MARK: &str = "rejected";
const QUEUED_MARK: &str = "queued";

impl Redis {
    /// Takes an event in: one script and one round trip.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses; the event may have been taken in all the same, and
    /// a repetition is recognised then.
    pub async fn ingest(&self, ingest: &Ingest<'_>) -> Result<Ingested, StreamsError> {
        let partition = self.partitions().partition_of(&ingest.entry.conversation);
        let fill = |invocation: &mut Call| fill(invocation, self, ingest, partition);
        if ingest.replicas == 0 {
            return parse(&self.run(&INGEST, fill).await?);
        }
        // Boxed: rarely taken, and large enough to swell every webhook.
        let replicated =
            Box::pin(self.run_replicated(&INGEST, ingest.replicas, ingest.replica_timeout, fill));
        let (answer, acknowledged) = replicated.await?;
        let ingested = parse(&answer)?;
        let stored = matches!(
            ingested,
            Ingested::Queued { .. } | Ingested::Duplicate { .. }
        );
        Ok(if stored && acknowledged < ingest.replicas {
            Ingested::Unreplicated
        } else {
            ingested
        })
    }
}

fn fill(invocation: &mut Call, redis: &Redis, ingest: &Ingest<'_>, partition: Partition) {
    let keys = redis.keys().of(partition);
    let (stream, mark) = match ingest.destination {
        Destination::Work(queue) => (keys.stream(queue), QUEUED_MARK),
        Destination::Rejected => (keys.rejected(), REJECTED_MARK),
    };
    let (limit, window) = ingest
        .rate
        .map_or((0, Duration::ZERO), |rate| (rate.limit, rate.window));
    let (replay, known_for) = ingest.replay.map_or(("", Duration::ZERO), |replay| {
        (replay.mark, replay.known_for)
    });
    invocation
        .key(stream)
        .key(keys.dedup(&ingest.entry.event))
        .key(keys.replay(replay))
        .key(keys.recent(&ingest.entry.conversation))
        .key(keys.conversation(&ingest.entry.conversation));
    invocation
        .arg(limit)
        .arg(u64::try_from(window.as_millis()).unwrap_or(u64::MAX))
        .arg(ingest.max_backlog)
        .arg(ingest.dedup_for.as_secs())
        .arg(known_for.as_secs())
        .arg(mark)
        .arg(if ingest.entry.fences {
            FENCE_TTL_SECS
        } else {
            0
        });
    for (name, value) in ingest.entry.fields() {
        invocation.arg(name).arg(value);
    }
}

fn parse(answer: &Value) -> Result<Ingested, StreamsError> {
    let unexpected = || StreamsError::Answer { script: "ingest" };
    let Value::Array(parts) = answer else {
        return Err(unexpected());
    };
    let part = |index: usize| parts.get(index).cloned().and_then(text);
    let number = |index| {
        part(index)
            .and_then(|n| n.parse::<u64>().ok())
            .ok_or_else(unexpected)
    };
    match part(0).as_deref() {
        Some("OK") => Ok(Ingested::Queued {
            id: part(1).unwrap_or_default(),
            backlog: number(2)?,
        }),
        Some("DUP") => Ok(Ingested::Duplicate {
            rejected: part(1).as_deref() == Some(REJECTED_MARK),
        }),
        Some("RATE") => Ok(Ingested::RateLimited {
            retry_after: Duration::from_millis(number(1)?),
        }),
        Some("BUSY") => Ok(Ingested::Busy {
            backlog: number(1)?,
        }),
        _ => Err(unexpected()),
    }
}
