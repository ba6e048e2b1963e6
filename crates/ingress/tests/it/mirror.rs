//! What each event of the API inbox is to us: what we showed there never goes round, and what a colleague
//! writes goes to the customer.

use ingress::read::chatwoot_with_mirror;
use ingress::{Event, MirrorConfig, Reading};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared_types::{ControlKind, Wanted};

const INBOX: u64 = 2;

fn config() -> MirrorConfig {
    MirrorConfig {
        chatwoot_mirror_inbox_id: Some(INBOX),
        chatwoot_mirror_assignee_id: Some(99),
        chatwoot_mirror_send_automation: false,
    }
}

fn read_with(config: &MirrorConfig, event: &Value) -> Reading {
    let body = serde_json::to_vec(event).unwrap();
    chatwoot_with_mirror(&body, "delivery", Some(1), config, Timestamp::UNIX_EPOCH)
}

fn read(event: &Value) -> Reading {
    read_with(&config(), event)
}

/// `json!` with fields replaced; null takes one away.
fn with(mut event: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn message(changes: &Value) -> Value {
    let event = json!({
        "event": "message_created", "id": 1001, "content": "Kom gerust langs",
        "content_type": "text", "content_attributes": {}, "additional_attributes": {},
        "message_type": "outgoing", "private": false, "source_id": null,
        "created_at": "2026-11-28T20:00:00Z",
        "sender": {"id": 11, "name": "Petra", "type": "user"},
        "inbox": {"id": INBOX}, "account": {"id": 1},
        "conversation": {"id": 5001, "status": "pending", "inbox_id": INBOX,
            "contact_inbox": {"source_id": "whatsapp:+31612345678"}, "meta": {}},
    });
    with(event, changes)
}

fn state(status: &str, changes: &Value) -> Value {
    let event = json!({
        "event": "conversation_status_changed", "id": 5001, "status": status, "inbox_id": INBOX,
        "contact_inbox": {"source_id": "whatsapp:+31612345678"}, "meta": {"assignee": null},
        "account": {"id": 1},
    });
    with(event, changes)
}

fn ignored(event: &Value) -> &'static str {
    match read(event) {
        Reading::Ignored(reason) => reason,
        other => panic!("{event}: {other:?}"),
    }
}

fn wanted(config: &MirrorConfig, event: &Value) -> Wanted {
    match read_with(config, event) {
        Reading::Event(Event::Colleague { message, .. }) => message.mirrored.unwrap().wanted,
        other => panic!("{event}: {other:?}"),
    }
}

#[test]
fn every_kind_of_message_has_its_verdict() {
    let nobody = Value::Null;
    for (changes, reason) in [
        // Ours, by its mark alone: who is the sender does not matter, nor which attributes survived.
        (
            json!({"message_type": "incoming", "source_id": "pd:twilio:message:SM1", "sender": {"id": 9}}),
            "own_message",
        ),
        (json!({"source_id": "pd:ob_1"}), "own_message"),
        (
            json!({"source_id": "pd:ob_1", "sender": nobody, "content_attributes": {"external_echo": true}}),
            "own_message",
        ),
        (
            json!({"sender": {"id": 1, "type": "agent_bot"}}),
            "own_message",
        ),
        (
            json!({"message_type": "incoming", "sender": {"id": 9}}),
            "not_outgoing",
        ),
        (
            json!({"message_type": "template", "sender": nobody}),
            "not_outgoing",
        ),
        (
            json!({"message_type": "activity", "sender": nobody}),
            "not_outgoing",
        ),
        (json!({"private": true}), "private_note"),
        (
            json!({"content_type": "input_csat", "sender": nobody}),
            "survey",
        ),
        (
            json!({"additional_attributes": {"campaign_id": 7}}),
            "campaign",
        ),
        (
            json!({"sender": nobody, "content_attributes": {"automation_rule_id": 3}}),
            "automation",
        ),
        (json!({"content_attributes": {"deleted": true}}), "deleted"),
        (json!({"content": ""}), "empty"),
        (
            json!({"sender": {"id": 9, "type": "contact"}}),
            "not_a_colleague",
        ),
    ] {
        assert_eq!(ignored(&message(&changes)), reason, "{changes}");
    }
    let echo = json!({"sender": nobody, "content_attributes": {"external_echo": true, "external_sender_name": "Anna"}});
    for (changes, expected) in [
        (json!({}), Wanted::Answer),
        // A macro: a person pressed it.
        (
            json!({"sender": nobody, "performed_by": {"type": "user", "id": 11}}),
            Wanted::Answer,
        ),
        (json!({"sender": nobody}), Wanted::Answer),
        (echo, Wanted::Delivered),
    ] {
        assert_eq!(wanted(&config(), &message(&changes)), expected, "{changes}");
    }
    let sends = MirrorConfig {
        chatwoot_mirror_send_automation: true,
        ..config()
    };
    let rule = json!({"sender": nobody, "content_attributes": {"automation_rule_id": 3}});
    assert_eq!(wanted(&sends, &message(&rule)), Wanted::Automation);
}

