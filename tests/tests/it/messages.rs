use e2e_tests::{Role, outbound_id, question};
use serde_json::json;
use streams::Queue;

use crate::support::{CUSTOMER, answers, id_of, system, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered() {
    let system = system().await;
    let id = write(&system, "Ik zoek een Volkswagen Golf").await;
    assert_eq!(answers(&system, 1).await, [outbound_id(&id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_messages_of_one_conversation_one_after_the_other_are_answered_in_order() {
    let system = system().await;
    let texts = (1..=10).map(|n| json!({ "from": CUSTOMER, "text": question(n) }));
    let posted = system.simulator().write(texts.collect()).await;
    let expected: Vec<_> = posted
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| outbound_id(&id_of(answer)))
        .collect();
    assert_eq!(answers(&system, 10).await, expected);
}

/// Ten that come at once come in some order: the one in which Redis has them.
#[tokio::test(flavor = "multi_thread")]
async fn ten_messages_of_one_conversation_at_once_are_answered_in_order() {
    let mut system = system().await;
    system.service(Role::Worker, 0).kill();
    let webhooks = system.webhooks();
    let posts = (1..=10).map(|n| {
        let webhooks = webhooks.clone();
        async move {
            let (sid, text) = (format!("SM{n:032x}"), question(n));
            webhooks.post(&sid, CUSTOMER, &text).await.unwrap()
        }
    });
    let statuses = futures_util::future::join_all(posts).await;
    assert_eq!(statuses, [200; 10]);
    let expected = waiting(&mut system);
    assert_eq!(expected.len(), 10);
    system.start(Role::Worker).await;
    assert_eq!(answers(&system, 10).await, expected);
}

/// The outbound ids of the replies to what waits in the customer's inbound stream, in its order.
fn waiting(system: &mut e2e_tests::System) -> Vec<String> {
    let redis = system.client();
    let partition = redis
        .partitions()
        .partition_of(&format!("whatsapp:{CUSTOMER}"));
    let stream = redis.keys().of(partition).stream(Queue::Inbound);
    type Entries = Vec<(String, Vec<(String, String)>)>;
    let entries: Entries = system.redis.server().run(&["XRANGE", &stream, "-", "+"]);
    let event = |fields: Vec<(String, String)>| {
        let event = fields.into_iter().find(|(name, _)| name == "event");
        event.unwrap().1
    };
    let sid = |event: String| event.rsplit(':').next().unwrap().to_owned();
    entries
        .into_iter()
        .map(|(_, fields)| outbound_id(&sid(event(fields))))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_id_twenty_times_at_once_is_answered_once() {
    let system = system().await;
    let message = json!({ "from": CUSTOMER, "text": "Hoi", "repeat": 20, "at_once": true });
    let answer = system.simulator().write(message).await;
    assert_eq!(answer["status"], 200);
    let repeats = answer["repeats"].as_array().unwrap();
    assert!(
        repeats.iter().all(|repeat| repeat["status"] == 200),
        "{answer}"
    );
    // A second message: when it is answered, nothing of the first can still be on its way.
    let second = write(&system, "Nog iets").await;
    let expected = [id_of(&answer), second].map(|id| outbound_id(&id));
    assert_eq!(answers(&system, 2).await, expected);
}
