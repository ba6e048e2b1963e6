//! Arbitrary bodies never panic, and whatever is accepted is what was sent.

use ingress::{Event, Reading, read, verify};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixtures::assert_round_trip;
use crate::signing::{chatwoot_message, encode, twilio_signature, waha_message};

fn now() -> Timestamp {
    Timestamp::now()
}

/// Text that looks for trouble: markup, controls, other scripts, everything else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[<>/&a-z!\\-\\s\u{0}\u{9b}é👍]{0,60}",
        any::<String>(),
        Just(String::new()),
        "whatsapp:\\+?[0-9A-Z.]{0,20}",
        "[0-9]{1,16}@(c\\.us|lid|g\\.us|s\\.whatsapp\\.net|broadcast)",
        "-?[0-9]{1,4}(\\.[0-9]{1,9})?",
    ]
}

fn names() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "MessageSid",
        "From",
        "To",
        "Body",
        "NumMedia",
        "MediaUrl0",
        "MediaContentType0",
        "MessageType",
        "ProfileName",
        "WaId",
        "Latitude",
        "Longitude",
        "ButtonText",
        "ListTitle",
        "ReferralBody",
        "ExternalUserId",
        "OriginalRepliedMessageSid",
        "Forwarded",
        "MessageStatus",
        "ErrorCode",
    ];
    prop_oneof![
        4 => prop::sample::select(KNOWN).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// Any JSON, not too deep.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let object = vec((text(), inner.clone()), 0..6);
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::from),
            object.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A genuine event with some of its values replaced by others.
fn mutated(event: Value) -> impl Strategy<Value = Value> {
    let places = pointers(&event);
    vec((prop::sample::select(places), any_json()), 0..4).prop_map(move |changes| {
        let mut event = event.clone();
        for (place, value) in changes {
            if let Some(target) = event.pointer_mut(&place) {
                *target = value;
            }
        }
        event
    })
}

pub(crate) fn pointers(value: &Value) -> Vec<String> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => vec![],
    };
    let below = members.into_iter().flat_map(|(name, value)| {
        let deeper = pointers(value).into_iter();
        deeper.map(move |rest| format!("/{name}{rest}"))
    });
    std::iter::once(String::new()).chain(below).collect()
}

