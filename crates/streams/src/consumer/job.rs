//! An entry in the hands of its handler, to be settled once, by value.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::commit::{Committed, EntryRef, Note, Recorded, SetAside};
use crate::lease::Lease;
use crate::{
    Commit, DeadLetterReason, Entry, Fields, PartitionKeys, ReadValues, Record, Redis, StreamsError,
};

use super::config::ConsumerConfig;

/// An entry whose processing has started. Ends in exactly one [`Settled`].
pub struct Job<P> {
    /// What is around the payload.
    pub entry: Arc<Entry>,
    /// What the queue carries.
    pub payload: Arc<P>,
    /// Later entries of the mailbox that are handled together with this one, in stream order. A
    /// commit ends them too; whatever else ends the entry leaves them for another job.
    pub merged: Vec<(Arc<Entry>, Arc<P>)>,
    /// Which start of processing this is, from 1.
    pub attempt: u32,
    /// What the handler asked to have read.
    pub values: ReadValues,
    pub(super) context: Context,
}

/// What settling needs, apart from the entry.
pub(super) struct Context {
    pub(super) redis: Redis,
    pub(super) lease: Arc<Lease>,
    pub(super) config: Arc<ConsumerConfig>,
    pub(super) permits: Arc<Semaphore>,
    /// Held while working, given back while pausing.
    pub(super) permit: Option<OwnedSemaphorePermit>,
    /// Held until there is a permit for the first time.
    pub(super) queueing: Option<OwnedSemaphorePermit>,
    /// 1, or all there are when the entry must run alone.
    pub(super) weight: u32,
    pub(super) stop: CancellationToken,
}

/// Proof that a job was settled. Only the methods of [`Job`] make one.
#[must_use]
pub struct Settled(pub(super) Outcome);

#[derive(Debug)]
pub(super) enum Outcome {
    /// The entry has left the stream, and so many of those that were merged with it.
    Done { merged: usize },
    /// It is tried again, before anything else of its mailbox.
    Retry { after: Duration, error: String },
    /// The lease is gone; the entry is its new owner's.
    Lost,
    /// This process stops; the entry stays pending.
    Left,
}

/// The entry alone has ended.
const ENTRY_DONE: Outcome = Outcome::Done { merged: 0 };

impl Settled {
    /// The entry stays pending because this process stops or has lost its lease.
    pub fn left() -> Self {
        Self(Outcome::Left)
    }

    /// Whether the entry has left the stream.
    pub fn is_done(&self) -> bool {
        matches!(self.0, Outcome::Done { .. })
    }
}

/// What a pause ended with, when not with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

/// What recording a step met. See [`Job::record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    /// It is written.
    Written,
    /// [`Record::unless`] was set already; its value.
    Held(String),
    /// [`Record::judged_by`] is not any more as it was; how it is now.
    Changed(Vec<Fields>),
}

impl<P> Job<P> {
    /// The names of the partition's keys.
    pub fn keys(&self) -> PartitionKeys {
        self.context.redis.keys().of(self.context.lease.partition)
    }

    /// Until when this process may begin an outside effect without asking Redis again. A process
    /// that was paused finds this time passed.
    pub fn safe_until(&self) -> Instant {
        self.context.lease.safe_until()
    }

