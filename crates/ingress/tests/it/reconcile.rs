//! Messages whose webhooks never came, and providers whose lists cannot be read.

mod chatwoot;
mod files;
mod many;
mod sent;
mod waha;

use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_support::{RedisServer, eventually};

use crate::provider::{Asked, Bytes, Provider, json, raw};
use crate::signing::{ACCOUNT, BASE, TWILIO_TOKEN, twilio_message};
use crate::support::{Service, config, length, stream};

const NUMBER: &str = "whatsapp:+14155238886";
const LIST: &str = "twilio:whatsapp:+14155238886";
const MARK: &str = "compare:until:twilio:whatsapp:+14155238886";

/// A message of Twilio's list, written this long ago.
fn item(sid: &str, text: &str, ago: SignedDuration) -> Value {
    let at = (Timestamp::now() - ago).to_zoned(jiff::tz::TimeZone::UTC);
    let at = rfc2822::to_string(&at).unwrap();
    json!({
        "sid": sid, "account_sid": ACCOUNT, "from": "whatsapp:+31612345678", "to": NUMBER,
        "body": text, "direction": "inbound", "status": "received", "num_media": "0",
        "date_sent": at, "date_created": at,
        "subresource_uris": {"media": format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media.json")},
    })
}

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn page(items: &[Value]) -> Bytes {
    json(&json!({ "messages": items, "next_page_uri": null }))
}

/// Compared up to this long ago, and for a day.
fn mark(redis: &RedisServer, ago: SignedDuration) {
    mark_of(redis, LIST, ago);
}

fn mark_of(redis: &RedisServer, list: &str, ago: SignedDuration) {
    let until = (Timestamp::now() - ago).as_millisecond();
    let begin = until - minutes(24 * 60).as_millis() as i64;
    let key = format!("compare:until:{list}");
    redis.run::<()>(&["SET", &key, &format!("{until} {begin}")]);
}

fn start(redis: &RedisServer, provider: &Provider) -> Service {
    start_with(redis, provider, NUMBER)
}

fn start_with(redis: &RedisServer, provider: &Provider, numbers: &str) -> Service {
    start_set(redis, provider, &["--twilio-whatsapp-number", numbers])
}

fn start_set(redis: &RedisServer, provider: &Provider, more: &[&str]) -> Service {
    let url = redis.url();
    let settings = [
        ["--twilio-whatsapp-number", NUMBER].as_slice(),
        &["--twilio-api-base-url", &provider.url],
        &["--reconcile-interval-secs", "1"],
        more,
    ];
    Service::start(config(&url, &settings.concat()))
}

fn messages(service: &Service, outcome: &str) -> f64 {
    service.metric(&format!(
        "postduif_reconciled_messages_total{{outcome=\"{outcome}\",source=\"twilio\"}}"
    ))
}

fn runs(service: &Service, outcome: &str) -> f64 {
    runs_of(service, LIST, outcome)
}

fn runs_of(service: &Service, list: &str, outcome: &str) -> f64 {
    let source = list.split(':').next().unwrap();
    service.metric(&format!(
        "postduif_reconcile_runs_total{{list=\"{list}\",outcome=\"{outcome}\",source=\"{source}\"}}"
    ))
}

async fn until_ran(service: &Service, outcome: &str) {
    eventually(async || match runs(service, outcome) {
        ran if ran > 0.0 => Ok(()),
        _ => Err(service.metrics()),
    })
    .await;
}

#[tokio::test]
async fn a_lost_message_is_taken_in_late_and_once() {
    let redis = RedisServer::start();
    // The newest comes first; one webhook came, two are lost.
    let items = [
        item("SM3", "en nog iets", minutes(3)),
        item("SM2", "kwam gewoon aan", minutes(4)),
        item("SM1", "ik ben verloren", minutes(5)),
    ];
    mark(&redis, minutes(10));
    let provider = Provider::start(|_| raw("503 Service Unavailable", "", ""));
    let service = start(&redis, &provider);
    let came = twilio_message("SM2", "kwam gewoon aan").send(service.port);
    assert_eq!(came.status, 200);
    provider.answer_with(move |_| page(&items));
    until_ran(&service, "complete").await;
    assert_eq!(messages(&service, "found"), 2.0);

    let entries = stream(&redis, "in:0");
    let ids: Vec<_> = entries
        .iter()
        .map(|entry| entry.field("event").to_owned())
        .collect();
    let expected = ["SM2", "SM1", "SM3"].map(|sid| format!("twilio:message:{sid}"));
    assert_eq!(ids, expected);
    let (came, found) = (entries[0].payload(), entries[1].payload());
    for same in [
        "conversation",
        "channel",
        "source",
        "endpoint",
        "message_type",
    ] {
        assert_eq!(found[same], came[same], "{same}");
    }
    assert_eq!(found["content"], "ik ben verloren");
    assert_eq!(found["sender"]["phone_number"], "+31612345678");
    assert_eq!(
        (&found["late"], &came["late"]),
        (&json!(true), &Value::Null)
    );
    let received: Timestamp = found["received_at"].as_str().unwrap().parse().unwrap();
    assert!(Timestamp::now().duration_since(received) > minutes(4));

    // The webhook of a message that was found is a repetition.
    let later = twilio_message("SM1", "ik ben verloren").send(service.port);
    assert_eq!(later.status, 200);
    assert_eq!(length(&redis, "in:0"), 3);
    let asked = provider.asked();
    let first = &asked[0].target;
    assert!(first.starts_with(&format!(
        "/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=whatsapp"
    )));
    assert!(first.contains("DateSent%3E="), "{first}");
}

/// After Twilio forgot the old token.
#[tokio::test]
async fn the_list_is_read_with_the_token_that_twilio_takes() {
    let redis = RedisServer::start();
    mark(&redis, minutes(10));
    let item = item("SM1", "ik ben verloren", minutes(5));
    let basic = |token: &str| format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{token}")));
    let expected = [TWILIO_TOKEN, "third-token", "next-token"].map(|token| Some(basic(token)));
    let taken = basic("next-token");
    let provider = Provider::start(move |asked: &Asked| {
        if asked.authorization.as_ref() == Some(&taken) {
            page(std::slice::from_ref(&item))
        } else {
            raw("401 Unauthorized", "", r#"{"code": 20003, "status": 401}"#)
        }
    });
    let further = ["--twilio-extra-auth-tokens", "third-token,next-token"];
    let service = start_set(&redis, &provider, &further);
    until_ran(&service, "complete").await;
    assert_eq!(messages(&service, "found"), 1.0);
    let asked = provider.asked();
    let tried = asked.iter().map(|one| one.authorization.clone());
    assert!(tried.take(3).eq(expected), "{asked:?}");
}

#[tokio::test]
async fn the_first_comparison_only_notes_where_to_begin() {
    let redis = RedisServer::start();
    let provider = Provider::start(|_| page(&[item("SM1", "lang geleden", minutes(5))]));
    let service = start(&redis, &provider);
    eventually(async || match redis.run::<Option<String>>(&["GET", MARK]) {
        Some(_) => Ok(()),
        None => Err("no mark"),
    })
    .await;
    assert!(provider.asked().is_empty());
    assert_eq!(length(&redis, "in:0"), 0);
    drop(service);
}

/// Although lists may lag: what was written before was another bot's to answer, or an earlier build's.
#[tokio::test]
async fn no_later_comparison_looks_before_the_first() {
    let redis = RedisServer::start();
    let provider = Provider::start(|_| {
        page(&[
            item("SM2", "net geschreven", SignedDuration::ZERO),
            item("SM1", "beantwoord", minutes(5)),
        ])
    });
    let service = start_set(&redis, &provider, &["--reconcile-settle-secs", "0"]);
    eventually(async || match messages(&service, "known") {
        known if known > 1.0 => Ok(()),
        known => Err(known),
    })
    .await;
    let entries = stream(&redis, "in:0");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].field("event"), "twilio:message:SM2");
}

