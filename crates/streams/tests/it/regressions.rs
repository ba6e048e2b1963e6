//! What users of stream queues complain of, one test for each symptom.

use std::sync::Arc;
use std::time::Duration;

use streams::{ConsumerConfig, Queue};
use test_support::{RedisServer, eventually};

use crate::harness::{Echo, add, config, redis_at, replies, run, until_empty, waiting};

fn group_info(server: &RedisServer, partition: usize) -> Vec<Vec<(String, String)>> {
    let value: Vec<Vec<(String, Option<String>)>> =
        server.run(&["XINFO", "GROUPS", &format!("in:{partition}")]);
    let plain = |group: Vec<(String, Option<String>)>| {
        group
            .into_iter()
            .map(|(name, value)| (name, value.unwrap_or_default()))
            .collect()
    };
    value.into_iter().map(plain).collect()
}

/// Entries that a process took and never finished were found only under that process's own name.
#[tokio::test]
async fn reclaim_under_another_consumer_name_than_the_dead_ones() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    add(&redis, "c", "e1", "gate").await;
    run_until_started(&server, &redis, &echo).await;
    let next = run(&redis, config(), &echo);
    eventually(
        async || match echo.started.load(std::sync::atomic::Ordering::SeqCst) {
            1 => Err("not taken over"),
            _ => Ok(()),
        },
    )
    .await;
    echo.gate.notify_one();
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["e1"]);
    next.stop().await;
}

async fn run_until_started(server: &RedisServer, redis: &streams::Redis, echo: &Arc<Echo>) {
    let running = run(redis, config(), echo);
    eventually(
        async || match echo.started.load(std::sync::atomic::Ordering::SeqCst) {
            0 => Err(waiting(server)),
            _ => Ok(()),
        },
    )
    .await;
    running.kill();
}

/// A reclaim that always began at 0-0 met the same stuck entries again and never got behind them.
#[tokio::test]
async fn reclaim_cursor_that_restarts_from_the_beginning() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    for n in 0..40 {
        add(&redis, &format!("c{}", n % 3), &format!("e{n}"), "echo").await;
    }
    for p in 0..8 {
        let stream = format!("in:{p}");
        server.run::<String>(&["XGROUP", "CREATE", &stream, "worker", "0", "MKSTREAM"]);
        // Everything is pending already, as after a crash of an owner that had read it all.
        server.run::<redis::Value>(&[
            "XREADGROUP",
            "GROUP",
            "worker",
            "owner",
            "COUNT",
            "100",
            "STREAMS",
            &stream,
            ">",
        ]);
    }
    let running = run(
        &redis,
        ConsumerConfig {
            window: 4,
            ..config()
        },
        &echo,
    );
    until_empty(&server).await;
    let replied: usize = (0..3)
        .map(|n| replies(&server, &format!("c{n}")).len())
        .sum();
    assert_eq!(replied, 40);
    running.stop().await;
}

/// A lock without expiry kept everybody out after its holder had died.
#[tokio::test]
async fn a_reclaim_lock_without_expiry() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    eventually(async || {
        let ttls: Vec<i64> = (0..8)
            .map(|p| server.run(&["PTTL", &format!("lease:{p}")]))
            .collect();
        if ttls.iter().all(|ttl| (1..=600).contains(ttl)) {
            Ok(())
        } else {
            Err(ttls)
        }
    })
    .await;
    running.kill();
    let next = run(&redis, config(), &Arc::new(Echo::default()));
    add(&redis, "c", "e1", "echo").await;
    until_empty(&server).await;
    next.stop().await;
}

/// A consumer that only ever read `>` never saw what its predecessor had taken.
#[tokio::test]
async fn only_new_entries_are_ever_read() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    add(&redis, "c", "old", "echo").await;
    for p in 0..8 {
        let stream = format!("in:{p}");
        server.run::<String>(&["XGROUP", "CREATE", &stream, "worker", "0", "MKSTREAM"]);
        server.run::<redis::Value>(&[
            "XREADGROUP",
            "GROUP",
            "worker",
            "owner",
            "STREAMS",
            &stream,
            ">",
        ]);
    }
    add(&redis, "c", "new", "echo").await;
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["old", "new"]);
    running.stop().await;
}

