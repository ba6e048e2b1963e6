use std::sync::Arc;
use std::sync::atomic::Ordering;

use test_support::{RedisServer, eventually};

use crate::harness::{Echo, add, config, pending, redis_at, replies, run, until_empty, waiting};

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
