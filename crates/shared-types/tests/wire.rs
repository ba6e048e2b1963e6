//! The JSON of every wire type, as snapshots: a change here is a change of the contract.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use shared_types::{
    Attachment, ButtonReply, Channel, ColleagueMessage, ControlEvent, ControlKind,
    ConversationOutput, ConversationRef, ConversationState, CrmOutput, DeliveryEvent,
    DeliveryStatus, Endpoint, ExtractionOutput, HistoryLine, Inbound, InboundMessage, Location,
    MessageType, MirrorMessage, MirrorStatus, MirrorStep, MirrorWhat, Mirrored, NextAgent,
    Outbound, OutboundMessage, Payload, Picture, ProviderWord, Purpose, Receipt, Referral, ReplyTo,
    Role, RouterOutput, SendResult, Sender, Sentiment, SlotValue, Source, Template, TickStatus,
    Ticked, TypingSignal, Wanted,
};

fn at() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().unwrap()
}

/// Writes, reads back and compares, so that a snapshot also proves the way back.
#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> String {
    let json = serde_json::to_string_pretty(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
    json
}

fn plain_inbound() -> InboundMessage {
    InboundMessage {
        id: "SM0123456789abcdef0123456789abcdef".parse().unwrap(),
        conversation: ConversationRef {
            id: "whatsapp:+31612345678".parse().unwrap(),
            begun_at: None,
        },
        sender: Sender {
            id: "whatsapp:+31612345678".parse().unwrap(),
            name: Some("John Doe".into()),
            phone_number: Some("+31612345678".parse().unwrap()),
            aliases: vec![],
            phone_number_is_claimed: false,
            username: None,
        },
        content: "Ik zoek een Volkswagen Golf".into(),
        message_type: MessageType::Incoming,
        channel: Channel::Whatsapp,
        source: Source::Twilio,
        endpoint: None,
        attachments: vec![],
        location: None,
        button: None,
        reply_to: None,
        forwarded: false,
        referral: None,
        provider_word: None,
        edits: None,
        unread: vec![],
        written_at: None,
        late: false,
        too_late: false,
        received_at: None,
    }
}

#[test]
fn inbound_message_of_the_readme() {
    let expected = r#"{"id":"SM0123456789abcdef0123456789abcdef","conversation":{"id":"whatsapp:+31612345678"},"sender":{"id":"whatsapp:+31612345678","name":"John Doe","phone_number":"+31612345678"},"content":"Ik zoek een Volkswagen Golf","message_type":"incoming","channel":"whatsapp","source":"twilio"}"#;
    assert_eq!(serde_json::to_string(&plain_inbound()).unwrap(), expected);
    assert_eq!(
        serde_json::from_str::<InboundMessage>(expected).unwrap(),
        plain_inbound()
    );
}

#[test]
fn inbound_message_with_every_addition() {
    let message = InboundMessage {
        endpoint: Some(Endpoint {
            address: Some("whatsapp:+14155238886".parse().unwrap()),
            session: Some("default".into()),
            account_id: Some(1),
            conversation_id: Some(42),
        }),
        attachments: vec![Attachment {
            url: Some("https://media.example/1".into()),
            content_type: Some("image/jpeg".into()),
            file_name: Some("golf.jpg".into()),
            text: Some("onze Golf".into()),
        }],
        location: Some(Location {
            latitude: 52.09,
            longitude: 5.12,
            address: Some("Domplein 1, Utrecht".into()),
            label: Some("Dom".into()),
        }),
        button: Some(ButtonReply {
            text: "Ja".into(),
            payload: Some("yes".into()),
        }),
        reply_to: Some(ReplyTo {
            message_id: "SM9".parse().unwrap(),
            sender: Some("whatsapp:+14155238886".parse().unwrap()),
            text: Some("Wilt u een proefrit?".into()),
        }),
        edits: Some("SM8".parse().unwrap()),
        unread: vec!["location".into()],
        written_at: Some(at()),
        conversation: ConversationRef {
            begun_at: Some(at()),
            ..plain_inbound().conversation
        },
        forwarded: true,
        referral: Some(Referral {
            source_id: Some("12".into()),
            ..Referral::default()
        }),
        provider_word: Some(ProviderWord::Stop),
        late: true,
        received_at: Some(at()),
        ..plain_inbound()
    };
    insta::assert_snapshot!(round_trip(&message));
}

#[test]
fn inbound_message_ignores_what_it_does_not_know_and_lacks_what_is_optional() {
    let message: InboundMessage = serde_json::from_value(json!({
        "id": "1", "conversation": {"id": "waha:default:9@lid", "inbox": 3},
        "sender": {"id": "9@lid", "avatar": null}, "content": "", "message_type": "incoming",
        "channel": "whatsapp", "source": "waha", "mood": "sunny"
    }))
    .unwrap();
    assert_eq!(message.sender.phone_number, None);
    assert_eq!(message.sender.name, None);
}

