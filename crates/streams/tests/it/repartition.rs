use streams::{PartitionCount, RepartitionError};
use test_support::{RedisCluster, RedisServer};

use crate::harness::{redis_at, redis_with};

fn partitions(count: u16) -> PartitionCount {
    count.try_into().unwrap()
}

/// Of eight partitions, so that the last is looked at as well as the first.
#[tokio::test]
async fn the_number_changes_only_where_nobody_works_and_nothing_waits() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    assert_eq!(redis.claim_layout().await.unwrap(), Ok(()));
    let number = || server.run::<String>(&["GET", "partitions"]);
    for (key, said) in [
        ("in:7", "not everything is done: inbound waits 1"),
        ("out:0", "not everything is done: outbound waits 1"),
        ("crm:3", "not everything is done: crm waits 1"),
        ("mir:3", "not everything is done: mirror waits 1"),
        ("dlq:7", "not everything is done: inbound dead letters 1"),
        ("odlq:1", "not everything is done: outbound dead letters 1"),
        ("rejected:2", "not everything is done: rejected webhooks 1"),
    ] {
        server.run::<String>(&["XADD", key, "*", "v", "1"]);
        let stays = redis.repartition(Some(partitions(16))).await.unwrap_err();
        assert_eq!(stays.to_string(), said);
        server.run::<()>(&["XTRIM", key, "MAXLEN", "0"]);
    }
    server.run::<()>(&["SET", "olease:7", "somebody"]);
    let stays = redis.repartition(Some(partitions(16))).await;
    assert!(matches!(stays, Err(RepartitionError::Runs)), "{stays:?}");
    server.run::<()>(&["DEL", "olease:7"]);
    redis.repartition(None).await.unwrap();
    assert_eq!(number(), "8", "it was only looked at");

    redis.repartition(Some(partitions(16))).await.unwrap();
    assert_eq!(number(), "16");
    let late = redis.repartition(Some(partitions(4))).await;
    let meanwhile = matches!(&late, Err(RepartitionError::Changed(now)) if now == "16");
    assert!(meanwhile, "{late:?}");
}

#[tokio::test]
async fn in_a_cluster_the_number_stays() {
    let cluster = tokio::task::spawn_blocking(RedisCluster::start)
        .await
        .unwrap();
    let nodes = cluster.addresses().join(",");
    let redis = redis_with(&["--redis-cluster-nodes", &nodes, "--redis-partitions", "8"]);
    assert_eq!(redis.claim_layout().await.unwrap(), Ok(()));
    let stays = redis.repartition(Some(partitions(16))).await;
    assert!(matches!(stays, Err(RepartitionError::Cluster)), "{stays:?}");
}
