//! One writer a process: turns hand in their writes and await what was made of them. What waits goes
//! into one transaction, on a connection that stays open.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sqlx::AnyConnection;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::batch;
use super::checkpoints::Checkpoints;
use super::store::{CrmError, Database};
use super::write::{CrmWrite, Noted};
use crate::metrics::CrmMetrics;

/// Writes that may wait; turns wait for a place after that.
const QUEUE: usize = 1024;
/// Writes of one transaction.
const MOST: usize = 64;
/// What a transaction may take, or a new connection.
const PATIENCE: Duration = Duration::from_secs(3);

struct Waiting {
    write: CrmWrite,
    answer: oneshot::Sender<Result<Noted, CrmError>>,
}

/// Where turns hand in their writes. The writer ends with the last handle.
#[derive(Debug, Clone)]
pub(super) struct Writer(mpsc::Sender<Waiting>);

impl Writer {
    /// Needs a runtime.
    pub(super) fn start(database: Database, metrics: Option<CrmMetrics>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let is_sqlite = database.is_sqlite();
        let writing = Writing {
            checkpoints: is_sqlite.then(|| Checkpoints::start(database.clone())),
            database,
            connection: None,
            metrics,
        };
        // Whoever waits for a write has a handle: nobody has to wait for the writer itself.
        TaskTracker::new().spawn(writing.run(waiting));
        Self(queue)
    }

    /// What was made of a write, once it is in the database.
    pub(super) async fn apply(&self, write: CrmWrite) -> Result<Noted, CrmError> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { write, answer };
        let taken = self.0.send(waiting).await;
        taken.map_err(|_| CrmError::Ended)?;
        answered.await.map_err(|_| CrmError::Ended)?
    }
}

/// What became of several writes.
type Applied = Result<Option<Vec<Noted>>, CrmError>;

struct Writing {
    database: Database,
    connection: Option<AnyConnection>,
    checkpoints: Option<Checkpoints>,
    metrics: Option<CrmMetrics>,
}

impl Writing {
    async fn run(mut self, mut queue: mpsc::Receiver<Waiting>) {
        let mut waiting = Vec::new();
        while queue.recv_many(&mut waiting, MOST).await > 0 {
            // Who does not wait any more has put the write where it is repeated.
            waiting.retain(|one| !one.answer.is_closed());
            self.show_waiting(queue.len() + waiting.len());
            self.write(std::mem::take(&mut waiting)).await;
            self.show_waiting(queue.len());
        }
    }

    fn show_waiting(&self, count: usize) {
        if let Some(metrics) = &self.metrics {
            metrics.waiting(count);
        }
    }

    /// Halves what does not go together, until what is refused is alone.
    async fn write(&mut self, all: Vec<Waiting>) {
        let mut parts = VecDeque::from([all]);
        while let Some(part) = parts.pop_front() {
            if part.is_empty() {
                continue;
            }
            match self.apply(&part).await {
                Ok(Some(noted)) => {
                    if let Some(metrics) = &self.metrics {
                        metrics.transaction(part.len());
                    }
                    if let Some(checkpoints) = &mut self.checkpoints {
                        checkpoints.count();
                    }
                    for (one, noted) in part.into_iter().zip(noted) {
                        answer(one, Ok(noted));
                    }
                }
                Ok(None) => halve(part, &mut parts),
                Err(error) if part.len() > 1 && error.may_be_of_one() => halve(part, &mut parts),
                Err(error) => {
                    let error = Arc::new(error);
                    for one in part {
                        answer(one, Err(CrmError::Together(error.clone())));
                    }
                }
            }
        }
    }

    /// One transaction; a second one when the connection that was open turns out to be of no use.
    async fn apply(&mut self, part: &[Waiting]) -> Applied {
        let was_open = self.connection.is_some();
        let applied = self.attempt(part).await;
        match applied {
            Err(error) if was_open && error.may_be_of_connection() => self.attempt(part).await,
            applied => applied,
        }
    }

    async fn attempt(&mut self, part: &[Waiting]) -> Applied {
        let transaction = self.transaction(part);
        let applied = tokio::time::timeout(PATIENCE, transaction).await;
        let applied = applied.unwrap_or(Err(CrmError::Slow));
        if applied.as_ref().is_err_and(|error| !error.is_refusal()) {
            self.connection = None;
        }
        applied
    }

    async fn transaction(&mut self, part: &[Waiting]) -> Applied {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.database.connect().await?),
        };
        let writes: Vec<_> = part.iter().map(|one| &one.write).collect();
        let mut transaction = self.database.begin_on(connection).await?;
        let noted = batch::apply(&mut transaction, &writes).await?;
        if noted.is_some() {
            transaction.commit().await?;
        }
        Ok(noted)
    }
}

/// Both halves are written before what waits behind them, the earlier one first.
fn halve(mut part: Vec<Waiting>, parts: &mut VecDeque<Vec<Waiting>>) {
    let later = part.split_off(part.len() / 2);
    parts.push_front(later);
    parts.push_front(part);
}

fn answer(waiting: Waiting, result: Result<Noted, CrmError>) {
    // Nobody may wait for it any more.
    drop(waiting.answer.send(result));
}