/// Holds for everything that a reader gives back.
fn check(reading: &Reading) {
    match reading {
        Reading::Event(event) => {
            let entry = event.entry(None).unwrap();
            assert_round_trip(event, &entry);
            assert!(!entry.event.contains(char::is_control), "{:?}", entry.event);
            assert!(entry.event.len() < 1_024 && entry.conversation.len() <= 256);
            if let Event::Message(message) = event {
                assert!(message.content.chars().count() <= 65_536);
                let content = &message.content;
                assert!(!content.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
                let has_something = !content.is_empty()
                    || !message.attachments.is_empty()
                    || message.location.is_some();
                assert!(has_something);
            }
        }
        Reading::Rejected(rejection) => {
            assert!(
                rejection
                    .code
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            );
            assert!(rejection.message.len() < 300);
        }
        Reading::Written(written) => {
            let message = Box::new(written.message.clone());
            let event = Event::Colleague {
                message,
                on_the_wire: false,
            };
            let entry = event.entry(None).unwrap();
            assert_round_trip(&event, &entry);
            assert!(entry.fences && !entry.event.contains(char::is_control));
            assert!(entry.event.len() < 1_024 && entry.conversation.len() <= 256);
            let message = &written.message;
            assert!(!message.content.is_empty() || !message.attachments.is_empty());
            assert_eq!(
                written.conversations.first(),
                Some(&message.conversation_id)
            );
        }
        Reading::Again(message) => {
            assert!(!message.content.is_empty() || !message.attachments.is_empty());
        }
        Reading::Ignored(_) | Reading::Session { .. } => {}
    }
}

/// What a rejection says holds nothing that the customer wrote.
fn check_privacy(reading: &Reading, secret: &str) {
    if let Reading::Rejected(rejection) = reading {
        assert!(!rejection.message.contains(secret), "{}", rejection.message);
    }
}

fn read_both(body: &[u8]) {
    if let Some(params) = read::Params::parse(body) {
        check(&read::twilio_message(&params, now()));
        check(&read::twilio_status(&params, "oid=ob_1", now()));
    }
}

fn read_waha(body: &[u8]) -> Reading {
    read::waha(body, now(), SignedDuration::from_hours(1))
}

fn read_chatwoot(body: &[u8]) -> Reading {
    read::chatwoot(body, "delivery", Some(1), now())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_rejected_by_every_reader(body in vec(any::<u8>(), 0..400), query in any::<String>()) {
        read_both(&body);
        check(&read_waha(&body));
        check(&read_chatwoot(&body));
        if let Some(params) = read::Params::parse(&body) {
            check(&read::twilio_status(&params, &query, now()));
        }
    }

    #[test]
    fn arbitrary_parameters_are_read_or_rejected(pairs in vec((names(), text()), 0..12)) {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        read_both(encode(&pairs).as_bytes());
        let object: Map<String, Value> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        check(&read::twilio_message(&read::Params::from_json(&object), now()));
    }

    #[test]
    fn what_a_customer_types_arrives_as_typed_by_every_channel(typed in "[a-zA-Z0-9 .,?é👍]{1,200}") {
        let expected = typed.trim();
        prop_assume!(!expected.is_empty());
        let form = encode(&crate::signing::text_message("SM1", &typed));
        let params = read::Params::parse(form.as_bytes()).unwrap();
        let readings = [
            read::twilio_message(&params, now()),
            read_waha(waha_message("A1", &typed).to_string().as_bytes()),
            read_chatwoot(chatwoot_message(1, &typed).to_string().as_bytes()),
        ];
        for reading in readings {
            check(&reading);
            let Reading::Event(Event::Message(message)) = reading else {
                panic!("not a message: {reading:?}");
            };
            prop_assert_eq!(message.content.as_str(), expected);
        }
    }

    #[test]
    fn changed_events_of_waha_are_read_or_rejected(event in mutated(waha_message("A1", "geheim-4711"))) {
        let reading = read_waha(event.to_string().as_bytes());
        check(&reading);
        check_privacy(&reading, "geheim-4711");
    }

    #[test]
    fn changed_events_of_chatwoot_are_read_or_rejected(event in mutated(chatwoot_message(1, "geheim-4711"))) {
        let reading = read_chatwoot(event.to_string().as_bytes());
        check(&reading);
        check_privacy(&reading, "geheim-4711");
    }

    #[test]
    fn arbitrary_json_is_read_or_rejected(event in any_json(), payload in any_json()) {
        check(&read_waha(event.to_string().as_bytes()));
        check(&read_chatwoot(event.to_string().as_bytes()));
        for name in ["message", "message.ack", "session.status"] {
            let event = json!({"event": name, "payload": payload.clone()});
            check(&read_waha(event.to_string().as_bytes()));
        }
    }

    #[test]
    fn twilio_believes_what_it_signed_and_nothing_else(
        pairs in vec((text(), text()), 0..8),
        path in "(/[a-z0-9%.~-]{0,8}){0,4}(\\?[a-z0-9=&%+]{0,20})?",
        port in prop::option::of(1_u16..),
        extra in text(),
    ) {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let url = format!("https://bot.postduif.test{port}{path}");
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let signature = twilio_signature("token", &url, &pairs);
        let keys = verify::TwilioKeys { auth_tokens: vec!["token".into()], shared: vec![] };
        let verdict = |url: &str, pairs: &[(&str, &str)], signature: &str, keys: &verify::TwilioKeys| {
            let body = encode(pairs);
            let params = read::Params::parse(body.as_bytes()).unwrap();
            let body = verify::SignedBody::Form(&params);
            let request = verify::SignedRequest { url, body, signature: Some(signature), settings: None };
            verify::twilio(&request, keys).is_ok()
        };
        prop_assert!(verdict(&url, &pairs, &signature, &keys));
        let others = verify::TwilioKeys { auth_tokens: vec!["other".into()], shared: vec![] };
        prop_assert!(!verdict(&url, &pairs, &signature, &others));
        prop_assert!(!verdict(&url, &pairs, &signature.to_lowercase(), &keys) || signature == signature.to_lowercase());
        let longer = [url.as_str(), "x"].concat();
        prop_assert!(!verdict(&longer, &pairs, &signature, &keys));
        let mut more = pairs.clone();
        more.push(("Extra", &extra));
        prop_assert_eq!(verdict(&url, &more, &signature, &keys), pairs.contains(&("Extra", &extra)));
    }

    #[test]
    fn arbitrary_requests_are_never_believed(
        body in vec(any::<u8>(), 0..200),
        signature in any::<String>(),
        header in any::<String>(),
        url in any::<String>(),
    ) {
        let settings = Some(header.as_str()).filter(|header| header.len() % 2 == 0);
        let keys = verify::TwilioKeys {
            auth_tokens: vec!["token".into()],
            shared: vec!["k:SHA256:secret".parse().unwrap()],
        };
        let params = read::Params::parse(&body).unwrap_or_default();
        for body in [verify::SignedBody::Form(&params), verify::SignedBody::Raw(&body)] {
            let request = verify::SignedRequest { url: &url, body, signature: Some(&signature), settings };
            prop_assert!(verify::twilio(&request, &keys).is_err());
        }
        prop_assert!(verify::waha(&body, Some(&signature), None, &"secret".into()).is_err());
        let secrets = ["secret".into()];
        prop_assert!(verify::chatwoot(&body, Some(&signature), Some(&header), &secrets, now()).is_err());
    }
}
