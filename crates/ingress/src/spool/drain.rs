//! Takes spooled webhooks in, oldest first, as soon as Redis is back.

use std::time::Duration;

use runtime::{Readiness, Status};
use streams::{Ingest, Ingested, Redis};
use tokio_util::sync::CancellationToken;

use super::{Spool, Spooled};
use crate::config::LimitsConfig;
use crate::metrics::IngressMetrics;

const BATCH: usize = 100;
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Runs until `stop`. Readiness says `degraded` while anything waits.
pub(crate) async fn drain(
    spool: Spool,
    redis: Redis,
    limits: LimitsConfig,
    readiness: Readiness,
    metrics: IngressMetrics,
    stop: CancellationToken,
) {
    loop {
        let waiting = spool.len();
        metrics.set_spool(waiting);
        readiness.set(
            "spool",
            if waiting == 0 {
                Status::Ok
            } else {
                Status::Degraded
            },
        );
        let moved = if waiting == 0 {
            0
        } else {
            take_in_batch(&spool, &redis, &limits).await
        };
        if moved > 0 && spool.is_empty() {
            tracing::info!("the spool is drained");
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

/// How many webhooks left the spool.
async fn take_in_batch(spool: &Spool, redis: &Redis, limits: &LimitsConfig) -> usize {
    let reader = spool.clone();
    let oldest = tokio::task::spawn_blocking(move || reader.oldest(BATCH)).await;
    let oldest = match oldest {
        Ok(Ok(oldest)) => oldest,
        Ok(Err(error)) => {
            tracing::error!(%error, "the spool cannot be read");
            return 0;
        }
        Err(_) => return 0,
    };
    let mut taken = Vec::new();
    for (place, bytes) in oldest {
        if !take_in(&bytes, redis, limits).await {
            break;
        }
        taken.push(place);
    }
    let count = taken.len();
    if count > 0 {
        let writer = spool.clone();
        let removed = tokio::task::spawn_blocking(move || writer.remove(&taken)).await;
        if let Ok(Err(error)) = removed {
            // They are taken in again next time, and recognised as duplicates.
            tracing::error!(%error, "drained webhooks cannot be removed from the spool");
            return 0;
        }
    }
    count
}

/// Whether the webhook is in Redis now. The rate limit does not apply: it was answered already.
async fn take_in(bytes: &[u8], redis: &Redis, limits: &LimitsConfig) -> bool {
    let Ok(webhook) = serde_json::from_slice::<Spooled>(bytes) else {
        tracing::error!("a spooled webhook cannot be read and stays where it is");
        return false;
    };
    let (entry, destination) = webhook.into_parts();
    let ingest = Ingest {
        destination,
        entry: &entry,
        rate: None,
        request_id: &entry.event,
        dedup_for: Duration::from_secs(limits.dedup_secs),
        max_backlog: 0,
        replicas: limits.wait_replicas,
        replica_timeout: Duration::from_millis(limits.wait_timeout_ms),
    };
    matches!(
        redis.ingest(&ingest).await,
        Ok(Ingested::Queued { .. } | Ingested::Duplicate { .. })
    )
}
