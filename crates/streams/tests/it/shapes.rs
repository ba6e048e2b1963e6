use std::sync::Arc;

use test_support::{RedisCluster, RedisServer, SentinelSetup, eventually};

use crate::harness::{
    Echo, add, config, entry, ingest, redis_at, redis_with, replies, run, until_empty,
};

async fn add_when_possible(redis: &streams::Redis, mailbox: &str, event: &str) {
    let one = entry(mailbox, event, "echo");
    eventually(async || {
        redis
            .ingest(&ingest(&one))
            .await
            .map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_was_killed_and_restarted_loses_nothing() {
    let mut server = RedisServer::builder().append_only("always").start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    for n in 0..5 {
        add(&redis, "c", &format!("a{n}"), "echo").await;
    }
    server.kill();
    assert!(
        redis
            .check_writable(streams::Duty::Consume(streams::Queue::Inbound))
            .await
            .is_err()
    );
    server.restart();
    for n in 0..5 {
        add_when_possible(&redis, "c", &format!("b{n}")).await;
    }
    until_empty(&server).await;
    let expected: Vec<_> = ["a", "b"]
        .iter()
        .flat_map(|x| (0..5).map(move |n| format!("{x}{n}")))
        .collect();
    assert_eq!(replies(&server, "c"), expected);
    running.stop().await;
}

#[tokio::test]
async fn a_demoted_master_is_left_without_a_restart() {
    let mut setup = SentinelSetup::start();
    let redis = redis_with(&[
        "--redis-sentinels",
        &setup.addresses(),
        "--redis-partitions",
        "8",
    ]);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    for n in 0..5 {
        add(&redis, "c", &format!("a{n}"), "echo").await;
    }
    until_empty(setup.server(setup.master_port().unwrap())).await;
    setup.fail_over();
    setup.bring_back();
    for n in 0..5 {
        add_when_possible(&redis, "c", &format!("b{n}")).await;
    }
    let master = setup.server(setup.master_port().unwrap());
    eventually(async || match replies(master, "c") {
        all if all.len() == 10 => Ok(()),
        some => Err(some),
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_cluster_keeps_order_and_survives_a_failover() {
    let mut cluster = RedisCluster::start();
    let nodes = cluster.addresses().join(",");
    let redis = redis_with(&["--redis-cluster-nodes", &nodes, "--redis-partitions", "8"]);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    let conversations: Vec<_> = (0..8).map(|n| format!("c{n}")).collect();
    for n in 0..5 {
        for conversation in &conversations {
            add_when_possible(&redis, conversation, &format!("{conversation}-a{n}")).await;
        }
    }
    for conversation in &conversations {
        let expected: Vec<_> = (0..5).map(|n| format!("{conversation}-a{n}")).collect();
        cluster_has(&cluster, &redis, conversation, &expected).await;
    }
    cluster.fail_over(0);
    for n in 0..5 {
        for conversation in &conversations {
            add_when_possible(&redis, conversation, &format!("{conversation}-b{n}")).await;
        }
    }
    for conversation in &conversations {
        let expected: Vec<_> = ["a", "b"]
            .iter()
            .flat_map(|x| (0..5).map(move |n| format!("{conversation}-{x}{n}")))
            .collect();
        cluster_has(&cluster, &redis, conversation, &expected).await;
    }
    assert!(redis.server_report().await.unwrap().append_only);
    assert!(redis.memory().await.unwrap().unwrap().used > 0);
    running.stop().await;
}

async fn cluster_has(
    cluster: &RedisCluster,
    redis: &streams::Redis,
    conversation: &str,
    expected: &[String],
) {
    let partition = redis.partitions().partition_of(conversation);
    let stream = format!("{{p{partition}}}:out");
    eventually(async || {
        let found = cluster_events(cluster, &stream, conversation);
        if found == expected {
            Ok(())
        } else {
            Err(found)
        }
    })
    .await;
}

fn cluster_events(cluster: &RedisCluster, stream: &str, mailbox: &str) -> Vec<String> {
    let mut command = std::process::Command::new("redis-cli");
    let alive = cluster.node(1).port().to_string();
    let output = command
        .args(["-c", "-p", &alive, "--json", "XRANGE", stream, "-", "+"])
        .output()
        .unwrap();
    let entries: Vec<(String, Vec<String>)> =
        serde_json::from_slice(&output.stdout).unwrap_or_default();
    let value = |fields: &[String], name: &str| {
        fields
            .chunks(2)
            .find(|pair| pair[0] == name)
            .map(|pair| pair[1].clone())
            .unwrap_or_default()
    };
    let of_mailbox = entries
        .iter()
        .filter(|(_, fields)| value(fields, "conv") == mailbox);
    of_mailbox
        .map(|(_, fields)| value(fields, "event"))
        .collect()
}
