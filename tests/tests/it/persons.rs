//! One person with several addresses, through all services.

use std::time::Duration;

use e2e_tests::System;
use serde_json::{Value, json};

use crate::support::{CUSTOMER, answers, system, system_of_every_provider, worker};

const BUSINESS_SCOPED: &str = "whatsapp:NL.13491208655302741999";

async fn write(system: &System, message: Value) {
    let answer = system.simulator().write(message).await;
    assert_eq!(answer["status"], 200, "{answer}");
    system.until_idle(Duration::from_secs(30)).await;
}

fn by_number(text: &str) -> Value {
    json!({"from": CUSTOMER, "text": text})
}

/// The same person without their number: only the business-scoped id.
fn by_id(text: &str) -> Value {
    json!({
        "from": BUSINESS_SCOPED, "text": text,
        "raw_params": [["ExternalUserId", BUSINESS_SCOPED]],
    })
}

/// A message that shows both.
fn by_both(text: &str) -> Value {
    json!({"from": CUSTOMER, "text": text, "raw_params": [["ExternalUserId", BUSINESS_SCOPED]]})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_follows_the_person_from_the_number_to_the_business_scoped_id() {
    let system = system().await;
    write(&system, by_both("Ik zoek een Golf")).await;
    write(&system, by_number("STOP")).await;
    assert_eq!(
        answers(&system, 2).await.len(),
        2,
        "an answer, and the confirmation"
    );
    write(&system, by_id("Heeft u ook een Polo?")).await;
    assert_eq!(
        answers(&system, 2).await.len(),
        2,
        "nobody who said STOP is answered"
    );
    write(&system, by_id("START")).await;
    write(&system, by_number("Heeft u ook een Polo?")).await;
    assert_eq!(
        answers(&system, 4).await.len(),
        4,
        "the end of it follows as well"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_that_comes_late_joins_two_persons_and_an_operator_splits_them() {
    let system = system().await;
    write(&system, by_number("STOP")).await;
    write(&system, by_id("Ik zoek een Golf")).await;
    assert_eq!(answers(&system, 2).await.len(), 2, "strangers so far");
    write(&system, by_both("Hallo?")).await;
    write(&system, by_id("Hallo?")).await;
    assert_eq!(answers(&system, 2).await.len(), 2);

    let (done, shown) = worker(&system, &["identity", "show", BUSINESS_SCOPED]);
    assert!(
        done && shown.contains("tel:+31612345678") && shown.contains("joined"),
        "{shown}"
    );
    let (done, said) = worker(&system, &["identity", "split", BUSINESS_SCOPED]);
    assert!(done, "{said}");
    let (_, shown) = worker(&system, &["identity", "show", BUSINESS_SCOPED]);
    assert!(!shown.contains("\"tel:+31612345678\","), "{shown}");
    let number = format!("whatsapp:{CUSTOMER}");
    let (done, said) = worker(&system, &["identity", "join", &number, BUSINESS_SCOPED]);
    assert!(done && said.contains("one person"), "{said}");
    let (done, said) = worker(&system, &["identity", "show", "whatsapp:+31600000000"]);
    assert!(!done && said.contains("nobody"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hidden_number_told_is_known_when_the_number_writes() {
    let system = system_of_every_provider().await;
    let data = json!({"_data": {"key": {
        "remoteJid": "150000000004711@lid", "remoteJidAlt": "31612345678@s.whatsapp.net",
    }}});
    let hidden = json!({"from": "150000000004711@lid", "provider": "waha", "text": "Ik zoek een Volkswagen Polo",
        "raw_fields": {"payload": data}});
    write(&system, hidden).await;
    let number = json!({"from": CUSTOMER, "provider": "waha", "text": "een automaat"});
    write(&system, number).await;
    let client = system.client();
    let conversation = "waha:default:31612345678@c.us";
    let keys = client
        .keys()
        .of(client.partitions().partition_of(conversation));
    let state = client.hash(&keys.conversation(conversation)).await.unwrap();
    assert!(state["memory"].contains("Polo"), "{state:?}");
}

/// Whether the person is in a colleague's hands follows too, and so does its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_has_the_person_has_them_under_every_address() {
    let system = system().await;
    write(&system, by_both("Ik zoek een Golf")).await;
    write(&system, by_number("Ik wil een medewerker spreken")).await;
    let told = answers(&system, 2).await.len();
    write(&system, by_id("Hallo?")).await;
    let client = system.client();
    let held = async |conversation: &str| {
        let partition = client.partitions().partition_of(conversation);
        let key = client.keys().of(partition).conversation(conversation);
        client.hash(&key).await.unwrap()["human_until"] != "0"
    };
    let number = format!("whatsapp:{CUSTOMER}");
    assert_eq!(held(&number).await, held(BUSINESS_SCOPED).await);
    let after = answers(&system, told).await.len();
    write(&system, by_id("STOP")).await;
    assert_eq!(answers(&system, after + 1).await.len(), after + 1);
    write(&system, by_number("Hallo?")).await;
    assert_eq!(answers(&system, after + 1).await.len(), after + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_person_is_erased_by_any_of_their_addresses() {
    let mut system = system().await;
    write(&system, by_both("Ik zoek een Golf")).await;
    write(&system, by_id("Ik zoek een Golf")).await;
    let (done, said) = worker(&system, &["erase", BUSINESS_SCOPED]);
    assert!(done && said.contains("names of the person"), "{said}");
    let left = system.redis.server().dump();
    for trace in [CUSTOMER.trim_start_matches('+'), "NL.1349", "p_", "Golf"] {
        assert!(!left.contains(trace), "{trace} in\n{left}");
    }
}

/// Most messages ask nothing more of Redis than before: whose a conversation is, is read with it.
#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_costs_no_round_trip_once_it_is_known() {
    let mut system = system().await;
    let message = |text| json!({"from": "+31687654321", "text": text});
    write(&system, message("hoi")).await;
    let scripts = async |system: &mut System, text| {
        let server = system.redis.server();
        server.run::<()>(&["CONFIG", "RESETSTAT"]);
        write(system, message(text)).await;
        let stats: String = system.redis.server().run(&["INFO", "commandstats"]);
        let asked = |name: &str| {
            stats
                .lines()
                .any(|line| line.starts_with(&format!("cmdstat_{name}:")))
        };
        (asked("mget"), asked("hgetall"))
    };
    assert_eq!(scripts(&mut system, "een Golf").await, (false, false));
}