    /// Whether [`Job::retry`] would make a dead letter of the entry.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.context.config.max_attempts
    }

    /// Applies all effects and ends the entry.
    pub async fn commit(self, effects: Commit) -> Settled {
        match self.committed(&effects, None).await {
            Ok(outcome) => Settled(outcome),
            Err(none) => Settled(self.context.without_answer(none, self.attempt)),
        }
    }

    /// Gives the entry up after its last attempt: it becomes a dead letter, and its conversation
    /// is told what the effects say, at once or not at all.
    pub async fn give_up(self, error: String, effects: Commit) -> Settled {
        let aside = SetAside {
            why: DeadLetterReason {
                reason: ATTEMPTS_EXHAUSTED,
                error,
            },
            attempts: self.attempt,
        };
        match self.committed(&effects, Some(&aside)).await {
            Ok(outcome) => Settled(outcome),
            Err(NoAnswer::Interrupted) => Settled(Outcome::Left),
            // Something of the conversation cannot be written; the entry is kept all the same.
            Err(NoAnswer::Refused(_)) => self.dead_letter(aside.why, None).await,
        }
    }

    async fn committed(
        &self,
        effects: &Commit,
        aside: Option<&SetAside>,
    ) -> Result<Outcome, NoAnswer> {
        let context = &self.context;
        let merged: Vec<&Entry> = match aside {
            None => self.merged.iter().map(|(entry, _)| &**entry).collect(),
            Some(_) => Vec::new(),
        };
        let committed = persist(context, async || {
            context
                .redis
                .commit(&context.lease, &self.entry, &merged, effects, aside)
                .await
        });
        Ok(match committed.await? {
            Committed::Ok | Committed::Already => Outcome::Done {
                merged: merged.len(),
            },
            Committed::Split => Outcome::Retry {
                after: Duration::ZERO,
                error: "a merged entry has ended already".into(),
            },
            Committed::Conflict => Outcome::Retry {
                after: Duration::ZERO,
                error: "the conversation's state changed meanwhile".into(),
            },
            Committed::Fenced => context.lost(),
        })
    }

    /// Writes a step down and goes on.
    ///
    /// # Errors
    /// Gives the settlement to return when the lease is gone, this process stops, or the entry has been
    /// removed by hand: then nothing more may come of it.
    pub async fn record(&self, record: &Record) -> Result<RecordOutcome, Settled> {
        let context = &self.context;
        let recorded = persist(context, async || {
            context
                .redis
                .record(&context.lease, &self.entry, record)
                .await
        });
        match recorded.await {
            Ok(Recorded::Ok) => Ok(RecordOutcome::Written),
            Ok(Recorded::Already) => Err(Settled(ENTRY_DONE)),
            Ok(Recorded::Held(value)) => Ok(RecordOutcome::Held(value)),
            Ok(Recorded::Changed(now)) => Ok(RecordOutcome::Changed(now)),
            Ok(Recorded::Fenced) => Err(Settled(context.lost())),
            Err(none) => Err(Settled(context.without_answer(none, self.attempt))),
        }
    }

    /// Writes the last step down and ends the entry.
    pub async fn settle(self, mut record: Record) -> Settled {
        record.ends_entry = true;
        match self.record(&record).await {
            Ok(_) => Settled(ENTRY_DONE),
            Err(settled) => settled,
        }
    }

    /// Ends the entry without any effect.
    pub async fn acknowledge(self) -> Settled {
        self.settle(Record::default()).await
    }

    /// Sets the entry aside. `note` is a line for the conversation's history.
    pub async fn dead_letter(self, why: DeadLetterReason, note: Option<String>) -> Settled {
        dead_letter(
            &self.context,
            (&*self.entry).into(),
            &why,
            self.attempt,
            note,
        )
        .await
    }

    /// Tries again later, with growing pauses; after the last attempt the entry becomes a dead
    /// letter with this error.
    pub async fn retry(self, error: String, note: Option<String>) -> Settled {
        if self.attempt >= self.context.config.max_attempts {
            let why = DeadLetterReason {
                reason: ATTEMPTS_EXHAUSTED,
                error,
            };
            return self.dead_letter(why, note).await;
        }
        Settled(Outcome::Retry {
            after: self.context.config.retry_pause(self.attempt),
            error,
        })
    }

    /// Leaves the entry pending because this process stops.
    pub fn leave(self) -> Settled {
        Settled(Outcome::Left)
    }

    /// Waits without counting as work in flight.
    ///
    /// # Errors
    /// When the process stops or the lease is gone: settle with [`Job::leave`].
    pub async fn pause(&mut self, how_long: Duration) -> Result<(), Interrupted> {
        if how_long.is_zero() {
            return Ok(());
        }
        self.wait_for(tokio::time::sleep(how_long)).await
    }

    /// Waits for `event` without counting as work in flight.
    ///
    /// # Errors
    /// When the process stops or the lease is gone: settle with [`Job::leave`].
    pub async fn wait_for<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Interrupted> {
        self.context.permit = None;
        let output = tokio::select! {
            output = event => output,
            () = self.context.stop.cancelled() => return Err(Interrupted),
            () = self.context.lease.lost() => return Err(Interrupted),
        };
        self.context.take_permit().await?;
        Ok(output)
    }

    /// Waits for `event` while counting as work in flight.
    ///
    /// # Errors
    /// When the process stops or the lease is gone: settle with [`Job::leave`].
    pub async fn or_interrupted<T>(
        &self,
        event: impl Future<Output = T>,
    ) -> Result<T, Interrupted> {
        tokio::select! {
            output = event => Ok(output),
            () = self.context.stop.cancelled() => Err(Interrupted),
            () = self.context.lease.lost() => Err(Interrupted),
        }
    }
}

/// The reason of a dead letter whose processing was started too often.
const ATTEMPTS_EXHAUSTED: &str = "attempts_exhausted";

impl Context {
    /// Waits for its turn to work.
    pub(super) async fn take_permit(&mut self) -> Result<(), Interrupted> {
        let permit = self.permits.clone().acquire_many_owned(self.weight).await;
        self.permit = Some(permit.map_err(|_| Interrupted)?);
        Ok(())
    }

    fn lost(&self) -> Outcome {
        self.lease.mark_lost();
        Outcome::Lost
    }

    /// A script that is refused counts as a failed attempt.
    fn without_answer(&self, none: NoAnswer, attempt: u32) -> Outcome {
        match none {
            NoAnswer::Interrupted => Outcome::Left,
            NoAnswer::Refused(error) => Outcome::Retry {
                after: self.config.retry_pause(attempt),
                error,
            },
        }
    }
}

pub(super) async fn dead_letter(
    context: &Context,
    entry: EntryRef<'_>,
    why: &DeadLetterReason,
    attempts: u32,
    note: Option<String>,
) -> Settled {
    let note = note.as_deref().map(|line| Note {
        line,
        history_cap: context.config.history_cap,
        history_ttl: context.config.history_ttl,
    });
    let recorded = persist(context, async || {
        context
            .redis
            .dead_letter(&context.lease, entry, why, attempts, note)
            .await
    });
    Settled(match recorded.await {
        Ok(Recorded::Fenced) => context.lost(),
        Ok(_) => ENTRY_DONE,
        Err(none) => context.without_answer(none, attempts),
    })
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a script has no answer.
pub(super) enum NoAnswer {
    /// The lease is gone, or this process stops.
    Interrupted,
    /// Redis refuses the script, and will refuse it again.
    Refused(String),
}

/// Repeats a script until Redis answers it. A lost answer is no reason to assume anything: the
/// scripts say themselves when they ran before. Gives up when the lease is lost.
pub(super) async fn persist<T, F>(context: &Context, script: impl Fn() -> F) -> Result<T, NoAnswer>
where
    F: Future<Output = Result<T, StreamsError>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match script().await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is_refusal() => return Err(NoAnswer::Refused(error.to_string())),
            Err(error) => tracing::debug!(%error, "script repeated"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            () = context.lease.lost() => return Err(NoAnswer::Interrupted),
        }
    }
}
