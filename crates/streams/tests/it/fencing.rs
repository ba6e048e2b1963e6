use std::sync::Arc;
use std::sync::atomic::Ordering;

use streams::{
    Entry, Handler, Ingested, Job, Judged, NewEntry, PartitionKeys, Reads, Record, RecordOutcome,
    Settled,
};
use test_support::{RedisServer, eventually};

use crate::harness::{
    Echo, Text, add, config, entry, ingest, pending, redis_at, replies, run, spawn, until_empty,
    waiting,
};

/// Another owner appears, as after a pause that outlasted the lease.
fn take_over(server: &RedisServer) {
    for p in 0..8 {
        server.run::<String>(&["SET", &format!("lease:{p}"), "99:other", "PX", "60000"]);
        server.run::<u64>(&["HSET", &format!("own:{p}"), "tok", "99:other"]);
    }
}

fn give_back(server: &RedisServer) {
    for p in 0..8 {
        server.run::<u64>(&["HSET", &format!("own:{p}"), "tok", ""]);
        server.run::<u64>(&["DEL", &format!("lease:{p}")]);
    }
}

#[tokio::test]
async fn an_owner_that_lost_its_lease_commits_nothing_and_reads_nothing() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    add(&redis, "c", "e1", "gate").await;
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    take_over(&server);
    add(&redis, "c", "e2", "echo").await;
    echo.gate.notify_one();
    eventually(async || match echo.running.load(Ordering::SeqCst) {
        0 => Ok(()),
        _ => Err("still running"),
    })
    .await;
    assert!(replies(&server, "c").is_empty());
    assert_eq!(waiting(&server), 2);
    assert_eq!(
        pending(&server),
        1,
        "the fenced owner must not have taken e2"
    );
    give_back(&server);
    echo.gate.notify_one();
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["e1", "e2"]);
    running.stop().await;
}

#[tokio::test]
async fn a_token_of_a_forgotten_epoch_is_refused() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    add(&redis, "c", "e1", "gate").await;
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    // A failover that lost the last writes: the same epoch is issued again to somebody else.
    for p in 0..8 {
        let token: String = server.run(&["HGET", &format!("own:{p}"), "tok"]);
        let epoch = token.split(':').next().unwrap().to_owned();
        server.run::<u64>(&[
            "HSET",
            &format!("own:{p}"),
            "tok",
            &format!("{epoch}:other"),
        ]);
    }
    echo.gate.notify_one();
    eventually(async || match echo.running.load(Ordering::SeqCst) {
        0 => Ok(()),
        _ => Err("still running"),
    })
    .await;
    assert!(replies(&server, "c").is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_turn_commits_when_redis_is_out_of_memory() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    add(&redis, "c", "e1", "gate").await;
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    echo.gate.notify_one();
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["e1"]);
    assert_eq!(server.run::<u64>(&["HGET", "conv:c", "ver"]), 1);
    assert!(server.run::<bool>(&["EXISTS", "done:e1"]));
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    running.stop().await;
}

#[tokio::test]
async fn an_entry_whose_turn_is_committed_is_only_acknowledged() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    server.run::<String>(&["SET", "done:e1", "1-0"]);
    add(&redis, "c", "e1", "echo").await;
    let running = run(&redis, config(), &echo);
    until_empty(&server).await;
    assert!(replies(&server, "c").is_empty());
    assert_eq!(echo.started.load(Ordering::SeqCst), 0);
    running.stop().await;
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_taught_again() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    for n in 0..10 {
        add(&redis, "c", &format!("e{n}"), "echo").await;
        server.run::<String>(&["SCRIPT", "FLUSH"]);
    }
    until_empty(&server).await;
    assert_eq!(replies(&server, "c").len(), 10);
    running.stop().await;
}

/// Records a step that was judged by the conversation's field `count`, after the gate opens.
struct Judging {
    gate: tokio::sync::Notify,
    started: std::sync::atomic::AtomicUsize,
    changed: std::sync::Mutex<Vec<streams::Fields>>,
}

impl Handler for Judging {
    type Payload = Text;

    fn reads(&self, entry: &Entry, text: &Text, keys: PartitionKeys) -> Reads {
        Echo::default().reads(entry, text, keys)
    }

    async fn handle(&self, job: Job<Text>) -> Settled {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.gate.notified().await;
        let mut values = job.values.hashes[0].clone();
        loop {
            let record = Record {
                key: "sent:1".into(),
                fields: vec![("count", values.get("count").cloned().unwrap_or_default())],
                ttl: std::time::Duration::from_secs(60),
                judged_by: vec![Judged {
                    key: job.keys().conversation(&job.entry.conversation),
                    fields: &["ver", "count"],
                    values: values.clone(),
                }],
                ..Record::default()
            };
            match job.record(&record).await {
                Ok(RecordOutcome::Changed(mut hashes)) => {
                    values = hashes.remove(0);
                    self.changed.lock().unwrap().push(values.clone());
                }
                Ok(_) => return job.acknowledge().await,
                Err(settled) => return settled,
            }
        }
    }
}

#[tokio::test]
async fn a_step_is_not_written_by_what_does_not_hold_any_more() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let judging = Arc::new(Judging {
        gate: tokio::sync::Notify::new(),
        started: Default::default(),
        changed: Default::default(),
    });
    let running = spawn(&redis, config(), &judging);
    add(&redis, "c", "e1", "").await;
    eventually(async || match judging.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    server.run::<u64>(&["HSET", "conv:c", "count", "7"]);
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    judging.gate.notify_one();
    until_empty(&server).await;
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    let seen = [("count", "7".to_owned())].into();
    assert_eq!(*judging.changed.lock().unwrap(), [seen]);
    let written: String = server.run(&["HGET", "sent:1", "count"]);
    assert_eq!(written, "7", "also at full memory");
    running.stop().await;
}

#[tokio::test]
async fn a_colleagues_word_refuses_the_turn_in_flight_and_leaves_its_id_once() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let started = async |times| {
        eventually(async || match echo.started.load(Ordering::SeqCst) {
            n if n >= times => Ok(()),
            n => Err(format!("started {n} times")),
        })
        .await;
    };
    let running = run(&redis, config(), &echo);
    add(&redis, "c", "e1", "gate").await;
    started(1).await;
    let word = NewEntry {
        fences: true,
        ..entry("c", "word", "echo")
    };
    let ingested = redis.ingest(&ingest(&word)).await.unwrap();
    let Ingested::Queued { id, .. } = ingested else {
        panic!("{ingested:?}")
    };
    let state = || server.run::<Vec<String>>(&["HMGET", "conv:c", "ver", "colleague"]);
    assert_eq!(state(), ["1", &id]);
    assert!(server.run::<i64>(&["TTL", "conv:c"]) > 0);
    let again = redis.ingest(&ingest(&word)).await.unwrap();
    assert_eq!(again, Ingested::Duplicate { rejected: false });
    assert_eq!(state(), ["1", &id], "a repetition fences nothing");

    echo.gate.notify_one();
    started(2).await;
    assert_eq!(replies(&server, "c"), [""; 0], "what it did is not there");
    echo.gate.notify_one();
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["e1", "word"]);
    running.stop().await;
}
