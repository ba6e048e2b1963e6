//! Who has a conversation: colleagues who write at the same time, who take it and give it back in one breath,
//! and nobody any more after an erasure.

use e2e_tests::{Role, Settings, System, SystemBuilder};
use serde_json::{Value, json};
use streams::Queue;
use test_support::eventually_within;

use crate::mirror::{
    PATIENCE, TWILIO, connect_mirror, looking_system, mirrored_system, said, shown, texts_to, write,
};
use crate::support::{CUSTOMER, worker, worker_beside};

const WAHA: &str = "waha:default:31612345678@c.us";
const A_PERSON: &str = "Ik wil een medewerker spreken";

/// All hand-overs, those that are over included.
fn handovers(system: &System) -> Vec<Value> {
    let (listed, said) = worker(system, &["handovers", "list", "--all", "--json"]);
    assert!(listed, "{said}");
    said.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Waits until the last hand-over has this status; gives its id.
async fn until_handover(system: &System, status: &str) -> String {
    eventually_within(PATIENCE, async || {
        let all = handovers(system);
        match all.last() {
            Some(one) if one["status"] == status => Ok(one["id"].as_str().unwrap().to_owned()),
            _ => Err(all),
        }
    })
    .await
}

/// The lines of the history that have these words.
async fn heard(system: &System, conversation: &str, words: &str) -> Vec<String> {
    let client = system.client();
    let partition = client.partitions().partition_of(conversation);
    let history = client.keys().of(partition).history(conversation);
    let mut lines = client.list_end(&history, 50).await.unwrap();
    lines.retain(|line| line.contains(words));
    lines
}

/// Waits until the customer got these words.
async fn until_arrived(system: &System, words: &str) {
    eventually_within(PATIENCE, async || {
        let texts = texts_to(system, CUSTOMER).await;
        if texts.iter().any(|text| text == words) {
            Ok(())
        } else {
            Err(texts)
        }
    })
    .await;
}

/// The customer writes; gives how often they were answered by then.
async fn answered(system: &System, provider: &str, text: &str) -> usize {
    write(system, provider, CUSTOMER, text).await;
    system.until_idle(PATIENCE).await;
    texts_to(system, CUSTOMER).await.len()
}

/// One on the telephone, one in the help desk, one at the terminal, at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn colleagues_on_every_way_at_once_are_heard_once_and_one_has_it() {
    let system = mirrored_system().await;
    let simulator = system.simulator();
    assert_eq!(answered(&system, "waha", A_PERSON).await, 1);
    let id = until_handover(&system, "waiting").await;
    let (desk, phone) = ("Ik kijk het voor u na", "Ik bel u zo even");
    let take = ["handovers", "take", &id, "--by", "anna"];
    let (_, _, (taken, words)) = tokio::join!(
        simulator.in_inbox("write", json!({"to": WAHA, "text": desk, "name": "Petra"})),
        simulator.interject(json!({"provider": "waha", "to": CUSTOMER, "text": phone})),
        worker_beside(&system, &take),
    );
    until_arrived(&system, desk).await;
    system.until_idle(PATIENCE).await;
    // Of the telephone the customer has it already.
    let texts = texts_to(&system, CUSTOMER).await;
    assert_eq!(texts.iter().filter(|text| *text == desk).count(), 1);
    assert_eq!(texts.len(), 2, "{texts:?}");
    for words in [desk, phone] {
        let lines = heard(&system, WAHA, words).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(r#""role":"colleague""#), "{lines:?}");
        // What she wrote elsewhere is shown as of the channel's app.
        let shown = said(&system, WAHA).await;
        assert_eq!(shown.iter().filter(|(_, text)| text == words).count(), 1);
    }
    // Whoever was late is told who was first, and there is one hand-over with one owner.
    assert!(
        taken || ["by Petra", "by waha"].iter().any(|by| words.contains(by)),
        "{words}"
    );
    let all = handovers(&system);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["status"], "answered");
    let owner = all[0]["owner"].as_str().unwrap();
    assert!(["Petra", "waha"].contains(&owner), "{owner}");
    assert_eq!(answered(&system, "waha", "Heeft u een automaat?").await, 2);
}

