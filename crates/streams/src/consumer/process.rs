//! One entry from its start to its settlement.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt;
use shared_types::Masking;

use crate::begin::Begun;
use crate::commit::EntryRef;
use crate::{DeadLetterReason, Entry, Job, ReadValues};

use super::Handler;
use super::job::{Context, NoAnswer, Outcome, dead_letter, persist};
use super::mailboxes::{Content, Item, Poison};

/// The reason of a dead letter whose processing cannot even start: a key that is read or written
/// then holds what it should not.
const REFUSED_BY_REDIS: &str = "refused_by_redis";

/// Works on `item` and says what became of it. A panic of the handler counts as a failed attempt.
pub(super) async fn process<H: Handler>(
    handler: &H,
    item: &Item<H::Payload>,
    context: Context,
) -> Outcome {
    let work = AssertUnwindSafe(settle(handler, item, context)).catch_unwind();
    work.await.unwrap_or_else(|_| Outcome::Retry {
        after: std::time::Duration::from_secs(1),
        error: "the handler panicked".into(),
    })
}

async fn settle<H: Handler>(handler: &H, item: &Item<H::Payload>, mut context: Context) -> Outcome {
    if context.take_permit().await.is_err() {
        return Outcome::Left;
    }
    let (entry, payload) = match &item.content {
        Content::Whole(entry, payload) => (entry.clone(), payload.clone()),
        // The partition's loop has loaded it; if not, it does so the next time.
        Content::Unloaded => return Outcome::Left,
        Content::Poison(poison) => return set_aside(handler, item, poison, &context).await,
    };
    let job = |attempt, values, context| Job {
        entry: entry.clone(),
        payload: payload.clone(),
        attempt,
        values,
        context,
    };
    match begin(handler, &entry, &payload, &context).await {
        Ok(Begun::Started { attempt, values }) => {
            started(handler, item, job(attempt, values, context)).await
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
    tracing::error!(entry = %item.id, event = %Masking::On.show(event),
        queue = %context.lease.queue, reason, error, "entry set aside as a dead letter");
    let entry = EntryRef {
        id: item.id,
        conversation: poison
            .entry
            .as_ref()
            .map_or("", |entry| &entry.conversation),
    };
    let note = poison.entry.as_ref().and_then(|_| handler.unread_note());
    dead_letter(context, entry, &DeadLetterReason { reason, error }, 0, note)
        .await
        .0
}

/// Waits until the lease is safe, then counts the attempt.
async fn begin<H: Handler>(
    handler: &H,
    entry: &Entry,
    payload: &H::Payload,
    context: &Context,
) -> Result<Begun, NoAnswer> {
    while !context.lease.may_start_work(Instant::now()) {
        tokio::select! {
            () = context.lease.lost() => return Ok(Begun::Fenced),
            () = context.stop.cancelled() => return Err(NoAnswer::Interrupted),
            () = tokio::time::sleep(context.config.tick() / 10) => {}
        }
    }
    let reads = handler.reads(
        entry,
        payload,
        context.redis.keys().of(context.lease.partition),
    );
    // A repetition after a lost answer must not count twice: a slow Redis is not a poison message.
    let first = std::sync::atomic::AtomicBool::new(true);
    persist(context, async || {
        let recount = first.swap(false, std::sync::atomic::Ordering::Relaxed);
        context
            .redis
            .begin(&context.lease, entry, &reads, recount)
            .await
    })
    .await
}

async fn started<H: Handler>(
    handler: &H,
    item: &Item<H::Payload>,
    mut job: Job<H::Payload>,
) -> Outcome {
    let context = &mut job.context;
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
        let told = std::panic::catch_unwind(AssertUnwindSafe(told)).unwrap_or_default();
        let settled = match told {
            Some(effects) => job.give_up(error, effects).await,
            None => job.retry(error, None).await,
        };
        return settled.0;
    }
    if job.attempt >= context.config.suspect_from {
        tracing::warn!(
            entry = %job.entry.id, partition = %context.lease.partition, attempt = job.attempt,
            "entry runs alone because earlier attempts did not end"
        );
        context.permit = None;
        context.weight = u32::try_from(context.config.in_flight).unwrap_or(u32::MAX);
        if context.take_permit().await.is_err() {
            return Outcome::Left;
        }
    }
    handler.handle(job).await.0
}
