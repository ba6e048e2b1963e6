//! What an operator wants to know at three in the morning.

use jiff::Timestamp;
use runtime::Chain;
use streams::{Backlog, Queue, RedisMemory, Shelf, StreamsError};

use super::Desk;

/// A queue that waits longer than this is in trouble.
const LATE_MS: u64 = 60_000;
/// Redis is nearly full above this share of its limit, in percent.
const FULL_PERCENT: u64 = 80;

/// How a queue does.
#[derive(Debug, Clone)]
pub struct QueueState {
    /// Which.
    pub queue: Queue,
    /// What waits.
    pub backlog: Backlog,
    /// What could not be handled.
    pub dead: u64,
}

/// How the whole does.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The queues; empty when Redis does not answer.
    pub queues: Vec<QueueState>,
    /// Webhooks that could not be used.
    pub rejected: u64,
    /// The name and version of Redis.
    pub redis: Option<String>,
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
    pub fn is_late(state: &QueueState) -> bool {
        state.backlog.oldest_ms > LATE_MS
            || (state.backlog.entries > 0 && state.backlog.unowned_partitions > 0)
    }

    /// How full Redis is, in percent of its limit.
    #[must_use]
    pub fn memory_percent(&self) -> Option<u64> {
        let memory = self.memory.filter(|memory| memory.limit > 0)?;
        Some(memory.used.saturating_mul(100) / memory.limit)
    }

    /// Whether Redis is nearly full.
    #[must_use]
    pub fn is_nearly_full(&self) -> bool {
        self.memory_percent()
            .is_some_and(|percent| percent >= FULL_PERCENT)
    }
}

impl Desk {
    /// How the whole does. What does not answer is told of, and is no error.
    pub async fn overview(&self) -> Overview {
        let mut overview = Overview::default();
        if let Err(error) = self.look_at_redis(&mut overview).await {
            overview.down.push(("Redis", Chain(&error).to_string()));
        }
        match self.crm.waiting(Timestamp::now()).await {
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
        overview.redis = Some(format!("{} {}", report.name, report.version));
        overview.dangers = report.warnings();
        overview.memory = self.redis.memory().await?;
        let now_ms = Timestamp::now().as_millisecond();
        for queue in Queue::ALL {
            overview.queues.push(QueueState {
                queue,
                backlog: self.redis.backlog(queue, now_ms).await?,
                dead: self.redis.letter_count(Shelf::Dead(queue)).await?,
            });
        }
        overview.rejected = self.redis.letter_count(Shelf::Rejected).await?;
        Ok(())
    }
}
