use super::*;
use crate::chatwoot::ConversationStatus;
use crate::provider::Provider;

fn conversation() -> Conversation {
    Conversation {
        id: 7,
        customer: "+31612345678".to_owned(),
        name: Some("Jan".to_owned()),
        status: ConversationStatus::Pending,
        assignee: None,
    }
}

#[test]
fn a_message_has_the_documented_fields() {
    let message = CustomerMessage::text(Provider::Chatwoot, "+31612345678", "Hoi");
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let body = webhook_body(3, &conversation(), 1_001, &message, now);
    assert_eq!(body["event"], "message_created");
    assert_eq!(body["id"], 1_001);
    assert_eq!(body["content"], "Hoi");
    assert_eq!(body["message_type"], "incoming");
    assert_eq!(body["private"], false);
    assert_eq!(body["created_at"], "2026-11-22T10:00:00Z");
    assert_eq!(body["sender"]["type"], "contact");
    assert_eq!(body["sender"]["phone_number"], "+31612345678");
    assert_eq!(body["account"]["id"], 3);
    assert_eq!(body["conversation"]["id"], 7);
    assert_eq!(body["conversation"]["status"], "pending");
    assert_eq!(body["conversation"]["meta"]["assignee"], Value::Null);
    assert_eq!(body["conversation"]["timestamp"], 1_795_341_600);
    assert!(body.get("attachments").is_none());
}

#[test]
fn opening_tells_two_events_with_both_statuses() {
    let change = StatusChange {
        conversation: Conversation {
            status: ConversationStatus::Open,
            assignee: Some("Petra".to_owned()),
            ..conversation()
        },
        before: ConversationStatus::Pending,
    };
    let bodies = status_bodies(1, &change, Timestamp::UNIX_EPOCH);
    let events: Vec<_> = bodies.iter().map(|body| &body["event"]).collect();
    assert_eq!(
        events,
        ["conversation_status_changed", "conversation_opened"]
    );
    assert_eq!(bodies[0]["id"], 7);
    assert_eq!(bodies[0]["status"], "open");
    assert_eq!(bodies[0]["meta"]["assignee"]["name"], "Petra");
    let changed = &bodies[0]["changed_attributes"][0]["status"];
    assert_eq!(changed["previous_value"], "pending");
    assert_eq!(changed["current_value"], "open");
}

#[test]
fn the_body_is_signed_with_its_time_and_every_tampering_shows() {
    let config = SimulatorConfig::for_ingress("http://ingress:8080");
    let valid = |tamper: Option<Tamper>| {
        let message = CustomerMessage {
            tamper,
            ..CustomerMessage::text(Provider::Chatwoot, "+31612345678", "Eén")
        };
        let webhook = inbound_webhook(&config, &conversation(), 1, &message);
        let header = |name: &str| {
            let mut headers = webhook.headers.iter();
            let (_, value) = headers.find(|(found, _)| found == name)?;
            Some(value.as_str())
        };
        let timestamp: i64 = header("x-chatwoot-timestamp").unwrap().parse().unwrap();
        let fresh = (Timestamp::now().as_second() - timestamp).abs() < 300;
        let expected = sign("fake-chatwoot-secret", timestamp, &webhook.body);
        fresh && header("x-chatwoot-signature") == Some(expected.as_str())
    };
    assert!(valid(None));
    for tamper in [
        Tamper::BadSignature,
        Tamper::MissingSignature,
        Tamper::WrongToken,
        Tamper::AlteredBody,
        Tamper::WrongAlgorithm,
        Tamper::StaleTimestamp,
    ] {
        assert!(!valid(Some(tamper)), "{tamper:?}");
    }
}
