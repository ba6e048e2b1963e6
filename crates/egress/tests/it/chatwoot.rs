//! Chatwoot as an agent bot.

use serde_json::json;
use shared_types::{OutboundMessage, Purpose};
use simulator::{Endpoint, Fault, FaultRule, Provider};

use crate::harness::{CUSTOMER, Rig, chatwoot_reply};

#[tokio::test]
async fn a_message_is_marked_as_ours() {
    let rig = Rig::start();
    rig.chatwoot_conversation().await;
    let _egress = rig.egress(&[]);
    let message = chatwoot_reply("Goedemorgen");
    rig.queue(&message).await;
    let sent = &rig.sent(CUSTOMER, 1).await[0];
    assert_eq!(
        sent.entry.request,
        json!({
            "content": "Goedemorgen", "message_type": "outgoing", "private": false,
            "content_attributes": {"postduif": true, "external_id": message.id},
        })
    );
    let ledger = rig.ledger_when(&message, |f| f.contains_key("pid")).await;
    assert_eq!(ledger["pid"], sent.entry.id);
}

#[tokio::test]
async fn a_handoff_tells_the_customer_notes_what_is_known_and_opens_the_conversation() {
    let rig = Rig::start();
    rig.chatwoot_conversation().await;
    let _egress = rig.egress(&[]);
    let message = OutboundMessage {
        purpose: Purpose::HandoffNotice,
        handoff_note: Some("Zoekt een Golf tot 15.000 euro".into()),
        ..chatwoot_reply("Een collega neemt het over")
    };
    rig.queue(&message).await;
    rig.until_empty().await;
    let calls = rig.calls(Provider::Chatwoot);
    let calls = calls
        .iter()
        .filter(|call| call.entry.endpoint != Endpoint::Webhook);
    let steps: Vec<_> = calls
        .map(|call| {
            let private = call.entry.request["private"].as_bool();
            (call.entry.endpoint, call.entry.text.as_str(), private)
        })
        .collect();
    let expected = [
        (Endpoint::Send, "Een collega neemt het over", Some(false)),
        (Endpoint::Send, "Zoekt een Golf tot 15.000 euro", Some(true)),
        (Endpoint::Status, "open", None),
    ];
    assert_eq!(steps, expected);
}

#[tokio::test]
async fn the_flood_guard_delays_and_loses_nothing() {
    let rig = Rig::start_with(|config| config.chatwoot.flood_limit = 1);
    rig.chatwoot_conversation().await;
    let _egress = rig.egress(&["attempts=1", "extra-rounds=1", "first-round-pause-ms=30"]);
    rig.queue(&chatwoot_reply("een")).await;
    let late = chatwoot_reply("twee");
    rig.queue(&late).await;
    let letter = &rig.letters(1).await[0];
    assert_eq!(
        (letter.reason.as_str(), &letter.fields["event"]),
        ("rounds_exhausted", &late.id.to_string())
    );
    assert!(
        letter.error.contains("Too many messages"),
        "{}",
        letter.error
    );
}

#[tokio::test]
async fn a_note_that_chatwoot_refuses_does_not_keep_the_conversation_from_a_colleague() {
    let rig = Rig::start();
    rig.chatwoot_conversation().await;
    let _egress = rig.egress(&[]);
    let refused = Fault::Error {
        status: 422,
        code: None,
        message: Some("Content is too long".into()),
    };
    let mut rule = FaultRule::for_sends(Provider::Chatwoot, 1, refused);
    rule.skip = 1;
    rig.simulator.add_fault(rule).unwrap();
    let message = OutboundMessage {
        purpose: Purpose::HandoffNotice,
        handoff_note: Some("Zoekt een Golf".into()),
        ..chatwoot_reply("Een collega neemt het over")
    };
    rig.queue(&message).await;
    rig.until_empty().await;
    let calls = rig.calls(Provider::Chatwoot);
    assert!(
        calls
            .iter()
            .any(|call| call.entry.endpoint == Endpoint::Status)
    );
    rig.letters(0).await;
}

#[tokio::test]
async fn an_answer_without_an_id_is_no_proof_that_it_was_sent() {
    let rig = Rig::start();
    rig.chatwoot_conversation().await;
    let _egress = rig.egress(&[]);
    let fault = Fault::EmptyBody { accept: false };
    rig.simulator
        .add_fault(FaultRule::for_sends(Provider::Chatwoot, 1, fault))
        .unwrap();
    let message = chatwoot_reply("Goedemorgen");
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    let ledger = rig.ledger_when(&message, |f| f.contains_key("pid")).await;
    assert_eq!(ledger["pid"], sent[0].entry.id);
}
