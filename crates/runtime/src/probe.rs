//! What a service asks Redis again and again, for readiness and metrics.

use std::time::Duration;

use streams::{Queue, Redis, Shelf};
use tokio_util::sync::CancellationToken;

use crate::health::{Readiness, Status};
use crate::redis_metrics::RedisMetrics;

const PING_EVERY: Duration = Duration::from_secs(1);
const BACKLOG_EVERY: Duration = Duration::from_secs(5);

/// Keeps the readiness check `redis` up to date until `stop`; `away` is what its absence means to
/// the service. Reports once, and after every loss
/// of the connection, what endangers messages on that server.
pub async fn probe_redis(
    redis: Redis,
    away: Status,
    readiness: Readiness,
    metrics: RedisMetrics,
    stop: CancellationToken,
) {
    let mut reported = false;
    let mut missed = false;
    loop {
        match redis.ping().await {
            Ok(()) => {
                readiness.set("redis", Status::Ok);
                missed = false;
                if !reported {
                    reported = report(&redis, &metrics).await;
                }
            }
            Err(error) => {
                readiness.set("redis", away);
                if !std::mem::replace(&mut missed, true) {
                    tracing::error!(%error, "Redis cannot be reached");
                }
                reported = false;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PING_EVERY) => {}
        }
    }
}

async fn report(redis: &Redis, metrics: &RedisMetrics) -> bool {
    let Ok(report) = redis.server_report().await else {
        return false;
    };
    let warnings = report.warnings();
    metrics.set_durable(warnings.is_empty());
    if warnings.is_empty() {
        tracing::info!(redis.version = report.version, "connected to Redis");
    } else {
        tracing::warn!(redis.version = report.version, "{}", warnings.join(". "));
    }
    true
}

/// Measures a queue and its dead letters until `stop`.
pub async fn probe_backlog(
    redis: Redis,
    queue: Queue,
    metrics: RedisMetrics,
    stop: CancellationToken,
) {
    loop {
        let now_ms = jiff::Timestamp::now().as_millisecond();
        if let Ok(backlog) = redis.backlog(queue, now_ms).await {
            metrics.set_backlog(queue, backlog);
        }
        for shelf in [Shelf::Dead(queue), Shelf::Rejected] {
            if let Ok(count) = redis.letter_count(shelf).await {
                metrics.set_shelved(shelf, count);
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(BACKLOG_EVERY) => {}
        }
    }
}
