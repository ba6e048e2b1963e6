//! What a customer writes in one go is answered by one turn, whatever happens to the worker.

use e2e_tests::{Role, Settings, System, SystemBuilder, inbound_event, outbound_id};
use streams::Queue;
use test_support::eventually;

use crate::support::{CUSTOMER, answers};

const SAID: [&str; 5] = [
    "hoi",
    "ik zag die golf",
    "die blauwe",
    "kan ik m morgen zien",
    "en wat kost ie ongeveer",
];

async fn system() -> System {
    let settings = Settings {
        answer_each: false,
        ..Settings::default()
    };
    let system = SystemBuilder::new(settings).start().await;
    system.simulator().deliver(&[], 0).await;
    system
}

/// The customer writes all of it, one after the other; gives the messages' ids.
async fn write_all(system: &System) -> Vec<String> {
    let webhooks = system.webhooks();
    let mut ids = Vec::new();
    for (n, text) in SAID.iter().enumerate() {
        let sid = format!("SM{n:032x}");
        assert_eq!(webhooks.post(&sid, CUSTOMER, text).await.unwrap(), 200);
        ids.push(sid);
    }
    ids
}

/// The entry whose turn answered each message.
fn answered_by(system: &mut System, ids: &[String]) -> Vec<Option<String>> {
    let redis = system.client();
    let partition = redis
        .partitions()
        .partition_of(&format!("whatsapp:{CUSTOMER}"));
    let keys = redis.keys().of(partition);
    let done = |id: &String| keys.done(&inbound_event(id));
    let server = system.redis.server();
    ids.iter()
        .map(|id| server.run::<Option<String>>(&["GET", &done(id)]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_messages_in_a_second_are_one_turn() {
    let mut system = system().await;
    let ids = write_all(&system).await;
    assert_eq!(answers(&system, 1).await, [outbound_id(&ids[0])]);
    let entries = answered_by(&mut system, &ids);
    assert!(
        entries[0].is_some() && entries.iter().all(|entry| *entry == entries[0]),
        "{entries:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_amid_a_burst_ignores_nothing_of_it() {
    let mut system = system().await;
    let ids = write_all(&system).await;
    let redis = system.client();
    eventually(async || match redis.backlog(Queue::Inbound, 0).await {
        Ok(backlog) if backlog.entries == 5 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let worker = system.service(Role::Worker, 0);
    worker.kill();
    worker.start();
    let replies = answers(&system, 1).await;
    assert!(replies.len() <= 2, "{replies:?}");
    let entries = answered_by(&mut system, &ids);
    assert!(entries.iter().all(Option::is_some), "{entries:?}");
}
