//! What a provider may answer and what may lie in the queue: class, log line, metric, resting place.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use futures_util::future::join_all;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::{Value, json};
use simulator::{Endpoint, ErrorBody, Fault, FaultRule};
use streams::{Queue, Shelf};
use test_support::{eventually, free_port};

use crate::harness::{CUSTOMER, Fields, Rig, Running, fresh_id, reply, reply_to};
use crate::logs;

/// Where a message comes to rest.
#[derive(Debug, Clone, Copy)]
enum Rest {
    /// Accepted once, and known to be.
    Sent,
    /// Set aside, for this reason.
    DeadLetter(&'static str),
    /// Waiting for its sender to work again.
    Waiting,
}

struct Answer {
    what: &'static str,
    fault: Fault,
    /// The class under which it is counted; none when it counts as success.
    class: Option<&'static str>,
    log: &'static str,
    rest: Rest,
}

const IN_DOUBT: &str = "it is not known whether the message was sent";
const STOPPED: &str = "sender stopped";
const SENT: &str = "Message sent to Twilio";
const FAILED: &str = "Twilio send failed";

const fn page(status: u16, accept: bool) -> Fault {
    Fault::ServerError {
        status,
        body: ErrorBody::Html,
        accept,
    }
}

/// Arrived, but the answer says nothing: looked up and found.
const fn found(what: &'static str, fault: Fault) -> Answer {
    Answer {
        what,
        fault,
        class: Some("transient"),
        log: IN_DOUBT,
        rest: Rest::Sent,
    }
}

fn answers() -> Vec<Answer> {
    let configuration = |what, fault| Answer {
        what,
        fault,
        class: Some("configuration"),
        log: STOPPED,
        rest: Rest::Waiting,
    };
    vec![
        found("an HTML page with 502, not accepted", page(502, false)),
        found("an HTML page with 502, accepted", page(502, true)),
        found("an HTML page with 408, not accepted", page(408, false)),
        Answer {
            what: "an HTML page with 400",
            fault: page(400, false),
            class: Some("permanent"),
            log: FAILED,
            rest: Rest::DeadLetter("refused"),
        },
        configuration("an HTML page with 404", page(404, false)),
        found("an empty body", Fault::EmptyBody { accept: true }),
        found("wrong JSON types", Fault::WrongTypes {}),
        Answer {
            what: "200 instead of 201",
            fault: Fault::WrongStatus { status: 200 },
            class: None,
            log: SENT,
            rest: Rest::Sent,
        },
        configuration(
            "a redirect",
            Fault::Redirect {
                status: 307,
                location: None,
            },
        ),
        found(
            "a body of 50 MB",
            Fault::HugeBody {
                bytes: 50_000_000,
                accept: true,
            },
        ),
        found(
            "half a body, then silence",
            Fault::Stall {
                after_bytes: 20,
                accept: true,
            },
        ),
        found(
            "a reset inside the body",
            Fault::ResetMidBody {
                after_bytes: 20,
                accept: true,
            },
        ),
    ]
}

async fn failures(egress: &Running, class: &str) -> f64 {
    let class = format!("class=\"{class}\"");
    egress
        .metric_with("postduif_send_failures_total", &class)
        .await
}

async fn stopped(egress: &Running) {
    eventually(
        async || match egress.metric("postduif_senders_stopped").await {
            senders if senders > 0.5 => Ok(()),
            senders => Err(senders),
        },
    )
    .await;
}

#[tokio::test]
async fn each_bad_answer_has_its_class_log_line_metric_and_resting_place() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    for (row, answer) in answers().into_iter().enumerate() {
        let customer = format!("whatsapp:+316900000{row:02}");
        check_answer(&rig, &egress, &customer, answer).await;
    }
}

const CLASSES: [&str; 4] = ["permanent", "configuration", "transient", "window"];

async fn check_answer(rig: &Rig, egress: &Running, customer: &str, answer: Answer) {
    let Answer {
        what,
        fault,
        class,
        log,
        rest,
    } = answer;
    let failed_before = join_all(CLASSES.map(|class| failures(egress, class))).await;
    let message = reply_to(customer, "Hallo");
    if matches!(rest, Rest::Waiting) {
        let endpoint = Some(Endpoint::Send);
        rig.simulator
            .add_fault(FaultRule {
                endpoint,
                ..FaultRule::always(fault)
            })
            .unwrap();
        rig.queue(&message).await;
        stopped(egress).await;
        let due = |f: &Fields| f.get("state").is_some_and(|state| state == "due");
        let ledger = rig.ledger_when(&message, due).await;
        assert_eq!(ledger["failures"], "0", "{what}: waiting is no attempt");
        rig.simulator.clear_faults();
    } else {
        rig.fault(fault, 1);
        rig.queue(&message).await;
    }
    rig.until_empty().await;
    let letters = rig
        .redis
        .letters(Shelf::Dead(Queue::Outbound), None, 100)
        .await
        .unwrap();
    let letter = letters
        .iter()
        .find(|letter| letter.fields["event"] == message.id.as_str());
    match rest {
        Rest::Sent | Rest::Waiting => {
            let sent = rig.sent(customer, 1).await;
            assert_eq!(
                rig.ledger(&message).await["pid"],
                sent[0].entry.id,
                "{what}"
            );
            assert_eq!(letter, None, "{what}");
        }
        Rest::DeadLetter(reason) => {
            rig.sent(customer, 0).await;
            assert_eq!(
                letter.map(|letter| letter.reason.as_str()),
                Some(reason),
                "{what}"
            );
        }
    }
    for (counted, before) in CLASSES.into_iter().zip(failed_before) {
        let more = failures(egress, counted).await > before;
        assert_eq!(more, class == Some(counted), "{what}: {counted}");
    }
    let lines = match log {
        STOPPED => logs::about(STOPPED),
        _ => logs::about(message.id.as_str()),
    };
    assert!(lines.join("\n").contains(log), "{what}: {lines:?}");
}