#[test]
fn conversation_state_with_all_four_agents() {
    let slots = [
        ("car_make", SlotValue::Text("Volkswagen".into())),
        ("price_max", SlotValue::Integer(15_000)),
    ];
    let state = ConversationState {
        message_id: "SM1".parse().unwrap(),
        conversation_id: "whatsapp:+31612345678".parse().unwrap(),
        content: "Ik zoek een Volkswagen Golf".into(),
        sender_name: Some("John Doe".into()),
        sender_phone: Some("+31612345678".parse().unwrap()),
        source: Source::Twilio,
        conversation_history: vec![HistoryLine {
            role: Role::Customer,
            text: "hoi".into(),
            at: at(),
        }],
        router_output: Some(RouterOutput {
            intent: "car_inquiry".into(),
            confidence: 0.94,
            next_agent: NextAgent::Extraction,
            acts: Vec::new(),
        }),
        extraction_output: Some(ExtractionOutput {
            slots: slots.map(|(name, value)| (name.to_owned(), value)).into(),
            intent: "car_inquiry".into(),
        }),
        conversation_output: Some(ConversationOutput {
            response_text: "Leuk, een Volkswagen Golf!".into(),
            sentiment: Sentiment::Positive,
            should_escalate: false,
            escalation_reason: None,
        }),
        crm_output: Some(CrmOutput {
            contact_created: true,
            contact_id: Some("c1".into()),
            lead_created: true,
        }),
    };
    insta::assert_snapshot!(round_trip(&state));
}

#[test]
fn conversation_state_needs_only_the_message() {
    let state: ConversationState = serde_json::from_value(json!({
        "message_id": "SM1", "conversation_id": "c", "content": "hoi", "source": "twilio"
    }))
    .unwrap();
    assert!(state.router_output.is_none() && state.conversation_history.is_empty());
}

#[test]
fn outbound_message() {
    let message = OutboundMessage {
        id: "ob_0123".parse().unwrap(),
        source: Source::Twilio,
        conversation_id: "whatsapp:+31612345678".parse().unwrap(),
        to: "whatsapp:+31612345678".parse().unwrap(),
        endpoint: Endpoint {
            address: Some("whatsapp:+14155238886".parse().unwrap()),
            ..Endpoint::default()
        },
        text: "Leuk!".into(),
        picture: Some(Picture {
            url: "https://deduif.example/foto/golf.jpg".into(),
            caption: "Volkswagen Golf".into(),
        }),
        in_reply_to: "SM1".parse().unwrap(),
        purpose: Purpose::HandoffNotice,
        template: Some(Template {
            content_sid: "HX1".into(),
            variables: [("1".to_owned(), "John".to_owned())].into(),
        }),
        handoff_note: Some("Zoekt een Golf".into()),
        not_before: Some(at()),
        colleague_seen: Some("1700000000000-0".into()),
        mirrored: None,
        created_at: at(),
    };
    insta::assert_snapshot!(round_trip(&message));
}

#[test]
fn send_results_of_every_channel() {
    let sent = SendResult::Sent(Receipt::Twilio {
        message_sid: "SM1".into(),
        to: "+31612345678".into(),
        twilio_status: "queued".into(),
    });
    let waha = SendResult::Sent(Receipt::Waha {
        waha_message_id: "true_1".into(),
        to: "9@lid".into(),
    });
    let chatwoot = SendResult::Sent(Receipt::Chatwoot {
        chatwoot_message_id: 7,
        to: "42".into(),
    });
    let failed = SendResult::Failed {
        error: "21211: invalid To".into(),
        attempts: 3,
    };
    let all = [sent, waha, chatwoot, failed, SendResult::RateLimited].map(|result| {
        let line = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<SendResult>(&line).unwrap(), result);
        line
    });
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn delivery_and_control_events() {
    let delivery = DeliveryEvent {
        source: Source::Twilio,
        outbound_id: Some("ob_0123".parse().unwrap()),
        conversation_id: "whatsapp:+31612345678".parse().unwrap(),
        provider_id: "SM2".into(),
        to: "whatsapp:+31612345678".parse().unwrap(),
        status: DeliveryStatus::Undelivered,
        error_code: Some("63016".into()),
        error_message: None,
        at: at(),
    };
    let control = ControlEvent {
        conversation_id: "chatwoot:1:42".parse().unwrap(),
        source: Source::Chatwoot,
        kind: ControlKind::HumanTookOver,
        by: Some("Anna".into()),
        changed_at: None,
        late: false,
        at: at(),
    };
    insta::assert_snapshot!(format!(
        "{}\n{}",
        round_trip(&delivery),
        round_trip(&control)
    ));
}

