//! What counts as an attempt, and what as a crash.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use streams::{
    ConsumerConfig, Entry, Handler, Job, Letter, PartitionKeys, Queue, Reads, Redis, Settled, Shelf,
};
use test_support::{RedisServer, eventually};

use crate::harness::{
    Echo, Text, add, config, redis_at, refused_scripts, replies, run, spawn, until_empty, waiting,
};

async fn letters(redis: &Redis) -> Vec<Letter> {
    redis
        .letters(Shelf::Dead(Queue::Inbound), None, 10)
        .await
        .unwrap()
}

async fn until_started(echo: &Echo, times: usize) {
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        started if started >= times => Ok(()),
        started => Err(started),
    })
    .await;
}

/// A retry that ran alone made every other customer wait for it.
#[tokio::test]
async fn what_fails_without_a_crash_runs_beside_others() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    add(&redis, "slow", "slow", "gate").await;
    until_started(&echo, 1).await;
    add(&redis, "c", "bad", "fail").await;
    eventually(async || match letters(&redis).await.as_slice() {
        [letter] if letter.attempts == 5 => Ok(()),
        other => Err(other.to_vec()),
    })
    .await;
    echo.gate.notify_one();
    until_empty(&server).await;
    running.stop().await;
}

#[tokio::test]
async fn a_process_that_stops_takes_its_start_back() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    add(&redis, "c", "e", "wait").await;
    for restart in 1..=7 {
        let running = run(&redis, config(), &echo);
        until_started(&echo, restart).await;
        running.stop().await;
    }
    assert_eq!(waiting(&server), 1);
    assert_eq!(letters(&redis).await, []);
}

#[tokio::test]
async fn a_process_that_crashes_does_not() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    add(&redis, "c", "e", "wait").await;
    let config = || ConsumerConfig {
        max_attempts: 2,
        ..config()
    };
    for crash in 1..=2 {
        let running = run(&redis, config(), &echo);
        until_started(&echo, crash).await;
        running.kill();
    }
    let running = run(&redis, config(), &echo);
    until_empty(&server).await;
    assert_eq!(letters(&redis).await[0].attempts, 2);
    assert_eq!(echo.started.load(Ordering::SeqCst), 2);
    running.stop().await;
}

/// The first try never arrived, and the others were told not to count.
#[tokio::test]
async fn a_start_that_is_refused_at_first_counts_once() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    eventually(async || match server.run::<bool>(&["EXISTS", "lease:7"]) {
        true => Ok(()),
        false => Err("not owned yet"),
    })
    .await;
    server.run::<()>(&["ACL", "SETUSER", "default", "-hmget"]);
    server.run::<()>(&["CONFIG", "RESETSTAT"]);
    add(&redis, "c", "e", "reject").await;
    eventually(async || match refused_scripts(&server) {
        often if often > 2 => Ok(()),
        seldom => Err(seldom),
    })
    .await;
    server.run::<()>(&["ACL", "SETUSER", "default", "+hmget"]);
    until_empty(&server).await;
    assert_eq!(letters(&redis).await[0].attempts, 1);
    running.stop().await;
}

/// An earlier build counted attempts only.
#[tokio::test]
async fn attempts_of_an_earlier_build_are_counted_on() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    add(&redis, "c", "e", "fail").await;
    let partition = redis.partitions().partition_of("c");
    let entries: Vec<(String, Vec<(String, String)>)> =
        server.run(&["XRANGE", &format!("in:{partition}"), "-", "+"]);
    let attempts = format!("att:{partition}");
    server.run::<u64>(&["HSET", &attempts, &entries[0].0, "3"]);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    until_empty(&server).await;
    assert_eq!(echo.started.load(Ordering::SeqCst), 2);
    assert!(
        !server.run::<bool>(&["EXISTS", &attempts]),
        "nothing is left behind"
    );
    running.stop().await;
}

/// Panics where the payload says.
struct Panics(Echo);

impl Handler for Panics {
    type Payload = Text;

    fn reads(&self, entry: &Entry, payload: &Text, keys: PartitionKeys) -> Reads {
        assert_ne!(payload.0, "reads");
        self.0.reads(entry, payload, keys)
    }

    fn lane(&self, payload: &Text) -> Option<String> {
        assert_ne!(payload.0, "lane");
        None
    }

    async fn handle(&self, job: Job<Text>) -> Settled {
        self.0.handle(job).await
    }
}

#[tokio::test]
async fn a_panic_anywhere_leaves_no_mailbox_behind() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    for payload in ["reads", "lane"] {
        add(&redis, "c", payload, payload).await;
    }
    add(&redis, "c", "after", "echo").await;
    let config = ConsumerConfig {
        max_attempts: 1,
        ..config()
    };
    let running = spawn(&redis, config, &Arc::new(Panics(Echo::default())));
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["lane", "after"]);
    let letters = letters(&redis).await;
    assert_eq!(letters[0].fields["event"], "reads");
    running.stop().await;
}
