//! Every file under `tests/fixtures/<provider>/<event>__<case>` through the pure readers.

use ingress::{Event, Reading, read};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use shared_types::{ColleagueMessage, ControlEvent, DeliveryEvent, InboundMessage};
use streams::NewEntry;

/// The time at which the fixtures arrive; those of WAHA carry the same.
const NOW: i64 = 1_780_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn twilio(event: &str, body: &[u8]) -> Reading {
    let params = read::Params::parse(body).unwrap();
    match event {
        "status" => read::twilio_status(&params, "oid=ob_0123", now()),
        _ => read::twilio_message(&params, now()),
    }
}

fn waha(_: &str, body: &[u8]) -> Reading {
    read::waha(body, now(), SignedDuration::from_hours(1))
}

fn chatwoot(_: &str, body: &[u8]) -> Reading {
    read::chatwoot(body, "delivery-1", Some(9), now())
}

/// What became of a webhook, as a reviewer wants to read it.
fn shown(reading: Reading) -> Value {
    match reading {
        Reading::Event(event) => {
            let queue = event.queue().as_str();
            let entry = event.entry(None).unwrap();
            assert_round_trip(&event, &entry);
            json!({
                "queue": queue, "kind": entry.kind, "event": entry.event,
                "conversation": entry.conversation, "mailbox": entry.mailbox,
                "payload": serde_json::from_str::<Value>(&entry.payload).unwrap(),
            })
        }
        Reading::Ignored(reason) => json!({ "ignored": reason }),
        Reading::Written(written) => json!({
            "written": written.message.id, "conversations": written.conversations,
            "to": written.message.to, "by": written.message.by, "content": written.message.content,
            "attachments": written.message.attachments,
        }),
        Reading::Again(message) => json!({ "again": message.id }),
        Reading::Rejected(rejection) => json!({
            "rejected": rejection.code, "message": rejection.message, "id": rejection.event_id,
        }),
        Reading::Session {
            session,
            status,
            working,
            timelocked,
        } => {
            json!({ "session": session, "status": status, "working": working, "timelocked": timelocked })
        }
    }
}

/// What a consumer reads is what was queued.
pub(crate) fn assert_round_trip(event: &Event, entry: &NewEntry) {
    match event {
        Event::Message(message) => {
            let read: InboundMessage = serde_json::from_str(&entry.payload).unwrap();
            assert_eq!(read, **message);
        }
        Event::Delivery(report) => {
            let read: DeliveryEvent = serde_json::from_str(&entry.payload).unwrap();
            assert_eq!(read, *report);
        }
        Event::Control { event, .. } => {
            let read: ControlEvent = serde_json::from_str(&entry.payload).unwrap();
            assert_eq!(read, *event);
        }
        Event::Colleague { message, .. } => {
            let read: ColleagueMessage = serde_json::from_str(&entry.payload).unwrap();
            assert_eq!(read, **message);
        }
    }
}

#[test]
fn every_fixture_is_read_as_its_snapshot_says() {
    type Reader = fn(&str, &[u8]) -> Reading;
    let providers: [(&str, &str, Reader); 3] = [
        ("twilio", ".form", twilio),
        ("waha", ".json", waha),
        ("chatwoot", ".json", chatwoot),
    ];
    for (provider, ending, read) in providers {
        let mut results = Map::new();
        for (file, body) in test_support::fixtures(provider) {
            let Some((event, _)) = file.split_once("__") else {
                assert_eq!(file, "signature_vectors.json", "named <event>__<case>");
                continue;
            };
            assert!(file.ends_with(ending), "{file}");
            results.insert(file.clone(), shown(read(event, &body)));
        }
        assert!(results.len() > 20, "{provider}: {}", results.len());
        insta::assert_json_snapshot!(provider, results);
    }
}
