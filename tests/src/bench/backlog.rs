//! Whether a message costs more where many wait and many conversations are known.

use std::time::Duration;

use futures_util::future::join_all;
use streams::{Ingest, Queue, Redis};
use tokio::time::sleep;

use super::figures::Figures;
use super::shape::{Measured, Shape};
use super::watch::Watch;
use crate::{Role, inbound_entry, rss_kib};

/// So many are answered before counting, and then counted.
const WARM_UP: u64 = 2_000;
const COUNTED: u64 = 8_000;
const AT_ONCE: u32 = 500;
const POLL: Duration = Duration::from_millis(20);

/// So many conversations each have a message waiting, and then, all known, some of them one more.
pub async fn measure_backlogs(shape: &Shape, sizes: &[u32]) -> Vec<Figures> {
    let mut all = Vec::new();
    for size in sizes {
        let mut measured = shape.prepare(Shape::settings());
        let redis = measured.system.client();
        let claimed = redis.claim_layout().await.expect("Redis answers");
        claimed.expect("an empty Redis");
        fill(&redis, 0, *size, *size).await;
        let heading = format!("{size} conversations write for the first time");
        all.push(drain(&mut measured, shape, heading).await);
        let again = u32::try_from(WARM_UP + COUNTED).unwrap_or(u32::MAX);
        fill(&redis, *size, again.max(AT_ONCE), *size).await;
        let heading = format!("{again} messages wait, of {size} known conversations");
        all.push(drain(&mut measured, shape, heading).await);
    }
    all
}

/// Runs a worker until all are answered, and counts some in the middle.
async fn drain(measured: &mut Measured, shape: &Shape, heading: String) -> Figures {
    let system = &mut measured.system;
    let redis = system.client();
    system.service(Role::Worker, 0).start();
    let whole = left(&redis).await;
    let first = until_left(&redis, whole.saturating_sub(WARM_UP)).await;
    let watch = Watch::of(system, &[Role::Worker]);
    let last = until_left(&redis, first.saturating_sub(COUNTED)).await;
    let mut figures = Figures::new(format!("{heading}, {}", shape.name()));
    let counted = first.saturating_sub(last).max(1);
    let speed = counted as f64 / watch.elapsed().as_secs_f64();
    watch.add_costs(&mut figures, system.redis.server(), counted);
    figures.add("speed", speed, "msg/s");
    until_left(&redis, 0).await;
    let resident = rss_kib(system.service(Role::Worker, 0).id()) as f64 / 1024.0;
    figures.add("worker resident after", resident, "MB");
    system.service(Role::Worker, 0).terminate().await;
    figures
}

async fn until_left(redis: &Redis, wanted: u64) -> u64 {
    loop {
        let left = left(redis).await;
        if left <= wanted {
            return left;
        }
        sleep(POLL).await;
    }
}

async fn left(redis: &Redis) -> u64 {
    let backlog = redis.backlog(Queue::Inbound, 0).await;
    backlog.expect("Redis answers").entries
}

async fn fill(redis: &Redis, from: u32, count: u32, customers: u32) {
    for start in (from..from + count).step_by(AT_ONCE as usize) {
        let batch = start..(from + count).min(start + AT_ONCE);
        join_all(batch.map(|number| async move {
            let entry = inbound_entry(number, customers);
            let ingest = Ingest::unlimited(Queue::Inbound, &entry);
            redis.ingest(&ingest).await.expect("Redis answers");
        }))
        .await;
    }
}
