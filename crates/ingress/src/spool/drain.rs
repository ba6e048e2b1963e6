//! Takes spooled webhooks in, oldest first, as soon as Redis is back.

use std::time::{Duration, Instant};

use runtime::{Readiness, Status};
use sha2::{Digest, Sha256};
use streams::{Destination, Ingest, Ingested, NewEntry, Queue, Redis, Replay};
use tokio_util::sync::CancellationToken;

use super::store::Store;
use super::{Spool, Spooled};
use crate::config::LimitsConfig;
use crate::metrics::IngressMetrics;
use crate::rejected;

const BATCH: usize = 100;
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A disk may fill up while nobody writes here.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// With less, the spool has no room for what it is for.
const LEAST_FREE: u64 = 64 * 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs until `stop`. Readiness says `degraded` while anything waits, and `down` when the spool is
/// needed and takes nothing.
pub(crate) async fn drain(
    spool: Spool,
    redis: Redis,
    limits: LimitsConfig,
    readiness: Readiness,
    metrics: IngressMetrics,
    stop: CancellationToken,
) {
    let mut failing = false;
    let mut checked = Instant::now();
    loop {
        let mut mended = on_disk(&spool, Store::reopen).await;
        let waiting = spool.len();
        let moved = if waiting == 0 || mended.is_err() {
            0
        } else {
            take_in_batch(&spool, &redis, &limits).await
        };
        if moved > 0 && spool.is_empty() {
            tracing::info!("the spool is drained");
        }
        if mended.is_ok() {
            mended = on_disk(&spool, tidy).await;
        }
        if mended.is_ok() && checked.elapsed() >= CHECK_EVERY {
            checked = Instant::now();
            mended = on_disk(&spool, look).await;
        }
        match (&mended, failing) {
            (Err(error), false) => {
                tracing::error!(error, "the spool's disk fails; it is tried again and again");
            }
            (Ok(()), true) => tracing::info!("the spool's disk works again"),
            _ => {}
        }
        failing = mended.is_err();
        metrics.set_spool(spool.len());
        let redis_works = readiness.of("redis") == Some(Status::Ok);
        match mended {
            Ok(()) => drop(readiness.set("spool", spool.status(redis_works))),
            Err(error) => {
                let status = spool.status(redis_works).max(Status::Degraded);
                readiness.set_because("spool", status, &error);
            }
        }
        if moved == 0 {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        } else if stop.is_cancelled() {
            return;
        }
    }
}

async fn on_disk(
    spool: &Spool,
    work: impl FnOnce(&Store) -> Result<(), String> + Send + 'static,
) -> Result<(), String> {
    let store = spool.store.clone();
    let done = tokio::task::spawn_blocking(move || work(&store)).await;
    done.unwrap_or_else(|died| Err(died.to_string()))
}

/// Removes what was drained, and finds out whether a disk that failed works again.
fn tidy(store: &Store) -> Result<(), String> {
    if store.has_litter() {
        store.clean()?;
    }
    if store.is_writable() {
        Ok(())
    } else {
        store.probe()
    }
}

/// Finds out whether the disk would take webhooks, before they have to go there.
fn look(store: &Store) -> Result<(), String> {
    store.check()?;
    match runtime::free_bytes(store.folder()) {
        Some(free) if free < LEAST_FREE => {
            Err(format!("its disk has {} MiB left", free / (1024 * 1024)))
        }
        _ => Ok(()),
    }
}

/// How many webhooks left the spool.
async fn take_in_batch(spool: &Spool, redis: &Redis, limits: &LimitsConfig) -> usize {
    let store = spool.store.clone();
    let oldest = tokio::task::spawn_blocking(move || store.oldest(BATCH)).await;
    let oldest = match oldest {
        Ok(Ok(oldest)) => oldest,
        Ok(Err(error)) => {
            tracing::error!(%error, "the spool cannot be read");
            return 0;
        }
        Err(_) => return 0,
    };
    let mut taken = 0;
    let mut last = None;
    for (place, bytes) in oldest {
        if !take_in(&bytes, redis, limits).await {
            break;
        }
        taken += 1;
        last = Some(place);
    }
    if let Some(last) = last {
        spool.store.drained(last, taken as u64);
    }
    taken
}

/// Whether the webhook is in Redis now. The rate limit does not apply: it was answered already.
async fn take_in(bytes: &[u8], redis: &Redis, limits: &LimitsConfig) -> bool {
    let (entry, destination, mark) = match serde_json::from_slice::<Spooled>(bytes) {
        Ok(Spooled { to, entry, mark }) => (entry, to, mark),
        Err(_) => {
            tracing::error!("a spooled webhook cannot be read; it is kept as rejected");
            let (entry, destination) = unreadable(bytes);
            (entry, destination, None)
        }
    };
    let ingest = limits.ingest(destination, &entry, redis.partitions());
    // A process that died between draining and removing leaves the file as it was.
    let known_for = limits.replays_known_for().max(DAY);
    let ingest = Ingest {
        replay: mark.as_deref().map(|mark| Replay { mark, known_for }),
        max_backlog: match destination {
            Destination::Work(_) => 0,
            Destination::Rejected => ingest.max_backlog,
        },
        ..ingest
    };
    match redis.ingest(&ingest).await {
        Ok(ingested) => matches!(
            ingested,
            Ingested::Queued { .. } | Ingested::Duplicate { .. }
        ),
        // Redis will never take it, and it must not keep all that came after it.
        Err(error) if error.is_refusal() => {
            tracing::error!(%error, "a spooled webhook becomes a dead letter");
            let queue = match destination {
                Destination::Work(queue) => queue,
                Destination::Rejected => Queue::Inbound,
            };
            redis.set_aside(queue, &entry, &error).await.is_ok()
        }
        Err(_) => false,
    }
}

/// What another version of this program wrote. It must neither get lost nor stop what came after.
fn unreadable(bytes: &[u8]) -> (NewEntry, Destination) {
    let name = format!("spool:rejected:{}", hex::encode(Sha256::digest(bytes)));
    let kept = serde_json::json!({
        "rejection": {
            "code": "unreadable_spool_entry",
            "message": "the spool holds a webhook that this version cannot read",
        },
        "body": rejected::head(bytes),
    });
    let entry = NewEntry {
        kind: "rejected".into(),
        conversation: name.clone(),
        event: name,
        payload: kept.to_string(),
        ..NewEntry::default()
    };
    (entry, Destination::Rejected)
}
