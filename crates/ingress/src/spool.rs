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
use streams::{Destination, NewEntry, Queue};
use tokio::sync::{mpsc, oneshot};

pub(crate) use drain::drain;
use store::Store;
use writer::Write;

/// Writes that wait for the disk. Beyond it webhooks wait for a place, and then for nothing:
/// their provider gives up first.
const QUEUE: usize = 1_024;

/// A webhook as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spooled {
    to: Place,
    kind: String,
    event: String,
    conversation: String,
    mailbox: Option<String>,
    payload: String,
    trace: Option<String>,
}

/// Where it goes when Redis is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Inbound,
    Outbound,
    Crm,
    Rejected,
}

impl Spooled {
    pub(crate) fn new(entry: &NewEntry, destination: Destination) -> Self {
        let entry = entry.clone();
        Self {
            to: match destination {
                Destination::Work(Queue::Inbound) => Place::Inbound,
                Destination::Work(Queue::Outbound) => Place::Outbound,
                Destination::Work(Queue::Crm) => Place::Crm,
                Destination::Rejected => Place::Rejected,
            },
            kind: entry.kind,
            event: entry.event,
            conversation: entry.conversation,
            mailbox: entry.mailbox,
            payload: entry.payload,
            trace: entry.trace,
        }
    }

    fn into_parts(self) -> (NewEntry, Destination) {
        let destination = match self.to {
            Place::Inbound => Destination::Work(Queue::Inbound),
            Place::Outbound => Destination::Work(Queue::Outbound),
            Place::Crm => Destination::Work(Queue::Crm),
            Place::Rejected => Destination::Rejected,
        };
        let entry = NewEntry {
            kind: self.kind,
            event: self.event,
            conversation: self.conversation,
            mailbox: self.mailbox,
            payload: self.payload,
            trace: self.trace,
        };
        (entry, destination)
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
    /// Webhooks on disk or on their way there.
    entries: Arc<AtomicU64>,
    most: u64,
}

impl Spool {
    /// Opens the spool in `folder`, with whatever an earlier process left there.
    ///
    /// # Errors
    /// When the folder cannot be used, or another process uses it.
    pub(crate) fn open(folder: &Path, most: u64) -> Result<Self, SpoolOpenError> {
        let store = Arc::new(Store::open(folder).map_err(SpoolOpenError)?);
        let left = store.len().map_err(SpoolOpenError)?;
        let (writer, writes) = mpsc::channel(QUEUE);
        writer::start(store.clone(), writes).map_err(|error| SpoolOpenError(error.to_string()))?;
        Ok(Self {
            writer,
            store,
            entries: Arc::new(AtomicU64::new(left)),
            most,
        })
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many webhooks wait.
    pub(crate) fn len(&self) -> u64 {
        self.entries.load(Ordering::Acquire)
    }

    /// How it does: degraded while anything waits, down when it takes nothing more.
    pub(crate) fn status(&self) -> Status {
        match self.len() {
            0 => Status::Ok,
            waiting if waiting < self.most => Status::Degraded,
            _ => Status::Down,
        }
    }

    /// Writes a webhook and returns when it is on disk.
    pub(crate) async fn store(&self, webhook: Spooled) -> Result<(), SpoolError> {
        if self.entries.fetch_add(1, Ordering::AcqRel) >= self.most {
            self.entries.fetch_sub(1, Ordering::AcqRel);
            return Err(SpoolError::Full);
        }
        let written = self.write(webhook).await;
        if written.is_err() {
            self.entries.fetch_sub(1, Ordering::AcqRel);
        }
        written
    }

    async fn write(&self, webhook: Spooled) -> Result<(), SpoolError> {
        let bytes = serde_json::to_vec(&webhook).map_err(|e| SpoolError::Disk(e.to_string()))?;
        let (done, written) = oneshot::channel();
        let gone = || SpoolError::Disk("the writer has stopped".into());
        self.writer
            .send(Write { bytes, done })
            .await
            .map_err(|_| gone())?;
        written.await.map_err(|_| gone())?
    }

    /// The oldest webhooks with their places, at most `count`.
    fn oldest(&self, count: usize) -> Result<Vec<(u64, Vec<u8>)>, String> {
        self.store.oldest(count)
    }

    /// Removes webhooks that were taken in.
    fn remove(&self, places: &[u64]) -> Result<(), String> {
        self.store.remove(places)?;
        self.entries
            .fetch_sub(places.len() as u64, Ordering::AcqRel);
        Ok(())
    }
}
