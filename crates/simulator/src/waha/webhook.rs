use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ack, Engine, SessionStatus, history, inbound, sign};
use crate::address;
use crate::config::SimulatorConfig;
use crate::customer::{CustomerMessage, Tamper, merge_patch};
use crate::journal::Entry;
use crate::ulid::ulid;
use crate::webhook::Webhook;
use crate::world::World;

/// Where the ingress takes webhooks from WAHA.
const PATH: &str = "/webhooks/waha";

/// What every event of one session has in common.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// Name of the session.
    pub name: &'a str,
    /// Its engine.
    pub engine: Engine,
    /// Chat id of the account that is logged in.
    pub me: &'a str,
}

/// A new message id: `false_<chat>_<key>` for a message received, `true_…` for one sent.
pub fn new_id(from_me: bool, chat_id: &str) -> String {
    let key = Uuid::new_v4().simple().to_string().to_uppercase();
    let key: String = key.chars().take(20).collect();
    format!("{from_me}_{chat_id}_{key}")
}

/// The webhook body of any event: the envelope with this payload
/// (<https://waha.devlike.pro/docs/how-to/events>).
pub fn envelope(session: Session<'_>, event: &str, payload: &Value, now: Timestamp) -> Value {
    let millis = now.as_millisecond();
    json!({
        "id": format!("evt_{}", ulid(u64::try_from(millis).unwrap_or(0))),
        "timestamp": millis,
        "event": event,
        "session": session.name,
        "metadata": {},
        "me": { "id": session.me, "pushName": "Autobedrijf" },
        "payload": payload,
        "environment": {
            "version": "2026.7.1",
            "engine": session.engine.as_str(),
            "tier": "PLUS",
            "browser": null,
        },
        "engine": session.engine.as_str(),
    })
}

/// The webhook body of an inbound message. Media without a `url` count as not downloaded.
pub fn webhook_body(
    session: Session<'_>,
    id: &str,
    message: &CustomerMessage,
    now: Timestamp,
) -> Value {
    let payload = inbound::payload(session, id, message, now);
    envelope(session, "message", &payload, now)
}

/// The signed webhook of an inbound message.
pub(crate) fn inbound_webhook(
    config: &SimulatorConfig,
    session: Session<'_>,
    id: &str,
    message: &CustomerMessage,
) -> Webhook {
    let now =
        Timestamp::from_second(Timestamp::now().as_second() - Tamper::age_secs(message.tamper))
            .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut body = webhook_body(session, id, message, now);
    merge_patch(&mut body, &message.raw_fields);
    signed(config, &body, now, message.tamper)
}

/// The signed webhook of an acknowledgement for a message that was sent.
pub(crate) fn ack_webhook(
    world: &World,
    session: &str,
    id: &str,
    customer: &str,
    ack: Ack,
) -> Webhook {
    let payload = json!({
        "id": id,
        "from": address::chat_id(customer),
        "to": null,
        "participant": null,
        "fromMe": true,
        "ack": ack.number(),
        "ackName": ack.name(),
        "_data": {},
    });
    event_webhook(world, session, "message.ack", &payload)
}

/// The signed webhook of a message that was sent from the account itself.
pub(crate) fn own_message_webhook(world: &World, entry: &Entry, source: &str) -> Webhook {
    let mut payload = history::payload(entry, &world.business_chat_id(), Some(Ack::Server));
    payload["source"] = json!(source);
    event_webhook(world, &entry.business, "message.any", &payload)
}

/// The signed webhook of a change of a session's state, `history` being its last ones.
pub(crate) fn session_webhook(
    world: &World,
    session: &str,
    status: SessionStatus,
    history: &[SessionStatus],
) -> Webhook {
    let now = Timestamp::now().as_millisecond();
    let statuses: Vec<Value> = history
        .iter()
        .map(|status| json!({ "status": status, "timestamp": now }))
        .collect();
    let payload = json!({ "name": session, "status": status, "statuses": statuses, "data": {} });
    event_webhook(world, session, "session.status", &payload)
}

