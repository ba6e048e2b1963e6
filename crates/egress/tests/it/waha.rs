//! WAHA at a human pace.

use simulator::waha::{Engine, SessionStatus};
use simulator::{Endpoint, Fault, FaultRule, Provider, Record};

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
async fn seen_and_typing_that_fail_do_not_keep_the_message() {
    let refused = |status| Fault::Error {
        status,
        code: None,
        message: Some("no gestures today".into()),
    };
    let faults = [401, 422, 429, 500].map(refused);
    for fault in faults.into_iter().chain([Fault::Timeout { accept: false }]) {
        let rig = Rig::start();
        let _egress = rig.egress(&["waha-typing-speed=1000"]);
        for endpoint in [Endpoint::Seen, Endpoint::Typing] {
            let rule = FaultRule {
                endpoint: Some(endpoint),
                ..FaultRule::always(fault.clone())
            };
            rig.simulator.add_fault(rule).unwrap();
        }
        rig.queue(&waha_reply(CHAT, "Goedemorgen")).await;
        rig.sent(CHAT, 1).await;
        rig.until_empty().await;
        assert_eq!(sends(&rig).len(), 1, "{fault:?}");
        rig.letters(0).await;
    }
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

fn sends(rig: &Rig) -> Vec<Record> {
    let calls = rig.calls(Provider::Waha).into_iter();
    calls
        .filter(|call| call.entry.endpoint == Endpoint::Send)
        .collect()
}

#[tokio::test]
async fn a_quote_that_is_not_found_does_not_keep_the_message() {
    for (status, words) in [
        (500, "Could not get the quoted message."),
        (422, "reply_to: message not found"),
        // Says nothing of the quote: looked up first, and then sent without.
        (500, "Cannot read properties of undefined (reading 'id')"),
    ] {
        let rig = Rig::start();
        let _egress = rig.egress(&[]);
        let fault = Fault::Error {
            status,
            code: None,
            message: Some(words.into()),
        };
        rig.simulator
            .add_fault(FaultRule::for_sends(Provider::Waha, 1, fault))
            .unwrap();
        rig.queue(&waha_reply(CHAT, "Goedemorgen")).await;
        rig.sent(CHAT, 1).await;
        rig.until_empty().await;
        let sends = sends(&rig);
        assert_eq!(sends.len(), 2, "{words}");
        assert_eq!(field(&sends[1], "reply_to"), "", "{words}");
        rig.letters(0).await;
    }
}

#[tokio::test]
async fn an_answer_without_an_id_is_no_proof_that_it_was_sent() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let fault = Fault::EmptyBody { accept: false };
    rig.simulator
        .add_fault(FaultRule::for_sends(Provider::Waha, 1, fault))
        .unwrap();
    let message = waha_reply(CHAT, "Goedemorgen");
    rig.queue(&message).await;
    rig.sent(CHAT, 1).await;
    let ledger = rig.ledger_when(&message, |f| f.contains_key("pid")).await;
    assert_ne!(ledger["pid"], "");
}

/// Answers that are lost, of messages whose id was chosen before: found by it, also when the same text
/// was sent by hand in between.
#[tokio::test]
async fn a_message_whose_id_was_chosen_is_known_again_by_it() {
    for engine in [Engine::Noweb, Engine::Gows] {
        let rig = Rig::start_with(|config| config.waha.engine = engine);
        let egress = rig.egress(&["extra-rounds=20"]);
        for accept in [true, false] {
            rig.simulator
                .add_fault(FaultRule::for_sends(
                    Provider::Waha,
                    1,
                    Fault::Timeout { accept },
                ))
                .unwrap();
            rig.queue(&waha_reply(CHAT, "Ja")).await;
            rig.until_empty().await;
        }
        let arrived = rig.sent(CHAT, 2).await;
        let chosen: Vec<_> = arrived.iter().map(|sent| field(sent, "id")).collect();
        assert!(
            chosen.iter().all(|id| !id.is_empty()) && chosen[0] != chosen[1],
            "{chosen:?}"
        );
        for (sent, id) in arrived.iter().zip(&chosen) {
            assert!(sent.entry.id.ends_with(id.as_str()), "{}", sent.entry.id);
        }
        let found = r#"postduif_unknown_outcomes_total{end="found",source="waha"}"#;
        assert!(egress.metric(found).await > 0.5);
        let sends = sends(&rig);
        assert_eq!(sends.len(), 3, "one was looked up and sent again");
        assert_eq!(
            field(&sends[1], "id"),
            field(&sends[2], "id"),
            "under the same id: whoever has it knows it"
        );
    }
}

#[tokio::test]
async fn where_nobody_may_choose_ids_none_is_sent() {
    for old in [true, false] {
        let rig = Rig::start_with(|config| {
            // Neither an older server nor this engine has it.
            config.waha.engine = if old { Engine::Noweb } else { Engine::Webjs };
            config.waha.before_chosen_ids = old;
        });
        let _egress = rig.egress(&[]);
        for text in ["Een", "Twee"] {
            rig.queue(&waha_reply(CHAT, text)).await;
        }
        let sent = rig.sent(CHAT, 2).await;
        assert!(sent.iter().all(|sent| field(sent, "id").is_empty()));
    }
}

#[tokio::test]
async fn a_quote_that_waha_cannot_find_is_left_out() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let fault = FaultRule {
        provider: Some(Provider::Waha),
        endpoint: Some(Endpoint::Send),
        ..FaultRule::always(Fault::QuoteNotFound {})
    };
    rig.simulator.add_fault(fault).unwrap();
    for text in ["Een", "Twee"] {
        rig.queue(&waha_reply(CHAT, text)).await;
    }
    rig.sent(CHAT, 2).await;
    rig.until_empty().await;
    assert_eq!(sends(&rig).len(), 4);
    rig.letters(0).await;
}
