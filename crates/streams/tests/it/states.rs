//! Servers that answer PING and take nothing: each is told apart, and says what to do.

use std::fs;
use std::path::Path;

use streams::{Duty, Queue, Redis, StreamsError};
use test_support::{RedisCluster, RedisServer, eventually};

use crate::harness::{redis_at, redis_with};

/// As readiness and the doctor ask.
async fn ask(redis: &Redis, duty: Duty) -> Result<(), StreamsError> {
    redis.check_writable(duty).await?;
    redis.check_permissions(&[duty]).await
}

async fn assert_refused(redis: &Redis, words: &str) {
    for duty in [Duty::TakeIn, Duty::Consume(Queue::Inbound)] {
        let refused = ask(redis, duty).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{duty:?}: {refused}");
    }
}

#[tokio::test]
async fn too_few_replicas() {
    let server = RedisServer::start();
    server.run::<()>(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    assert_refused(&redis_at(&server), "NOREPLICAS: too few replicas").await;
    server.run::<()>(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    ask(&redis_at(&server), Duty::TakeIn).await.unwrap();
}

#[tokio::test]
async fn a_replica() {
    let server = RedisServer::start();
    server.run::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_refused(&redis_at(&server), "READONLY: it is a replica").await;
    server.run::<()>(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    let refused = ask(&redis_at(&server), Duty::TakeIn).await.unwrap_err();
    assert!(refused.to_string().contains("it is a replica"), "{refused}");
}

/// One failed snapshot refuses every write, with a healthy append-only file.
#[tokio::test]
async fn a_snapshot_that_failed() {
    let server = RedisServer::builder().append_only("always").start();
    // On the command line, versions read two words in two ways.
    server.run::<()>(&["CONFIG", "SET", "save", "3600 1"]);
    let redis = redis_at(&server);
    ask(&redis, Duty::TakeIn).await.unwrap();
    // A folder is in the snapshot's place.
    let (_, folder): (String, String) = server.run(&["CONFIG", "GET", "dir"]);
    fs::create_dir_all(Path::new(&folder).join("dump.rdb/in-the-way")).unwrap();
    server.run::<()>(&["BGSAVE"]);
    eventually(async || {
        let info: String = server.run(&["INFO", "persistence"]);
        info.contains("rdb_last_bgsave_status:err")
            .then_some(())
            .ok_or(info)
    })
    .await;
    assert_refused(&redis, "MISCONF: it cannot write to its disk").await;
}

#[tokio::test]
async fn a_node_of_a_cluster_as_the_only_server() {
    let cluster = RedisCluster::start();
    for address in cluster.addresses() {
        let redis = redis_with(&["--redis-url", &format!("redis://{address}")]);
        assert_refused(&redis, "set REDIS_CLUSTER_NODES").await;
    }
}

#[tokio::test]
async fn a_cluster_without_masters() {
    let server = RedisServer::builder()
        .tcp()
        .setting("cluster-enabled", "yes")
        .start();
    assert_refused(
        &redis_at(&server),
        "CLUSTERDOWN: its cluster lacks a master",
    )
    .await;
    let node = format!("127.0.0.1:{}", server.port());
    let redis = redis_with(&["--redis-cluster-nodes", &node]);
    assert_refused(&redis, "CLUSTERDOWN: its cluster lacks a master").await;
}
