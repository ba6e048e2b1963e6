//! What a service asks Redis again and again, for readiness and metrics.

use std::time::{Duration, Instant};

use streams::{Duty, Queue, Redis, Shelf, StreamsError};
use tokio_util::sync::CancellationToken;

use crate::clock_watch::ClockWatch;
use crate::health::{Readiness, Status};
use crate::redis_metrics::RedisMetrics;

const LOOK_EVERY: Duration = Duration::from_secs(1);
const BACKLOG_EVERY: Duration = Duration::from_secs(5);
/// Somebody may take a permission away at any time.
const PERMISSIONS_EVERY: Duration = Duration::from_secs(30);

/// What Redis is to a service.
#[derive(Debug, Clone, Copy)]
pub struct RedisNeeds {
    /// What the service does with it; at least one.
    pub duties: &'static [Duty],
    /// What its absence means: for every reason why it takes no write.
    pub away: Status,
    /// What full memory means: new work is refused, work in progress goes on.
    pub full: Status,
}

/// Keeps the readiness check `redis` up to date until `stop`: whether Redis would take what the service
/// has to write. Reports once, and after every loss of the connection, what endangers messages on that
/// server. Says when its clock steps back.
pub async fn probe_redis(
    redis: Redis,
    needs: RedisNeeds,
    readiness: Readiness,
    metrics: RedisMetrics,
    stop: CancellationToken,
) {
    let mut reported = false;
    let mut permitted_until: Option<Instant> = None;
    let mut trouble = None;
    let mut clock = ClockWatch::default();
    loop {
        let fresh = permitted_until.is_some_and(|until| Instant::now() < until);
        match look(&redis, needs, fresh).await {
            Ok(()) => {
                readiness.set("redis", Status::Ok);
                if trouble.take().is_some() {
                    tracing::info!("Redis takes writes");
                }
                if !fresh {
                    permitted_until = Some(Instant::now() + PERMISSIONS_EVERY);
                }
                if !reported {
                    reported = report(&redis, &metrics).await;
                }
                watch(&mut clock, &redis, &metrics).await;
            }
            Err(error) => {
                let why = error.to_string();
                let status = if error.is_full_memory() {
                    needs.full
                } else {
                    needs.away
                };
                readiness.set_because("redis", status, &why);
                if trouble.as_ref() != Some(&why) {
                    tracing::error!(%error, "Redis cannot be used");
                }
                trouble = Some(why);
                reported = false;
                permitted_until = None;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn look(redis: &Redis, needs: RedisNeeds, permitted: bool) -> Result<(), StreamsError> {
    if let Some(duty) = needs.duties.first() {
        redis.check_writable(*duty).await?;
    }
    if !permitted {
        redis.check_permissions(needs.duties).await?;
    }
    Ok(())
}

async fn watch(clock: &mut ClockWatch, redis: &Redis, metrics: &RedisMetrics) {
    let asked = Instant::now();
    let Ok(server_ms) = redis.clock_ms().await else {
        return;
    };
    if let Some(back) = clock.read(asked, Instant::now(), server_ms) {
        metrics.clock_stepped_back();
        tracing::warn!(
            step_ms = back.as_millis(),
            "Redis' clock was set back; no lease, pace or limit lasts longer for it"
        );
    }
}

async fn report(redis: &Redis, metrics: &RedisMetrics) -> bool {
    let Ok(report) = redis.server_report().await else {
        return false;
    };
    let warnings = report.warnings();
    metrics.set_durable(warnings.is_empty());
    if warnings.is_empty() {
        tracing::info!(
            redis.version = report.version,
            "connected to {}",
            report.name
        );
    } else {
        tracing::warn!(redis.version = report.version, "{}", warnings.join(". "));
    }
    true
}

/// Measures a queue, its dead letters and the memory of Redis until `stop`.
pub async fn probe_backlog(
    redis: Redis,
    queue: Queue,
    metrics: RedisMetrics,
    stop: CancellationToken,
) {
    loop {
        let now_ms = jiff::Timestamp::now().as_millisecond();
        if let Ok(backlog) = redis.backlog(queue, now_ms).await {
            metrics.set_backlog(queue, &backlog);
        }
        if let Ok(Some(memory)) = redis.memory().await {
            metrics.set_memory(memory);
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
