//! What users reported of bots like this one, replayed through all services: the webhooks of
//! `tests/fixtures/cases/reports.json` as providers send them, and what is to come of them.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e_tests::{Arrival, System};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::{system_of_every_provider, worker};

#[derive(Deserialize)]
struct Report {
    name: String,
    steps: Vec<Step>,
    expect: Expectation,
}

/// A webhook.
#[derive(Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
enum Step {
    Twilio { form: BTreeMap<String, String> },
    Waha { json: Value },
    Chatwoot { json: Value },
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expectation {
    replies: Option<usize>,
    replies_at_least: usize,
    replies_at_most: Option<usize>,
    last_reply_lacks: Vec<String>,
    /// Fields of the only lead.
    lead: Map<String, Value>,
    lead_lacks: Vec<String>,
    /// How many persons the CRM knows.
    contacts: Option<usize>,
    /// What must be found in Redis.
    kept: Option<String>,
}

fn reports() -> Vec<Report> {
    let file = test_support::fixture("cases/reports.json");
    let text = String::from_utf8(file.clone()).unwrap();
    let count = serde_json::from_str::<Vec<Value>>(&text).unwrap().len();
    (0..count).map(|n| filled_in(&text, n)).collect()
}

/// A report with a customer, ids and times of its own.
fn filled_in(text: &str, number: usize) -> Report {
    let digits = format!("316120000{number:02}");
    let now = Timestamp::now();
    let mut text = text.to_owned();
    for (name, value) in [
        (r#""{{now_ms}}""#, now.as_millisecond().to_string()),
        (r#""{{now}}""#, now.as_second().to_string()),
        ("{{phone}}", format!("+{digits}")),
        ("{{digits}}", digits),
    ] {
        text = text.replace(name, &value);
    }
    // What is left are ids: the same name is the same id within a report.
    let mut parts = text.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap();
        let id = match name.strip_prefix("sid") {
            Some(which) => format!("SM{number:04}{which:0>28}"),
            None => format!("{number:04}{}", name.to_uppercase()),
        };
        filled.push_str(&id);
        filled.push_str(rest);
    }
    let mut all: Vec<Report> = serde_json::from_str(&filled).unwrap();
    all.swap_remove(number)
}

async fn post(system: &System, report: &Report) {
    let webhooks = system.webhooks();
    for step in &report.steps {
        let status = match step {
            Step::Twilio { form } => {
                let form: Vec<_> = form.iter().collect();
                webhooks.post_twilio(&form).await.unwrap()
            }
            Step::Waha { json } => webhooks.post_waha(json).await.unwrap(),
            // Through the simulator, which has to know the conversation.
            Step::Chatwoot { json } => {
                let customer = &json["conversation"]["meta"]["sender"]["phone_number"];
                let message = json!({
                    "provider": "chatwoot", "from": customer, "text": json["content"], "raw_fields": json,
                });
                let answer = system.simulator().write(message).await;
                u16::try_from(answer["status"].as_u64().unwrap()).unwrap()
            }
        };
        assert_eq!(status, 200, "{}", report.name);
        system.until_idle(Duration::from_secs(30)).await;
    }
}

/// The fields of the customer's leads.
fn fields_of_leads(system: &System, customer: &str) -> Map<String, Value> {
    let (done, said) = worker(system, &["leads", "list", "--all", "--json"]);
    assert!(done, "{said}");
    let leads = said
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let theirs = leads.filter(|lead| {
        lead["phone"]
            .as_str()
            .is_some_and(|phone| phone.ends_with(customer))
    });
    let fields = theirs.filter_map(|lead| lead["fields"].as_object().cloned());
    fields.flatten().collect()
}

fn check(system: &mut System, number: usize, report: &Report, replies: &[Arrival]) {
    let (name, expect) = (&report.name, &report.expect);
    let texts: Vec<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    if let Some(count) = expect.replies {
        assert_eq!(texts.len(), count, "{name}: {texts:?}");
    }
    assert!(texts.len() >= expect.replies_at_least, "{name}: {texts:?}");
    let most = expect.replies_at_most.unwrap_or(usize::MAX);
    assert!(texts.len() <= most, "{name}: {texts:?}");
    for words in &expect.last_reply_lacks {
        let last = texts.last().unwrap();
        assert!(!last.contains(words.as_str()), "{name}: {last}");
    }
    let customer = format!("316120000{number:02}");
    if !expect.lead.is_empty() || !expect.lead_lacks.is_empty() {
        let fields = fields_of_leads(system, &customer);
        assert!(!fields.is_empty(), "{name}: no lead");
        for (field, value) in &expect.lead {
            assert_eq!(fields.get(field), Some(value), "{name}: {fields:?}");
        }
        for field in &expect.lead_lacks {
            assert!(!fields.contains_key(field), "{name}: {fields:?}");
        }
    }
    if let Some(count) = expect.contacts {
        let (_, said) = worker(system, &["erase", "--dry-run", &format!("+{customer}")]);
        assert!(
            said.contains(&format!("{count}  CRM contacts")),
            "{name}: {said}"
        );
    }
    if let Some(words) = &expect.kept {
        assert!(system.redis.server().dump().contains(words), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_users_reported_of_others_does_not_happen() {
    let mut system = system_of_every_provider().await;
    for (number, report) in reports().iter().enumerate() {
        let before = system.simulator().arrivals().await;
        let last = before.last().map_or(0, |arrival| arrival.seq);
        post(&system, report).await;
        let replies = system.simulator().arrivals_since(last).await;
        check(&mut system, number, report, &replies);
    }
    assert!(system.dead_letters().await.is_empty());
}
