//! Status callbacks and acks in the ledger.

use std::collections::BTreeSet;

use shared_types::{DeliveryEvent, DeliveryStatus, OutboundMessage};

use jiff::Timestamp;
use test_support::eventually;

use crate::harness::{CUSTOMER, Fields, Rig, callback, reply, waha_reply};

/// Sends a message and gives the provider's id.
async fn send(rig: &Rig, message: &OutboundMessage) -> String {
    rig.queue(message).await;
    rig.ledger_when(message, |f| f.contains_key("pid")).await["pid"].clone()
}

fn times(ledger: &Fields) -> BTreeSet<&str> {
    let times = ledger.keys().filter_map(|name| name.strip_prefix("at:"));
    times.collect()
}

async fn report_all(rig: &Rig, reports: &[DeliveryEvent]) {
    for report in reports {
        rig.report(report).await;
        rig.until_empty().await;
    }
}

#[tokio::test]
async fn doubled_and_shuffled_callbacks_move_the_status_forwards_only() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let message = reply("Hallo");
    let sid = send(&rig, &message).await;
    let report = |status| callback(&message, &sid, status);
    let reports = [
        report(DeliveryStatus::Delivered),
        report(DeliveryStatus::Sent),
        report(DeliveryStatus::Sent),
        report(DeliveryStatus::Queued),
    ];
    report_all(&rig, &reports).await;
    let ledger = rig.ledger(&message).await;
    assert_eq!(ledger["status"], "delivered");
    assert_eq!(times(&ledger), ["delivered", "queued", "sent"].into());
    report_all(&rig, &[report(DeliveryStatus::Read)]).await;
    assert_eq!(rig.ledger(&message).await["status"], "read");
    rig.sent(CUSTOMER, 1).await;
}

