//! What an operator wants to know at three in the morning, as far as Redis and the CRM know it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use runtime::Chain;
use streams::{Backlog, PartitionBacklog, Queue, RedisMemory, ServerReport, Shelf, StreamsError};

use super::Desk;

/// A queue that waits longer than this is in trouble.
const LATE_MS: u64 = 60_000;
/// Partitions that are shown one by one.
const SHOWN: usize = 30;

/// How a queue does.
#[derive(Debug, Clone)]
pub struct QueueState {
    /// Which.
    pub queue: Queue,
    /// What waits.
    pub backlog: Backlog,
    /// The same, partition by partition.
    pub partitions: Vec<PartitionBacklog>,
    /// What could not be handled.
    pub dead: u64,
}

impl QueueState {
    /// Whether nobody uses it: steps for a help desk that is not set up.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        let nobody = self.partitions.iter().all(|one| one.holder.is_none());
        self.queue == Queue::Mirror && nobody && self.backlog.entries == 0 && self.dead == 0
    }
}

/// A process that works on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The queue.
    pub queue: Queue,
    /// The process, as it calls itself; none for partitions that nobody holds.
    pub name: Option<String>,
    /// How many partitions it holds.
    pub partitions: usize,
    /// What waits in them.
    pub backlog: Backlog,
}

/// How the whole does.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// When this was asked.
    pub at: Timestamp,
    /// The queues that are used; empty when Redis does not answer.
    pub queues: Vec<QueueState>,
    /// Webhooks that could not be used.
    pub rejected: u64,
    /// What Redis says of itself.
    pub server: Option<ServerReport>,
    /// What endangers messages in Redis.
    pub dangers: Vec<String>,
    /// How full Redis is.
    pub memory: Option<RedisMemory>,
    /// Customers who wait, and since when the one waits longest who should have heard.
    pub waiting: Option<(i64, Option<Timestamp>)>,
    /// Channels of notices that are off, and why.
    pub channels_off: Vec<(String, String)>,
    /// Parts that do not answer, and why.
    pub down: Vec<(&'static str, String)>,
}

impl Overview {
    /// Whether a queue has trouble: nobody works on a part of it, or what waits is old.
    #[must_use]
    pub fn is_late(backlog: &Backlog) -> bool {
        backlog.oldest_ms > LATE_MS || (backlog.entries > 0 && backlog.unowned_partitions > 0)
    }

    /// How full Redis is, as a share of its limit; none without one.
    #[must_use]
    pub fn memory_share(&self) -> Option<f64> {
        let memory = self.memory.filter(|memory| memory.limit > 0)?;
        Some(memory.used as f64 / memory.limit as f64)
    }

    /// Whether a part does not answer.
    #[must_use]
    pub fn is_down(&self, part: &str) -> bool {
        self.down.iter().any(|(down, _)| *down == part)
    }

    /// For how long a customer waits beyond the time of an answer, in seconds.
    #[must_use]
    pub fn overdue_seconds(&self) -> f64 {
        let since = self.waiting.and_then(|(_, since)| since);
        since.map_or(0.0, |since| self.at.duration_since(since).as_secs_f64())
    }

    /// Who works on what, queue by queue; what nobody holds comes first.
    #[must_use]
    pub fn holders(&self) -> Vec<Holder> {
        let mut all = Vec::new();
        for state in &self.queues {
            let mut by_name: BTreeMap<Option<&str>, Vec<&PartitionBacklog>> = BTreeMap::new();
            for partition in &state.partitions {
                let name = partition.holder.as_deref();
                by_name.entry(name).or_default().push(partition);
            }
            let holders = by_name.into_iter().map(|(name, held)| Holder {
                queue: state.queue,
                name: name.map(str::to_owned),
                partitions: held.len(),
                backlog: Backlog::of(held),
            });
            all.extend(holders);
        }
        all
    }

    /// Partitions in which something waits, the oldest first, and how many are not shown.
    #[must_use]
    pub fn partitions(&self) -> (Vec<(Queue, &PartitionBacklog)>, usize) {
        let all = self.queues.iter().flat_map(|state| {
            let partitions = state.partitions.iter();
            partitions.map(|partition| (state.queue, partition))
        });
        let mut all: Vec<_> = all.filter(|(_, one)| one.entries > 0).collect();
        all.sort_by_key(|(_, one)| std::cmp::Reverse(one.oldest_ms));
        let left = all.len().saturating_sub(SHOWN);
        all.truncate(SHOWN);
        (all, left)
    }
}

impl Desk {
    /// How the whole does. What does not answer is told of, and is no error.
    pub async fn overview(&self) -> Overview {
        let mut overview = Overview {
            at: Timestamp::now(),
            ..Overview::default()
        };
        if let Err(error) = self.look_at_redis(&mut overview).await {
            overview.down.push(("Redis", Chain(&error).to_string()));
        }
        match self.crm.waiting(overview.at).await {
            Ok(waiting) => overview.waiting = Some(waiting),
            Err(error) => overview.down.push(("CRM", Chain(&error).to_string())),
        }
        if let Ok(off) = self.crm.channels_off().await {
            overview.channels_off = off;
        }
        overview
    }

    async fn look_at_redis(&self, overview: &mut Overview) -> Result<(), StreamsError> {
        let report = self.redis.server_report().await?;
        overview.dangers = report.warnings();
        overview.server = Some(report);
        overview.memory = self.redis.memory().await?;
        let now_ms = overview.at.as_millisecond();
        let queues = Queue::ALL.map(|queue| async move {
            let partitions = self.redis.partition_backlogs(queue, now_ms).await?;
            Ok::<_, StreamsError>(QueueState {
                queue,
                backlog: Backlog::of(&partitions),
                partitions,
                dead: self.redis.letter_count(Shelf::Dead(queue)).await?,
            })
        });
        let queues: Vec<QueueState> = futures_util::future::try_join_all(queues).await?;
        let used = queues.into_iter().filter(|state| !state.is_unused());
        overview.queues = used.collect();
        overview.rejected = self.redis.letter_count(Shelf::Rejected).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use streams::Partition;

    use super::*;

    fn partition(
        number: u16,
        entries: u64,
        oldest_ms: u64,
        holder: Option<&str>,
    ) -> PartitionBacklog {
        PartitionBacklog {
            partition: Partition::from_number(number),
            entries,
            oldest_ms,
            oldest_conversation: None,
            holder: holder.map(str::to_owned),
        }
    }

    #[test]
    fn who_holds_what_is_summed_and_the_oldest_partition_is_first() {
        let partitions = vec![
            partition(0, 2, 5_000, Some("a")),
            partition(1, 0, 0, Some("a")),
            partition(2, 1, 90_000, None),
        ];
        let overview = Overview {
            queues: vec![QueueState {
                queue: Queue::Inbound,
                backlog: Backlog::of(&partitions),
                partitions,
                dead: 0,
            }],
            ..Overview::default()
        };
        let shown: Vec<_> = overview
            .holders()
            .into_iter()
            .map(|one| {
                (
                    one.name,
                    one.partitions,
                    one.backlog.entries,
                    one.backlog.oldest_ms,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [(None, 1, 1, 90_000), (Some("a".to_owned()), 2, 2, 5_000)]
        );
        let (listed, left) = overview.partitions();
        let ages: Vec<_> = listed.iter().map(|(_, one)| one.oldest_ms).collect();
        assert_eq!((ages, left), (vec![90_000, 5_000], 0));
        assert!(Overview::is_late(&overview.queues[0].backlog));
    }
}
