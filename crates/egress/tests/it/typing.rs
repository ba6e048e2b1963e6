//! The typing indicator of a slow turn.

use jiff::{SignedDuration, Timestamp};
use shared_types::{Endpoint, Kind, OutboundId, OutboundMessage, Source, TypingSignal};
use simulator::{Fault, FaultRule, Provider};
use streams::NewEntry;
use test_support::eventually;

use crate::harness::{CUSTOMER, OURS, Rig, Running, field, reply};

const ON: &[&str] = &["typing-indicator=true"];

fn signal(message_id: &str) -> TypingSignal {
    TypingSignal {
        source: Source::Twilio,
        to: CUSTOMER.parse().unwrap(),
        endpoint: Endpoint {
            address: Some(OURS.parse().unwrap()),
            ..Endpoint::default()
        },
        message_id: message_id.parse().unwrap(),
        at: Timestamp::now(),
    }
}

async fn queue(rig: &Rig, signal: &TypingSignal) {
    rig.add(NewEntry {
        kind: TypingSignal::KIND.into(),
        event: format!("typing:{}", signal.message_id),
        conversation: CUSTOMER.into(),
        mailbox: Some(TypingSignal::mailbox(&CUSTOMER.parse().unwrap())),
        payload: serde_json::to_string(signal).unwrap(),
        trace: None,
        fences: false,
    })
    .await;
}

async fn counted(egress: &Running, outcome: &str) {
    let name = format!(r#"postduif_typing_signals_total{{outcome="{outcome}",source="twilio"}}"#);
    eventually(async || match egress.metric(&name).await {
        count if count > 0.5 => Ok(()),
        count => Err(count),
    })
    .await;
}

fn indicators(rig: &Rig) -> Vec<simulator::Record> {
    let calls = rig.calls(Provider::Twilio).into_iter();
    calls
        .filter(|call| call.entry.endpoint == simulator::Endpoint::Typing)
        .collect()
}

#[tokio::test]
async fn a_slow_turn_is_shown_once_for_the_customers_message() {
    let rig = Rig::start();
    let egress = rig.egress(ON);
    queue(&rig, &signal("SM1")).await;
    counted(&egress, "shown").await;
    let indicators = indicators(&rig);
    assert_eq!(indicators.len(), 1);
    assert_eq!(field(&indicators[0], "messageId"), "SM1");
    rig.until_empty().await;
}

#[tokio::test]
async fn nothing_is_shown_unless_it_is_switched_on() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    queue(&rig, &signal("SM1")).await;
    counted(&egress, "off").await;
    assert!(indicators(&rig).is_empty());
}

#[tokio::test]
async fn a_late_signal_and_one_whose_answer_is_on_its_way_are_dropped() {
    let rig = Rig::start();
    let egress = rig.egress(ON);
    let late = TypingSignal {
        at: Timestamp::now() - SignedDuration::from_secs(20),
        ..signal("SM1")
    };
    queue(&rig, &late).await;
    counted(&egress, "late").await;
    let answered = signal("SM2");
    let answer = OutboundMessage {
        id: OutboundId::of_reply(Source::Twilio, &answered.message_id, 0),
        ..reply("Daar is het antwoord")
    };
    rig.queue(&answer).await;
    rig.sent(CUSTOMER, 1).await;
    queue(&rig, &answered).await;
    counted(&egress, "answered").await;
    assert!(indicators(&rig).is_empty());
}

#[tokio::test]
async fn a_failing_indicator_delays_nothing_and_is_not_repeated() {
    let rig = Rig::start();
    let egress = rig.egress(ON);
    let typing = FaultRule {
        endpoint: Some(simulator::Endpoint::Typing),
        ..FaultRule::always(Fault::Timeout { accept: false })
    };
    rig.simulator.add_fault(typing).unwrap();
    queue(&rig, &signal("SM1")).await;
    eventually(async || match indicators(&rig).len() {
        1 => Ok(()),
        count => Err(count),
    })
    .await;
    rig.queue(&reply("Het antwoord wacht niet")).await;
    rig.sent(CUSTOMER, 1).await;
    counted(&egress, "failed").await;
    rig.until_empty().await;
    assert_eq!(indicators(&rig).len(), 1);
    rig.letters(0).await;
}
