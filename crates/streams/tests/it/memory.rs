//! A Redis whose memory is full: what comes in is refused, what goes on is not, and drains it.

use std::sync::Arc;
use std::time::Duration;

use streams::{Duty, Ingest, Ingested, NewEntry, Queue, RateLimit, Shelf, Slot};
use test_support::RedisServer;

use crate::harness::{Echo, config, entry, ingest, redis_at, replies, run, until_empty};

const RATE: RateLimit = RateLimit {
    limit: 1_000,
    window: Duration::from_secs(60),
};

fn limited(entry: &NewEntry) -> Ingest<'_> {
    Ingest {
        rate: Some(RATE),
        ..ingest(entry)
    }
}

#[tokio::test]
async fn full_memory_refuses_what_comes_in_and_drains_what_waits() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    redis.claim_layout().await.unwrap().unwrap();
    for (n, payload) in ["echo", "echo", "fail", "reject", "echo"]
        .into_iter()
        .enumerate()
    {
        let entry = entry("c", &format!("e{n}"), payload);
        let ingested = redis.ingest(&limited(&entry)).await.unwrap();
        assert!(matches!(ingested, Ingested::Queued { .. }));
    }
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = entry("c", "refused", "echo");
    for limit in [limited(&refused), ingest(&refused)] {
        assert!(redis.ingest(&limit).await.unwrap_err().is_full_memory());
    }
    let duty = Duty::Consume(Queue::Inbound);
    let error = redis.check_writable(duty).await.unwrap_err();
    assert!(
        error.is_full_memory() && error.to_string().contains("memory is full"),
        "{error}"
    );
    assert_eq!(
        server.run::<u64>(&["STRLEN", "recent:c"]),
        5 * 16,
        "a refusal costs no budget"
    );

    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["e0", "e1", "e4"]);
    assert_eq!(
        redis
            .letter_count(Shelf::Dead(Queue::Inbound))
            .await
            .unwrap(),
        2
    );
    let second = Duration::from_secs(1);
    redis.push_slots("sender", second).await.unwrap();
    let slot = redis
        .reserve_slot("sender", second, second * 5)
        .await
        .unwrap();
    assert!(
        matches!(slot, Slot::Granted { wait } if !wait.is_zero()),
        "{slot:?}"
    );
    // Long enough for leases to be renewed and members to be counted.
    tokio::time::sleep(config().lease_ttl * 2).await;
    assert!(server.run::<bool>(&["EXISTS", "lease:0"]));
    assert_eq!(running.stop().await.late, []);
    assert!(!server.run::<bool>(&["EXISTS", "lease:0"]));

    server.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    redis.check_writable(duty).await.unwrap();
    let ingested = redis.ingest(&limited(&refused)).await.unwrap();
    assert!(
        matches!(ingested, Ingested::Queued { .. }),
        "the provider's retry is no duplicate"
    );
}
