//! One entry from its start to its settlement.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;

use crate::begin::Begun;
use crate::commit::EntryRef;
use crate::{DeadLetterReason, Delivery, Entry, ReadValues};

use super::Handler;
use super::delivery::{Context, NoAnswer, Outcome, dead_letter, persist};
use super::mailboxes::{Content, Item};

/// The reason of a dead letter that no build of this version can read.
const UNDECODABLE: &str = "undecodable";

/// The reason of a dead letter whose processing cannot even start: a key that is read or written
/// then holds what it should not.
const REFUSED_BY_REDIS: &str = "refused_by_redis";

/// Works on `item` and says what became of it. A panic of the handler counts as a failed attempt.
pub(super) async fn process<H: Handler>(handler: &H, item: &Item, context: Context) -> Outcome {
    let work = AssertUnwindSafe(settle(handler, item, context)).catch_unwind();
    work.await.unwrap_or_else(|_| Outcome::Retry {
        after: std::time::Duration::from_secs(1),
        error: "the handler panicked".into(),
    })
}

async fn settle<H: Handler>(handler: &H, item: &Item, mut context: Context) -> Outcome {
    if context.take_permit().await.is_err() {
        return Outcome::Left;
    }
    let entry = match &item.content {
        Content::Entry(entry) => entry.clone(),
        // The partition's loop has loaded it; if not, it does so the next time.
        Content::Unloaded => return Outcome::Left,
        Content::Undecodable(error) => {
            let why = DeadLetterReason {
                reason: UNDECODABLE,
                error: error.to_string(),
            };
            let entry = EntryRef {
                id: item.id,
                conversation: "",
            };
            return dead_letter(&context, entry, &why, 0, None).await.0;
        }
    };
    match begin(handler, &entry, &context).await {
        Ok(Begun::Started { attempt, values }) => {
            started(handler, item, entry, attempt, values, context).await
        }
        Ok(Begun::AlreadyDone) => {
            delivery(entry, 0, ReadValues::default(), context)
                .acknowledge()
                .await
                .0
        }
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

/// Waits until the lease is safe, then counts the attempt.
async fn begin<H: Handler>(
    handler: &H,
    entry: &Entry,
    context: &Context,
) -> Result<Begun, NoAnswer> {
    while !context.lease.may_start_work(Instant::now()) {
        tokio::select! {
            () = context.lease.lost() => return Ok(Begun::Fenced),
            () = context.stop.cancelled() => return Err(NoAnswer::Interrupted),
            () = tokio::time::sleep(context.config.tick() / 10) => {}
        }
    }
    let reads = handler.reads(entry, context.redis.keys().of(context.lease.partition));
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
    item: &Item,
    entry: Arc<Entry>,
    attempt: u32,
    values: ReadValues,
    mut context: Context,
) -> Outcome {
    if attempt > 1 {
        context.redis.observer().redelivered(context.lease.queue);
    }
    if attempt > context.config.max_attempts {
        let error = item.last_error.clone().unwrap_or_else(|| {
            "every start of processing ended without an answer; the process may have crashed".into()
        });
        // Without a way out, a panic here would come back for ever.
        let told = AssertUnwindSafe(|| handler.last_turn(&entry, &values));
        let told = std::panic::catch_unwind(told).unwrap_or_default();
        let delivery = delivery(entry, attempt - 1, values, context);
        let settled = match told {
            Some(turn) => delivery.give_up(error, turn).await,
            None => delivery.retry(error, None).await,
        };
        return settled.0;
    }
    if attempt >= context.config.suspect_from {
        tracing::warn!(
            entry = %entry.id, partition = %context.lease.partition, attempt,
            "entry runs alone because earlier attempts did not end"
        );
        context.permit = None;
        context.weight = u32::try_from(context.config.in_flight).unwrap_or(u32::MAX);
        if context.take_permit().await.is_err() {
            return Outcome::Left;
        }
    }
    handler
        .handle(delivery(entry, attempt, values, context))
        .await
        .0
}

fn delivery(entry: Arc<Entry>, attempt: u32, values: ReadValues, context: Context) -> Delivery {
    Delivery {
        entry,
        attempt,
        values,
        context,
    }
}