#[tokio::test]
async fn a_conversations_limit_holds_for_what_was_lost() {
    let redis = RedisServer::start();
    mark(&redis, minutes(60));
    let items: Vec<_> = (0..5)
        .map(|n| item(&format!("SM{n}"), "hoi", minutes(5 + n)))
        .collect();
    let provider = Provider::start(move |_| page(&items));
    let service = start_set(&redis, &provider, &["--rate-limit-per-minute", "3"]);
    eventually(async || match runs(&service, "complete") {
        ran if ran > 1.0 => Ok(()),
        ran => Err(ran),
    })
    .await;
    let entries = stream(&redis, "in:0");
    let ids: Vec<_> = entries.iter().map(|entry| entry.field("event")).collect();
    assert_eq!(ids, [4, 3, 2].map(|n| format!("twilio:message:SM{n}")));
    assert!(messages(&service, "rate_limited") >= 2.0);
}

#[tokio::test]
async fn what_is_too_young_or_unusable_is_not_queued_and_what_is_too_old_is_marked() {
    let redis = RedisServer::start();
    mark(&redis, minutes(60 * 14));
    let items = [
        item("SM1", "net geschreven", SignedDuration::ZERO),
        item("SM2", "nog op tijd", minutes(60 * 11)),
        item("SM3", &"a".repeat(2_000), minutes(60 * 11)),
        item("SM4", "te laat", minutes(60 * 13)),
        item("SM5", "van voor die tijd", minutes(60 * 15)),
    ];
    let provider = Provider::start(move |_| page(&items));
    let service = start(&redis, &provider);
    until_ran(&service, "complete").await;
    let entries = stream(&redis, "in:0");
    let marked: Vec<_> = entries
        .iter()
        .map(|entry| (entry.field("event"), entry.payload()["too_late"].clone()))
        .collect();
    let expected = [("SM4", json!(true)), ("SM2", Value::Null)];
    let expected = expected.map(|(sid, mark)| (format!("twilio:message:{sid}"), mark));
    assert_eq!(marked.len(), expected.len(), "{marked:?}");
    for ((event, mark), (sid, expected)) in marked.into_iter().zip(&expected) {
        assert_eq!((event, &mark), (sid.as_str(), expected));
    }
    let kept = stream(&redis, "rejected:0");
    assert_eq!(kept[0].payload()["rejection"]["code"], "message_too_long");
    assert_eq!(kept[0].field("conv"), "whatsapp:+31612345678");
    let counts = ["found", "too_old", "rejected"].map(|outcome| messages(&service, outcome));
    assert_eq!(counts, [1.0, 1.0, 1.0]);
}

