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

/// What did not come of a report as it should.
fn mistakes(
    system: &mut System,
    number: usize,
    expect: &Expectation,
    replies: &[Arrival],
) -> Vec<String> {
    let mut mistakes = Vec::new();
    let texts: Vec<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    let (least, most) = match expect.replies {
        Some(count) => (count, count),
        None => (
            expect.replies_at_least,
            expect.replies_at_most.unwrap_or(usize::MAX),
        ),
    };
    if !(least..=most).contains(&texts.len()) {
        mistakes.push(format!("{} replies: {texts:?}", texts.len()));
    }
    let last = texts.last().copied().unwrap_or_default();
    let told = expect.last_reply_lacks.iter();
    let told = told.filter(|words| last.contains(words.as_str()));
    mistakes.extend(told.map(|words| format!("{words:?} in {last:?}")));
    let customer = format!("316120000{number:02}");
    if !expect.lead.is_empty() || !expect.lead_lacks.is_empty() {
        let fields = fields_of_leads(system, &customer);
        let lacks = expect
            .lead
            .iter()
            .any(|(name, value)| fields.get(name) != Some(value));
        let has = expect
            .lead_lacks
            .iter()
            .any(|name| fields.contains_key(name));
        if fields.is_empty() || lacks || has {
            mistakes.push(format!("the lead has {fields:?}"));
        }
    }
    if let Some(count) = expect.contacts {
        let (_, said) = worker(system, &["erase", "--dry-run", &format!("+{customer}")]);
        if !said.contains(&format!("{count}  CRM contacts")) {
            mistakes.push(said);
        }
    }
    if let Some(words) = &expect.kept
        && !system.redis.server().dump().contains(words)
    {
        mistakes.push(format!("{words:?} is not kept"));
    }
    mistakes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_users_reported_of_others_does_not_happen() {
    let mut system = system_of_every_provider().await;
    let mut wrong = Vec::new();
    for (number, report) in reports().iter().enumerate() {
        let before = system.simulator().arrivals().await;
        let last = before.last().map_or(0, |arrival| arrival.seq);
        post(&system, report).await;
        let replies = system.simulator().arrivals_since(last).await;
        let mistakes = mistakes(&mut system, number, &report.expect, &replies);
        wrong.extend(
            mistakes
                .into_iter()
                .map(|mistake| format!("{}: {mistake}", report.name)),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(system.dead_letters().await.is_empty());
}
