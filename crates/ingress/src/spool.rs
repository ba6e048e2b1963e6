//! Where verified webhooks wait on disk while Redis is away.
//!
//! A thread of its own writes them, several to a commit, each commit forced to disk before its
//! webhooks are answered. A task drains them in order through the same script as every webhook,
//! dedup included. While anything waits, new webhooks go to the spool as well, so that a
//! conversation stays in order.

mod drain;
mod store;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use runtime::Status;
use serde::{Deserialize, Serialize};
use streams::{Destination, NewEntry};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub(crate) use drain::drain;
use store::Store;
use writer::Write;

/// Writes that wait for the disk. Beyond it webhooks wait for a place, and then for nothing:
/// their provider gives up first.
const QUEUE: usize = 1_024;

/// A webhook as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spooled {
    /// Where it goes when Redis is back.
    pub(crate) to: Destination,
    #[serde(flatten)]
    pub(crate) entry: NewEntry,
    /// By which a second drain of it is known, and a replay where the signature has no time. Older
    /// versions wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<String>,
}

impl Spooled {
    pub(crate) fn new(entry: &NewEntry, to: Destination, replay_mark: Option<&str>) -> Self {
        let own_mark = || Uuid::now_v7().simple().to_string();
        Self {
            to,
            entry: entry.clone(),
            mark: Some(replay_mark.map_or_else(own_mark, str::to_owned)),
        }
    }
}

/// Why a webhook could not be spooled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpoolError {
    /// INGRESS_SPOOL_MAX_ENTRIES wait already.
    #[error("the spool is full")]
    Full,
    /// The disk failed.
    #[error("the spool cannot be written: {0}")]
    Disk(String),
}

/// The spool cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("INGRESS_SPOOL_DIR: the spool cannot be opened: {0}")]
pub struct SpoolOpenError(String);

/// A handle on the spool. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Spool {
    writer: mpsc::Sender<Write>,
    store: Arc<Store>,
    /// Webhooks on their way to the disk.
    arriving: Arc<AtomicU64>,
    most: u64,
}

impl Spool {
    /// Opens the spool in `folder`, with whatever an earlier process left there.
    ///
    /// # Errors
    /// When the folder cannot be used, or another process uses it.
    pub(crate) fn open(folder: &Path, most: u64) -> Result<Self, SpoolOpenError> {
        let store = Arc::new(Store::open(folder).map_err(SpoolOpenError)?);
        let (writer, writes) = mpsc::channel(QUEUE);
        writer::start(store.clone(), writes).map_err(|error| SpoolOpenError(error.to_string()))?;
        Ok(Self {
            writer,
            store,
            arriving: Arc::default(),
            most,
        })
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many webhooks wait.
    pub(crate) fn len(&self) -> u64 {
        // In this order one that gets to disk meanwhile is counted twice, and never not at all.
        let arriving = self.arriving.load(Ordering::Acquire);
        arriving + self.store.waiting()
    }

    /// How it does: degraded while anything waits or the disk fails, down when webhooks would be
    /// refused.
    pub(crate) fn status(&self, redis_works: bool) -> Status {
        let waiting = self.len();
        let writes = self.store.is_writable();
        let needed = waiting > 0 || !redis_works;
        if waiting >= self.most || !writes && needed {
            Status::Down
        } else if waiting > 0 || !writes {
            Status::Degraded
        } else {
            Status::Ok
        }
    }

    /// Writes a webhook and returns when it is on disk.
    pub(crate) async fn store(&self, webhook: Spooled) -> Result<(), SpoolError> {
        let arriving = Arriving::new(&self.arriving);
        if self.len() > self.most {
            return Err(SpoolError::Full);
        }
        let bytes = serde_json::to_vec(&webhook).map_err(|e| SpoolError::Disk(e.to_string()))?;
        let (done, written) = oneshot::channel();
        let gone = || SpoolError::Disk("the writer has stopped".into());
        let write = Write {
            bytes,
            arriving,
            done,
        };
        self.writer.send(write).await.map_err(|_| gone())?;
        written.await.map_err(|_| gone())?
    }
}

/// One webhook in the count of those on their way to the disk. It is taken out again also when the
/// request ends while it waits for its place: a count that stays too high would keep all later
/// webhooks on the way over the disk.
#[derive(Debug)]
struct Arriving(Arc<AtomicU64>);

impl Arriving {
    fn new(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count.clone())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use streams::Queue;

    use super::*;

    fn webhook() -> Spooled {
        Spooled::new(
            &NewEntry::default(),
            Destination::Work(Queue::Inbound),
            None,
        )
    }

    #[tokio::test]
    async fn request_that_ends_before_its_turn_leaves_no_trace_in_the_count() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 10).unwrap();
        // A queue that nobody reads, as while the disk hangs.
        let (writer, _writes) = mpsc::channel(1);
        let (done, _written) = oneshot::channel();
        let first = Write {
            bytes: Vec::new(),
            arriving: Arriving::new(&spool.arriving),
            done,
        };
        writer.try_send(first).unwrap();
        spool.writer = writer;
        let mut waiting = Box::pin(spool.store(webhook()));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(spool.len(), 2);
        drop(waiting);
        assert_eq!(spool.len(), 1);
    }

    #[test]
    fn webhook_that_an_earlier_build_left_is_read() {
        let left = r#"{"to":"outbound","kind":"delivery","event":"e","conversation":"c","mailbox":"delivery:SM1","payload":"{}","trace":null}"#;
        let webhook: Spooled = serde_json::from_str(left).unwrap();
        assert_eq!(webhook.to, Destination::Work(Queue::Outbound));
        assert_eq!(webhook.entry.mailbox.as_deref(), Some("delivery:SM1"));
        assert_eq!(serde_json::to_string(&webhook).unwrap(), left);
        let rejected = left.replace("outbound", "rejected");
        let rejected: Spooled = serde_json::from_str(&rejected).unwrap();
        assert_eq!(rejected.to, Destination::Rejected);
    }

    #[tokio::test]
    async fn full_spool_refuses_and_takes_again_when_it_is_drained() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1).unwrap();
        spool.store(webhook()).await.unwrap();
        assert_eq!(spool.store(webhook()).await, Err(SpoolError::Full));
        assert_eq!((spool.len(), spool.status(true)), (1, Status::Down));
        spool.store.drained(1, 1);
        assert!(spool.is_empty());
        spool.store(webhook()).await.unwrap();
    }
}