/// By commands, and in the help desk; without a message in between.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_and_given_back_in_one_breath_is_the_bots_and_the_other_way_round_hers() {
    let system = mirrored_system().await;
    let simulator = system.simulator();
    assert_eq!(answered(&system, "twilio", A_PERSON).await, 1);
    let id = until_handover(&system, "waiting").await;
    for deed in ["take", "close"] {
        let (done, words) = worker(&system, &["handovers", deed, &id]);
        assert!(done, "{words}");
    }
    let question = "Hoe laat bent u open?";
    assert_eq!(answered(&system, "twilio", question).await, 2);

    let hand = |body: Value| simulator.in_inbox("hand", body);
    hand(json!({"to": CUSTOMER, "status": "open", "assignee": "Petra"})).await;
    until_handover(&system, "taken").await;
    hand(json!({"to": CUSTOMER, "status": "pending", "unassign": true})).await;
    until_handover(&system, "closed").await;
    assert_eq!(answered(&system, "twilio", question).await, 3);

    // Given back, and taken again.
    hand(json!({"to": CUSTOMER, "assignee": "Petra"})).await;
    until_handover(&system, "taken").await;
    let (done, words) = worker(&system, &["release", CUSTOMER]);
    assert!(done, "{words}");
    system.until_idle(PATIENCE).await;
    hand(json!({"to": CUSTOMER, "assignee": "Petra"})).await;
    until_handover(&system, "taken").await;
    assert_eq!(answered(&system, "twilio", question).await, 3);
    // Each stretch was a hand-over of its own, and none was opened again.
    let all = handovers(&system);
    let statuses: Vec<&Value> = all.iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["closed", "closed", "closed", "taken"]);
}

/// The turn of a message is under way while she takes the conversation and gives it back: at most the one
/// answer leaves, and the next message has one again.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_under_way_is_no_second_voice() {
    let patient = Settings {
        lease_ms: 20_000,
        ..Settings::default()
    };
    let mut system = SystemBuilder::new(patient).prepare();
    connect_mirror(&mut system);
    let model = format!("{}/v1", system.service(Role::Simulator, 0).url());
    let model = [("LLM_BASE_URL", model), ("LLM_TIMEOUT_MS", "2800".into())];
    let model = model.map(|(name, value)| (name.to_owned(), value));
    system.service(Role::Worker, 0).set(model);
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    let simulator = system.simulator();
    simulator.deliver(&[], 0).await;
    let first = answered(&system, "twilio", "Ik zoek een Golf").await;
    assert_eq!(first, 1);

    let slow = json!({"provider": "llm", "fault": {"kind": "delay", "ms": 1_500}});
    simulator.misbehave(slow).await;
    write(&system, "twilio", CUSTOMER, "Heeft u een automaat?").await;
    let waiting = async |count: u64| {
        eventually_within(PATIENCE, async || {
            let backlog = system.client().backlog(Queue::Inbound, 0).await.unwrap();
            if backlog.entries >= count {
                Ok(())
            } else {
                Err(backlog.entries)
            }
        })
        .await;
    };
    // Her change waits behind the turn, which is under way.
    let take = json!({"to": CUSTOMER, "assignee": "Petra"});
    simulator.in_inbox("hand", take).await;
    waiting(2).await;
    let back = json!({"to": CUSTOMER, "unassign": true});
    simulator.in_inbox("hand", back).await;
    system.until_idle(PATIENCE).await;
    simulator.behave().await;
    let then = texts_to(&system, CUSTOMER).await.len();
    assert!((1..=2).contains(&then), "{then} answers to two messages");
    until_handover(&system, "closed").await;
    assert_eq!(
        answered(&system, "twilio", "En een diesel?").await,
        then + 1
    );

    // Her words take the turn's place.
    let slow = json!({"provider": "llm", "fault": {"kind": "delay", "ms": 1_500}});
    simulator.misbehave(slow).await;
    write(&system, "twilio", CUSTOMER, "Wat kost die?").await;
    let words = "Die kost twaalfduizend euro";
    let hers = json!({"to": CUSTOMER, "text": words, "name": "Petra"});
    simulator.in_inbox("write", hers).await;
    until_arrived(&system, words).await;
    let (done, said) = worker(&system, &["release", CUSTOMER]);
    assert!(done, "{said}");
    system.until_idle(PATIENCE).await;
    simulator.behave().await;
    let texts = texts_to(&system, CUSTOMER).await;
    assert_eq!(texts.len(), then + 2, "{texts:?}");
    assert_eq!(texts.last().unwrap(), words);
    assert_eq!(answered(&system, "twilio", "Dank u wel!").await, then + 3);
}