/// After Redis had come back empty every read failed with NOGROUP until a restart.
#[tokio::test]
async fn nogroup_after_redis_came_back_empty() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    add(&redis, "c", "before", "echo").await;
    until_empty(&server).await;
    server.run::<()>(&["FLUSHALL"]);
    add(&redis, "c", "after", "echo").await;
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["after"]);
    eventually(
        async || match server.run::<Option<String>>(&["GET", "partitions"]) {
            Some(number) if number == "8" => Ok(()),
            other => Err(other),
        },
    )
    .await;
    // Only the stream vanished, while the lease is still good.
    for p in 0..8 {
        server.run::<u64>(&["DEL", &format!("in:{p}")]);
    }
    add(&redis, "c", "again", "echo").await;
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["after", "again"]);
    running.stop().await;
}

/// Replicas that shared one consumer name read each other's pending entries.
#[tokio::test]
async fn one_consumer_name_shared_by_replicas() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echoes = [Arc::new(Echo::default()), Arc::new(Echo::default())];
    let running: Vec<_> = echoes
        .iter()
        .map(|echo| run(&redis, config(), echo))
        .collect();
    for n in 0..50 {
        add(&redis, &format!("c{n}"), &format!("e{n}"), "echo").await;
    }
    until_empty(&server).await;
    let started: usize = echoes
        .iter()
        .map(|e| e.started.load(std::sync::atomic::Ordering::SeqCst))
        .sum();
    assert_eq!(started, 50, "the lease, not the name, keeps replicas apart");
    for consumer in running {
        consumer.stop().await;
    }
}

/// Waits until the blocking read that wakes the consumer is under way.
pub(crate) async fn until_watched(server: &RedisServer) {
    eventually(async || {
        let clients: String = server.run(&["CLIENT", "LIST"]);
        if clients.contains("cmd=xread") {
            Ok(())
        } else {
            Err(clients)
        }
    })
    .await;
}

/// The client's default response timeout of 500 ms ended blocking reads, and what they had taken
/// was delivered to nobody.
#[tokio::test]
async fn a_blocking_read_on_a_connection_with_the_default_response_timeout() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_watched(&server).await;
    server.run::<()>(&["CONFIG", "RESETSTAT"]);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let clients: String = server.run(&["INFO", "stats"]);
    let opened = clients
        .lines()
        .find_map(|l| l.strip_prefix("total_connections_received:"))
        .unwrap();
    let ours: u64 = opened.trim().parse().unwrap();
    assert!(
        ours <= 1,
        "idle reads must not time out and reconnect: {ours} connections"
    );
    running.stop().await;
}

/// A cancelled read had taken an entry that then belonged to nobody.
#[tokio::test]
async fn a_ghost_delivery_after_a_cancelled_read() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    for round in 0..5 {
        let running = run(&redis, config(), &Arc::new(Echo::default()));
        add(&redis, "c", &format!("e{round}"), "echo").await;
        running.kill();
        add(&redis, "c", &format!("f{round}"), "echo").await;
    }
    let last = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    let expected: Vec<_> = (0..5)
        .flat_map(|n| [format!("e{n}"), format!("f{n}")])
        .collect();
    assert_eq!(replies(&server, "c"), expected);
    last.stop().await;
}

/// XGROUP DELCONSUMER on shutdown threw the pending entries away.
#[tokio::test]
async fn a_consumer_deleted_with_pending_entries() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    for n in 0..3 {
        let running = run(&redis, config(), &Arc::new(Echo::default()));
        add(&redis, "c", &format!("e{n}"), "echo").await;
        until_empty(&server).await;
        running.stop().await;
    }
    let partition = usize::from(redis.partitions().partition_of("c").number());
    let groups = group_info(&server, partition);
    let consumers = groups[0]
        .iter()
        .find(|(name, _)| name == "consumers")
        .unwrap()
        .1
        .clone();
    assert_eq!(consumers, "1", "one constant consumer, never deleted");
}

