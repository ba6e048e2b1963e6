//! The schedule, and what stops a sender.

use std::time::Duration;

use shared_types::OutboundMessage;
use simulator::{CallMatch, Endpoint, Fault, FaultRule, Provider, Query, Record};
use test_support::eventually;

use crate::harness::{CUSTOMER, OTHER_OURS, OURS, Rig, reply, reply_to, texts};
use crate::logs;

const QUEUE_FULL: Fault = refusal(400, 21_611);
const BAD_TOKEN: Fault = refusal(401, 20_003);

const fn refusal(status: u16, code: u32) -> Fault {
    Fault::Error {
        status,
        code: Some(code),
        message: None,
    }
}

/// Every request to send to this customer, accepted or not.
fn requests(rig: &Rig, to: &str) -> Vec<Record> {
    let calls = rig.calls(Provider::Twilio).into_iter();
    let to = to.trim_start_matches("whatsapp:");
    calls
        .filter(|call| call.entry.endpoint == Endpoint::Send && call.entry.customer == to)
        .collect()
}

fn pauses(requests: &[Record]) -> Vec<Duration> {
    let micros: Vec<_> = requests
        .iter()
        .map(|call| call.entry.arrived.micros)
        .collect();
    micros
        .windows(2)
        .map(|pair| Duration::from_micros(pair[1] - pair[0]))
        .collect()
}