#[tokio::test]
async fn a_provider_that_nobody_answers_for_is_tried_on_schedule() {
    let rig = Rig::start();
    let nowhere = format!("twilio-api-base-url=http://127.0.0.1:{}", free_port());
    let egress = rig.egress(&[&nowhere, "extra-rounds=0"]);
    let message = reply("Hallo");
    rig.queue(&message).await;
    let letter = &rig.letters(1).await[0];
    assert_eq!(letter.reason, "rounds_exhausted");
    assert!((failures(&egress, "transient").await - 3.0).abs() < f64::EPSILON);
    assert!(logs::about(message.id.as_str()).join("\n").contains(FAILED));
}

/// Shakes hands with a certificate that nobody has signed, and hangs up.
fn serve_self_signed() -> u16 {
    let certificate =
        CertificateDer::from(include_bytes!("self_signed/certificate.der").as_slice());
    let key = PrivatePkcs8KeyDer::from(include_bytes!("self_signed/key.der").as_slice());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = Stream::new(&mut connection, &mut socket);
            assert!(stream.read(&mut [0; 1]).is_err(), "the client trusts us");
        }
    });
    port
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_stops_the_sender() {
    let rig = Rig::start();
    let base = format!(
        "twilio-api-base-url=https://127.0.0.1:{}",
        serve_self_signed()
    );
    let egress = rig.egress(&[&base]);
    let message = reply("Hallo");
    rig.queue(&message).await;
    stopped(&egress).await;
    let ledger = rig.ledger_when(&message, |f| f["state"] == "due").await;
    assert!(ledger["error"].starts_with("tls: "), "{ledger:?}");
    assert!(failures(&egress, "configuration").await > 0.5);
    let name = r#"postduif_send_failures_total{class="configuration",code="tls",source="twilio"}"#;
    assert!(egress.metric(name).await > 0.5);
    assert!(!logs::about(STOPPED).is_empty());
    egress.stop().await;

    let _mended = rig.egress(&[]);
    rig.sent(CUSTOMER, 1).await;
    rig.letters(0).await;
}

/// What may lie in the queue: the entry's kind, its payload, the reason that it is set aside for.
fn entries() -> Vec<(&'static str, &'static str, String, &'static str)> {
    let good = serde_json::to_value(reply("Hallo")).unwrap();
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed.to_string()
    };
    let mut without_recipient = good.clone();
    without_recipient.as_object_mut().unwrap().remove("to");
    vec![
        (
            "no recipient",
            "message",
            without_recipient.to_string(),
            "undecodable",
        ),
        (
            "an empty recipient",
            "message",
            with("to", json!("")),
            "undecodable",
        ),
        (
            "an unknown source",
            "message",
            with("source", json!("telegram")),
            "undecodable",
        ),
        ("no JSON", "message", "Hallo".into(), "undecodable"),
        (
            "an empty text",
            "message",
            with("text", json!(" \n")),
            "empty_message",
        ),
        (
            "100,000 characters",
            "message",
            with("text", json!("a".repeat(100_000))),
            "too_long",
        ),
        (
            "an unknown kind",
            "parcel",
            good.to_string(),
            "unknown_kind",
        ),
        ("no delivery report", "delivery", "[]".into(), "undecodable"),
    ]
}

#[tokio::test]
async fn each_bad_entry_is_set_aside_with_its_reason_and_holds_up_nobody() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    for (row, (what, kind, payload, reason)) in entries().into_iter().enumerate() {
        let name = format!(r#"postduif_dead_letters_total{{queue="outbound",reason="{reason}"}}"#);
        let before = egress.metric(&name).await;
        let event = fresh_id();
        rig.queue_raw(kind, event.as_str(), CUSTOMER, &payload)
            .await;
        rig.queue(&reply("De volgende")).await;
        rig.sent(CUSTOMER, row + 1).await;
        let letters = rig.letters(row + 1).await;
        let letter = letters
            .iter()
            .find(|letter| letter.fields["event"] == event.as_str())
            .unwrap();
        assert_eq!(
            (letter.reason.as_str(), &letter.fields["payload"]),
            (reason, &payload),
            "{what}"
        );
        let error = &letter.error;
        assert!(
            !error.is_empty() && !error.contains("Hallo"),
            "{what}: {error}"
        );
        assert!(egress.metric(&name).await > before, "{what}");
        let lines = logs::about(event.as_str()).join("\n");
        let logged = lines.contains("set aside as a dead letter") && lines.contains(reason);
        assert!(logged, "{what}: {lines}");
    }
}