#[test]
fn a_colleagues_message_and_a_reply_that_knows_of_it() {
    let message = ColleagueMessage {
        id: "true_31612345678@c.us_3EB0".parse().unwrap(),
        conversation_id: "waha:default:31612345678@c.us".parse().unwrap(),
        source: Source::Waha,
        to: vec!["31612345678@c.us".parse().unwrap()],
        content: "Kom morgen om tien uur".into(),
        attachments: Vec::new(),
        by: Some("Anna".into()),
        mirrored: None,
        unsent: false,
        template: None,
        at: at(),
    };
    insta::assert_snapshot!(round_trip(&message));
    assert!(!format!("{message:?}").contains("Kom"), "{message:?}");
}

#[test]
fn steps_of_a_mirrored_conversation() {
    let mirrored = MirrorMessage {
        conversation: 5001,
        message: 1001,
    };
    let step = |what| {
        let step = MirrorStep {
            conversation_id: "whatsapp:+31612345678".parse().unwrap(),
            id: "twilio:message:SM1".into(),
            at: at(),
            what,
        };
        assert!(!format!("{step:?}").contains("Golf"), "{step:?}");
        round_trip(&step)
    };
    let text = "Ik zoek een Golf".to_owned();
    let steps = [
        step(MirrorWhat::Customer {
            name: Some("Jan".into()),
            phone_number: Some("+31612345678".into()),
            text: text.clone(),
        }),
        step(MirrorWhat::Bot { text: text.clone() }),
        step(MirrorWhat::Colleague { text: text.clone() }),
        step(MirrorWhat::HandedOver {
            note: text,
            urgent: true,
        }),
        step(MirrorWhat::Answered { agent: Some(11) }),
        step(MirrorWhat::Hands {
            to: MirrorStatus::Pending,
            told: false,
        }),
        step(MirrorWhat::Forgotten { display: 5001 }),
        step(MirrorWhat::Tick {
            of: Ticked::Theirs(mirrored),
            status: TickStatus::Failed,
            error: Some("no".into()),
        }),
    ];
    insta::assert_snapshot!(steps.join("\n"));
    let mirrored = Mirrored {
        message: mirrored,
        agent: Some(11),
        wanted: Wanted::Again { resend: 1 },
    };
    insta::assert_snapshot!(serde_json::to_string(&mirrored).unwrap());
}

/// Entries that builds before the typed queues wrote; they may still wait when a newer one starts.
#[test]
fn entries_of_earlier_builds_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/entries");
    let entries = |queue: &str| {
        let lines = std::fs::read_to_string(format!("{folder}/{queue}.jsonl")).unwrap();
        let entry = |line: &str| {
            let fields: serde_json::Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| fields[name].as_str().unwrap().to_owned();
            (field("kind"), field("payload"))
        };
        lines.lines().map(entry).collect::<Vec<_>>()
    };
    for (kind, payload) in entries("inbound") {
        let known = match Inbound::read(&kind, &payload).unwrap() {
            Inbound::Message(_) => "message",
            Inbound::Control(_) => "control",
            Inbound::Colleague(_) => "colleague",
            Inbound::Arrival(_) => "arrival",
        };
        assert_eq!(kind, known);
    }
    for (kind, payload) in entries("outbound") {
        let known = match Outbound::read(&kind, &payload).unwrap() {
            Outbound::Message(_) => "message",
            Outbound::Delivery(_) => "delivery",
            Outbound::Typing(_) => "typing",
        };
        assert_eq!(kind, known);
    }
}

#[test]
fn debug_output_holds_no_customer_text_and_no_whole_number() {
    let shown = format!("{:?}", plain_inbound());
    assert!(
        !shown.contains("Golf") && !shown.contains("John") && !shown.contains("31612345678"),
        "{shown}"
    );
}

#[test]
fn typing_signal() {
    let signal = TypingSignal {
        source: Source::Twilio,
        to: "whatsapp:+31612345678".parse().unwrap(),
        endpoint: Endpoint {
            address: Some("whatsapp:+14155238886".parse().unwrap()),
            ..Endpoint::default()
        },
        message_id: "SM0123456789abcdef0123456789abcdef".parse().unwrap(),
        at: at(),
    };
    insta::assert_snapshot!(round_trip(&signal));
    let conversation = "whatsapp:+31612345678".parse().unwrap();
    assert_eq!(
        TypingSignal::mailbox(&conversation),
        "typing:whatsapp:+31612345678"
    );
}
