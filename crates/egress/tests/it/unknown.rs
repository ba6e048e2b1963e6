//! Requests of which nobody knows whether they arrived.

use shared_types::{DeliveryStatus, OutboundMessage};
use simulator::{Endpoint, ErrorBody, Fault, FaultRule, Provider};
use test_support::eventually;

use crate::harness::{CUSTOMER, Rig, Running, callback, reply, texts};
use crate::logs;

const TIMED_OUT: Fault = Fault::Timeout { accept: true };
const NEVER_ARRIVED: Fault = Fault::Timeout { accept: false };

const fn server_error(accept: bool) -> Fault {
    Fault::ServerError {
        status: 500,
        body: ErrorBody::Json,
        accept,
    }
}

fn look_ups(rig: &Rig) -> usize {
    let calls = rig.calls(Provider::Twilio);
    calls
        .iter()
        .filter(|call| call.entry.endpoint == Endpoint::List)
        .count()
}

async fn ended(egress: &Running, how: &str) -> bool {
    let name = format!(r#"postduif_unknown_outcomes_total{{end="{how}",source="twilio"}}"#);
    egress.metric(&name).await > 0.5
}

#[tokio::test]
async fn what_arrived_all_the_same_is_found_and_not_sent_again() {
    for fault in [
        TIMED_OUT,
        server_error(true),
        Fault::Reset { accept: true },
        Fault::ResetMidBody {
            after_bytes: 20,
            accept: true,
        },
    ] {
        let rig = Rig::start();
        let egress = rig.egress(&[]);
        rig.fault(fault.clone(), 1);
        let message = reply("Hallo");
        rig.queue(&message).await;
        rig.until_empty().await;
        let sent = rig.sent(CUSTOMER, 1).await;
        assert_eq!(
            rig.ledger(&message).await["pid"],
            sent[0].entry.id,
            "{fault:?}"
        );
        assert!(ended(&egress, "found").await, "{fault:?}");
        assert_eq!(look_ups(&rig), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn what_left_no_trace_is_sent_again_and_said_so() {
    for fault in [
        server_error(false),
        NEVER_ARRIVED,
        Fault::Reset { accept: false },
    ] {
        let rig = Rig::start();
        let egress = rig.egress(&[]);
        rig.fault(fault.clone(), 1);
        let message = reply("Hallo");
        rig.queue(&message).await;
        rig.until_empty().await;
        rig.sent(CUSTOMER, 1).await;
        assert!(ended(&egress, "absent").await, "{fault:?}");
        let lines = logs::about(message.id.as_str()).join("\n");
        assert!(lines.contains("the customer may get it twice"), "{lines}");
    }
}

#[tokio::test]
async fn a_crash_between_request_and_note_sends_nothing_twice() {
    let rig = Rig::start();
    let args = ["request-timeout-ms=1400"];
    let egress = rig.egress(&args);
    rig.fault(Fault::Delay { ms: 1_300 }, 1);
    let message = reply("Hallo");
    rig.queue(&message).await;
    rig.queue(&reply("Daarna")).await;
    rig.sent(CUSTOMER, 1).await;
    egress.kill().await;
    assert_eq!(rig.ledger(&message).await["state"], "intent");

    let egress = rig.egress(&args);
    assert_eq!(texts(&rig.sent(CUSTOMER, 2).await), ["Hallo", "Daarna"]);
    rig.until_empty().await;
    rig.sent(CUSTOMER, 2).await;
    assert!(ended(&egress, "found").await);
}

/// What Redis may do that was killed with `appendfsync everysec`: come back without its last writes,
/// while the message is in the queue again.
async fn forget_and_queue_again(rig: &Rig, message: &OutboundMessage) {
    rig.server.run::<String>(&["FLUSHALL"]);
    rig.queue(message).await;
    rig.until_empty().await;
}

#[tokio::test]
async fn a_send_that_redis_forgot_is_not_repeated() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let message = reply("Hallo");
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    rig.until_empty().await;
    forget_and_queue_again(&rig, &message).await;
    assert_eq!(rig.ledger(&message).await["pid"], sent[0].entry.id);
    rig.sent(CUSTOMER, 1).await;
}

#[tokio::test]
async fn a_request_that_redis_forgot_is_looked_up_first() {
    let rig = Rig::start();
    let _egress = rig.egress(&["request-timeout-ms=1400"]);
    rig.fault(Fault::Delay { ms: 1_000 }, 1);
    let message = reply("Hallo");
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    forget_and_queue_again(&rig, &message).await;
    assert_eq!(rig.ledger(&message).await["pid"], sent[0].entry.id);
    rig.sent(CUSTOMER, 1).await;
    assert_eq!(look_ups(&rig), 1);
}

#[tokio::test]
async fn a_status_callback_tells_before_anybody_looks() {
    let rig = Rig::start();
    let egress = rig.egress(&["settle-ms=1500"]);
    rig.fault(TIMED_OUT, 1);
    let message = reply("Hallo");
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    rig.ledger_when(&message, |f| f.get("state").is_some_and(|s| s == "doubt"))
        .await;
    rig.report(&callback(
        &message,
        &sent[0].entry.id,
        DeliveryStatus::Delivered,
    ))
    .await;
    rig.until_empty().await;
    rig.sent(CUSTOMER, 1).await;
    assert_eq!(look_ups(&rig), 0);
    assert!(ended(&egress, "called_back").await);
    let ledger = rig.ledger(&message).await;
    assert_eq!(
        (ledger["pid"].as_str(), ledger["status"].as_str()),
        (sent[0].entry.id.as_str(), "delivered")
    );
}

#[tokio::test]
async fn equal_texts_are_told_apart() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    rig.queue(&reply("Ja")).await;
    rig.sent(CUSTOMER, 1).await;
    rig.until_empty().await;
    // The second arrives and its answer is lost, the third is lost itself.
    for fault in [TIMED_OUT, NEVER_ARRIVED] {
        rig.fault(fault, 1);
        rig.queue(&reply("Ja")).await;
        rig.until_empty().await;
    }
    let sent = rig.sent(CUSTOMER, 3).await;
    let ids: std::collections::BTreeSet<_> = sent.iter().map(|record| &record.entry.oid).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_asked_again() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    let list = FaultRule {
        provider: Some(Provider::Twilio),
        endpoint: Some(Endpoint::List),
        times: Some(1),
        ..FaultRule::always(server_error(false))
    };
    rig.simulator.add_fault(list).unwrap();
    rig.fault(TIMED_OUT, 1);
    rig.queue(&reply("Hallo")).await;
    rig.until_empty().await;
    rig.sent(CUSTOMER, 1).await;
    assert!(ended(&egress, "found").await);
}

#[tokio::test]
async fn the_policy_resend_does_not_look() {
    let rig = Rig::start();
    let egress = rig.egress(&["on-unknown=resend"]);
    rig.fault(TIMED_OUT, 1);
    rig.queue(&reply("Hallo")).await;
    rig.until_empty().await;
    assert_eq!(texts(&rig.sent(CUSTOMER, 2).await), ["Hallo", "Hallo"]);
    assert_eq!(look_ups(&rig), 0);
    assert!(ended(&egress, "resent").await);
}

#[tokio::test]
async fn the_policy_park_leaves_it_to_an_operator_whose_replay_looks_first() {
    let rig = Rig::start();
    let egress = rig.egress(&["on-unknown=park"]);
    for (fault, arrives) in [(TIMED_OUT, "aangekomen"), (NEVER_ARRIVED, "verloren")] {
        rig.fault(fault, 1);
        rig.queue(&reply(arrives)).await;
        let letter = rig.letters(1).await.remove(0);
        assert_eq!(letter.reason, "outcome_unknown");
        assert!(ended(&egress, "parked").await);
        assert!(
            rig.redis
                .replay(streams::Queue::Outbound, letter.id)
                .await
                .unwrap()
        );
        rig.until_empty().await;
    }
    assert_eq!(
        texts(&rig.sent(CUSTOMER, 2).await),
        ["aangekomen", "verloren"]
    );
}

#[tokio::test]
async fn a_replayed_message_starts_its_schedule_anew() {
    let rig = Rig::start();
    let _egress = rig.egress(&["extra-rounds=0"]);
    let refusal = Fault::Error {
        status: 400,
        code: Some(21_611),
        message: None,
    };
    rig.fault(refusal, 5);
    let message = reply("Hallo");
    rig.queue(&message).await;
    let letter = rig.letters(1).await.remove(0);
    assert!(
        rig.redis
            .replay(streams::Queue::Outbound, letter.id)
            .await
            .unwrap()
    );
    // Two more failures, and the third attempt of the new schedule arrives.
    rig.sent(CUSTOMER, 1).await;
    rig.until_empty().await;
    eventually(async || match rig.ledger(&message).await {
        ledger if ledger["state"] == "sent" => Ok(()),
        ledger => Err(ledger),
    })
    .await;
    assert_eq!(
        look_ups(&rig),
        0,
        "the provider had refused it: nothing was in doubt"
    );
    rig.letters(0).await;
}
