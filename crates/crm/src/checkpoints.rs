//! What SQLite's log holds is copied into the database beside the writer: who writes goes on meanwhile, and no
//! turn waits for it (<https://sqlite.org/wal.html>, a passive checkpoint).

use sqlx::AnyConnection;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::store::Database;

/// Transactions after which the log is copied. Pages that many of them change are copied once; but the more there is
/// to force to disk at once, the longer others wait for the same disk, such as a Redis that forces every write.
const EVERY: usize = 100;

/// Counts transactions, and has the log copied in time.
pub(super) struct Checkpoints {
    due: mpsc::Sender<()>,
    committed: usize,
}

impl Checkpoints {
    /// Ends when it is dropped. Needs a runtime.
    pub(super) fn start(database: Database) -> Self {
        let (due, wanted) = mpsc::channel(1);
        // SQLite itself makes a checkpoint when the last connection closes.
        TaskTracker::new().spawn(run(database, wanted));
        Self { due, committed: 0 }
    }

    /// One more is in the log.
    pub(super) fn count(&mut self) {
        self.committed += 1;
        if self.committed >= EVERY && self.due.try_send(()).is_ok() {
            self.committed = 0;
        }
    }
}

async fn run(database: Database, mut wanted: mpsc::Receiver<()>) {
    let mut open = None;
    while wanted.recv().await.is_some() {
        // The log only grows meanwhile, and whoever makes it too long copies it (see `prepare`).
        if let Err(error) = copy(&database, &mut open).await {
            tracing::warn!(%error, "SQLite's log was not copied; tried again later");
            open = None;
        }
    }
}

async fn copy(database: &Database, open: &mut Option<AnyConnection>) -> sqlx::Result<()> {
    let connection = match open {
        Some(connection) => connection,
        none => none.insert(database.connect().await?),
    };
    let checkpoint = sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)");
    checkpoint.execute(connection).await.map(drop)
}
