use serde_json::{Value, json};

use super::Counted::{BadSignature, Ended, Ignored};
use super::Kept::{Before, Nowhere, Queued, Rejected};
use super::{Row, check, nested};
use crate::http::Request;
use crate::signing::{CHATWOOT, CHATWOOT_PATH_TOKEN, chatwoot, chatwoot_aged, chatwoot_message};
use crate::support::Rig;

const REFUSED: (u16, &str) = (403, "invalid_signature");
const TAKEN: (u16, &str) = (200, "");

fn message(id: u64) -> Request {
    chatwoot(chatwoot_message(id, "hoi").to_string())
}

/// A message with one value changed, signed as it is.
fn with(id: u64, pointer: &str, value: Value) -> Request {
    let mut event = chatwoot_message(id, "hoi");
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[field] = value;
    chatwoot(event.to_string())
}

fn without(id: u64, field: &str) -> Request {
    let mut event = chatwoot_message(id, "hoi");
    event.as_object_mut().unwrap().remove(field);
    chatwoot(event.to_string())
}

fn signatures() -> Vec<Row> {
    let good = message(1);
    let [_, (_, timestamp), (_, signature)] = good.headers.clone().try_into().unwrap();
    let signed = |value: &str| {
        good.clone()
            .without("X-Chatwoot-Signature")
            .header("X-Chatwoot-Signature", value)
    };
    let timed = |value: &str| {
        good.clone()
            .without("X-Chatwoot-Timestamp")
            .header("X-Chatwoot-Timestamp", value)
    };
    let body = chatwoot_message(1, "hoi").to_string();
    let mut altered = good.clone();
    altered.body.push(b'\n');
    let mut cut = good.clone();
    cut.body.pop();
    let bare = signature.trim_start_matches("sha256=");
    let next = (timestamp.parse::<u64>().unwrap() + 1).to_string();
    let token = |token: &str| Request::post(&format!("{CHATWOOT}/{token}"), body.clone());
    let row = |what, request| (what, request, REFUSED, BadSignature, Nowhere);
    vec![
        row("no signature", good.clone().without("X-Chatwoot-Signature")),
        row("no timestamp", good.clone().without("X-Chatwoot-Timestamp")),
        row("neither", Request::post(CHATWOOT, body.clone())),
        row("an empty signature", signed("")),
        row("without its prefix", signed(bare)),
        row("another algorithm", signed(&format!("sha1={bare}"))),
        row(
            "a signature twice",
            good.clone()
                .header("X-Chatwoot-Signature", signature.clone()),
        ),
        row(
            "a timestamp twice",
            good.clone().header("X-Chatwoot-Timestamp", timestamp),
        ),
        row("another timestamp", timed(&next)),
        row("a timestamp that is no number", timed("soon")),
        row("expired", chatwoot_aged(&body, 301)),
        row("from the future", chatwoot_aged(&body, -310)),
        row("an altered body", altered),
        row("a truncated body", cut),
        row("a wrong path token", token("wrong")),
        row(
            "half a path token",
            token(CHATWOOT_PATH_TOKEN.split_at(12).0),
        ),
        row("a path token that is not UTF-8", token("%ff")),
        row("a path token with a null byte", token("%00")),
    ]
}

#[test]
fn what_is_not_genuine_is_refused_and_kept_nowhere() {
    let rig = Rig::start(&[]);
    check("chatwoot", &rig, signatures());
}

fn contents() -> Vec<Row> {
    let rejected = |what, request, code| (what, request, (400, code), Ended("invalid"), Rejected);
    let queued = |what, request| (what, request, TAKEN, Ended("queued"), Queued);
    let ignored = |what, request| (what, request, TAKEN, Ignored, Nowhere);
    let opened = |fields: Value| {
        let mut event = json!({"event": "conversation_opened", "status": "open"});
        event
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        chatwoot(event.to_string())
    };
    let large = chatwoot(format!("{{\"event\":\"{}\"}}", "x".repeat(1024 * 1024)));
    let deep = format!(
        "{{\"event\":\"x\",\"content_attributes\":{}}}",
        nested(10_000)
    );
    let by_token = Request::post(&format!("{CHATWOOT}/{CHATWOOT_PATH_TOKEN}"), "{");
    vec![
        rejected("nothing, signed", chatwoot(""), "malformed_json"),
        rejected("no JSON", chatwoot("a=b"), "malformed_json"),
        rejected(
            "JSON that is cut off",
            chatwoot("{\"event\":"),
            "malformed_json",
        ),
        rejected("JSON that is no object", chatwoot("null"), "malformed_json"),
        rejected(
            "not UTF-8",
            chatwoot(b"{\"event\":\"\xff\"}"),
            "malformed_json",
        ),
        rejected("nested", chatwoot(deep), "malformed_json"),
        rejected(
            "a key twice",
            chatwoot(r#"{"event":"x","event":"message_created"}"#),
            "malformed_json",
        ),
        rejected(
            "a lone surrogate",
            chatwoot(r#"{"event":"message_created","content":"\udc00"}"#),
            "malformed_json",
        ),
        rejected("no event", chatwoot("{}"), "malformed_json"),
        rejected(
            "an id that is a text",
            with(1, "/id", "x".into()),
            "invalid_payload",
        ),
        rejected(
            "a negative id",
            with(1, "/id", (-1).into()),
            "invalid_payload",
        ),
        rejected("malformed, by path token", by_token, "malformed_json"),
        rejected("no id", without(1, "id"), "invalid_payload"),
        rejected(
            "no conversation",
            without(2, "conversation"),
            "invalid_payload",
        ),
        rejected("no account", without(3, "account"), "invalid_payload"),
        rejected("no sender", without(4, "sender"), "invalid_payload"),
        rejected(
            "too long",
            with(5, "/content", "x".repeat(65_537).into()),
            "message_too_long",
        ),
        rejected(
            "a conversation without its id",
            opened(json!({"account": {"id": 1}})),
            "invalid_payload",
        ),
        rejected(
            "a conversation of no account",
            opened(json!({"id": 1})),
            "invalid_payload",
        ),
        (
            "too large",
            large,
            (413, "body_too_large"),
            Ended("invalid"),
            Nowhere,
        ),
        queued("null bytes", with(10, "/content", "a\u{0}b".into())),
        queued(
            "another content type",
            message(11)
                .without("Content-Type")
                .header("Content-Type", "text/plain"),
        ),
        queued("unknown fields", with(12, "/new", json!({"a": 1}))),
        queued(
            "a phone number that is none",
            with(13, "/sender/phone_number", "0612".into()),
        ),
        queued(
            "four minutes old",
            chatwoot_aged(chatwoot_message(14, "hoi").to_string(), 240),
        ),
        ("replayed", message(11), TAKEN, Ended("duplicate"), Before),
        ignored(
            "nothing but control characters",
            with(15, "/content", "\u{0}\u{1}".into()),
        ),
        ignored(
            "an unknown kind of message",
            with(16, "/message_type", "carrier pigeon".into()),
        ),
        ignored(
            "an unknown event",
            chatwoot(r#"{"event":"webwidget_triggered"}"#),
        ),
        ignored(
            "an unknown status",
            opened(json!({"id": 1, "account": {"id": 1}, "status": "dreaming"})),
        ),
    ]
}

#[test]
fn what_is_genuine_but_not_usable_is_kept_as_rejected() {
    let rig = Rig::start(&[]);
    check("chatwoot", &rig, contents());
}
