//! A consumer of one queue: owns its share of the partitions and hands their entries to a handler.
//!
//! ```text
//! supervisor ── renews leases, counts members, acquires and sheds partitions
//!     └─ partition loop (one each) ── fetches within its window, fills the mailboxes
//!            └─ process (one each mailbox) ── begin → handler → commit | record | dead letter
//! watcher ── tells partition loops that something new came
//! ```

mod config;
mod item;
mod job;
mod load;
mod mailboxes;
mod partition;
mod process;
mod supervisor;
mod wake;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use shared_types::Payload;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Commit, Duty, EarlyReads, Entry, PartitionKeys, PartitionMismatch, ReadValues, Reads, Redis,
    StreamsError,
};

pub use config::{ConsumerConfig, ConsumerConfigError};
pub use item::{Gather, Waiting};
pub use job::{Interrupted, Job, RecordOutcome, Settled};
pub use supervisor::DrainReport;

use partition::Shared;
use supervisor::Supervisor;

/// What is done with the entries of a queue. An entry that is not what its kind says never gets
/// here: it is set aside as soon as it is its turn.
pub trait Handler: Send + Sync + 'static {
    /// What the queue carries.
    type Payload: Payload;

    /// What most entries need read when their processing starts, before they are known: it comes with an
    /// entry that can start at once.
    fn early_reads(&self, _keys: PartitionKeys) -> Option<EarlyReads> {
        None
    }

    /// What is read together with the start of processing, where that differs.
    fn reads(&self, entry: &Entry, _payload: &Self::Payload, keys: PartitionKeys) -> Reads {
        let early = self.early_reads(keys);
        early.map(|early| early.of(entry)).unwrap_or_default()
    }

    /// The lane of an entry: what may be blocked as a whole, such as one sender. A lane takes no
    /// more than its share of a partition's places, so a blocked one leaves room for the others.
    /// Entries without a lane share the partition's places freely.
    fn lane(&self, _payload: &Self::Payload) -> Option<String> {
        None
    }

    /// What becomes of the first entries of a mailbox: handled one by one, unless this says
    /// otherwise. A pure function of the entries and their age, so that a new owner of the partition
    /// decides as the old one would have.
    fn gather(&self, _waiting: &[Waiting<'_, Self::Payload>]) -> Gather {
        Gather::Take(1)
    }

    /// Works on an entry and settles it.
    fn handle(&self, job: Job<Self::Payload>) -> impl Future<Output = Settled> + Send;

    /// What the conversation is told when the entry becomes a dead letter because its processing
    /// never ended. The entry may be what ends processes: nothing of it may be worked on here.
    fn last_words(
        &self,
        _entry: &Entry,
        _payload: &Self::Payload,
        _values: &ReadValues,
    ) -> Option<Commit> {
        None
    }

    /// The line that a conversation's history gets for an entry that cannot be read.
    fn unread_note(&self) -> Option<String> {
        None
    }
}

/// Consumes one queue with one handler.
pub struct Consumer<H> {
    shared: Arc<Shared<H>>,
}

const PAUSE_BETWEEN_CLAIMS: Duration = Duration::from_millis(500);

impl<H: Handler> Consumer<H> {
    /// Prepares a consumer; nothing is read yet.
    pub fn new(redis: Redis, config: ConsumerConfig, handler: Arc<H>) -> Self {
        let permits = Arc::new(Semaphore::new(config.in_flight));
        Self {
            shared: Arc::new(Shared {
                redis,
                handler,
                config: Arc::new(config),
                permits,
            }),
        }
    }

    /// Consumes until `stop`, then drains within `deadline`. A Redis that is away is waited for.
    ///
    /// # Errors
    /// When the deployment has another number of partitions.
    pub async fn run(
        self,
        stop: CancellationToken,
        deadline: Duration,
    ) -> Result<DrainReport, PartitionMismatch> {
        let redis = self.shared.redis.clone();
        let duty = Duty::Consume(self.shared.config.queue);
        let Some(claimed) = stop.run_until_cancelled(prepare(&redis, duty)).await else {
            return Ok(DrainReport::default());
        };
        claimed?;
        let (sender, watched) = watch::channel(Vec::new());
        let mut supervisor = Supervisor::new(self.shared, sender);
        let watcher = wake::watch_all(redis, watched, stop.clone());
        tokio::join!(supervisor.run(&stop), watcher);
        Ok(supervisor.drain(deadline).await)
    }
}

/// Nothing is begun before everything that it needs is allowed.
async fn prepare(redis: &Redis, duty: Duty) -> Result<(), PartitionMismatch> {
    loop {
        let ready = async {
            let claimed = redis.claim_layout().await?;
            redis.check_permissions(&[duty]).await?;
            Ok::<_, StreamsError>(claimed)
        };
        match ready.await {
            Ok(claimed) => return claimed,
            Err(error) => tracing::warn!(%error, "waiting for Redis"),
        }
        tokio::time::sleep(PAUSE_BETWEEN_CLAIMS).await;
    }
}
