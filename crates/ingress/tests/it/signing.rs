//! Signs requests as the providers do, from their descriptions and not with the code under test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::http::Request;

pub(crate) const BASE: &str = "https://bot.postduif.test";
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(crate) const TWILIO_TOKEN: &str = "twilio-token-of-tests";
pub(crate) const WAHA_SECRET: &str = "waha-secret-of-tests";
pub(crate) const CHATWOOT_SECRET: &str = "chatwoot-secret-of-tests";
pub(crate) const CHATWOOT_PATH_TOKEN: &str = "an-unguessable-path";

pub(crate) const WHATSAPP: &str = "/webhooks/twilio/whatsapp";
pub(crate) const STATUS: &str = "/webhooks/twilio/status";
pub(crate) const WAHA: &str = "/webhooks/waha";
pub(crate) const CHATWOOT: &str = "/webhooks/chatwoot";

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

type Pairs<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn encode(pairs: Pairs<'_>) -> String {
    let escape = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b' ' => "+".to_owned(),
            b if b.is_ascii_alphanumeric() || b"-_.".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pair = |(name, value): &(&str, &str)| format!("{}={}", escape(name), escape(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn mac<M: Mac + KeyInit>(key: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// `X-Twilio-Signature` over a URL and parameters.
pub(crate) fn twilio_signature(token: &str, url: &str, pairs: Pairs<'_>) -> String {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    STANDARD.encode(mac::<Hmac<Sha1>>(token, &[text.as_bytes()]))
}

/// The same with a shared key and SHA-256.
pub(crate) fn shared_key_signature(secret: &str, url: &str, pairs: Pairs<'_>) -> String {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text = text + name + value;
    }
    STANDARD.encode(mac::<Hmac<Sha256>>(secret, &[text.as_bytes()]))
}

/// A genuine form of Twilio to this path and query.
pub(crate) fn twilio_form(target: &str, pairs: Pairs<'_>) -> Request {
    let signature = twilio_signature(TWILIO_TOKEN, &format!("{BASE}{target}"), pairs);
    Request::post(target, encode(pairs))
        .header("Content-Type", FORM)
        .header("X-Twilio-Signature", signature)
}

/// A body of any bytes that Twilio signed as if they were a form with these raw pairs.
pub(crate) fn twilio_raw(body: &[u8], pairs: &[(&[u8], &[u8])]) -> Request {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let url = format!("{BASE}{WHATSAPP}");
    let mut parts = vec![url.as_bytes()];
    for (name, value) in sorted {
        parts.extend([name, value]);
    }
    let signature = STANDARD.encode(mac::<Hmac<Sha1>>(TWILIO_TOKEN, &parts));
    Request::post(WHATSAPP, body)
        .header("Content-Type", FORM)
        .header("X-Twilio-Signature", signature)
}

/// A genuine JSON body of Twilio, with its hash in the URL.
pub(crate) fn twilio_json(body: &[u8]) -> Request {
    twilio_json_to(WHATSAPP, body)
}

/// The same, to any path.
pub(crate) fn twilio_json_to(path: &str, body: &[u8]) -> Request {
    let hash = hex::encode(Sha256::digest(body));
    let target = format!("{path}?bodySHA256={hash}");
    let signature = twilio_signature(TWILIO_TOKEN, &format!("{BASE}{target}"), &[]);
    Request::post(&target, body)
        .header("Content-Type", "application/json")
        .header("X-Twilio-Signature", signature)
}

/// The parameters of a text message.
pub(crate) fn text_message<'a>(sid: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("MessageSid", sid),
        ("AccountSid", ACCOUNT),
        ("From", "whatsapp:+31612345678"),
        ("To", "whatsapp:+14155238886"),
        ("Body", text),
        ("NumMedia", "0"),
        ("ProfileName", "John Doe"),
    ]
}

/// A genuine text message of Twilio.
pub(crate) fn twilio_message(sid: &str, text: &str) -> Request {
    twilio_form(WHATSAPP, &text_message(sid, text))
}

/// A genuine webhook of WAHA.
pub(crate) fn waha(body: impl AsRef<[u8]>) -> Request {
    let body = body.as_ref();
    let hash = hex::encode(mac::<Hmac<Sha512>>(WAHA_SECRET, &[body]));
    Request::post(WAHA, body)
        .header("Content-Type", "application/json")
        .header("X-Webhook-Hmac", hash)
        .header("X-Webhook-Hmac-Algorithm", "sha512")
}

/// A `message` event of WAHA that happened now.
pub(crate) fn waha_message(key: &str, text: &str) -> serde_json::Value {
    serde_json::json!({
        "id": "evt_01", "event": "message", "session": "default",
        "timestamp": Timestamp::now().as_millisecond(),
        "me": {"id": "31201234567@c.us"},
        "payload": {
            "id": format!("false_31612345678@c.us_{key}"), "from": "31612345678@c.us",
            "fromMe": false, "body": text, "hasMedia": false,
            "_data": {"notifyName": "John Doe"},
        },
    })
}

/// A genuine webhook of Chatwoot, signed this many seconds ago.
pub(crate) fn chatwoot_aged(body: impl AsRef<[u8]>, age: i64) -> Request {
    let body = body.as_ref();
    let timestamp = (Timestamp::now().as_second() - age).to_string();
    let hash = mac::<Hmac<Sha256>>(CHATWOOT_SECRET, &[timestamp.as_bytes(), b".", body]);
    Request::post(CHATWOOT, body)
        .header("Content-Type", "application/json")
        .header("X-Chatwoot-Timestamp", timestamp)
        .header(
            "X-Chatwoot-Signature",
            format!("sha256={}", hex::encode(hash)),
        )
}

pub(crate) fn chatwoot(body: impl AsRef<[u8]>) -> Request {
    chatwoot_aged(body, 0)
}

/// A `message_created` event of Chatwoot in a pending conversation.
pub(crate) fn chatwoot_message(id: u64, text: &str) -> serde_json::Value {
    serde_json::json!({
        "event": "message_created", "id": id, "content": text, "message_type": "incoming",
        "private": false, "account": {"id": 1, "name": "Garage"},
        "sender": {"id": 7, "name": "John Doe", "phone_number": "+31612345678"},
        "conversation": {
            "id": 42, "status": "pending", "meta": {}, "channel": "Channel::Whatsapp",
            "contact_inbox": {"id": 9, "source_id": "31612345678"},
        },
    })
}
