//! A colleague writes past us: on the telephone, in the help desk. Against what egress noted of its sends.

use serde_json::{Value, json};
use test_support::RedisServer;

use crate::signing::{chatwoot, chatwoot_message, waha, waha_message};
use crate::support::{Rig, stream};

const PHONE: &str = "waha:default:31612345678@c.us";

/// `message.any` of a message from our side of the customer's chat.
fn from_our_side(key: &str, text: &str) -> Value {
    let mut event = waha_message(key, text);
    event["event"] = "message.any".into();
    let payload = &mut event["payload"];
    payload["id"] = format!("true_31612345678@c.us_{key}").into();
    payload["from"] = "31201234567@c.us".into();
    payload["to"] = Value::Null;
    payload["fromMe"] = true.into();
    payload["source"] = "app".into();
    payload["timestamp"] = jiff::Timestamp::now().as_second().into();
    event
}

/// As egress notes a send: its intent, and the provider's id once that is known.
fn noted(redis: &RedisServer, source: &str, conversation: &str, text: &str, id: Option<&str>) {
    let payload = json!({
        "id": "ob_1", "source": source, "conversation_id": conversation, "to": "31612345678@c.us",
        "text": text, "in_reply_to": "A0", "created_at": "2026-11-22T10:00:00Z",
    });
    let state = if id.is_some() { "sent" } else { "intent" };
    let payload = payload.to_string();
    redis.run::<u64>(&["HSET", "sent:ob_1", "state", state, "payload", &payload]);
    redis.run::<u64>(&["LPUSH", &format!("sends:{conversation}"), "ob_1"]);
    if let Some((key, pid)) = id.and_then(|id| id.split_once(' ')) {
        redis.run::<u64>(&["HSET", "sent:ob_1", "pid", pid]);
        redis.run::<String>(&["SET", &format!("sid:{source}:{key}"), "ob_1"]);
    }
}

#[track_caller]
fn taken(rig: &Rig, event: &Value) {
    assert_eq!(waha(event.to_string()).send(rig.port()).status, 200);
}

fn ignored(rig: &Rig, source: &str, reason: &str) -> f64 {
    let name =
        format!("postduif_webhooks_ignored_total{{reason=\"{reason}\",source=\"{source}\"}}");
    rig.ingress.metric(&name)
}

fn colleagues(rig: &Rig, source: &str, on_the_wire: bool) -> f64 {
    rig.ingress.metric(&format!(
        "postduif_colleague_messages_total{{on_the_wire=\"{on_the_wire}\",source=\"{source}\"}}"
    ))
}

#[test]
fn what_is_written_on_the_telephone_is_a_colleagues_message_once_and_fences() {
    let rig = Rig::start(&[]);
    for _ in 0..2 {
        taken(&rig, &from_our_side("P1", "Kom morgen langs"));
    }
    let entries = stream(&rig.redis, "in:0");
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(entry.field("kind"), "colleague");
    assert_eq!(entry.field("event"), "waha:colleague:default:P1");
    assert_eq!(entry.field("conv"), PHONE);
    let message = entry.payload();
    assert_eq!(message["content"], "Kom morgen langs");
    assert_eq!(message["to"], json!(["31612345678@c.us"]));
    let fence: Vec<Option<String>> =
        rig.redis
            .run(&["HMGET", &format!("conv:{PHONE}"), "ver", "colleague"]);
    assert!(
        fence[0].as_deref() == Some("1") && fence[1].is_some(),
        "{fence:?}"
    );
    assert_eq!(colleagues(&rig, "waha", false), 1.0);
}