#[tokio::test]
async fn a_failing_message_is_tried_three_times_a_round_and_then_set_aside() {
    let rig = Rig::start();
    let egress = rig.egress(&[
        "first-pause-ms=50",
        "first-round-pause-ms=150",
        "extra-rounds=1",
    ]);
    let message = reply("Hallo");
    rig.fault_for(CUSTOMER, QUEUE_FULL, 6);
    rig.queue(&message).await;
    rig.queue(&reply_to("whatsapp:+31687654321", "Niet gehinderd"))
        .await;
    let letter = &rig.letters(1).await[0];
    assert_eq!(letter.reason, "rounds_exhausted");
    let ms = Duration::from_millis;
    let least = [ms(50), ms(100), ms(150), ms(50), ms(100)];
    let pauses = pauses(&requests(&rig, CUSTOMER));
    assert!(
        pauses
            .iter()
            .zip(least)
            .all(|(pause, least)| *pause >= least),
        "{pauses:?}"
    );
    let failures: Vec<_> = logs::about(message.id.as_str())
        .into_iter()
        .filter(|line| line.contains("Twilio send failed"))
        .collect();
    assert_eq!(failures.len(), 2, "one a round");
    assert!(
        failures[0].contains(r#"\"status\":\"failed\""#)
            && failures[0].contains(r#"\"attempts\":3"#)
    );
    let failed = r#"postduif_sends_total{outcome="failed",source="twilio"}"#;
    assert!((egress.metric(failed).await - 2.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn only_the_failing_recipient_waits() {
    let rig = Rig::start();
    let _egress = rig.egress(&["first-pause-ms=60000"]);
    let held = reply("Ik wacht");
    rig.fault_for(CUSTOMER, QUEUE_FULL, 1);
    rig.queue(&held).await;
    rig.ledger_when(&held, |f| f.get("failures").is_some_and(|n| n == "1"))
        .await;
    rig.queue(&reply("Ik wacht daarachter")).await;
    for number in 0..50 {
        let other = format!("whatsapp:+316000000{number:02}");
        rig.queue(&reply_to(&other, "Ik niet")).await;
        rig.sent(&other, 1).await;
    }
    assert_eq!(requests(&rig, CUSTOMER).len(), 1);
}

#[tokio::test]
async fn a_restart_goes_on_with_the_schedule() {
    let rig = Rig::start();
    let args = ["first-pause-ms=1000"];
    rig.fault(QUEUE_FULL, 2);
    let message = reply("Hallo");
    let egress = rig.egress(&args);
    rig.queue(&message).await;
    let failed_once = rig
        .ledger_when(&message, |f| f.get("failures").is_some_and(|n| n == "1"))
        .await;
    egress.kill().await;

    let _egress = rig.egress(&args);
    let failed_twice = rig.ledger_when(&message, |f| f["failures"] == "2").await;
    rig.sent(CUSTOMER, 1).await;
    let requests = requests(&rig, CUSTOMER);
    assert_eq!(requests.len(), 3);
    let arrived = |n: usize| requests[n].entry.arrived.at.as_millisecond();
    assert!(arrived(1) >= failed_once["next_at"].parse().unwrap());
    assert!(arrived(2) >= failed_twice["next_at"].parse().unwrap());
}

#[tokio::test]
async fn a_permanent_refusal_is_set_aside_at_once() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    rig.fault(refusal(400, 21_610), 1);
    rig.queue(&reply("Ongewenst")).await;
    rig.queue(&reply("De volgende gaat wel")).await;
    assert_eq!(
        texts(&rig.sent(CUSTOMER, 1).await),
        ["De volgende gaat wel"]
    );
    let letter = &rig.letters(1).await[0];
    assert_eq!(letter.reason, "refused");
    assert!(letter.error.starts_with("21610"), "{}", letter.error);
    assert_eq!(requests(&rig, CUSTOMER).len(), 2);
}

/// From now on this number's account is refused.
fn refuse_sender(rig: &Rig, from: &str) {
    let rule = FaultRule {
        provider: Some(Provider::Twilio),
        endpoint: Some(Endpoint::Send),
        matching: CallMatch {
            from: Some(from.into()),
            ..CallMatch::default()
        },
        ..FaultRule::always(BAD_TOKEN)
    };
    rig.simulator.add_fault(rule).unwrap();
}

fn refused(rig: &Rig) -> usize {
    let query = Query {
        accepted: Some(false),
        limit: Query::DEFAULT_LIMIT,
        ..Query::default()
    };
    rig.simulator.sent(&query).len()
}

#[tokio::test]
async fn a_refused_account_stops_its_sender_alone_and_loses_nothing() {
    let rig = Rig::start();
    refuse_sender(&rig, OURS);
    let egress = rig.egress(&[]);
    let customers: Vec<_> = (0..30)
        .map(|n| format!("whatsapp:+316000000{n:02}"))
        .collect();
    for customer in &customers {
        rig.queue(&reply_to(customer, "een")).await;
        rig.queue(&reply_to(customer, "twee")).await;
    }
    eventually(
        async || match egress.metric("postduif_senders_stopped").await {
            stopped if stopped > 0.5 => Ok(()),
            stopped => Err(stopped),
        },
    )
    .await;
    let other = OutboundMessage {
        endpoint: shared_types::Endpoint {
            address: Some(OTHER_OURS.parse().unwrap()),
            ..Default::default()
        },
        ..reply("Van het andere nummer")
    };
    rig.queue(&other).await;
    rig.sent(CUSTOMER, 1).await;
    // The probes go on, one at a time.
    let before = refused(&rig);
    eventually(async || match refused(&rig) {
        now if now > before => Ok(()),
        now => Err(now),
    })
    .await;
    rig.simulator.clear_faults();
    for customer in &customers {
        assert_eq!(texts(&rig.sent(customer, 2).await), ["een", "twee"]);
    }
    assert!(egress.metric("postduif_senders_stopped").await < 0.5);
    rig.letters(0).await;
    let alarms = logs::about("sender stopped");
    assert!(!alarms.is_empty());
}

#[tokio::test]
async fn messages_of_a_stopped_sender_outlive_many_restarts() {
    let rig = Rig::start();
    refuse_sender(&rig, OURS);
    for number in 0..5 {
        rig.queue(&reply(&number.to_string())).await;
    }
    for _ in 0..8 {
        let before = refused(&rig);
        let egress = rig.egress(&[]);
        eventually(async || match refused(&rig) {
            now if now > before => Ok(()),
            now => Err(now),
        })
        .await;
        egress.stop().await;
    }
    rig.letters(0).await;
    rig.simulator.clear_faults();
    let _egress = rig.egress(&[]);
    assert_eq!(
        texts(&rig.sent(CUSTOMER, 5).await),
        ["0", "1", "2", "3", "4"]
    );
}

#[tokio::test]
async fn too_many_requests_move_the_clock_and_are_no_attempt() {
    let rig = Rig::start();
    let _egress = rig.egress(&["attempts=1", "extra-rounds=0", "twilio-per-second=1000"]);
    rig.fault(
        Fault::RateLimited {
            retry_after_secs: Some(1),
        },
        1,
    );
    let message = reply("Hallo");
    rig.queue(&message).await;
    rig.ledger_when(&message, |f| {
        f.get("error").is_some_and(|e| e.starts_with("429: "))
    })
    .await;
    // Another recipient of the same sender waits as well.
    let other = "whatsapp:+31687654321";
    rig.queue(&reply_to(other, "Ook ik")).await;
    rig.sent(CUSTOMER, 1).await;
    let others = rig.sent(other, 1).await;
    let requests = requests(&rig, CUSTOMER);
    assert!(pauses(&requests)[0] >= Duration::from_secs(1));
    let first = requests[0].entry.arrived.micros;
    assert!(others[0].entry.arrived.micros - first >= 1_000_000);
    let ledger = rig.ledger_when(&message, |f| f["state"] == "sent").await;
    assert_eq!(ledger["failures"], "0");
    let lines = logs::about(message.id.as_str()).join("\n");
    assert!(
        lines.contains("Twilio rate limit reached") && lines.contains("rate_limited"),
        "{lines}"
    );
}