/// Changes whose events never came are found in the list of conversations, each once.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_hands_whose_event_was_lost_is_found_once() {
    let system = looking_system().await;
    let simulator = system.simulator();
    let hand = |body: Value| simulator.in_inbox("hand", body);
    assert_eq!(answered(&system, "twilio", A_PERSON).await, 1);
    hand(json!({"to": CUSTOMER, "assignee": "Petra", "lost": true})).await;
    until_handover(&system, "taken").await;
    hand(json!({"to": CUSTOMER, "status": "resolved", "lost": true})).await;
    until_handover(&system, "closed").await;
    let question = "Heeft u een automaat?";
    assert_eq!(answered(&system, "twilio", question).await, 2);
    let desk = shown(&system, TWILIO).await;
    let expected = (&json!("pending"), &Value::Null);
    assert_eq!((&desk["status"], &desk["assignee"]), expected);

    hand(json!({"to": CUSTOMER, "status": "open", "assignee": "Petra", "lost": true})).await;
    until_handover(&system, "taken").await;
    assert_eq!(answered(&system, "twilio", question).await, 2);
    hand(json!({"to": CUSTOMER, "status": "pending", "unassign": true, "lost": true})).await;
    until_handover(&system, "closed").await;
    assert_eq!(answered(&system, "twilio", question).await, 3);
    let statuses: Vec<Value> = handovers(&system)
        .into_iter()
        .map(|one| one["status"].clone())
        .collect();
    assert_eq!(statuses, ["closed", "closed"]);
}

/// The customer of a hand-over is erased: every command says so, the help desk is told, and what colleagues
/// do there afterwards brings nothing of the customer back.
#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_whose_customer_is_erased_is_no_more() {
    let mut system = mirrored_system().await;
    let simulator = system.simulator();
    assert_eq!(answered(&system, "twilio", A_PERSON).await, 1);
    let id = until_handover(&system, "waiting").await;
    let (done, words) = worker(&system, &["erase", CUSTOMER]);
    assert!(done && words.contains("1  CRM hand-overs"), "{words}");
    assert!(
        words.contains("Chatwoot keeps what it was shown"),
        "{words}"
    );
    assert!(handovers(&system).is_empty());
    for deed in ["show", "take", "answered", "close"] {
        let (found, words) = worker(&system, &["handovers", deed, &id]);
        let expected = format!("there is no hand-over {id} (any more)");
        assert!(!found && words.contains(&expected), "{deed}: {words}");
    }
    system.until_idle(PATIENCE).await;
    let desk = shown(&system, TWILIO).await;
    assert_eq!(desk["status"], "resolved");
    let notes = desk["messages"].as_array().unwrap();
    let notes: Vec<&Value> = notes.iter().filter(|one| one["private"] == true).collect();
    let last = notes.last().unwrap()["content"].as_str().unwrap();
    assert!(last.contains("was erased"), "{last}");

    // What she does with the conversation there is of nobody whom we know.
    for body in [
        json!({"to": CUSTOMER, "assignee": "Petra", "status": "open"}),
        json!({"to": CUSTOMER, "unassign": true, "status": "resolved"}),
    ] {
        simulator.in_inbox("hand", body).await;
    }
    // Each tells of two changes, but that she lets go of it is none.
    let redis = system.redis.server();
    eventually_within(PATIENCE, async || {
        let taken_in = redis.dump();
        match taken_in.matches("chatwoot:control:").count() {
            enough if enough >= 3 => Ok(()),
            few => Err(few),
        }
    })
    .await;
    system.until_idle(PATIENCE).await;
    let left = system.redis.server().dump();
    assert!(!left.contains(CUSTOMER.trim_start_matches('+')), "{left}");

    // Who writes again is a new customer, whom the bot answers.
    assert_eq!(answered(&system, "twilio", "Ik zoek een Golf").await, 2);
    assert_eq!(shown(&system, TWILIO).await["status"], "pending");
    assert_eq!(heard(&system, TWILIO, A_PERSON).await.len(), 0);
}
