//! Taking an event in: rate limit, dedup and XADD.

use std::time::Duration;

use redis::{ScriptInvocation, Value};

use serde::{Deserialize, Serialize};

use crate::entry::text;
use crate::script::{INGEST, RATE};
use crate::{NewEntry, Partition, Queue, Redis, StreamsError};

/// How many requests one client address may make in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The most requests within [`RateLimit::window`]; 0 switches the limit off.
    pub limit: u32,
    /// The length of the sliding window.
    pub window: Duration,
}

impl RateLimit {
    /// No limit.
    pub const OFF: Self = Self {
        limit: 0,
        window: Duration::from_secs(60),
    };
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
    /// The client address that the rate limit counts for, and the limit.
    pub rate: Option<(&'a str, RateLimit)>,
    /// Unique to the request, so that repeated requests count separately.
    pub request_id: &'a str,
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
    /// The client address has used its budget up.
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

const REJECTED_MARK: &str = "rejected";
const QUEUED_MARK: &str = "queued";

impl Redis {
    /// Takes an event in: one script and one round trip. In a cluster the rate limit, whose key
    /// lives in a slot of its own, costs a second one.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses; the event may have been taken in all the same, and
    /// a repetition is recognised then.
    pub async fn ingest(&self, ingest: &Ingest<'_>) -> Result<Ingested, StreamsError> {
        let partition = self.partitions().partition_of(&ingest.entry.conversation);
        let mut rate = ingest.rate.filter(|(_, rate)| rate.limit > 0);
        if !self.keys().spans_partitions()
            && let Some((client, limit)) = rate.take()
            && let Some(refusal) = self.check_rate(client, limit, ingest.request_id).await?
        {
            return Ok(refusal);
        }
        let fill =
            |invocation: &mut ScriptInvocation<'_>| fill(invocation, self, ingest, partition, rate);
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

    async fn check_rate(
        &self,
        client: &str,
        rate: RateLimit,
        request_id: &str,
    ) -> Result<Option<Ingested>, StreamsError> {
        let ms: u64 = self
            .run(&RATE, |invocation| {
                invocation.key(self.keys().client_rate(client));
                invocation
                    .arg(rate.limit)
                    .arg(window_ms(rate))
                    .arg(request_id);
            })
            .await?;
        let refusal = Ingested::RateLimited {
            retry_after: Duration::from_millis(ms),
        };
        Ok((ms > 0).then_some(refusal))
    }
}

fn window_ms(rate: RateLimit) -> u64 {
    u64::try_from(rate.window.as_millis()).unwrap_or(u64::MAX)
}

fn fill(
    invocation: &mut ScriptInvocation<'_>,
    redis: &Redis,
    ingest: &Ingest<'_>,
    partition: Partition,
    rate: Option<(&str, RateLimit)>,
) {
    let keys = redis.keys().of(partition);
    let (stream, mark) = match ingest.destination {
        Destination::Work(queue) => (keys.stream(queue), QUEUED_MARK),
        Destination::Rejected => (keys.rejected(), REJECTED_MARK),
    };
    let dedup = keys.dedup(&ingest.entry.event);
    let (client, rate) = rate.unwrap_or(("", RateLimit::OFF));
    let rate_key = if rate.limit > 0 {
        redis.keys().client_rate(client)
    } else {
        dedup.clone()
    };
    invocation.key(stream).key(dedup).key(rate_key);
    invocation
        .arg(rate.limit)
        .arg(window_ms(rate))
        .arg(ingest.request_id);
    invocation
        .arg(ingest.max_backlog)
        .arg(ingest.dedup_for.as_secs())
        .arg(mark);
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
