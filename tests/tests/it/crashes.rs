//! `kill -9` of each process between webhook and reply: after a restart the reply goes out, once.

use e2e_tests::{Role, outbound_id, question};
use serde_json::json;
use test_support::eventually;

use crate::support::{answers, system, write};

#[tokio::test(flavor = "multi_thread")]
async fn ingress_killed_after_its_200() {
    let mut system = system().await;
    system.service(Role::Worker, 0).pause();
    let id = write(&system, "Wat kost een proefrit?").await;
    system.service(Role::Ingress, 0).kill();
    system.service(Role::Worker, 0).resume();
    assert_eq!(answers(&system, 1).await, [outbound_id(&id)]);
    system.start(Role::Ingress).await;
    let next = write(&system, "En morgen?").await;
    assert_eq!(answers(&system, 2).await[1], outbound_id(&next));
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_killed_with_the_message_in_its_hands() {
    let mut system = system().await;
    let worker = system.service(Role::Worker, 0);
    worker.pause();
    let id = write(&system, "Wat kost een proefrit?").await;
    let worker = system.service(Role::Worker, 0);
    worker.kill();
    worker.start();
    assert_eq!(answers(&system, 1).await, [outbound_id(&id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn egress_killed_after_the_provider_took_the_message() {
    let mut system = system().await;
    let simulator = system.simulator();
    let late =
        json!({ "endpoint": "send", "times": 1, "fault": { "kind": "delay", "ms": 60_000 } });
    simulator.misbehave(late).await;
    let id = write(&system, "Wat kost een proefrit?").await;
    eventually(async || match simulator.arrivals().await.len() {
        0 => Err("not sent yet"),
        _ => Ok(()),
    })
    .await;
    let egress = system.service(Role::Egress, 0);
    egress.kill();
    egress.start();
    assert_eq!(answers(&system, 1).await, [outbound_id(&id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn egress_killed_before_it_sent_anything() {
    let mut system = system().await;
    system.service(Role::Egress, 0).pause();
    let id = write(&system, "Wat kost een proefrit?").await;
    let redis = system.client();
    eventually(
        async || match redis.backlog(streams::Queue::Outbound, 0).await {
            Ok(backlog) if backlog.entries == 1 => Ok(()),
            other => Err(format!("{other:?}")),
        },
    )
    .await;
    let egress = system.service(Role::Egress, 0);
    egress.kill();
    egress.start();
    assert_eq!(answers(&system, 1).await, [outbound_id(&id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_killed_with_the_message_in_its_stream() {
    let mut system = system().await;
    system.service(Role::Worker, 0).pause();
    let id = write(&system, "Wat kost een proefrit?").await;
    system.redis.server().kill();
    system.redis.server().restart();
    system.service(Role::Worker, 0).resume();
    assert_eq!(answers(&system, 1).await, [outbound_id(&id)]);
}

/// The zombie wakes up with the message in its memory, which another worker has answered meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_sleeps_through_its_lease_changes_nothing() {
    let settings = e2e_tests::Settings {
        workers: 2,
        ..e2e_tests::Settings::default()
    };
    let mut system = e2e_tests::SystemBuilder::new(settings).start().await;
    for index in [0, 1] {
        system.service(Role::Worker, index).pause();
        let id = write(&system, &question(index as u32)).await;
        let arrived = answers(&system, index + 1).await;
        assert_eq!(arrived.len(), index + 1);
        assert_eq!(arrived[index], outbound_id(&id));
        system.service(Role::Worker, index).resume();
    }
}