#[tokio::test]
async fn a_late_delivery_overrides_a_failure() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    let message = reply("Hallo");
    let sid = send(&rig, &message).await;
    let mut failed = callback(&message, &sid, DeliveryStatus::Failed);
    // 63032: the user is in an experiment; not to be repeated.
    failed.error_code = Some("63032".into());
    failed.error_message = Some("part of an experiment".into());
    report_all(
        &rig,
        &[
            failed.clone(),
            callback(&message, &sid, DeliveryStatus::Delivered),
            failed,
        ],
    )
    .await;
    let ledger = rig.ledger(&message).await;
    assert_eq!(
        (ledger["status"].as_str(), ledger["error_code"].as_str()),
        ("delivered", "63032")
    );
    assert_eq!(rig.letters(1).await[0].reason, "undelivered");
    let name = r#"postduif_delivery_reports_total{code="63032",source="twilio",status="failed"}"#;
    assert!((egress.metric(name).await - 2.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_passing_failure_after_acceptance_is_sent_anew_as_often_as_there_are_rounds() {
    let rig = Rig::start();
    let _egress = rig.egress(&["extra-rounds=2"]);
    let message = reply("Hallo");
    send(&rig, &message).await;
    for resend in 0..3 {
        let sent = rig.sent(CUSTOMER, resend + 1).await;
        rig.until_empty().await;
        let last = &sent[resend].entry;
        let mut report = callback(&message, &last.id, DeliveryStatus::Undelivered);
        report.outbound_id = last.oid.as_ref().map(|id| id.parse().unwrap());
        report.error_code = Some("63012".into());
        rig.report(&report).await;
    }
    let letter = rig.letters(1).await.remove(0);
    assert_eq!(letter.reason, "undelivered");
    rig.sent(CUSTOMER, 3).await;
    // An operator may still insist.
    assert!(
        rig.redis
            .replay(streams::Queue::Outbound, letter.id)
            .await
            .unwrap()
    );
    rig.sent(CUSTOMER, 4).await;
}

#[tokio::test]
async fn an_ack_without_our_id_is_found_by_the_providers() {
    let rig = Rig::start_with(|config| config.waha.engine = simulator::waha::Engine::Noweb);
    let _egress = rig.egress(&[]);
    let message = waha_reply("31612345678@c.us", "Hallo");
    let pid = send(&rig, &message).await;
    assert!(
        pid.starts_with("true_31612345678@c.us_"),
        "as acks spell it: {pid}"
    );
    let mut ack = callback(&message, &pid, DeliveryStatus::Read);
    ack.outbound_id = None;
    report_all(&rig, &[ack]).await;
    assert_eq!(rig.ledger(&message).await["status"], "read");
}

#[tokio::test]
async fn a_report_that_overtakes_the_note_of_its_send_waits_for_it() {
    let rig = Rig::start();
    let message = reply("Hallo");
    rig.report(&callback(&message, "SM1", DeliveryStatus::Delivered))
        .await;
    let _egress = rig.egress(&[]);
    // Known to the ledger only now, and told by the report that it was sent.
    let key = rig.keys(CUSTOMER).send(message.id.as_str());
    rig.set(&key, "state", "intent");
    let ledger = rig
        .ledger_when(&message, |f| f.contains_key("status"))
        .await;
    assert_eq!(
        (ledger["status"].as_str(), ledger["pid"].as_str()),
        ("delivered", "SM1")
    );
}

#[tokio::test]
async fn what_was_too_fast_is_sent_anew_later_and_holds_up_nobody() {
    let rig = Rig::start();
    let _egress = rig.egress(&["first-round-pause-ms=60000"]);
    let message = reply("Hallo");
    let sid = send(&rig, &message).await;
    let mut report = callback(&message, &sid, DeliveryStatus::Failed);
    report.error_code = Some("63018".into());
    rig.report(&report).await;
    let stream = rig.keys(CUSTOMER).stream(streams::Queue::Outbound);
    let waiting = eventually(async || {
        let entries: Vec<(String, Fields)> = rig.server.run(&["XRANGE", &stream, "-", "+"]);
        let is_resend = |fields: &Fields| fields["event"] == format!("{}~1", message.id);
        entries
            .into_iter()
            .map(|(_, fields)| fields)
            .find(is_resend)
            .ok_or("no resend")
    })
    .await;
    let waiting: OutboundMessage = serde_json::from_str(&waiting["payload"]).unwrap();
    let pause = waiting.not_before.unwrap().duration_since(report.at);
    assert!(
        pause.as_secs() >= 15 * 60,
        "a channel's rate takes minutes: {pause}"
    );
    rig.queue(&reply("Daarna")).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    assert_eq!(sent[1].entry.text, "Daarna");
    assert!(waiting.not_before.unwrap() > Timestamp::now());
}

#[tokio::test]
async fn a_report_waits_while_redis_cannot_tell_what_it_is_about() {
    let rig = Rig::start();
    let message = reply("Hallo");
    let key = rig.keys(CUSTOMER).send(message.id.as_str());
    rig.server
        .run::<String>(&["SET", &key, "not what it should be"]);
    rig.report(&callback(&message, "SM1", DeliveryStatus::Delivered))
        .await;
    let _egress = rig.egress(&[]);
    // More often than a report waits that Redis knows nothing of.
    eventually(async || {
        let stats: String = rig.server.run(&["INFO", "commandstats"]);
        let line = stats
            .lines()
            .find(|line| line.starts_with("cmdstat_hgetall:"));
        let failed = line.and_then(|line| line.split("failed_calls=").nth(1)?.parse().ok());
        match failed {
            Some(7..) => Ok(()),
            other => Err::<(), Option<u64>>(other),
        }
    })
    .await;
    rig.server.run::<u64>(&["DEL", &key]);
    rig.set(&key, "state", "intent");
    let applied = |f: &Fields| f.get("status").is_some_and(|status| status == "delivered");
    rig.ledger_when(&message, applied).await;
}

#[tokio::test]
async fn a_second_copy_that_a_report_tells_of_is_known_as_ours() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let message = reply("Hallo");
    let sid = send(&rig, &message).await;
    let copy = "SM00000000000000000000000000000002";
    report_all(&rig, &[callback(&message, copy, DeliveryStatus::Sent)]).await;
    assert_eq!(rig.ledger(&message).await["pid"], sid);
    for id in [sid.as_str(), copy] {
        let name = rig
            .keys(message.conversation_id.as_str())
            .provider_message("twilio", id);
        let known: Option<String> = rig.server.run(&["GET", &name]);
        assert_eq!(known.as_deref(), Some(message.id.as_str()), "{id}");
    }
}