/// MAXLEN on a work stream removed entries that nobody had read.
#[tokio::test]
async fn trimming_that_removes_unread_entries() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    for n in 0..2_000 {
        add(&redis, "c", &format!("e{n}"), "echo").await;
    }
    assert_eq!(waiting(&server), 2_000);
    let stats: String = server.run(&["INFO", "commandstats"]);
    assert!(!stats.contains("cmdstat_xtrim"));
    assert_eq!(
        redis.backlog(Queue::Inbound, 0).await.unwrap().entries,
        2_000
    );
}

/// A failover took the last ids back; what was added under them afterwards woke nobody.
#[tokio::test]
async fn entries_with_older_ids_after_a_failover_are_never_seen() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    add(&redis, "c", "before", "echo").await;
    until_empty(&server).await;
    until_watched(&server).await;
    let stream = format!("in:{}", redis.partitions().partition_of("c"));
    server.run::<()>(&["DEL", &stream]);
    server.run::<String>(&["XGROUP", "CREATE", &stream, "worker", "0", "MKSTREAM"]);
    server.run::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
    let fields = [
        "v", "1", "kind", "message", "event", "after", "conv", "c", "payload", "echo",
    ];
    server.run::<String>(&[&["XADD", &stream, "1-1"], fields.as_slice()].concat());
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["before", "after"]);
    running.stop().await;
}

/// A failover took a commit back; its entry was pending again, and its owner, who believed it done,
/// never looked.
#[tokio::test]
async fn an_entry_whose_commit_redis_lost_stays_pending_for_ever() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    add(&redis, "c", "before", "echo").await;
    until_empty(&server).await;
    until_watched(&server).await;
    let stream = format!("in:{}", redis.partitions().partition_of("c"));
    let fields = [
        "v", "1", "kind", "message", "event", "lost", "conv", "c", "payload", "echo",
    ];
    // In one step, so that the consumer cannot take it as new.
    let give_back = "redis.call('DEL', KEYS[1]) \
                     redis.call('XGROUP', 'CREATE', KEYS[1], 'worker', '0', 'MKSTREAM') \
                     redis.call('XADD', KEYS[1], '1-1', unpack(ARGV)) \
                     redis.call('XREADGROUP', 'GROUP', 'worker', 'owner', 'STREAMS', KEYS[1], '>')";
    server.run::<()>(&[&["EVAL", give_back, "1", &stream], fields.as_slice()].concat());
    server.run::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["before", "lost"]);
    running.stop().await;
}

/// An error that Redis gives every time was repeated for ever, and held its conversation and a
/// place among those in flight.
#[tokio::test]
async fn a_script_that_redis_always_refuses_blocks_its_partition() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    server.run::<String>(&["SET", "hist:c", "no list"]);
    add(&redis, "c", "unreadable", "echo").await;
    for n in 0..5 {
        add(&redis, "e", &format!("e{n}"), "echo").await;
    }
    let one_at_a_time = ConsumerConfig {
        in_flight: 1,
        ..config()
    };
    let running = run(&redis, one_at_a_time, &Arc::new(Echo::default()));
    until_empty(&server).await;
    assert_eq!(replies(&server, "e").len(), 5);
    let letters = redis
        .letters(streams::Shelf::Dead(Queue::Inbound), None, 10)
        .await
        .unwrap();
    let reasons: Vec<_> = letters
        .iter()
        .map(|letter| letter.reason.as_str())
        .collect();
    assert_eq!(reasons, ["refused_by_redis"]);
    assert!(
        letters[0].error.contains("WRONGTYPE"),
        "{}",
        letters[0].error
    );
    running.stop().await;
}
