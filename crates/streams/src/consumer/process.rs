//! One entry from its start to its settlement.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::begin::{Begun, Early, Start, StartEnd};
use crate::commit::EntryRef;
use crate::dead_letters::REFUSED_BY_REDIS;
use crate::{DeadLetterReason, Entry, Job, ReadValues, Reads};

use super::Handler;
use super::item::{Content, Item, Poison};
use super::job::{Context, Interrupted, NoAnswer, Outcome, dead_letter, persist};
use super::load::load;

/// Works on `item` and says what became of it. A panic counts as a failed attempt. `early` is its start,
/// where the fetch has made it.
pub(super) async fn process<H: Handler>(
    handler: &H,
    item: &mut Item<H::Payload>,
    early: Option<Early>,
    context: Context,
) -> Outcome {
    let start = early.as_ref().map(|early| early.start.clone());
    let start = start.unwrap_or_else(Start::new);
    let (redis, lease) = (context.redis.clone(), context.lease.clone());
    let work = AssertUnwindSafe(settle(handler, item, &start, early, context)).catch_unwind();
    let outcome = work.await.unwrap_or_else(|_| panicked());
    let end = match outcome {
        Outcome::Retry { .. } => StartEnd::Failed,
        Outcome::Left => StartEnd::Left,
        Outcome::Done { .. } | Outcome::Lost => return outcome,
    };
    // A start whose end cannot be noted counts as a crash, which is the safe side.
    if let Err(error) = redis.end_start(&lease, item.id, &start, end).await {
        tracing::debug!(%error, "the end of a start could not be noted");
    }
    outcome
}

fn panicked() -> Outcome {
    Outcome::Retry {
        after: Duration::from_secs(1),
        error: "the handler panicked".into(),
    }
}

/// What a handler says of an entry. A panic here must not end more than this entry's attempt.
pub(super) fn unless_panics<T>(say: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(say)).ok()
}

async fn settle<H: Handler>(
    handler: &H,
    item: &mut Item<H::Payload>,
    start: &Start,
    early: Option<Early>,
    mut context: Context,
) -> Outcome {
    if let Err(outcome) = load(item, &context).await {
        return outcome;
    }
    if context.permit.is_none() && context.take_permit().await.is_err() {
        return Outcome::Left;
    }
    context.queueing = None;
    let (entry, payload) = match &item.content {
        Content::Whole(entry, payload) => (entry.clone(), payload.clone()),
        // Loaded above; if not, it is the next time.
        Content::Unloaded => return Outcome::Left,
        Content::Poison(poison) => return set_aside(handler, item, poison, &context).await,
    };
    let job = |attempt, values, context| Job {
        entry: entry.clone(),
        payload: payload.clone(),
        merged: item.merged.iter().filter_map(Item::whole).collect(),
        attempt,
        values,
        context,
    };
    let keys = context.redis.keys().of(context.lease.partition);
    let reads = unless_panics(|| handler.reads(&entry, &payload, keys));
    let wanted = reads.clone().unwrap_or_default();
    let begun = match early.and_then(|early| early.values(&wanted)) {
        Some(values) => Ok(Begun::first(values)),
        None => begin(&entry, start, &wanted, &context).await,
    };
    match begun {
        // Counted like any other, so that it ends as a dead letter.
        Ok(Begun::Started { attempt, .. })
            if reads.is_none() && attempt <= context.config.max_attempts =>
        {
            panicked()
        }
        Ok(Begun::Started {
            attempt,
            unended,
            values,
        }) => {
            let suspect =
                unended >= context.config.suspect_from && attempt <= context.config.max_attempts;
            if suspect && isolate(&entry, unended, &mut context).await.is_err() {
                return Outcome::Left;
            }
            let mut job = job(attempt, values, context);
            if attempt > 1 {
                // Whichever of them it was that failed, the others must not end with it.
                job.merged.clear();
            }
            started(handler, item, job).await
        }
        Ok(Begun::AlreadyDone) => job(0, ReadValues::default(), context).acknowledge().await.0,
        Ok(Begun::Fenced) => Outcome::Lost,
        Err(NoAnswer::Interrupted) => Outcome::Left,
        Err(NoAnswer::Refused(error)) => {
            let why = DeadLetterReason {
                reason: REFUSED_BY_REDIS,
                error,
            };
            dead_letter(&context, (&*entry).into(), &why, 0, None)
                .await
                .0
        }
    }
}

/// The one place where an entry ends that nobody can read.
async fn set_aside<H: Handler>(
    handler: &H,
    item: &Item<H::Payload>,
    poison: &Poison,
    context: &Context,
) -> Outcome {
    let (reason, error) = (poison.reason, poison.error.clone());
    let event = poison.entry.as_ref().map_or("", |entry| &entry.event);
    tracing::error!(entry = %item.id, event = event,
        queue = %context.lease.queue, reason, error, "entry set aside as a dead letter");
    let entry = EntryRef {
        id: item.id,
        conversation: poison
            .entry
            .as_ref()
            .map_or("", |entry| &entry.conversation),
    };
    let note = poison.entry.as_ref();
    let note = note.and_then(|_| unless_panics(|| handler.unread_note()).flatten());
    dead_letter(context, entry, &DeadLetterReason { reason, error }, 0, note)
        .await
        .0
}

/// Waits until the lease is safe, then counts the attempt.
async fn begin(
    entry: &Entry,
    start: &Start,
    reads: &Reads,
    context: &Context,
) -> Result<Begun, NoAnswer> {
    while !context.lease.may_start_work(Instant::now()) {
        tokio::select! {
            () = context.lease.lost() => return Ok(Begun::Fenced),
            () = context.stop.cancelled() => return Err(NoAnswer::Interrupted),
            () = tokio::time::sleep(context.config.tick() / 10) => {}
        }
    }
    persist(context, async || {
        context
            .redis
            .begin(&context.lease, entry, reads, start)
            .await
    })
    .await
}

/// Waits until nothing else runs in this process: earlier starts of the entry never ended.
async fn isolate(entry: &Entry, unended: u32, context: &mut Context) -> Result<(), Interrupted> {
    tracing::warn!(
        entry = %entry.id, partition = %context.lease.partition, starts = unended,
        "entry runs alone because earlier starts of it never ended"
    );
    context.permit = None;
    context.weight = u32::try_from(context.config.in_flight).unwrap_or(u32::MAX);
    context.take_permit().await
}

async fn started<H: Handler>(
    handler: &H,
    item: &Item<H::Payload>,
    mut job: Job<H::Payload>,
) -> Outcome {
    let context = &job.context;
    if job.attempt > 1 {
        context.redis.observer().redelivered(context.lease.queue);
    }
    if job.attempt > context.config.max_attempts {
        let error = item.last_error.clone().unwrap_or_else(|| {
            "every start of processing ended without an answer; the process may have crashed".into()
        });
        job.attempt -= 1;
        // Without a way out, a panic here would come back for ever.
        let told = || handler.last_words(&job.entry, &job.payload, &job.values);
        let settled = match unless_panics(told).flatten() {
            Some(effects) => job.give_up(error, effects).await,
            None => job.retry(error, None).await,
        };
        return settled.0;
    }
    handler.handle(job).await.0
}
