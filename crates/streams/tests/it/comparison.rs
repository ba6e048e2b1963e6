//! Who compares with the providers' lists, and what of them is known.

use std::time::Duration;

use streams::{Compared, NewEntry};
use test_support::{RedisServer, eventually};

use crate::harness::{entry, ingest, redis_with};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn one_holder_at_a_time_compares() {
    let server = RedisServer::start();
    let redis = redis_with(&["--redis-url", &server.url()]);
    assert!(redis.hold_comparison("a", LONG).await.unwrap());
    assert!(!redis.hold_comparison("b", LONG).await.unwrap());
    assert!(redis.hold_comparison("a", LONG).await.unwrap());
    redis.leave_comparison("b").await.unwrap();
    assert!(!redis.hold_comparison("b", LONG).await.unwrap());
    redis.leave_comparison("a").await.unwrap();
    eventually(async || match redis.hold_comparison("b", LONG).await {
        Ok(true) => Ok(()),
        other => Err(other),
    })
    .await;
    assert!(!redis.hold_comparison("a", LONG).await.unwrap());
}

#[tokio::test]
async fn each_list_has_its_own_mark() {
    let server = RedisServer::start();
    let redis = redis_with(&["--redis-url", &server.url()]);
    let (begin, until) = (1_780_000_000_000, 1_790_000_000_000);
    let mark = Compared { begin, until };
    redis.note_compared("a", mark).await.unwrap();
    assert_eq!(redis.compared("a").await.unwrap(), Some(mark));
    assert_eq!(redis.compared("b").await.unwrap(), None);
    for nonsense in ["gisteren", "1790000000000 gisteren", " "] {
        server.run::<()>(&["SET", "compare:until:b", nonsense]);
        assert_eq!(redis.compared("b").await.unwrap(), None);
    }
    server.run::<()>(&["SET", "compare:until:b", "1790000000000"]);
    let without = redis.compared("b").await.unwrap().unwrap();
    assert_eq!((without.begin, without.until), (until, until));
}

#[tokio::test]
async fn what_waits_and_what_was_done_was_taken_in() {
    let server = RedisServer::start();
    let redis = redis_with(&["--redis-url", &server.url(), "--redis-partitions", "8"]);
    let entry: NewEntry = entry("c", "twilio:message:SM1", "x");
    let known = async |event: &str| redis.was_taken_in("c", event).await.unwrap();
    assert!(!known("twilio:message:SM1").await);
    redis.ingest(&ingest(&entry)).await.unwrap();
    assert!(known("twilio:message:SM1").await);
    server.run::<()>(&["SET", "done:twilio:message:SM2", "1"]);
    assert!(known("twilio:message:SM2").await);
    assert!(!known("twilio:message:SM3").await);
}
