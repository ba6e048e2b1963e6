//! One person with several addresses, through all services, over a Redis and over a Redis Cluster.

use std::time::Duration;

use e2e_tests::System;
use serde_json::{Value, json};
use shared_types::fields::conversation;

use crate::support::{system_of_every_provider, system_over_a_cluster, worker};

/// A person by each of their addresses.
struct Person {
    /// `+31…`.
    number: String,
    /// Business-scoped, at Twilio.
    scoped: String,
    /// Hidden, at WAHA.
    hidden: String,
}

impl Person {
    /// Each test has a person of its own.
    fn number(n: u8) -> Self {
        Self {
            number: format!("+316123456{n:02}"),
            scoped: format!("whatsapp:NL.134912086553027419{n:02}"),
            hidden: format!("1500000000047{n:02}@lid"),
        }
    }

    fn chat(&self) -> String {
        format!("{}@c.us", self.number.trim_start_matches('+'))
    }

    fn by_number(&self, text: &str) -> Value {
        json!({"from": self.number, "text": text})
    }

    /// Without the number.
    fn by_id(&self, text: &str) -> Value {
        json!({
            "from": self.scoped, "text": text, "raw_params": [["ExternalUserId", self.scoped]],
        })
    }

    /// A message that shows both.
    fn by_both(&self, text: &str) -> Value {
        json!({
            "from": self.number, "text": text, "raw_params": [["ExternalUserId", self.scoped]],
        })
    }

    /// How often they were answered, by whatever address, once nothing is on its way any more.
    async fn answers(&self, system: &System) -> usize {
        system.until_idle(Duration::from_secs(30)).await;
        let scoped = self.scoped.trim_start_matches("whatsapp:");
        let all = system.simulator().arrivals().await.into_iter();
        let theirs = [self.number.as_str(), scoped, &self.hidden];
        all.filter(|one| theirs.contains(&one.customer.as_str()))
            .count()
    }
}

async fn write(system: &System, message: Value) {
    let answer = system.simulator().write(message).await;
    assert_eq!(answer["status"], 200, "{answer}");
    system.until_idle(Duration::from_secs(30)).await;
}

async fn state(system: &System, conversation: &str) -> std::collections::BTreeMap<String, String> {
    let client = system.client();
    let partition = client.partitions().partition_of(conversation);
    let key = client.keys().of(partition).conversation(conversation);
    client.hash(&key).await.unwrap()
}

async fn opt_out_follows(system: &System, who: Person) {
    write(system, who.by_both("Ik zoek een Golf")).await;
    write(system, who.by_number("STOP")).await;
    let answers = who.answers(system).await;
    assert_eq!(answers, 2, "an answer, and the confirmation");
    write(system, who.by_id("Heeft u ook een Polo?")).await;
    let answers = who.answers(system).await;
    assert_eq!(answers, 2, "nobody who said STOP is answered");
    write(system, who.by_id("START")).await;
    write(system, who.by_number("Heeft u ook een Polo?")).await;
    let answers = who.answers(system).await;
    assert_eq!(answers, 4, "the end of it follows as well");
}

async fn late_proof_joins_and_an_operator_splits(system: &System, who: Person) {
    write(system, who.by_number("STOP")).await;
    write(system, who.by_id("Ik zoek een Golf")).await;
    assert_eq!(who.answers(system).await, 2, "strangers so far");
    write(system, who.by_both("Hallo?")).await;
    write(system, who.by_id("Hallo?")).await;
    assert_eq!(who.answers(system).await, 2);

    let (done, shown) = worker(system, &["identity", "show", &who.scoped]);
    let name = format!("tel:{}", who.number);
    assert!(
        done && shown.contains(&name) && shown.contains("joined"),
        "{shown}"
    );
    let (done, said) = worker(system, &["identity", "split", &who.scoped]);
    assert!(done, "{said}");
    let (_, shown) = worker(system, &["identity", "show", &who.scoped]);
    assert!(!shown.contains(&format!("\"{name}\",")), "{shown}");
    let number = format!("whatsapp:{}", who.number);
    let (done, said) = worker(system, &["identity", "join", &number, &who.scoped]);
    assert!(done && said.contains("one person"), "{said}");
    let (done, said) = worker(system, &["identity", "show", "whatsapp:+31600000000"]);
    assert!(!done && said.contains("nobody"), "{said}");
}

async fn memory_follows(system: &System, who: Person) {
    let chat = who.chat();
    let number = chat.replace("@c.us", "@s.whatsapp.net");
    let data = json!({"_data": {"key": {"remoteJid": who.hidden, "remoteJidAlt": number}}});
    let hidden = json!({
        "from": who.hidden, "provider": "waha", "text": "Ik zoek een Volkswagen Polo",
        "raw_fields": {"payload": data},
    });
    write(system, hidden).await;
    let number = json!({"from": who.number, "provider": "waha", "text": "een automaat"});
    write(system, number).await;
    let state = state(system, &format!("waha:default:{chat}")).await;
    assert!(state[conversation::MEMORY].contains("Polo"), "{state:?}");
}

