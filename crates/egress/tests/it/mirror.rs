//! Conversations of other channels in Chatwoot's API inbox: in order, each message once, whatever goes
//! wrong on the way.

mod forgotten;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared_types::{
    DeliveryStatus, MirrorMessage, MirrorStatus, MirrorStep, MirrorWhat, OutboundMessage, Purpose,
    TickStatus, Ticked,
};
use simulator::{Fault, FaultRule, Provider};
use streams::{Ingest, NewEntry, Queue, Shelf};
use test_support::eventually_within;

use crate::harness::{CUSTOMER, PATIENCE, Rig, Running, callback, reply};

const OTHER: &str = "waha:default:31687654321@c.us";
const SETTINGS: [&str; 4] = [
    "chatwoot-mirror-inbox-id=2",
    "chatwoot-mirror-user-token=fake-chatwoot-user-token",
    "chatwoot-mirror-label=whatsapp",
    // On a slow machine a lease must not end because of the many tries.
    "lease-ms=6000",
];

impl Rig {
    /// Nobody listens to what the inbox tells.
    fn mirror(&self, changes: &[&str]) -> Running {
        let rule = FaultRule::always(Fault::EventLost {});
        self.simulator.add_fault(rule).unwrap();
        self.egress(&[&SETTINGS[..], changes].concat())
    }

    async fn show(&self, conversation: &str, id: &str, what: MirrorWhat) {
        self.show_of(conversation, id, what, Timestamp::now()).await;
    }

    async fn show_of(&self, conversation: &str, id: &str, what: MirrorWhat, at: Timestamp) {
        let step = MirrorStep {
            conversation_id: conversation.parse().unwrap(),
            id: id.into(),
            at,
            what,
        };
        let entry = NewEntry::new(&step, format!("mirror:{id}"), conversation).unwrap();
        let ingest = Ingest::unlimited(Queue::Mirror, &entry);
        self.redis.ingest(&ingest).await.unwrap();
    }

    async fn mirrored(&self) {
        eventually_within(PATIENCE, async || {
            let backlog = self.redis.backlog(Queue::Mirror, 0).await.unwrap();
            match backlog.entries {
                0 => Ok(()),
                entries => Err(entries),
            }
        })
        .await;
    }

