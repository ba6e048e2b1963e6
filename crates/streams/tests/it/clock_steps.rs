//! Redis' clock was set back: what it wrote before lies in the future, and nothing waits for that.

use std::sync::Arc;
use std::time::Duration;

use streams::{Destination, Ingested, Queue, RateLimit, Redis, Slot};
use test_support::{RedisServer, eventually};

use crate::harness::{Echo, add, config, entry, ingest, redis_at, replies, run, until_empty};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// The server's clock an hour ahead, as it stood before it was set back.
async fn before_the_step(redis: &Redis) -> i64 {
    redis.clock_ms().await.unwrap() + 3_600_000
}

#[tokio::test]
async fn a_pace_lasts_no_longer_than_it_was_reserved_for() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let later = before_the_step(&redis).await;
    // A slot that began half a second after it was written, and one that tells no length.
    for clock in [format!("{later}500.500000"), format!("{later}000")] {
        server.run::<()>(&["SET", "tat:s", &clock]);
        let slot = redis.reserve_slot("s", SECOND, SECOND * 2).await.unwrap();
        let (Slot::Granted { wait } | Slot::TooFar { wait }) = slot;
        assert!(wait <= SECOND * 3, "{clock}: {wait:?}");
    }
    // A pause of a provider that was asked for is kept whole, once.
    redis
        .push_slots("s", Duration::from_secs(30))
        .await
        .unwrap();
    let kept: String = server.run(&["GET", "tat:s"]);
    let ahead = kept.split('.').next_back().unwrap();
    assert_eq!(ahead, "30000000");
    server.run::<()>(&["SET", "tat:s", &format!("{later}000.30000000")]);
    let mut waits = Vec::new();
    for _ in 0..2 {
        match redis.reserve_slot("s", SECOND, SECOND).await.unwrap() {
            Slot::TooFar { wait } => waits.push(wait),
            Slot::Granted { wait } => panic!("granted with {wait:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(waits[0] <= SECOND * 30, "{waits:?}");
    assert!(waits[1] < waits[0], "it passes: {waits:?}");
}

#[tokio::test]
async fn a_rate_limit_forgets_what_lies_in_the_future() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let later = before_the_step(&redis).await;
    let ahead = format!("{later}000").repeat(5);
    server.run::<()>(&["SET", "recent:c", &ahead]);
    let limit = RateLimit {
        limit: 5,
        window: HOUR,
    };
    let answer = async |n: u32| {
        let one = entry("c", &format!("e{n}"), "x");
        let request = streams::Ingest {
            rate: Some(limit),
            destination: Destination::Work(Queue::Inbound),
            ..ingest(&one)
        };
        redis.ingest(&request).await.unwrap()
    };
    for n in 0..5 {
        let queued = answer(n).await;
        assert!(matches!(queued, Ingested::Queued { .. }), "{queued:?}");
    }
    let Ingested::RateLimited { retry_after } = answer(5).await else {
        panic!("the limit holds")
    };
    assert!(retry_after <= HOUR, "{retry_after:?}");
    assert_eq!(server.run::<usize>(&["STRLEN", "recent:c"]), ahead.len());
}

/// Dead owners and dead members of before the step.
#[tokio::test]
async fn the_dead_keep_their_partitions_no_longer_than_a_lease() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let later = before_the_step(&redis).await;
    for p in 0..8 {
        let (lease, owner) = (format!("lease:{p}"), format!("own:{p}"));
        server.run::<()>(&["SET", &lease, "1:dead", "PX", "3574000"]);
        let fields = ["epoch", "1", "tok", "1:dead", "w", "dead"];
        server.run::<()>(&[&["HSET", &owner][..], &fields].concat());
        if p % 2 == 0 {
            server.run::<()>(&["HSET", &owner, "ttl", "300"]);
        }
    }
    let members = redis.keys().members(Queue::Inbound);
    server.run::<()>(&["ZADD", &members, &later.to_string(), "dead"]);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    eventually(async || {
        let owned = |p: &u16| {
            let owner: String = server.run(&["HGET", &format!("own:{p}"), "w"]);
            owner != "dead"
        };
        match (0..8).filter(owned).count() {
            8 => Ok(()),
            some => Err(some),
        }
    })
    .await;
    add(&redis, "c", "e", "echo").await;
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["e"]);
    running.stop().await;
}
