//! Reports of Twilio about messages that somebody else sent from our number.

use serde_json::{Value, json};
use test_support::{RedisServer, eventually};

use crate::provider::{Asked, Bytes, Provider, json, raw};
use crate::signing::{ACCOUNT, STATUS, twilio_form, twilio_json_to};
use crate::support::{Service, config, length, stream};

const CUSTOMER: &str = "whatsapp:+31612345678";
const NUMBER: &str = "whatsapp:+14155238886";

/// A message as the API shows it, sent by whomever.
fn item(sid: &str, changes: &Value) -> Value {
    let mut item = json!({
        "sid": sid, "account_sid": ACCOUNT, "from": NUMBER, "to": CUSTOMER,
        "body": "Kom morgen langs", "direction": "outbound-api", "status": "delivered",
        "num_media": "0", "date_sent": "Sat, 28 Nov 2026 11:00:05 +0000",
        "date_created": "Sat, 28 Nov 2026 11:00:04 +0000",
    });
    for (name, value) in changes.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

fn not_found() -> Bytes {
    raw("404 Not Found", "", r#"{"code":20404}"#)
}

fn start(redis: &RedisServer, provider: &Provider) -> Service {
    let url = redis.url();
    let settings = ["--twilio-whatsapp-number", NUMBER];
    let elsewhere = ["--twilio-api-base-url", &provider.url];
    let settings = [settings, elsewhere, ["--reconcile-interval-secs", "0"]];
    Service::start(config(&url, &settings.concat()))
}

fn report(service: &Service, query: &str, sid: &str, status: &str) {
    let fields = [
        ("MessageSid", sid),
        ("AccountSid", ACCOUNT),
        ("MessageStatus", status),
        ("From", NUMBER),
        ("To", CUSTOMER),
    ];
    let answer = twilio_form(&format!("{STATUS}{query}"), &fields).send(service.port);
    assert_eq!(answer.status, 204);
}

fn looked_up(service: &Service, outcome: &str) -> f64 {
    service.metric(&format!(
        "postduif_reports_looked_up_total{{outcome=\"{outcome}\"}}"
    ))
}

async fn until_looked_up(service: &Service, outcome: &str, count: f64) {
    eventually(async || match looked_up(service, outcome) {
        now if now >= count => Ok(()),
        _ => Err(service.metrics()),
    })
    .await;
}

#[tokio::test]
async fn what_somebody_else_sent_is_looked_up_once_and_is_a_colleagues_message() {
    let redis = RedisServer::start();
    let provider = Provider::start(|_| json(&item("SM1", &json!({}))));
    let service = start(&redis, &provider);
    for status in ["sent", "delivered", "read"] {
        report(&service, "", "SM1", status);
    }
    until_looked_up(&service, "colleague", 1.0).await;
    let entries = stream(&redis, "in:0");
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(entry.field("kind"), "colleague");
    assert_eq!(entry.field("event"), "twilio:colleague:SM1");
    assert_eq!(entry.field("conv"), CUSTOMER);
    let message = entry.payload();
    assert_eq!(message["content"], "Kom morgen langs");
    assert_eq!(message["at"], "2026-11-28T11:00:05Z");
    let fence: Vec<Option<String>> =
        redis.run(&["HMGET", &format!("conv:{CUSTOMER}"), "ver", "colleague"]);
    assert_eq!(fence[0].as_deref(), Some("1"));
    assert!(fence[1].is_some());
    // Egress hears of the report all the same: it may know the message.
    assert_eq!(length(&redis, "out:0"), 3);
    report(&service, "", "SM2", "sent");
    until_looked_up(&service, "colleague", 2.0).await;
    let targets: Vec<_> = provider.asked().into_iter().map(|it| it.target).collect();
    let target = |sid: &str| format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json");
    assert_eq!(targets, [target("SM1"), target("SM2")]);
}

/// What a sink of Event Streams posts about a message.
fn streamed(sid: &str, account: &str, status: &str) -> Value {
    json!({
        "specversion": "1.0", "id": format!("EZ-{sid}-{status}"), "source": "/messages",
        "type": format!("com.twilio.messaging.message.{status}"),
        "data": { "messageSid": sid, "accountSid": account, "from": NUMBER, "to": CUSTOMER, "body": "" },
    })
}

#[tokio::test]
async fn event_streams_tell_of_it_too() {
    let redis = RedisServer::start();
    let provider = Provider::start(|_| json(&item("SM1", &json!({}))));
    let service = start(&redis, &provider);
    redis.run::<String>(&["SET", "sid:twilio:SM3", "ob_1"]);
    let body = json!([
        streamed("SM1", ACCOUNT, "delivered"),
        streamed("SM1", ACCOUNT, "sent"),
        streamed("SM2", "AC00000000000000000000000000000000", "sent"),
        streamed("SM3", ACCOUNT, "sent"),
        streamed("SM4", ACCOUNT, "failed"),
    ]);
    let post = |body: &[u8]| twilio_json_to("/webhooks/twilio/events", body).send(service.port);
    assert_eq!(post(body.to_string().as_bytes()).status, 204);
    until_looked_up(&service, "colleague", 1.0).await;
    until_looked_up(&service, "ours", 1.0).await;
    let entries = stream(&redis, "in:0");
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(entry.field("event"), "twilio:colleague:SM1");
    assert_eq!(provider.asked().len(), 1);
    // Our own messages' reports come by their status callbacks.
    assert_eq!(length(&redis, "out:0"), 0);
    assert_eq!(post(b"{}").outcome(), (400, "malformed_json".into()));
}

#[tokio::test]
async fn what_we_sent_is_not_looked_up() {
    let redis = RedisServer::start();
    let provider = Provider::start(|_| json(&item("SM9", &json!({}))));
    let service = start(&redis, &provider);
    redis.run::<String>(&["SET", "sid:twilio:SM1", "ob_1"]);
    // Ours by its name, ours by its id, and never on its way.
    report(&service, "?oid=ob_7", "SM7", "sent");
    report(&service, "", "SM1", "sent");
    report(&service, "", "SM2", "failed");
    until_looked_up(&service, "ours", 1.0).await;
    report(&service, "", "SM9", "sent");
    until_looked_up(&service, "colleague", 1.0).await;
    assert_eq!(provider.asked().len(), 1);
}

#[tokio::test]
async fn our_own_words_whose_id_nobody_noted_are_ours() {
    let redis = RedisServer::start();
    let provider = Provider::start(|_| json(&item("SM1", &json!({}))));
    let service = start(&redis, &provider);
    let payload = json!({
        "id": "ob_1", "source": "twilio", "conversation_id": CUSTOMER, "to": CUSTOMER,
        "text": "Kom  morgen langs", "in_reply_to": "A0", "created_at": "2026-11-22T10:00:00Z",
    });
    let payload = payload.to_string();
    redis.run::<u64>(&["HSET", "sent:ob_1", "state", "doubt", "payload", &payload]);
    redis.run::<u64>(&["LPUSH", &format!("sends:{CUSTOMER}"), "ob_1"]);
    report(&service, "", "SM1", "sent");
    until_looked_up(&service, "ours", 1.0).await;
    assert_eq!(length(&redis, "in:0"), 0);
}

#[tokio::test]
async fn whatever_twilio_answers_webhooks_are_taken_in_and_nobody_is_muted() {
    let redis = RedisServer::start();
    let provider = Provider::start(|_| not_found());
    let service = start(&redis, &provider);
    let cases: Vec<(&str, Bytes)> = vec![
        ("nothing", not_found()),
        (
            "nothing",
            json(&item("SM", &json!({ "direction": "inbound" }))),
        ),
        (
            "nothing",
            json(&item("SM", &json!({ "direction": "outbound-reply" }))),
        ),
        (
            "nothing",
            json(&item("SM", &json!({ "from": "whatsapp:+31201234567" }))),
        ),
        (
            "nothing",
            json(&item("SM", &json!({ "status": "undelivered" }))),
        ),
        ("nothing", json(&json!(["x"]))),
        ("failed", raw("401 Unauthorized", "", "{}")),
        (
            "failed",
            raw("302 Found", "Location: http://127.0.0.1:1/\r\n", ""),
        ),
        ("failed", raw("200 OK", "", "<html>Onderhoud</html>")),
        ("failed", raw("200 OK", "", vec![b' '; 9 * 1024 * 1024])),
    ];
    for (n, (outcome, answer)) in cases.into_iter().enumerate() {
        let before = looked_up(&service, outcome);
        provider.answer_with(move |_: &Asked| answer.clone());
        report(&service, "", &format!("SM{n}"), "delivered");
        until_looked_up(&service, outcome, before + 1.0).await;
    }
    assert_eq!(length(&redis, "in:0"), 0);
}

#[tokio::test]
async fn a_look_up_that_fails_for_now_is_tried_again() {
    let redis = RedisServer::start();
    let mut asked = 0;
    let provider = Provider::start(move |_| {
        asked += 1;
        match asked {
            1 => raw("503 Service Unavailable", "", ""),
            2 => raw("429 Too Many Requests", "Retry-After: 1\r\n", ""),
            _ => json(&item("SM1", &json!({}))),
        }
    });
    let service = start(&redis, &provider);
    report(&service, "", "SM1", "sent");
    until_looked_up(&service, "colleague", 1.0).await;
    assert_eq!(provider.asked().len(), 3);
}