    async fn order(&self, path: &str, body: Value) {
        let url = format!("{}/simulator/{path}", self.simulator.url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = match path {
            "chatwoot/inbox" => client.put(url),
            _ => client.post(url),
        };
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
    }

    /// The inbox's conversation with this address.
    async fn shown(&self, conversation: &str) -> Value {
        let url = format!("{}/simulator/chatwoot/inbox", self.simulator.url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let inbox: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        let all = inbox["conversations"].as_array().unwrap();
        let mut own = all.iter().filter(|one| one["source_id"] == conversation);
        let found = own.next().cloned().unwrap_or(Value::Null);
        assert!(
            own.next().is_none(),
            "two conversations with {conversation}"
        );
        found
    }

    async fn words(&self, conversation: &str) -> Vec<String> {
        let shown = self.shown(conversation).await;
        let messages = shown["messages"].as_array().cloned().unwrap_or_default();
        let words = messages
            .iter()
            .map(|one| one["content"].as_str().unwrap().to_owned());
        words.collect()
    }
}

fn customer(text: &str) -> MirrorWhat {
    MirrorWhat::Customer {
        name: Some("Jan".into()),
        phone_number: Some("+31612345678".into()),
        text: text.into(),
    }
}

fn bot(text: &str) -> MirrorWhat {
    MirrorWhat::Bot { text: text.into() }
}

fn many(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("bericht {n}")).collect()
}

async fn show_many(rig: &Rig, conversation: &str, count: usize) {
    for (n, text) in many(count).iter().enumerate() {
        let what = if n % 2 == 0 {
            customer(text)
        } else {
            bot(text)
        };
        rig.show(conversation, &format!("{conversation}-{n}"), what)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_shown_in_order_with_its_marks_and_handed_over() {
    let rig = Rig::start();
    let egress = rig.mirror(&["chatwoot-mirror-team-id=4"]);
    let then = Timestamp::now() - SignedDuration::from_hours(2);
    rig.show_of(
        CUSTOMER,
        "twilio:message:SM1",
        customer("Ik wil een mens"),
        then,
    )
    .await;
    rig.show(CUSTOMER, "ob_1", bot("Een collega belt u")).await;
    let note = "Reason: person\nLast message: {{ agent.email }} [@P](mention://user/1/P)";
    let what = MirrorWhat::HandedOver {
        note: note.into(),
        urgent: false,
    };
    rig.show(CUSTOMER, "h1", what).await;
    rig.show(OTHER, "waha:message:1", customer("Hoi")).await;
    rig.mirrored().await;

    let shown = rig.shown(CUSTOMER).await;
    let field = |number: usize, name: &str| shown["messages"][number][name].clone();
    assert_eq!(shown["contact"]["name"], "Jan");
    let kinds = [0, 1, 2].map(|n| field(n, "message_type"));
    assert_eq!(kinds, [json!(0), json!(1), json!(1)]);
    assert_eq!(field(0, "source_id"), "pd:twilio:message:SM1");
    assert_eq!(
        field(0, "content_attributes")["external_created_at"],
        then.as_second()
    );
    assert_eq!(field(1, "sender")["type"], "agent_bot");
    assert_eq!(field(2, "private"), true);
    // A customer's words are no template, and ring nobody.
    let note = field(2, "content").to_string();
    assert!(
        !note.contains("{{") && !note.contains("mention://"),
        "{note}"
    );
    let state = ["status", "priority", "team", "labels"].map(|name| shown[name].clone());
    assert_eq!(
        state,
        [json!("open"), json!("high"), json!(4), json!(["whatsapp"])]
    );
    assert_eq!(rig.words(OTHER).await, ["Hoi"]);
    // Both have one number, and are one contact.
    assert_eq!(
        rig.shown(OTHER).await["contact"]["id"],
        shown["contact"]["id"]
    );
    // Customers get nothing of it.
    assert!(rig.calls(Provider::Twilio).is_empty());
    egress.stop().await;
}

/// Every way in which an answer may be lost, and nothing is shown twice or out of order.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_posted_is_looked_for_first() {
    let rig = Rig::start();
    for (number, fault) in [
        json!({"kind": "reset", "accept": true}),
        json!({"kind": "timeout", "accept": true}),
        json!({"kind": "server_error", "status": 502, "body": "html", "accept": true}),
        json!({"kind": "empty_body", "accept": true}),
        json!({"kind": "wrong_types"}),
        json!({"kind": "reset_mid_body", "accept": true}),
        json!({"kind": "server_error", "status": 503, "accept": false}),
        json!({"kind": "rate_limited", "retry_after_secs": 1}),
        json!({"kind": "redirect"}),
        json!({"kind": "delay", "ms": 200}),
    ]
    .into_iter()
    .enumerate()
    {
        let rule = json!({"endpoint": "mirror", "times": 1, "fault": fault,
            "match": {"text": format!("bericht {number}")}});
        rig.order("faults", rule).await;
    }
    for what in ["contact", "conversation", "toggle open"] {
        let rule = json!({"endpoint": "mirror", "times": 1, "match": {"text": what},
            "fault": {"kind": "timeout", "accept": true}});
        rig.order("faults", rule).await;
    }
    let egress = rig.mirror(&[]);
    show_many(&rig, CUSTOMER, 10).await;
    let what = MirrorWhat::HandedOver {
        note: "Reason: person".into(),
        urgent: true,
    };
    rig.show(CUSTOMER, "handed-over", what).await;
    rig.mirrored().await;
    let expected = [many(10), vec!["Reason: person".to_owned()]].concat();
    assert_eq!(rig.words(CUSTOMER).await, expected);
    for class in [
        "unreachable",
        "server",
        "unexpected",
        "limited",
        "redirected",
    ] {
        let name = format!("postduif_mirror_failures_total{{class=\"{class}\"}}");
        assert!(egress.metric(&name).await >= 1.0, "{class}");
    }
    egress.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_gone_in_between_shows_nothing_twice() {
    let rig = Rig::start();
    let rule = json!({"endpoint": "mirror", "times": 1, "match": {"text": "bericht 3"},
        "fault": {"kind": "timeout", "accept": true}});
    rig.order("faults", rule).await;
    let first = rig.mirror(&["request-timeout-ms=1000"]);
    show_many(&rig, CUSTOMER, 6).await;
    eventually_within(PATIENCE, async || match rig.words(CUSTOMER).await.len() {
        4 => Ok(()),
        other => Err(other),
    })
    .await;
    first.kill().await;
    let second = rig.mirror(&[]);
    rig.mirrored().await;
    assert_eq!(rig.words(CUSTOMER).await, many(6));
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_inbox_is_gone_everything_waits_and_goes_on_in_the_next() {
    let rig = Rig::start();
    let egress = rig.mirror(&[]);
    show_many(&rig, CUSTOMER, 2).await;
    rig.mirrored().await;
    rig.order("chatwoot/inbox", json!({"exists": false})).await;
    rig.show(CUSTOMER, "late-1", customer("Nog iets")).await;
    rig.show(CUSTOMER, "late-2", bot("Zeker")).await;
    eventually_within(PATIENCE, async || {
        match egress
            .metric(r#"postduif_mirror_failures_total{class="gone"}"#)
            .await
        {
            few if few < 2.0 => Err(few),
            _ => Ok(()),
        }
    })
    .await;
    rig.order("chatwoot/inbox", json!({"exists": true})).await;
    rig.mirrored().await;
    assert_eq!(rig.words(CUSTOMER).await, ["Nog iets", "Zeker"]);
    let letters = rig
        .redis
        .letters(Shelf::Dead(Queue::Mirror), None, 10)
        .await;
    assert!(letters.unwrap().is_empty());
    egress.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_is_left_out_and_what_is_refused_is_set_aside() {
    let rig = Rig::start();
    let old = Timestamp::now() - SignedDuration::from_hours(30);
    rig.show_of(CUSTOMER, "old", customer("gisteren"), old)
        .await;
    rig.show(CUSTOMER, "bad", bot("")).await;
    rig.show(CUSTOMER, "good", bot("vandaag")).await;
    let egress = rig.mirror(&["chatwoot-mirror-keep-hours=24"]);
    rig.mirrored().await;
    assert_eq!(rig.words(CUSTOMER).await, ["vandaag"]);
    let letters = rig
        .redis
        .letters(Shelf::Dead(Queue::Mirror), None, 10)
        .await;
    assert_eq!(letters.unwrap()[0].reason, "mirror_refused");
    egress.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_changes_hands_as_the_bot_and_goes_back_to_it() {
    let rig = Rig::start();
    let egress = rig.mirror(&[]);
    rig.show(CUSTOMER, "1", customer("Hoi")).await;
    let answered = MirrorWhat::Answered { agent: Some(11) };
    rig.show(CUSTOMER, "2", answered).await;
    rig.mirrored().await;
    let shown = rig.shown(CUSTOMER).await;
    assert_eq!(
        (&shown["status"], &shown["assignee"]["id"]),
        (&json!("open"), &json!(11))
    );

    let hands = |to, told| MirrorWhat::Hands { to, told };
    rig.show(CUSTOMER, "3", hands(MirrorStatus::Pending, false))
        .await;
    rig.mirrored().await;
    let shown = rig.shown(CUSTOMER).await;
    assert_eq!(
        (&shown["status"], &shown["assignee"]),
        (&json!("pending"), &Value::Null)
    );

    // She resolves it there; the customer's next message would open it.
    let resolve = json!({"to": CUSTOMER, "status": "resolved"});
    rig.order("chatwoot/inbox/hand", resolve).await;
    rig.show(CUSTOMER, "4", hands(MirrorStatus::Resolved, true))
        .await;
    rig.show(CUSTOMER, "5", customer("Nog een vraag")).await;
    rig.mirrored().await;
    assert_eq!(rig.shown(CUSTOMER).await["status"], "pending");
    // What she did meanwhile stands.
    rig.order(
        "chatwoot/inbox/hand",
        json!({"to": CUSTOMER, "status": "resolved"}),
    )
    .await;
    rig.show(CUSTOMER, "6", MirrorWhat::Answered { agent: Some(11) })
        .await;
    rig.mirrored().await;
    assert_eq!(rig.shown(CUSTOMER).await["status"], "resolved");
    egress.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_ours_that_did_not_arrive_is_marked() {
    let rig = Rig::start();
    let egress = rig.mirror(&[]);
    rig.show(CUSTOMER, "ob_1", bot("Dag")).await;
    let tick = MirrorWhat::Tick {
        of: Ticked::Ours("ob_1".into()),
        status: TickStatus::Failed,
        error: Some("no more messages".into()),
    };
    rig.show(CUSTOMER, "t", tick).await;
    rig.mirrored().await;
    let message = &rig.shown(CUSTOMER).await["messages"][0];
    assert_eq!(message["status"], "failed");
    assert_eq!(
        message["content_attributes"]["external_error"],
        "no more messages"
    );
    egress.stop().await;
}

/// A colleague's answer through the gate; gives how it ends in the help desk.
async fn answered(rig: &Rig, egress: &Running, text: &str) -> Value {
    rig.show(CUSTOMER, &format!("c {text}"), customer("Hoi"))
        .await;
    rig.mirrored().await;
    let body = json!({"to": CUSTOMER, "by": "user", "text": text});
    rig.order("chatwoot/inbox/write", body).await;
    let shown = rig.shown(CUSTOMER).await;
    let message = shown["messages"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    let mirrored = MirrorMessage {
        conversation: shown["id"].as_u64().unwrap(),
        message: message["id"].as_u64().unwrap(),
    };
    let words = OutboundMessage {
        purpose: Purpose::Colleague,
        mirrored: Some(mirrored),
        ..reply(text)
    };
    rig.queue(&words).await;
    rig.until_empty().await;
    if let Some(id) = rig.ledger(&words).await.get("pid") {
        for status in [DeliveryStatus::Delivered, DeliveryStatus::Read] {
            rig.report(&callback(&words, id, status)).await;
            rig.until_empty().await;
        }
    }
    rig.mirrored().await;
    assert_eq!(egress.metric("postduif_senders_stopped").await, 0.0);
    let shown = rig.shown(CUSTOMER).await;
    let all = shown["messages"].as_array().unwrap();
    all.iter()
        .find(|one| one["id"] == message["id"])
        .unwrap()
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleagues_answer_passes_the_gate_and_its_ticks_come_back() {
    let rig = Rig::start();
    let egress = rig.mirror(&[]);
    let state = format!("conv:{CUSTOMER}");
    let now = Timestamp::now();
    rig.set(&state, "last_in", &now.as_millisecond().to_string());
    let until = (now + SignedDuration::from_hours(4)).as_millisecond();
    rig.set(&state, "human_until", &until.to_string());
    let message = answered(&rig, &egress, "Kom gerust langs").await;
    assert_eq!(message["status"], "read");
    rig.sent(CUSTOMER, 1).await;

    let refused = |message: &Value| {
        assert_eq!(message["status"], "failed", "{message}");
        let error = &message["content_attributes"]["external_error"];
        error.as_str().unwrap().to_owned()
    };
    let yesterday = (now - SignedDuration::from_hours(25)).as_millisecond();
    rig.set(&state, "last_in", &yesterday.to_string());
    let message = answered(&rig, &egress, "Nog steeds geldig").await;
    assert!(refused(&message).contains("within 24 hours"));
    rig.set(&format!("contact:{CUSTOMER}"), "opted_out", "1");
    let message = answered(&rig, &egress, "Toch nog").await;
    assert!(refused(&message).contains("no more messages"));
    rig.sent(CUSTOMER, 1).await;
    egress.stop().await;
}

/// What the bot said and a colleague's word kept back is shown as not sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_did_not_get_to_say_is_marked() {
    let rig = Rig::start();
    let egress = rig.mirror(&[]);
    let late = reply("Ik help u graag");
    rig.show(CUSTOMER, "1", customer("Hoi")).await;
    rig.show(CUSTOMER, late.id.as_str(), bot("Ik help u graag"))
        .await;
    rig.colleague_writes(CUSTOMER).await;
    let late = OutboundMessage {
        colleague_seen: Some("0-0".into()),
        ..late
    };
    rig.queue(&late).await;
    rig.until_empty().await;
    rig.mirrored().await;
    let message = &rig.shown(CUSTOMER).await["messages"][1];
    assert_eq!(message["status"], "failed", "{message}");
    assert!(rig.calls(Provider::Twilio).is_empty());
    egress.stop().await;
}
