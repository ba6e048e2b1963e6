//! Takes spooled webhooks in, oldest first, as soon as Redis is back.

use std::time::Duration;

use runtime::Readiness;
use sha2::{Digest, Sha256};
use streams::{Destination, Ingest, Ingested, NewEntry, Redis};
use tokio_util::sync::CancellationToken;

use super::{Spool, Spooled};
use crate::config::LimitsConfig;
use crate::metrics::IngressMetrics;

const BATCH: usize = 100;
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Runs until `stop`. Readiness says `degraded` while anything waits, and `down` when it is full.
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
        readiness.set("spool", spool.status());
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
    let (entry, destination) = match serde_json::from_slice::<Spooled>(bytes) {
        Ok(Spooled { to, entry }) => (entry, to),
        Err(_) => {
            tracing::error!("a spooled webhook cannot be read; it is kept as rejected");
            unreadable(bytes)
        }
    };
    let max_backlog = match destination {
        Destination::Work(_) => 0,
        Destination::Rejected => limits.max_rejected_of(redis.partitions()),
    };
    let ingest = Ingest {
        destination,
        entry: &entry,
        rate: None,
        request_id: &entry.event,
        dedup_for: Duration::from_secs(limits.dedup_secs),
        max_backlog,
        replicas: limits.wait_replicas,
        replica_timeout: Duration::from_millis(limits.wait_timeout_ms),
    };
    matches!(
        redis.ingest(&ingest).await,
        Ok(Ingested::Queued { .. } | Ingested::Duplicate { .. })
    )
}

/// What another version of this program wrote. It must neither get lost nor stop what came after.
fn unreadable(bytes: &[u8]) -> (NewEntry, Destination) {
    let name = format!("spool:rejected:{}", hex::encode(Sha256::digest(bytes)));
    let kept = serde_json::json!({
        "rejection": {
            "code": "unreadable_spool_entry",
            "message": "the spool holds a webhook that this version cannot read",
        },
        "body": String::from_utf8_lossy(bytes),
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
