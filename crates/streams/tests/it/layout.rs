use std::sync::Arc;
use std::time::Duration;

use streams::Consumer;
use test_support::RedisServer;
use tokio_util::sync::CancellationToken;

use crate::harness::{Echo, config, redis_with};

#[tokio::test]
async fn another_number_of_partitions_is_refused_with_advice() {
    let server = RedisServer::start();
    let first = redis_with(&["--redis-url", &server.url(), "--redis-partitions", "8"]);
    let other = redis_with(&["--redis-url", &server.url(), "--redis-partitions", "16"]);
    assert_eq!(first.claim_layout().await.unwrap(), Ok(()));
    assert_eq!(first.claim_layout().await.unwrap(), Ok(()));
    let consumer = Consumer::new(other, config(), Arc::new(Echo::default()));
    let refused = consumer
        .run(CancellationToken::new(), Duration::ZERO)
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("REDIS_PARTITIONS=8"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_without_a_safety_net_is_reported() {
    let server = RedisServer::start();
    let redis = redis_with(&["--redis-url", &server.url()]);
    server.run::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let report = redis.server_report().await.unwrap();
    assert!(report.version.contains('.'), "{report:?}");
    assert_eq!(report.warnings().len(), 2);
    server.run::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.run::<()>(&["CONFIG", "SET", "appendonly", "yes"]);
    let report = redis.server_report().await.unwrap();
    assert!(report.warnings().is_empty(), "{report:?}");
    assert_eq!(report.fsync.as_deref(), Some("everysec"));
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "100mb"]);
    let memory = redis.memory().await.unwrap().unwrap();
    assert_eq!(memory.limit, 100 << 20);
    assert!(memory.used > 0 && memory.used < memory.limit, "{memory:?}");
}
