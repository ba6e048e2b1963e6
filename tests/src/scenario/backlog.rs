use std::time::Duration;

use futures_util::future::join_all;
use streams::{Ingest, Queue, Redis};
use tokio::time::{Instant, sleep};

use super::{Judgement, Plan};
use crate::{RedisShape, Role, System, SystemBuilder, inbound_entry, rss_kib};

/// How many conversations the backlog belongs to.
const CONVERSATIONS: u32 = 10_000;
/// How many entries are added at once.
const BATCH: u32 = 500;
const SAMPLE_EVERY: Duration = Duration::from_secs(2);
/// How much more memory at the end than after the first samples is still flat.
const GROWTH_LIMIT_KIB: u64 = 16 * 1024;

/// Only the consumer of the inbound queue runs; nobody sends what it answers.
pub(super) async fn play(plan: &Plan) -> Judgement {
    let redis = RedisShape::single("everysec");
    let mut system = SystemBuilder::new(plan.settings()).redis(redis).prepare();
    let client = system.client();
    fill(&client, plan.messages).await;
    let before = left(&client).await;
    let started = Instant::now();
    system.start(Role::Worker).await;
    let samples = drain(&mut system, &client).await;
    let seconds = started.elapsed().as_secs_f64();
    let mut judgement = Judgement::default();
    judgement.tally.sent = plan.messages as usize;
    judgement.note("backlog at the start", &before);
    judgement.note("drained in", &format!("{seconds:.0} s"));
    judgement.note(
        "entries a second",
        &format!("{:.0}", before as f64 / seconds),
    );
    for (entries, rss) in samples.iter().step_by((samples.len() / 10).max(1)) {
        judgement.note(&format!("RSS with {entries} left"), &format!("{rss} KiB"));
    }
    // The first samples show the start of the process, not the backlog.
    let settled = samples.get(samples.len() / 5).map_or(0, |(_, rss)| *rss);
    let highest = samples.iter().map(|(_, rss)| *rss).max().unwrap_or(0);
    judgement.note("highest RSS", &format!("{highest} KiB"));
    if highest > settled + GROWTH_LIMIT_KIB {
        judgement.broken.push(format!(
            "memory grew from {settled} KiB to {highest} KiB while the backlog was drained"
        ));
    }
    let rest = left(&client).await;
    judgement.tally.answered = usize::try_from(before - rest).unwrap_or(0);
    if rest > 0 {
        judgement.broken.push(format!("{rest} entries are left"));
    }
    judgement
}

async fn left(redis: &Redis) -> u64 {
    let backlog = redis.backlog(Queue::Inbound, 0).await;
    backlog.expect("Redis answers").entries
}

/// Samples of how many entries are left and how much memory the consumer has, until all are done or
/// nothing moves any more.
async fn drain(system: &mut System, redis: &Redis) -> Vec<(u64, u64)> {
    const PATIENCE: u32 = 15;
    let pid = system.service(Role::Worker, 0).id();
    let mut samples: Vec<(u64, u64)> = Vec::new();
    let mut unchanged = 0;
    loop {
        let left = left(redis).await;
        unchanged = if samples.last().is_some_and(|(last, _)| *last == left) {
            unchanged + 1
        } else {
            0
        };
        samples.push((left, rss_kib(pid)));
        if left == 0 || unchanged > PATIENCE {
            return samples;
        }
        sleep(SAMPLE_EVERY).await;
    }
}

async fn fill(redis: &Redis, messages: u32) {
    redis
        .claim_layout()
        .await
        .expect("Redis answers")
        .expect("an empty Redis");
    for start in (0..messages).step_by(BATCH as usize) {
        let batch = (start..messages.min(start + BATCH)).map(|n| add(redis, n));
        join_all(batch).await;
    }
}

async fn add(redis: &Redis, number: u32) {
    let entry = inbound_entry(number, CONVERSATIONS);
    let ingest = Ingest::unlimited(Queue::Inbound, &entry);
    redis.ingest(&ingest).await.expect("Redis answers");
}
