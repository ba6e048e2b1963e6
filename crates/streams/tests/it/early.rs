//! Entries that the fetch itself starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use streams::{ConsumerConfig, EarlyReads, Gather, Handler, Job, PartitionKeys, Settled, Waiting};
use test_support::RedisServer;

use crate::harness::{
    Echo, Text, add, config, early_reads, echoed, redis_at, replies, run, scripts_run, spawn,
    until_empty,
};
use crate::regressions::until_watched;

/// Renews seldom, so that what is counted is the entry's.
fn long_lease() -> ConsumerConfig {
    ConsumerConfig {
        lease_ttl: Duration::from_secs(600),
        ..config()
    }
}

#[tokio::test]
async fn an_entry_that_comes_alone_costs_one_script_before_its_work_and_one_after() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, long_lease(), &Arc::new(Echo::default()));
    add(&redis, "c", "first", "echo").await;
    until_empty(&server).await;
    until_watched(&server).await;
    server.run::<()>(&["CONFIG", "RESETSTAT"]);
    add(&redis, "c", "second", "echo").await;
    until_empty(&server).await;
    assert_eq!(scripts_run(&server), 3, "ingest, fetch, commit");
    assert_eq!(replies(&server, "c"), ["first", "second"]);
    running.stop().await;
}

/// Waits for more before it starts an entry.
#[derive(Default)]
struct Patient {
    highest_attempt: AtomicU32,
}

impl Handler for Patient {
    type Payload = Text;

    fn early_reads(&self, keys: PartitionKeys) -> Option<EarlyReads> {
        Some(early_reads(keys))
    }

    fn gather(&self, waiting: &[Waiting<'_, Text>]) -> Gather {
        let age = waiting.first().map(|first| first.age);
        let left = Duration::from_millis(50).saturating_sub(age.unwrap_or_default());
        match left {
            Duration::ZERO => Gather::Take(waiting.len()),
            left => Gather::Wait(left),
        }
    }

    async fn handle(&self, job: Job<Text>) -> Settled {
        self.highest_attempt
            .fetch_max(job.attempt, Ordering::SeqCst);
        let commit = echoed(&job.entry, &job.values);
        job.commit(commit).await
    }
}

#[tokio::test]
async fn what_waits_for_more_after_all_has_not_been_started() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let patient = Arc::new(Patient::default());
    let running = spawn(&redis, config(), &patient);
    for n in 0..5 {
        add(&redis, "c", &format!("e{n}"), "echo").await;
        until_empty(&server).await;
    }
    assert_eq!(replies(&server, "c"), ["e0", "e1", "e2", "e3", "e4"]);
    assert_eq!(patient.highest_attempt.load(Ordering::SeqCst), 1);
    running.stop().await;
}
