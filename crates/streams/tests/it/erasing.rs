//! One person's things: on all nodes of a cluster, and in somebody's hands.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use streams::{Person, Place, Queue, Redis};
use test_support::{RedisCluster, RedisServer, eventually};

use crate::harness::{
    Echo, add, config, deployment_with, entry, ingest, pending, redis_at, redis_with, replies, run,
    until_empty,
};

/// Whose names all begin alike.
struct Anna;

impl Person for Anna {
    fn has(&self, address: &str) -> bool {
        address.starts_with("anna")
    }

    fn is_in(&self, payload: &str) -> bool {
        payload.starts_with("anna")
    }

    fn is_named_in(&self, text: &str) -> bool {
        text.contains("anna")
    }
}

const EACH: usize = 16;

async fn write(redis: &Redis, who: &str) {
    for n in 0..EACH {
        let event = format!("twilio:message:{who}{n}");
        let one = entry(&format!("{who}{n}"), &event, "echo");
        eventually(async || {
            let taken = redis.ingest(&ingest(&one)).await;
            taken.map_err(|error| error.to_string())
        })
        .await;
    }
}

#[tokio::test]
async fn everything_of_a_person_is_found_on_every_node_whatever_number_of_partitions_is_set() {
    let cluster = RedisCluster::start();
    let nodes = cluster.addresses().join(",");
    let redis = redis_with(&["--redis-cluster-nodes", &nodes, "--redis-partitions", "8"]);
    redis.claim_layout().await.unwrap().unwrap();
    for who in ["anna", "bram"] {
        write(&redis, who).await;
    }
    let holds_keys = |node: usize| cluster.node(node).run::<u64>(&["DBSIZE"]) > 0;
    assert!((0..3).all(holds_keys), "each master has some of it");
    let wrong = ["--redis-cluster-nodes", &nodes, "--redis-partitions", "1"];
    let redis = deployment_with(&wrong).await;
    let dry = redis.erase(&Anna, true).await.unwrap();
    let done = redis.erase(&Anna, false).await.unwrap();
    assert_eq!(dry, done);
    let each = EACH as u64;
    assert_eq!((done[&Place::Waiting], done[&Place::Markers]), (each, each));
    let again = redis.erase(&Anna, false).await.unwrap();
    assert_eq!(again.values().sum::<u64>(), 0, "{again:?}");
    let keys: BTreeSet<String> = redis.all_keys().await.unwrap();
    assert!(!keys.iter().any(|key| key.contains("anna")), "{keys:?}");
    let of_bram = keys.iter().filter(|key| key.contains("bram"));
    assert_eq!(of_bram.count(), EACH);
    let backlog = redis.backlog(Queue::Inbound, 0).await.unwrap();
    assert_eq!(backlog.entries, each);
}

#[tokio::test]
async fn nothing_comes_of_what_is_in_hand_or_waits_behind_it() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    add(&redis, "anna", "twilio:message:anna1", "gate").await;
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        1 => Ok(()),
        started => Err(started),
    })
    .await;
    add(&redis, "anna", "twilio:message:anna2", "echo").await;
    eventually(async || match pending(&server) {
        2 => Ok(()),
        pending => Err(pending),
    })
    .await;
    let done = redis.erase(&Anna, false).await.unwrap();
    assert_eq!(done[&Place::Waiting], 2);
    assert!(!server.dump().contains("anna1"), "{}", server.dump());
    echo.gate.notify_one();
    // In the same mailbox: whatever was to come of the others has come before it.
    add(&redis, "anna", "twilio:message:anna3", "echo").await;
    until_empty(&server).await;
    assert_eq!(replies(&server, "anna"), ["twilio:message:anna3"]);
    assert_eq!(
        server.run::<Vec<String>>(&["LRANGE", "hist:anna", "0", "-1"]),
        ["twilio:message:anna3"]
    );
    running.stop().await;
}