/// Whether the person is in a colleague's hands follows too, and so does its end.
async fn a_colleague_follows(system: &System, who: Person) {
    write(system, who.by_both("Ik zoek een Golf")).await;
    write(system, who.by_number("Ik wil een medewerker spreken")).await;
    let told = who.answers(system).await;
    assert!(told >= 2, "{told}");
    write(system, who.by_id("Hallo?")).await;
    let number = format!("whatsapp:{}", who.number);
    let number = state(system, &number).await;
    let id = state(system, &who.scoped).await;
    let held = conversation::HUMAN_UNTIL;
    assert_eq!(number[held] != "0", id[held] != "0");
    let after = who.answers(system).await;
    write(system, who.by_id("STOP")).await;
    assert_eq!(who.answers(system).await, after + 1);
    write(system, who.by_number("Hallo?")).await;
    assert_eq!(who.answers(system).await, after + 1);
}

/// WAHA tells of what was written to a number under the chat's hidden id, and never says whose it is.
async fn hidden_ids_of_what_was_sent_are_known(system: &System, who: Person) {
    write(
        system,
        json!({"from": who.number, "provider": "waha", "text": "Ik zoek een Golf"}),
    )
    .await;
    let sent = system.simulator().arrivals().await.pop().unwrap();
    let key = sent.id.rsplit('_').next().unwrap();
    let id = format!("true_{}_{key}", who.hidden);
    let event = |name: &str, more: Value| {
        let mut payload = json!({
            "id": id, "from": "14155238886@c.us", "to": who.hidden, "fromMe": true, "source": "app",
            "timestamp": jiff::Timestamp::now().as_second(),
        });
        payload
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({
            "event": name, "session": "default", "payload": payload,
            "timestamp": jiff::Timestamp::now().as_millisecond(),
        })
    };
    let webhooks = system.webhooks();
    let ack = event("message.ack", json!({"ack": 3, "ackName": "READ"}));
    let echo = event("message.any", json!({"body": sent.text}));
    for event in [ack, echo] {
        assert_eq!(webhooks.post_waha(&event).await.unwrap(), 200);
        system.until_idle(Duration::from_secs(30)).await;
    }
    let client = system.client();
    let conversation = format!("waha:default:{}", who.chat());
    let keys = client
        .keys()
        .of(client.partitions().partition_of(&conversation));
    let sends = client.list(&keys.sends(&conversation), 1).await.unwrap();
    let ledger = client.hash(&keys.send(&sends[0])).await.unwrap();
    assert_eq!(ledger["status"], "read", "{ledger:?}");
    write(
        system,
        json!({"from": who.number, "provider": "waha", "text": "een automaat"}),
    )
    .await;
    assert_eq!(
        who.answers(system).await,
        2,
        "no colleague has the conversation"
    );
}

async fn all_of_a_person_is_erased(system: &System, who: &Person) {
    write(system, who.by_both("Ik zoek een Golf")).await;
    write(system, who.by_id("Ik zoek een Golf")).await;
    let (done, said) = worker(system, &["erase", &who.scoped]);
    assert!(done && said.contains("names of the person"), "{said}");
    assert!(!said.contains("0  names of the person"), "{said}");
    let (again, said) = worker(system, &["erase", &who.scoped]);
    assert!(!again && said.contains("Nobody is known"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_person_follows_them_through_all_addresses() {
    let mut system = system_of_every_provider().await;
    opt_out_follows(&system, Person::number(1)).await;
    late_proof_joins_and_an_operator_splits(&system, Person::number(2)).await;
    memory_follows(&system, Person::number(3)).await;
    a_colleague_follows(&system, Person::number(4)).await;
    hidden_ids_of_what_was_sent_are_known(&system, Person::number(5)).await;
    let who = Person::number(6);
    all_of_a_person_is_erased(&system, &who).await;
    let left = system.redis.server().dump();
    for trace in [who.number.trim_start_matches('+'), &who.scoped] {
        assert!(!left.contains(trace), "{trace} in\n{left}");
    }
}

/// Everybody's conversations are on other nodes than what is known of who they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_one_over_a_cluster_too() {
    let system = system_over_a_cluster().await;
    opt_out_follows(&system, Person::number(1)).await;
    late_proof_joins_and_an_operator_splits(&system, Person::number(2)).await;
    memory_follows(&system, Person::number(3)).await;
    a_colleague_follows(&system, Person::number(4)).await;
    hidden_ids_of_what_was_sent_are_known(&system, Person::number(5)).await;
    all_of_a_person_is_erased(&system, &Person::number(6)).await;
}

/// Most messages ask nothing more of Redis than before: whose a conversation is, is read with it.
#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_costs_no_round_trip_once_it_is_known() {
    let mut system = system_of_every_provider().await;
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
