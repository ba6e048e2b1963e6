//! WAHA at a human pace.

use simulator::waha::SessionStatus;
use simulator::{Endpoint, Provider};

use crate::harness::{Fields, Rig, field, waha_reply};

const CHAT: &str = "31612345678@c.us";

#[tokio::test]
async fn a_reply_is_preceded_by_seen_and_typing() {
    let rig = Rig::start();
    let _egress = rig.egress(&["waha-typing-speed=1000"]);
    let message = waha_reply(CHAT, "Goedemorgen");
    rig.queue(&message).await;
    rig.sent(CHAT, 1).await;
    let calls = rig.calls(Provider::Waha);
    let steps: Vec<_> = calls
        .iter()
        .map(|call| (call.entry.endpoint, call.entry.text.as_str()))
        .collect();
    let expected = [
        (Endpoint::Seen, ""),
        (Endpoint::Typing, "start"),
        (Endpoint::Typing, "stop"),
        (Endpoint::Send, "Goedemorgen"),
    ];
    assert_eq!(steps, expected);
    let send = &calls[3];
    assert_eq!(field(send, "chatId"), CHAT);
    assert_eq!(field(send, "session"), "default");
    assert_eq!(field(send, "reply_to"), message.in_reply_to.as_str());
    let ledger = rig.ledger_when(&message, |f| f.contains_key("pid")).await;
    assert_eq!(ledger["pid"], send.entry.id);
}

#[tokio::test]
async fn a_hidden_number_is_answered_in_the_same_chat() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    rig.queue(&waha_reply("4711@lid", "Hallo")).await;
    let sent = rig.sent("4711@lid", 1).await;
    assert_eq!(field(&sent[0], "chatId"), "4711@lid");
}

#[tokio::test]
async fn a_session_that_reconnects_is_waited_for() {
    let rig = Rig::start();
    let _egress = rig.egress(&["extra-rounds=20"]);
    rig.simulator
        .set_waha_session("default", SessionStatus::Starting);
    let message = waha_reply(CHAT, "Na het herstel");
    rig.queue(&message).await;
    let failed = |f: &Fields| f.get("failures").is_some_and(|n| n == "1");
    let ledger = rig.ledger_when(&message, failed).await;
    assert!(ledger["error"].starts_with("422"), "{ledger:?}");
    rig.simulator
        .set_waha_session("default", SessionStatus::Working);
    rig.sent(CHAT, 1).await;
}