fn event_webhook(world: &World, session: &str, event: &str, payload: &Value) -> Webhook {
    let me = world.business_chat_id();
    let now = Timestamp::now();
    let session = Session {
        name: session,
        engine: world.config.waha.engine,
        me: &me,
    };
    let body = envelope(session, event, payload, now);
    signed(&world.config, &body, now, None)
}

fn signed(
    config: &SimulatorConfig,
    body: &Value,
    now: Timestamp,
    tamper: Option<Tamper>,
) -> Webhook {
    let mut bytes = body.to_string().into_bytes();
    let key = Tamper::key(tamper, config.waha.webhook_secret.expose_secret());
    let signature = Tamper::signature(tamper, sign(&key, &bytes));
    if tamper == Some(Tamper::AlteredBody) {
        bytes.push(b' ');
    }
    let algorithm = match tamper {
        Some(Tamper::WrongAlgorithm) => "sha256",
        _ => "sha512",
    };
    let mut headers = vec![
        (
            "content-type".to_owned(),
            Tamper::content_type(tamper, "application/json"),
        ),
        ("x-webhook-request-id".to_owned(), ulid(0)),
        (
            "x-webhook-timestamp".to_owned(),
            now.as_millisecond().to_string(),
        ),
    ];
    if let Some(value) = signature {
        headers.push(("x-webhook-hmac".to_owned(), value));
        headers.push(("x-webhook-hmac-algorithm".to_owned(), algorithm.to_owned()));
    }
    Webhook {
        url: format!("{}{PATH}", config.ingress_url.trim_end_matches('/')),
        headers,
        body: bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    const SESSION: Session<'_> = Session {
        name: "default",
        engine: Engine::Noweb,
        me: "14155238886@c.us",
    };

    #[test]
    fn a_message_has_the_documented_envelope_and_payload() {
        let message = CustomerMessage::text(Provider::Waha, "+31612345678", "Hoi").with_name("Jan");
        let now: Timestamp = "2026-11-22T10:00:00.250Z".parse().unwrap();
        let body = webhook_body(SESSION, "false_31612345678@c.us_AB", &message, now);
        assert_eq!(body["event"], "message");
        assert_eq!(body["session"], "default");
        assert_eq!(body["timestamp"], 1_795_341_600_250_i64);
        assert!(body["id"].as_str().is_some_and(|id| id.starts_with("evt_")));
        let payload = &body["payload"];
        assert_eq!(payload["timestamp"], 1_795_341_600);
        assert_eq!(payload["from"], "31612345678@c.us");
        assert_eq!(payload["fromMe"], false);
        assert_eq!(payload["body"], "Hoi");
        assert_eq!(payload["hasMedia"], false);
        assert_eq!(payload["_data"]["pushName"], "Jan");
    }

    #[test]
    fn the_body_is_signed_byte_by_byte_and_every_tampering_shows() {
        let config = SimulatorConfig::for_ingress("http://ingress:8080/");
        let valid = |tamper: Option<Tamper>| {
            let message = CustomerMessage {
                tamper,
                ..CustomerMessage::text(Provider::Waha, "4711@lid", "Eén")
            };
            let webhook = inbound_webhook(&config, SESSION, "false_4711@lid_AB", &message);
            assert_eq!(webhook.url, "http://ingress:8080/webhooks/waha");
            let expected = sign("fake-waha-secret", &webhook.body);
            let has = |name: &str, value: &str| {
                webhook
                    .headers
                    .contains(&(name.to_owned(), value.to_owned()))
            };
            has("x-webhook-hmac", &expected) && has("x-webhook-hmac-algorithm", "sha512")
        };
        assert!(valid(None));
        for tamper in [
            Tamper::BadSignature,
            Tamper::MissingSignature,
            Tamper::WrongToken,
            Tamper::AlteredBody,
            Tamper::WrongAlgorithm,
        ] {
            assert!(!valid(Some(tamper)), "{tamper:?}");
        }
    }
}
