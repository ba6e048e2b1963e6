//! The stories of `scripts/chaos`, short.

use std::time::Duration;

use e2e_tests::scenario::{Plan, Scenario};
use e2e_tests::{Settings, print_table};

async fn plays_well(scenario: Scenario, seconds: u64, messages: u32) {
    plays(scenario, seconds, messages, false).await;
}

async fn plays(scenario: Scenario, seconds: u64, messages: u32, colleagues: bool) {
    let plan = Plan {
        duration: Duration::from_secs(seconds),
        messages,
        seed: 7,
        fsync: "always".into(),
        consumer: Settings::default().consumer,
        answer_each: true,
        colleagues,
        timed: false,
    };
    let judgement = scenario.play(&plan).await;
    print_table(&format!("{scenario:?}"), &judgement.rows());
    assert!(judgement.broken.is_empty(), "{:?}", judgement.broken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_faults_loses_doubles_and_reorders_nothing() {
    plays_well(Scenario::Storm, 20, 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_writes_in_a_storm_is_not_talked_over() {
    plays(Scenario::Storm, 20, 300, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn egress_killed_between_post_and_commit_does_not_send_twice() {
    plays_well(Scenario::EgressKilledAfterPost, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_harm_nobody_else() {
    plays_well(Scenario::Stranger, 10, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_restarted_loses_nothing() {
    plays_well(Scenario::RedisRestarted, 5, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentinel_failover_loses_nothing() {
    plays_well(Scenario::SentinelFailover, 5, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_failover_loses_nothing() {
    plays_well(Scenario::ClusterFailover, 5, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_scaled_to_one_and_back_lose_nothing() {
    plays_well(Scenario::WorkersScaled, 5, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_started_before_any_group_exists_find_the_messages() {
    plays_well(Scenario::ConsumersFirst, 2, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_redis_forgets_are_taught_again() {
    plays_well(Scenario::ScriptsFlushed, 3, 200).await;
}