#[test]
fn an_answer_says_who_wrote_what_where_and_is_one_however_often_it_is_told() {
    let Reading::Event(event) = read(&message(&json!({"content": "Ja hoor\\\nTot dan"}))) else {
        panic!("no event")
    };
    let entry = event.entry(None).unwrap();
    assert!(entry.fences);
    assert_eq!(entry.conversation, "whatsapp:+31612345678");
    let again = read(&message(
        &json!({"performed_by": {"type": "user", "id": 11}}),
    ));
    let Reading::Event(again) = again else {
        panic!("no event")
    };
    assert_eq!(again.entry(None).unwrap().event, entry.event);
    let Event::Colleague { message, .. } = event else {
        panic!("no message")
    };
    assert_eq!(message.content, "Ja hoor\nTot dan");
    assert_eq!(message.by.as_deref(), Some("Petra"));
    assert_eq!(message.mirrored.unwrap().agent, Some(11));
    // One of another server with the same number is another one.
    let other = json!({"created_at": "2026-12-01T20:00:00Z"});
    let Reading::Event(other) = read(&self::message(&other)) else {
        panic!("no event")
    };
    assert_ne!(other.entry(None).unwrap().event, entry.event);
}

#[test]
fn a_message_that_has_its_error_no_more_is_wanted_again() {
    let updated = |changes: Value| with(message(&json!({"event": "message_updated"})), &changes);
    assert!(matches!(read(&updated(json!({}))), Reading::Again(_)));
    for changes in [
        json!({"content_attributes": {"external_error": "no window"}}),
        json!({"content_attributes": {"deleted": true}}),
        json!({"content_attributes": {"external_echo": true}, "sender": null}),
        json!({"source_id": "pd:ob_1"}),
        json!({"private": true}),
        json!({"message_type": "incoming"}),
    ] {
        assert!(
            matches!(read(&updated(changes.clone())), Reading::Ignored(_)),
            "{changes}"
        );
    }
}

#[test]
fn states_are_what_people_did_and_not_what_we_or_chatwoot_did() {
    let by = |kind: &str| json!({"type": kind, "id": 11});
    let petra = json!({"assignee": {"id": 11, "name": "Petra"}, "assignee_type": "User"});
    let ours = json!({"assignee": {"id": 99, "name": "Balie"}, "assignee_type": "User"});
    let kind = |event: &Value| match read(event) {
        Reading::Event(Event::Control { event, .. }) => Some((event.kind, event.by)),
        Reading::Ignored(_) => None,
        other => panic!("{other:?}"),
    };
    let kinds = |event: Value| kind(&event).map(|(kind, _)| kind);
    let user = "Chatwoot user 11".to_owned();
    assert_eq!(
        kind(&state("open", &json!({"performed_by": by("user")}))),
        Some((ControlKind::HumanTookOver, Some(user)))
    );
    for performer in ["agent_bot", "contact", "automation_rule", "inbox"] {
        assert_eq!(
            kinds(state(
                "open",
                &json!({"performed_by": by(performer), "meta": petra})
            )),
            None
        );
    }
    // Older servers do not say.
    assert_eq!(kinds(state("open", &json!({}))), None);
    assert_eq!(
        kinds(state("open", &json!({"meta": petra}))),
        Some(ControlKind::HumanTookOver)
    );
    assert_eq!(kinds(state("open", &json!({"meta": ours}))), None);
    assert_eq!(
        kinds(state("pending", &json!({"meta": petra}))),
        Some(ControlKind::HumanTookOver)
    );
    assert_eq!(
        kinds(state("pending", &json!({"performed_by": by("user")}))),
        Some(ControlKind::Released)
    );
    assert_eq!(
        kinds(state("resolved", &json!({}))),
        Some(ControlKind::Resolved)
    );
    assert_eq!(
        kinds(state("snoozed", &json!({"performed_by": by("user")}))),
        None
    );
    // She lets go of it, which takes nothing over; with a status it is what that says.
    let dropped = json!([{"assignee_id": {"previous_value": 11, "current_value": null}}]);
    let updated = |changes: Value| {
        let body = json!({"event": "conversation_updated", "performed_by": by("user"),
            "changed_attributes": changes});
        kinds(state("open", &body))
    };
    assert_eq!(updated(dropped), None);
    assert_eq!(
        updated(json!([{"assignee_id": {"current_value": null}}, {"status": {}}])),
        Some(ControlKind::HumanTookOver)
    );
    let labelled =
        json!({"event": "conversation_updated", "changed_attributes": [{"cached_label_list": {}}]});
    assert_eq!(kinds(state("open", &labelled)), None);
}

#[test]
fn what_is_no_conversation_of_ours_is_left_alone_and_another_inbox_is_read_as_before() {
    let strange = json!({"id": 5, "status": "open", "contact_inbox": {"source_id": "0b1c-uuid"}});
    assert_eq!(
        ignored(&message(&json!({"conversation": strange}))),
        "unknown_conversation"
    );
    let helpdesk = json!({"id": 5, "contact_inbox": {"source_id": "chatwoot:1:5"}});
    assert_eq!(
        ignored(&message(&json!({"conversation": helpdesk}))),
        "unknown_conversation"
    );
    let other = message(&json!({"inbox": {"id": 1}}));
    assert!(matches!(read(&other), Reading::Written(_)));
    for unusable in [
        json!({"id": null}),
        json!({"account": null}),
        json!({"conversation": null}),
    ] {
        assert!(matches!(read(&message(&unusable)), Reading::Rejected(_)));
    }
}

/// Chatwoot's events overtake each other; newer servers say to which moment each belongs.
#[test]
fn a_change_of_hands_says_when_the_server_made_it() {
    let changed = |more: Value| match read(&state("resolved", &more)) {
        Reading::Event(Event::Control { event, .. }) => event.changed_at,
        other => panic!("{other:?}"),
    };
    let at = "2026-11-28T20:00:00.25Z".parse().unwrap();
    assert_eq!(changed(json!({"updated_at": 1_795_896_000.25})), Some(at));
    for nothing in [
        json!({}),
        json!({"updated_at": "soon"}),
        json!({"updated_at": 1e300}),
    ] {
        assert_eq!(changed(nothing), None);
    }
}
