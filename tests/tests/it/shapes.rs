//! What the simulator plays has the shape of what providers send, and ingress reads it as what it is.

use ingress::{Event, Reading, read};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared_types::InboundMessage;
use simulator::waha::{Engine, Session, webhook_body};
use simulator::{CustomerMessage, Provider};

const CHAT: &str = "false_31612345678@c.us_3AEB0000000000000001";

fn body(engine: Engine, message: &Value) -> Value {
    let session = Session {
        name: "default",
        engine,
        me: "31200000000@c.us",
    };
    let message: CustomerMessage = serde_json::from_value(message.clone()).unwrap();
    let message = CustomerMessage {
        provider: Provider::Waha,
        from: "+31612345678".into(),
        name: Some("Sanne".into()),
        ..message
    };
    webhook_body(session, CHAT, &message, Timestamp::now())
}

fn read_of(engine: Engine, message: &Value) -> InboundMessage {
    let body = body(engine, message).to_string();
    let reading = read::waha(
        body.as_bytes(),
        Timestamp::now(),
        SignedDuration::from_hours(1),
    );
    match reading {
        Reading::Event(Event::Message(message)) => *message,
        other => panic!("{engine:?} {message}: {other:?}"),
    }
}

const ENGINES: [Engine; 3] = [Engine::Webjs, Engine::Noweb, Engine::Gows];

#[test]
fn every_engine_of_the_simulator_is_read_alike() {
    const CARD: &str = "BEGIN:VCARD\nFN:Piet\nTEL;waid=31611111111:+31 6 11111111\nEND:VCARD";
    for engine in ENGINES {
        let read = |message: Value| read_of(engine, &message);
        let text = read(json!({
            "text": "Ja graag", "reply_to": "true_31612345678@c.us_3EB0", "forwarded": true,
            "referral": {"source_type": "ad", "source_id": "1", "ctwa_clid": "x"},
        }));
        assert_eq!((text.content.as_str(), text.forwarded), ("Ja graag", true));
        assert_eq!(text.sender.name.as_deref(), Some("Sanne"));
        assert_eq!(text.reply_to.unwrap().message_id.as_str(), "3EB0");
        assert_eq!(text.referral.unwrap().click_id.as_deref(), Some("x"));

        let place = read(json!({
            "location": {"latitude": 52.1, "longitude": 5.1, "label": "Werkplaats", "address": "Dorpsstraat 1"},
        }));
        let location = place.location.unwrap();
        assert_eq!(
            place.content, "",
            "{engine:?}: a picture of the map is no text"
        );
        assert_eq!(location.label.as_deref(), Some("Werkplaats"));
        assert_eq!(location.address.as_deref(), Some("Dorpsstraat 1"));

        let tapped = read(json!({"button": {"text": "Ja", "payload": "yes"}}));
        let button = tapped.button.unwrap();
        assert_eq!(
            (button.text.as_str(), button.payload.as_deref()),
            ("Ja", Some("yes"))
        );

        let contact = read(json!({"media": [{"content_type": "text/vcard", "content": CARD}]}));
        assert_eq!(contact.content, "");
        let words = contact.attachments[0].text.as_deref();
        assert_eq!(words, Some("Piet, +31611111111"), "{engine:?}");

        for (kind, caption) in [
            ("image/jpeg", "deze"),
            ("image/webp", ""),
            ("audio/ogg; codecs=opus", ""),
            ("video/mp4", ""),
            ("application/pdf", "de offerte"),
        ] {
            let file = read(json!({
                "text": caption, "media": [{"content_type": kind, "url": "http://waha/api/files/x"}],
            }));
            assert_eq!(file.content, caption, "{engine:?} {kind}");
            assert_eq!(file.attachments[0].content_type.as_deref(), Some(kind));
        }
    }
}

#[test]
fn the_simulators_payloads_have_the_fields_of_real_ones() {
    let cases = test_support::fixture("cases/waha.json");
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    let real = |name: &str| {
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        case["body"]["payload"].clone()
    };
    let keys = |value: &Value| {
        let names = value.as_object().unwrap().keys().cloned();
        names.collect::<std::collections::BTreeSet<_>>()
    };
    for (engine, name) in [
        (Engine::Webjs, "webjs__message_text_reply"),
        (Engine::Noweb, "noweb__message_text"),
        (Engine::Gows, "gows__address_lid_with_number"),
    ] {
        let (played, real) = (body(engine, &json!({"text": "Hoi"})), real(name));
        let payload = &played["payload"];
        assert_eq!(keys(payload), keys(&real), "{name}");
        let (own, theirs) = (&payload["_data"], &real["_data"]);
        assert!(keys(own).is_subset(&keys(theirs)), "{name}: {own}");
        for within in ["id", "key", "message", "Info", "Message"] {
            if !own[within].is_null() {
                assert!(
                    keys(&own[within]).is_subset(&keys(&theirs[within])),
                    "{name} {within}: {own}"
                );
            }
        }
    }
}
