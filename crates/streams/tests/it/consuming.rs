use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use streams::ConsumerConfig;
use test_support::{RedisServer, eventually};

use crate::harness::{
    Echo, add, config, pending, redis_at, redis_with, replies, run, until_empty, waiting,
};

#[tokio::test]
async fn each_conversation_is_answered_in_order_and_once() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    for n in 0..20 {
        for conversation in ["a", "b", "c"] {
            add(&redis, conversation, &format!("{conversation}{n}"), "echo").await;
        }
    }
    until_empty(&server).await;
    for conversation in ["a", "b", "c"] {
        let expected: Vec<_> = (0..20).map(|n| format!("{conversation}{n}")).collect();
        assert_eq!(replies(&server, conversation), expected);
        let key = format!("conv:{conversation}");
        assert_eq!(
            server.run::<(u64, u64)>(&["HMGET", &key, "ver", "count"]),
            (20, 20)
        );
        let history: Vec<String> =
            server.run(&["LRANGE", &format!("hist:{conversation}"), "0", "-1"]);
        assert_eq!(history, expected);
    }
    assert!(running.stop().await.late.is_empty());
}

#[tokio::test]
async fn a_conversation_that_waits_does_not_hold_up_others() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    add(&redis, "slow", "s1", "gate").await;
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    add(&redis, "slow", "s2", "echo").await;
    for n in 0..30 {
        add(&redis, &format!("other{n}"), &format!("o{n}"), "echo").await;
    }
    eventually(async || match waiting(&server) {
        2 => Ok(()),
        left => Err(left),
    })
    .await;
    assert!(
        replies(&server, "slow").is_empty(),
        "s2 must not overtake s1"
    );
    echo.gate.notify_one();
    until_empty(&server).await;
    assert_eq!(replies(&server, "slow"), ["s1", "s2"]);
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_start_yet_waits_in_redis() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let partition = redis.partitions().partition_of("c");
    let names = (0..).map(|n| format!("c{n}"));
    let names = names.filter(|name| redis.partitions().partition_of(name) == partition);
    for name in names.take(300) {
        add(&redis, &name, &name, "gate").await;
    }
    let config = config();
    let (echo, most) = (Arc::new(Echo::default()), config.concurrency);
    let running = run(&redis, config, &echo);
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        started if started == most => Ok(()),
        started => Err(started),
    })
    .await;
    let taken = pending(&server);
    assert!(taken < 100, "{taken} entries were taken at once");
    eventually(async || {
        echo.gate.notify_waiters();
        match waiting(&server) {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await;
    running.stop().await;
}

/// More of them than may queue for a place among the work in flight, which is taken when they come.
#[tokio::test]
async fn those_that_wait_for_something_else_hold_up_nobody() {
    let server = RedisServer::start();
    let redis = redis_with(&["--redis-url", &server.url(), "--redis-partitions", "1"]);
    for n in 0..12 {
        add(&redis, &format!("waits{n}"), &format!("w{n}"), "wait").await;
    }
    add(&redis, "other", "o", "echo").await;
    let config = ConsumerConfig {
        in_flight: 1,
        ..config()
    };
    let running = run(&redis, config, &Arc::new(Echo::default()));
    eventually(async || match replies(&server, "other").as_slice() {
        [_] => Ok(()),
        none => Err(none.to_vec()),
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn work_in_flight_is_bounded() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    for n in 0..60 {
        add(&redis, &format!("c{n}"), &format!("e{n}"), "echo").await;
    }
    let running = run(
        &redis,
        ConsumerConfig {
            in_flight: 3,
            ..config()
        },
        &echo,
    );
    until_empty(&server).await;
    assert!(echo.most_running.load(Ordering::SeqCst) <= 3);
    running.stop().await;
}

#[tokio::test]
async fn partitions_are_shared_when_consumers_join_and_taken_over_when_they_leave() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let owned_by = |expected: &[usize]| {
        let owners: Vec<Option<String>> = (0..8)
            .map(|p| server.run(&["HGET", &format!("own:{p}"), "w"]))
            .collect();
        let leases: u64 = (0..8)
            .map(|p| server.run::<u64>(&["EXISTS", &format!("lease:{p}")]))
            .sum();
        let mut shares: Vec<usize> = Vec::new();
        for owner in owners
            .iter()
            .flatten()
            .collect::<std::collections::BTreeSet<_>>()
        {
            shares.push(
                owners
                    .iter()
                    .flatten()
                    .filter(|other| *other == owner)
                    .count(),
            );
        }
        shares.sort_unstable();
        if leases == 8 && shares == expected {
            Ok(())
        } else {
            Err(format!("{shares:?} {leases}"))
        }
    };
    let first = run(&redis, config(), &Arc::new(Echo::default()));
    eventually(async || owned_by(&[8])).await;
    let second = run(&redis, config(), &Arc::new(Echo::default()));
    let third = run(&redis, config(), &Arc::new(Echo::default()));
    eventually(async || owned_by(&[2, 3, 3])).await;
    second.stop().await;
    third.kill();
    eventually(async || owned_by(&[8])).await;
    first.stop().await;
    let left: u64 = (0..8)
        .map(|p| server.run::<u64>(&["EXISTS", &format!("lease:{p}")]))
        .sum();
    assert_eq!(left, 0, "a drain gives every lease back");
}

#[tokio::test]
async fn what_a_dead_owner_left_is_done_by_the_next_one_first() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let first = run(&redis, config(), &echo);
    add(&redis, "c", "e1", "gate").await;
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    add(&redis, "c", "e2", "echo").await;
    first.kill();
    add(&redis, "c", "e3", "echo").await;
    let second = run(&redis, config(), &echo);
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        1 => Err("not taken over"),
        _ => Ok(()),
    })
    .await;
    echo.gate.notify_one();
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["e1", "e2", "e3"]);
    second.stop().await;
}

#[tokio::test]
async fn a_drain_waits_for_what_was_started_and_leaves_the_rest_pending() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    add(&redis, "c", "e1", "gate").await;
    add(&redis, "c", "e2", "echo").await;
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    let (report, ()) = tokio::join!(running.stop(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        echo.gate.notify_one();
    });
    assert!(report.late.is_empty(), "{report:?}");
    assert_eq!(replies(&server, "c"), ["e1"]);
    assert_eq!(waiting(&server), 1);
}

#[tokio::test]
async fn a_drain_names_what_was_late_and_releases_it_all_the_same() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let stop = tokio_util::sync::CancellationToken::new();
    let consumer = streams::Consumer::new(redis.clone(), config(), echo.clone());
    add(&redis, "c", "e1", "gate").await;
    let (report, ()) = tokio::join!(
        consumer.run(stop.clone(), Duration::from_millis(200)),
        async {
            eventually(async || match echo.started.load(Ordering::SeqCst) {
                0 => Err("not started"),
                _ => Ok(()),
            })
            .await;
            stop.cancel();
        }
    );
    let late = report.unwrap().late;
    assert_eq!(late.len(), 1);
    assert!(!server.run::<bool>(&["EXISTS", &format!("lease:{}", late[0])]));
    assert_eq!(
        waiting(&server),
        1,
        "what was late stays for the next owner"
    );
}
