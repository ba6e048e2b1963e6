//! Webhooks that never come: the provider's own list has their messages.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e_tests::{Role, Settings, System, SystemBuilder, outbound_id, question};
use serde_json::{Value, json};
use test_support::eventually_within;

use crate::support::id_of;

const MESSAGES: u32 = 2_000;
const CUSTOMERS: u32 = 200;
const ONE_IN: u32 = 50;
/// The inbox of the Chatwoot that the simulator plays.
const INBOX: &str = "1";
const PATIENCE: Duration = Duration::from_secs(120);

async fn system() -> System {
    let settings = Settings {
        consumer: "echo",
        ..Settings::default()
    };
    let mut system = SystemBuilder::new(settings).prepare();
    let settings = [
        ("INGRESS_RECONCILE_INTERVAL_SECS", "1"),
        ("INGRESS_RECONCILE_SETTLE_SECS", "3"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    system.service(Role::Ingress, 0).set(settings);
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&[], 0).await;
    system
}

/// A counter of ingress.
async fn counted(system: &mut System, source: &str, outcome: &str) -> Option<f64> {
    let url = format!("{}/metrics", system.service(Role::Ingress, 0).url());
    let page = reqwest::get(url).await.unwrap().text().await.unwrap();
    let name =
        format!("postduif_reconciled_messages_total{{outcome=\"{outcome}\",source=\"{source}\"}} ");
    let mut lines = page.lines();
    lines.find_map(|line| line.strip_prefix(&name)?.parse().ok())
}

/// How often each message was answered, by outbound id.
async fn answered(system: &System) -> BTreeMap<String, usize> {
    let mut answered = BTreeMap::new();
    for arrival in system.simulator().arrivals().await {
        *answered.entry(arrival.oid.unwrap()).or_default() += 1;
    }
    answered
}

/// One webhook in fifty of two thousand is lost; later they come after all.
#[tokio::test(flavor = "multi_thread")]
async fn every_lost_message_is_found_and_none_is_answered_twice() {
    let mut system = system().await;
    let messages: Vec<Value> = (0..MESSAGES)
        .map(|n| {
            let from = format!("+31612{:06}", n % CUSTOMERS);
            json!({ "from": from, "text": question(n), "lost": n % ONE_IN == 7 })
        })
        .collect();
    let posted = system.simulator().write_at_once(&messages, 16).await;
    let lost = |n: &usize| messages[*n]["lost"] == true;
    for (n, answer) in posted.iter().enumerate() {
        let expected = if lost(&n) { Value::Null } else { json!(200) };
        assert_eq!(answer["status"], expected, "{answer}");
    }

    let all = MESSAGES as usize;
    eventually_within(PATIENCE, async || match answered(&system).await.len() {
        enough if enough == all => Ok(()),
        other => Err(other),
    })
    .await;
    // More on a slow machine: what is on its way for longer than it takes to settle.
    eventually_within(PATIENCE, async || {
        match counted(&mut system, "twilio", "found").await {
            found if found >= Some(f64::from(MESSAGES / ONE_IN)) => Ok(()),
            few => Err(few),
        }
    })
    .await;

    // What was lost comes after all, as a provider's repetition may.
    let webhooks = system.webhooks();
    for n in (0..all).filter(lost) {
        let text = |name: &str| messages[n][name].as_str().unwrap().to_owned();
        let (sid, from) = (id_of(&posted[n]), text("from"));
        let status = webhooks.post(&sid, &from, &text("text")).await;
        assert_eq!(status.unwrap(), 200);
    }
    system.until_idle(PATIENCE).await;
    let expected = posted.iter().map(|answer| (outbound_id(&id_of(answer)), 1));
    assert_eq!(answered(&system).await, expected.collect());
}

/// The same through WAHA, whose list is the messages of each chat.
#[tokio::test(flavor = "multi_thread")]
async fn what_waha_lost_is_found() {
    found_in_conversations("waha").await;
}

/// The same through Chatwoot, whose list is the messages of each conversation of the bot.
#[tokio::test(flavor = "multi_thread")]
async fn what_chatwoot_lost_is_found() {
    found_in_conversations("chatwoot").await;
}

/// Sixty customers write once, and one webhook in ten is lost.
async fn found_in_conversations(provider: &str) {
    const WRITTEN: usize = 60;
    let mut system = SystemBuilder::new(Settings {
        consumer: "echo",
        ..Settings::default()
    })
    .prepare();
    system.connect_every_provider();
    let fast = [
        ("EGRESS_WAHA_PER_SECOND", "0"),
        ("EGRESS_WAHA_TYPING_SPEED", "0"),
        ("EGRESS_CHATWOOT_PER_SECOND", "0"),
        ("CHATWOOT_READ_TOKEN", "fake-chatwoot-user-token"),
        ("CHATWOOT_INBOX_IDS", INBOX),
        ("INGRESS_RECONCILE_INTERVAL_SECS", "1"),
        ("INGRESS_RECONCILE_SETTLE_SECS", "1"),
    ];
    let fast = fast.map(|(name, value)| (name.to_owned(), value.to_owned()));
    // Without its number Twilio is not asked.
    system.service(Role::Ingress, 0).set(fast.clone());
    system
        .service(Role::Ingress, 0)
        .set([("TWILIO_WHATSAPP_NUMBER".to_owned(), String::new())]);
    system.service(Role::Egress, 0).set(fast);
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&[], 0).await;
    let messages: Vec<Value> = (0..WRITTEN)
        .map(|n| {
            let from = format!("+3161200{n:04}");
            json!({ "provider": provider, "from": from, "text": "Hoi", "lost": n % 10 == 3 })
        })
        .collect();
    system.simulator().write_at_once(&messages, 8).await;
    let customers = async |system: &System| {
        let arrivals = system.simulator().arrivals().await;
        let mut customers: Vec<_> = arrivals.into_iter().map(|one| one.customer).collect();
        customers.sort();
        customers
    };
    eventually_within(PATIENCE, async || match customers(&system).await.len() {
        enough if enough >= WRITTEN => Ok(()),
        few => Err(few),
    })
    .await;
    system.until_idle(PATIENCE).await;
    let everybody: Vec<_> = messages
        .iter()
        .map(|one| one["from"].as_str().unwrap())
        .collect();
    assert_eq!(customers(&system).await, everybody);
    // A comparison counts what it found when it ends, and answers come before that.
    eventually_within(PATIENCE, async || {
        match counted(&mut system, provider, "found").await {
            found if found >= Some(WRITTEN as f64 / 10.0) => Ok(()),
            few => Err(few),
        }
    })
    .await;
}
