//! How much waits, and who looks after it.

use futures_util::future::try_join_all;
use redis::Value;

use crate::entry::parse_entries;
use crate::{Partition, Queue, Redis, StreamsError};

/// How much waits in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Entries that wait or are in progress: an entry leaves its stream when it ends.
    pub entries: u64,
    /// The age of the oldest, in milliseconds.
    pub oldest_ms: u64,
    /// The conversation of the oldest.
    pub oldest_conversation: Option<String>,
    /// Partitions whose lease nobody holds.
    pub unowned_partitions: u64,
}

/// How much waits in one partition of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionBacklog {
    /// Which.
    pub partition: Partition,
    /// Entries that wait or are in progress.
    pub entries: u64,
    /// The age of the oldest, in milliseconds.
    pub oldest_ms: u64,
    /// The conversation of the oldest.
    pub oldest_conversation: Option<String>,
    /// The consumer that holds its lease.
    pub holder: Option<String>,
}

impl Backlog {
    /// That of all these together.
    pub fn of<'a>(partitions: impl IntoIterator<Item = &'a PartitionBacklog>) -> Self {
        let mut total = Self::default();
        for one in partitions {
            total.entries += one.entries;
            total.unowned_partitions += u64::from(one.holder.is_none());
            if one.entries > 0 && one.oldest_ms >= total.oldest_ms {
                total.oldest_ms = one.oldest_ms;
                total
                    .oldest_conversation
                    .clone_from(&one.oldest_conversation);
            }
        }
        total
    }
}

/// What Redis says of a partition: how many wait, the first, whether somebody has it, and who had it last.
type Answer = (u64, Value, bool, Option<String>);

impl Redis {
    /// How much waits in a queue, and whether somebody looks after it.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn backlog(&self, queue: Queue, now_ms: i64) -> Result<Backlog, StreamsError> {
        Ok(Backlog::of(&self.partition_backlogs(queue, now_ms).await?))
    }

    /// How much waits in each partition of a queue, and who looks after it.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn partition_backlogs(
        &self,
        queue: Queue,
        now_ms: i64,
    ) -> Result<Vec<PartitionBacklog>, StreamsError> {
        let partitions = self.partitions().all();
        try_join_all(partitions.map(|partition| self.partition_backlog(queue, partition, now_ms)))
            .await
    }

    async fn partition_backlog(
        &self,
        queue: Queue,
        partition: Partition,
        now_ms: i64,
    ) -> Result<PartitionBacklog, StreamsError> {
        let keys = self.keys().of(partition);
        let mut pipeline = redis::pipe();
        pipeline.cmd("XLEN").arg(keys.stream(queue));
        pipeline
            .cmd("XRANGE")
            .arg(keys.stream(queue))
            .arg("-")
            .arg("+")
            .arg("COUNT")
            .arg(1);
        pipeline.cmd("EXISTS").arg(keys.lease(queue));
        pipeline.cmd("HGET").arg(keys.owner(queue)).arg("w");
        let (entries, oldest, is_leased, holder) = self
            .with_connection("backlog", |mut connection| async move {
                pipeline.query_async::<Answer>(&mut connection).await
            })
            .await?;
        let oldest = parse_entries(oldest).into_iter().next();
        let age = |added_at: i64| u64::try_from(now_ms - added_at).unwrap_or_default();
        Ok(PartitionBacklog {
            partition,
            entries,
            oldest_ms: oldest
                .as_ref()
                .map_or(0, |first| age(first.id.added_at_ms())),
            oldest_conversation: oldest.and_then(|mut first| first.fields.remove("conv")),
            holder: is_leased.then(|| holder.unwrap_or_default()),
        })
    }
}