#[test]
fn a_message_of_ours_is_known_by_its_id_whatever_the_event_says() {
    let rig = Rig::start(&[]);
    noted(
        &rig.redis,
        "waha",
        PHONE,
        "Dag",
        Some("default:O1 true_31612345678@c.us_O1"),
    );
    taken(&rig, &from_our_side("O1", "Dag"));
    let mut hidden = from_our_side("O1", "Dag");
    hidden["payload"]["id"] = "true_4711@lid_O1".into();
    taken(&rig, &hidden);
    assert_eq!(ignored(&rig, "waha", "own_message"), 2.0);
    assert_eq!(stream(&rig.redis, "in:0"), []);
    taken(&rig, &from_our_side("P1", "Dag"));
    assert_eq!(
        colleagues(&rig, "waha", false),
        1.0,
        "she says the same as we did"
    );
}

#[test]
fn a_message_of_ours_that_comes_before_its_answer_is_known_by_its_text() {
    let rig = Rig::start(&[]);
    noted(&rig.redis, "waha", PHONE, "Dag!\n\nTot  morgen", None);
    taken(&rig, &from_our_side("O1", "Dag!\nTot morgen"));
    assert_eq!(ignored(&rig, "waha", "own_text"), 1.0);
    assert_eq!(stream(&rig.redis, "in:0"), []);
    taken(&rig, &from_our_side("P1", "Wacht, ik help u"));
    assert_eq!(stream(&rig.redis, "in:0").len(), 1);
    assert_eq!(colleagues(&rig, "waha", true), 1.0, "a request had begun");
}

#[test]
fn a_message_under_the_hidden_id_is_in_the_conversation_that_the_customer_writes_in() {
    let rig = Rig::start(&[]);
    rig.redis
        .run::<u64>(&["HSET", &format!("conv:{PHONE}"), "last_in", "1"]);
    let mut event = from_our_side("P1", "Kom morgen langs");
    event["payload"]["id"] = "true_4711@lid_P1".into();
    event["payload"]["_data"] = json!({"key": {
        "remoteJid": "4711@lid", "remoteJidAlt": "31612345678@s.whatsapp.net",
    }});
    taken(&rig, &event);
    let entries = stream(&rig.redis, "in:0");
    assert_eq!(entries[0].field("conv"), PHONE);
    let to = &entries[0].payload()["to"];
    assert_eq!(*to, json!(["4711@lid", "31612345678@c.us"]));
}

#[test]
fn a_picture_without_words_is_a_message_of_a_colleague() {
    let rig = Rig::start(&[]);
    let mut event = from_our_side("P1", "");
    event["payload"]["hasMedia"] = true.into();
    event["payload"]["media"] = json!({"url": "http://waha/1.jpg", "mimetype": "image/jpeg"});
    taken(&rig, &event);
    let entries = stream(&rig.redis, "in:0");
    assert_eq!(
        entries[0].payload()["attachments"][0]["content_type"],
        "image/jpeg"
    );
}

