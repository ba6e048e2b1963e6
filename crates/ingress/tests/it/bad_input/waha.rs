use serde_json::{Value, json};

use super::Counted::{BadSignature, Ended, Ignored};
use super::Kept::{Before, Nowhere, Queued, Rejected};
use super::{Row, check, nested};
use crate::http::Request;
use crate::signing::{WAHA, WAHA_SECRET, waha, waha_message};
use crate::support::Rig;

const REFUSED: (u16, &str) = (403, "invalid_signature");
const TAKEN: (u16, &str) = (200, "");

fn message(key: &str) -> Request {
    waha(waha_message(key, "hoi").to_string())
}

/// A message with one value changed, signed as it is.
fn with(key: &str, pointer: &str, value: Value) -> Request {
    let mut event = waha_message(key, "hoi");
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[field] = value;
    waha(event.to_string())
}

fn without(key: &str, parent: &str, field: &str) -> Request {
    let mut event = waha_message(key, "hoi");
    let object = event.pointer_mut(parent).unwrap().as_object_mut();
    object.unwrap().remove(field);
    waha(event.to_string())
}

/// The event as text, with a piece of it replaced.
fn rewritten(key: &str, from: &str, to: &str) -> Request {
    let text = waha_message(key, "hoi").to_string();
    assert!(text.contains(from), "{text}");
    waha(text.replacen(from, to, 1))
}

fn signatures() -> Vec<Row> {
    let good = message("A1");
    let hash = good.headers[1].1.clone();
    let signed = |value: &str| {
        good.clone()
            .without("X-Webhook-Hmac")
            .header("X-Webhook-Hmac", value)
    };
    let algorithm = |name: &str| {
        good.clone()
            .without("X-Webhook-Hmac-Algorithm")
            .header("X-Webhook-Hmac-Algorithm", name)
    };
    let mut altered = good.clone();
    altered.body.push(b' ');
    let mut cut = good.clone();
    cut.body.pop();
    let row = |what, request| (what, request, REFUSED, BadSignature, Nowhere);
    vec![
        row("no signature", good.clone().without("X-Webhook-Hmac")),
        row("an empty signature", signed("")),
        row("another signature", signed(&"0".repeat(128))),
        row("half a signature", signed(hash.split_at(64).0)),
        row("its upper case", signed(&hash.to_uppercase())),
        row("the secret itself", signed(WAHA_SECRET)),
        row(
            "a signature twice",
            good.clone().header("X-Webhook-Hmac", hash.clone()),
        ),
        row("another algorithm", algorithm("sha256")),
        row("no algorithm at all", algorithm("none")),
        row("an altered body", altered),
        row("a truncated body", cut),
        row("nothing at all", Request::post(WAHA, "")),
    ]
}

#[test]
fn what_is_not_genuine_is_refused_and_kept_nowhere() {
    let rig = Rig::start(&[]);
    check("waha", &rig, signatures());
}

fn contents() -> Vec<Row> {
    let rejected = |what, request, code| (what, request, (400, code), Ended("invalid"), Rejected);
    let queued = |what, request| (what, request, TAKEN, Ended("queued"), Queued);
    let ignored = |what, request| (what, request, TAKEN, Ignored, Nowhere);
    let large = waha(format!("{{\"event\":\"{}\"}}", "x".repeat(1024 * 1024)));
    let deep = format!("\"_data\":{}", nested(10_000));
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        rejected("nothing, signed", waha(""), "malformed_json"),
        rejected("no JSON", waha("event=message"), "malformed_json"),
        rejected("JSON that is cut off", waha("{\"event\":\"message\""), "malformed_json"),
        rejected("JSON that is no object", waha("[1]"), "malformed_json"),
        rejected("two values", waha("{\"event\":\"x\"} {}"), "malformed_json"),
        rejected("not UTF-8", waha(b"{\"event\":\"\xff\"}"), "malformed_json"),
        rejected("UTF-16", waha(utf16), "malformed_json"),
        rejected("a byte order mark", waha("\u{feff}{\"event\":\"x\"}"), "malformed_json"),
        rejected("nested", rewritten("A1", "\"_data\":{\"notifyName\":\"John Doe\"}", &deep), "malformed_json"),
        rejected("the event twice", waha(r#"{"event":"message","event":"x"}"#), "malformed_json"),
        rejected("a lone surrogate", rewritten("A2", "hoi", "\\ud83d"), "malformed_json"),
        rejected("no event", waha("{}"), "malformed_json"),
        rejected("no payload", without("A3", "", "payload"), "invalid_payload"),
        rejected("no id", without("A4", "/payload", "id"), "invalid_payload"),
        rejected("an id that is a number", with("A5", "/payload/id", 5.into()), "invalid_payload"),
        rejected("an id with a null byte", with("A6", "/payload/id", "a\u{0}".into()), "invalid_message_id"),
        rejected("an endless id", with("A7", "/payload/id", "a".repeat(5_000).into()), "invalid_message_id"),
        rejected("no time", {
            let mut event = waha_message("A8", "hoi");
            event.as_object_mut().unwrap().remove("timestamp");
            waha(event.to_string())
        }, "missing_timestamp"),
        rejected("a time out of range", with("A9", "/timestamp", 1e300.into()), "missing_timestamp"),
        rejected("too long", with("A10", "/payload/body", "x".repeat(65_537).into()), "message_too_long"),
        rejected("an ack without its number", waha(json!({"event": "message.ack", "payload": {"id": "true_1@c.us_A"}}).to_string()), "invalid_payload"),
        ("expired", with("B1", "/timestamp", 1_700_000_000_000_u64.into()),
            (403, "stale_timestamp"), Ended("invalid"), Rejected),
        ("from the future", with("B2", "/timestamp", 4_000_000_000_000_u64.into()),
            (403, "stale_timestamp"), Ended("invalid"), Rejected),
        ("too large", large, (413, "body_too_large"), Ended("invalid"), Nowhere),
        ignored("empty", with("A11", "/payload/body", "\u{0} ".into())),
        ("a session with a line break", with("A12", "/session", "a\nb".into()), (400, "invalid_session"),
            Ended("invalid"), Rejected),
        queued("as long as it may be", with("A13", "/payload/body", "x".repeat(65_536).into())),
        queued("nothing but a tag", with("A14", "/payload/body", "<b></b>".into())),
        queued("null bytes", with("C1", "/payload/body", "a\u{0}b".into())),
        queued("another content type", message("C2").without("Content-Type").header("Content-Type", "text/plain")),
        queued("no content type", message("C3").without("Content-Type")),
        queued("no name of the algorithm", message("C4").without("X-Webhook-Hmac-Algorithm")),
        queued("unknown fields", with("C5", "/payload/new", nested(3).into())),
        queued("a field of the payload twice", rewritten("C6", "\"body\":\"hoi\"", "\"body\":\"a\",\"body\":\"b\"")),
        ("replayed", message("C2"), TAKEN, Ended("duplicate"), Before),
        ignored("an address of an unknown kind", with("D1", "/payload/from", "31612345678@telegram".into())),
        ignored("no address", with("D2", "/payload/from", "".into())),
        ignored("an ack of an unknown kind", waha(json!({"event": "message.ack", "payload": {"id": "true_1@c.us_A", "fromMe": true, "ack": 9}}).to_string())),
    ]
}

#[test]
fn what_is_genuine_but_not_usable_is_kept_as_rejected() {
    let rig = Rig::start(&[]);
    check("waha", &rig, contents());
}