#[tokio::test]
async fn pages_are_followed_to_their_end_and_no_further() {
    let redis = RedisServer::start();
    mark(&redis, minutes(60));
    let provider = Provider::start(|asked: &Asked| {
        let number = asked.target.split("Page=").nth(1);
        let number: i64 = number.and_then(|n| n.parse().ok()).unwrap_or(0);
        let items = [item(
            &format!("SM{number}"),
            "hoi",
            minutes(5 + 30 * number),
        )];
        let next = format!(
            "/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page={}",
            number + 1
        );
        json(&json!({ "messages": items, "next_page_uri": next }))
    });
    let service = start(&redis, &provider);
    until_ran(&service, "complete").await;
    // 5, 35 and 65 minutes ago; what was written 95 minutes ago was compared before.
    assert_eq!(messages(&service, "found"), 3.0);
    let events: Vec<_> = stream(&redis, "in:0")
        .iter()
        .map(|e| e.field("event").to_owned())
        .collect();
    assert_eq!(events, [2, 1, 0].map(|n| format!("twilio:message:SM{n}")));
}

/// Whatever a provider answers, webhooks are taken in, nothing is queued that should not be, and what is
/// lost is found once it answers well.
#[tokio::test]
async fn a_provider_that_cannot_be_read_costs_a_count() {
    let elsewhere = Provider::start(|_| page(&[item("SM9", "van een ander", minutes(5))]));
    let to = |path: &str| format!("{}{path}", elsewhere.url);
    let redirect = format!("Location: {}\r\n", to("/list"));
    let next = json(&json!({ "messages": [], "next_page_uri": to("/list") }));
    let html = "<html><body>Onderhoud</body></html>";
    let cut = r#"{"messages": [{"sid": "SM1", "#;
    let cases: Vec<(&str, Bytes)> = vec![
        (
            "forbidden",
            raw("401 Unauthorized", "", r#"{"code":20003}"#),
        ),
        ("forbidden", raw("403 Forbidden", "", html)),
        ("redirected", raw("302 Found", &redirect, "")),
        ("redirected", raw("308 Permanent Redirect", &redirect, "")),
        ("status", raw("500 Internal Server Error", "", html)),
        ("status", raw("204 No Content", "", "")),
        (
            "unexpected",
            raw("200 OK", "Content-Type: text/html\r\n", html),
        ),
        ("unexpected", raw("200 OK", "", cut)),
        ("unexpected", raw("200 OK", "", "[]")),
        ("unexpected", raw("200 OK", "", vec![b' '; 9 * 1024 * 1024])),
        ("unexpected", next),
        (
            "unreachable",
            b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{".to_vec(),
        ),
        ("unreachable", Bytes::new()),
        ("unreachable", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
    ];
    let redis = RedisServer::start();
    mark(&redis, minutes(10));
    let provider = Provider::start(|_| Bytes::new());
    let service = start(&redis, &provider);
    for (n, (outcome, answer)) in cases.into_iter().enumerate() {
        let seen = runs(&service, outcome);
        provider.answer_with(move |_| answer.clone());
        eventually(async || match runs(&service, outcome) {
            ran if ran > seen + 1.0 => Ok(()),
            ran => Err(format!("case {n}, {outcome}: {ran}")),
        })
        .await;
        let came = twilio_message(&format!("SMcame{n}"), "hoi").send(service.port);
        assert_eq!(came.status, 200);
        assert_eq!(length(&redis, "in:0"), n as u64 + 1);
    }
    assert!(elsewhere.asked().is_empty(), "{:?}", elsewhere.asked());
    assert!(
        provider
            .asked()
            .iter()
            .all(|asked| asked.authorization.is_some())
    );
    assert_eq!(runs(&service, "complete"), 0.0);
    provider.answer_with(|_| page(&[item("SM1", "hoi", minutes(8))]));
    until_ran(&service, "complete").await;
    assert_eq!(messages(&service, "found"), 1.0);
}

#[tokio::test]
async fn a_list_without_an_end_is_left() {
    let redis = RedisServer::start();
    mark(&redis, minutes(10));
    let provider = Provider::start(|_| json(&json!({ "messages": [], "next_page_uri": "/again" })));
    let service = start_set(&redis, &provider, &["--reconcile-interval-secs", "600"]);
    until_ran(&service, "endless").await;
    assert_eq!(
        provider
            .asked()
            .iter()
            .filter(|asked| asked.target != "/again")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_provider_that_is_busy_is_left_alone_as_long_as_it_says() {
    let redis = RedisServer::start();
    mark(&redis, minutes(10));
    let other = "compare:until:twilio:whatsapp:+31201234567";
    let mark: String = redis.run(&["GET", MARK]);
    redis.run::<()>(&["SET", other, &mark]);
    let busy = "Retry-After: 600\r\n";
    let provider = Provider::start(move |asked: &Asked| {
        if asked.target.contains("14155238886") {
            raw("429 Too Many Requests", busy, "{}")
        } else {
            page(&[])
        }
    });
    let numbers = format!("{NUMBER},+31201234567");
    let service = start_with(&redis, &provider, &numbers);
    // Many comparisons later it was asked once, and the other number's list each time.
    eventually(
        async || match runs_of(&service, "twilio:whatsapp:+31201234567", "complete") {
            ran if ran > 2.0 => Ok(()),
            ran => Err(ran),
        },
    )
    .await;
    assert_eq!(runs(&service, "limited"), 1.0);
}

#[tokio::test]
async fn while_another_replica_compares_this_one_does_not() {
    let redis = RedisServer::start();
    mark(&redis, minutes(10));
    redis.run::<()>(&["SET", "compare:lease", "another", "PX", "3000"]);
    let provider = Provider::start(|_| page(&[]));
    let service = start(&redis, &provider);
    eventually(async || {
        // In this order: who asks next may do so as soon as the other holds it no more.
        let asked = provider.asked().len();
        let held: Option<String> = redis.run(&["GET", "compare:lease"]);
        match held.as_deref() {
            Some("another") if asked > 0 => panic!("asked while another compares"),
            _ if asked > 0 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    drop(service);
}

fn run(redis: &RedisServer, provider: &str, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingress"));
    command.env_clear().envs([
        ("REDIS_URL", redis.url().as_str()),
        ("PUBLIC_BASE_URL", BASE),
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("TWILIO_AUTH_TOKEN", TWILIO_TOKEN),
        ("TWILIO_WHATSAPP_NUMBER", NUMBER),
        ("TWILIO_API_BASE_URL", provider),
        ("LOG_FORMAT", "json"),
    ]);
    command.arg("reconcile").args(words).output().unwrap()
}

#[test]
fn the_command_says_what_is_lost_and_takes_it_in() {
    let redis = RedisServer::start();
    redis.run::<()>(&["SET", "partitions", "1"]);
    let provider = Provider::start(|_| {
        page(&[
            item("SM2", "hoi", minutes(5)),
            item("SM1", "hoi", minutes(13 * 60)),
        ])
    });
    let say = |words: &[&str]| {
        let output = run(&redis, &provider.url, words);
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), said)
    };
    let (code, said) = say(&["--since", "20h", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    let line = format!("{LIST}: 2 listed, 0 known, 1 lost, 1 too old to answer\n");
    assert!(said.contains(&line), "{said}");
    assert_eq!(length(&redis, "in:0"), 0);
    let at = (Timestamp::now() - minutes(30)).to_string();
    let (_, said) = say(&["--since", &at]);
    assert!(said.contains("1 listed, 0 known, 1 found\n"), "{said}");
    assert_eq!(length(&redis, "in:0"), 1);
    let (_, said) = say(&["--since", "30m"]);
    assert!(said.contains("1 listed, 1 known, 0 found\n"), "{said}");
    assert_eq!(length(&redis, "in:0"), 1);
    assert_eq!(redis.run::<Option<String>>(&["GET", MARK]), None);

    provider.answer_with(|_| raw("401 Unauthorized", "", "{}"));
    let (code, said) = say(&["--since", "30m"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("not complete: the list cannot be read: it refuses our credentials (401)")
    );
    for since in ["30h", "gisteren", "0s", "-3h", ""] {
        let (code, said) = say(&["--since", since]);
        assert_eq!(code, Some(64), "{said}");
    }
    let (code, said) = say(&["--since", "2020-01-01T00:00:00Z"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("within the last 23 hours"), "{said}");
    assert!(!said.contains(TWILIO_TOKEN), "{said}");
}