#[test]
fn what_is_no_message_to_a_customer_takes_nothing_over() {
    let rig = Rig::start(&[]);
    let changed = |pointer: &str, value: Value| {
        let mut event = from_our_side("P1", "Dag");
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    let year_ago = jiff::Timestamp::now().as_second() - 365 * 24 * 3_600;
    let reaction = json!({"message": {"reactionMessage": {"text": "👍"}}});
    for (event, reason) in [
        (
            changed("/payload/id", "true_31201234567@c.us_P1".into()),
            "note_to_self",
        ),
        (
            changed(
                "/payload/id",
                "true_1203630@g.us_P1_31201234567@c.us".into(),
            ),
            "group",
        ),
        (
            changed("/payload/id", "true_status@broadcast_P1".into()),
            "status",
        ),
        (changed("/payload/timestamp", year_ago.into()), "backfill"),
        (changed("/payload/body", " ".into()), "nothing_said"),
        (changed("/payload/_data", reaction), "nothing_said"),
        (changed("/event", "message.edited".into()), "own_message"),
        (changed("/event", "message.reaction".into()), "event"),
    ] {
        let before = ignored(&rig, "waha", reason);
        taken(&rig, &event);
        assert_eq!(ignored(&rig, "waha", reason), before + 1.0, "{reason}");
    }
    assert_eq!(stream(&rig.redis, "in:0"), []);
}

/// An outgoing message of Chatwoot while the conversation is pending.
fn outgoing(id: u64, sender: &Value, changes: &Value) -> Value {
    let mut event = chatwoot_message(id, "Ik kijk er even naar");
    event["message_type"] = "outgoing".into();
    event["sender"] = sender.clone();
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[test]
fn what_people_write_in_chatwoot_takes_over_also_while_the_conversation_is_pending() {
    let rig = Rig::start(&[]);
    let anna = json!({"id": 5, "name": "Anna", "type": "user"});
    let app = json!({"content_attributes": {"external_echo": true, "external_created_at": 1}});
    for (event, by) in [
        (outgoing(1, &anna, &json!({})), json!("Anna")),
        (outgoing(2, &Value::Null, &app), Value::Null),
        // A macro has no sender and no mark.
        (outgoing(3, &Value::Null, &json!({})), Value::Null),
    ] {
        assert_eq!(chatwoot(event.to_string()).send(rig.port()).status, 200);
        let entry = stream(&rig.redis, "in:0").pop().unwrap();
        assert_eq!(entry.field("kind"), "colleague");
        assert_eq!(entry.field("conv"), "chatwoot:1:42");
        assert_eq!(entry.payload()["by"], by);
    }
    assert_eq!(stream(&rig.redis, "in:0").len(), 3);
}

#[test]
fn what_nobody_wrote_in_chatwoot_takes_nothing_over() {
    let rig = Rig::start(&[]);
    let anna = json!({"id": 5, "name": "Anna", "type": "user"});
    let bot = json!({"id": 1, "type": "agent_bot"});
    // A token of a user makes our own messages look like hers.
    noted(
        &rig.redis,
        "chatwoot",
        "chatwoot:1:42",
        "Dag",
        Some("1:42:9 9"),
    );
    for (event, reason) in [
        (outgoing(1, &bot, &json!({})), "own_message"),
        (outgoing(9, &anna, &json!({})), "own_message"),
        (
            outgoing(8, &anna, &json!({"content_attributes": {"postduif": true}})),
            "own_message",
        ),
        (
            outgoing(2, &anna, &json!({"private": true})),
            "private_note",
        ),
        (
            outgoing(3, &anna, &json!({"content_type": "input_csat"})),
            "survey",
        ),
        (
            outgoing(
                4,
                &Value::Null,
                &json!({"content_attributes": {"automation_rule_id": 3}}),
            ),
            "automation",
        ),
        (
            outgoing(
                5,
                &anna,
                &json!({"additional_attributes": {"campaign_id": 3}}),
            ),
            "campaign",
        ),
        (
            outgoing(6, &Value::Null, &json!({"message_type": "template"})),
            "not_incoming",
        ),
        (outgoing(7, &anna, &json!({"content": " "})), "empty"),
    ] {
        let before = ignored(&rig, "chatwoot", reason);
        assert_eq!(
            chatwoot(event.to_string()).send(rig.port()).status,
            200,
            "{reason}"
        );
        assert_eq!(ignored(&rig, "chatwoot", reason), before + 1.0, "{reason}");
    }
    assert_eq!(stream(&rig.redis, "in:0"), []);
}

/// Chatwoot tells of every message in a pending conversation as an update, too.
#[test]
fn only_an_update_that_changes_hands_gives_a_conversation_back() {
    let rig = Rig::start(&[]);
    let changed = |name: &str| json!([{name: {"previous_value": null, "current_value": null}}]);
    for changes in [Value::Null, changed("label_list"), changed("status")] {
        let event = json!({
            "event": "conversation_updated", "id": 42, "status": "pending", "meta": {},
            "account": {"id": 1}, "changed_attributes": changes,
        });
        assert_eq!(chatwoot(event.to_string()).send(rig.port()).status, 200);
    }
    let entries = stream(&rig.redis, "in:0");
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0].payload()["kind"], "released");
}
