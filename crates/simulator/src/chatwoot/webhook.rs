use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::conversation::{Conversation, StatusChange};
use super::sign;
use crate::config::SimulatorConfig;
use crate::customer::{CustomerMessage, Tamper, merge_patch};
use crate::webhook::Webhook;

/// Where the ingress takes webhooks from Chatwoot.
const PATH: &str = "/webhooks/chatwoot";
/// The inbox of the played account.
pub(super) const INBOX_ID: u64 = 1;
/// The name of that inbox.
pub(crate) const INBOX_NAME: &str = "WhatsApp";

/// The webhook body of a customer's message: event `message_created` of an agent bot.
pub fn webhook_body(
    account_id: u64,
    conversation: &Conversation,
    message_id: u64,
    message: &CustomerMessage,
    now: Timestamp,
) -> Value {
    let attachments: Vec<Value> = message
        .media
        .iter()
        .map(|media| {
            if media.is_card() {
                let (name, number) = media.card();
                return json!({
                    "id": message_id,
                    "message_id": message_id,
                    "file_type": "contact",
                    "account_id": account_id,
                    "fallback_title": number,
                    "meta": { "firstName": name },
                });
            }
            json!({
                "id": message_id,
                "message_id": message_id,
                "file_type": match media.class() { "document" => "file", "sticker" => "image", class => class },
                "account_id": account_id,
                "extension": null,
                "data_url": media.url,
                "thumb_url": media.url,
                "file_size": 0,
            })
        })
        .chain(message.location.iter().map(|location| {
            json!({
                "id": message_id,
                "message_id": message_id,
                "file_type": "location",
                "account_id": account_id,
                "coordinates_lat": location.latitude,
                "coordinates_long": location.longitude,
                "fallback_title": location.label,
            })
        }))
        .collect();
    let button = message.button.as_ref().map(|button| button.text.as_str());
    let text = Some(message.text.as_str()).filter(|text| !text.is_empty());
    let mut body = message_body(
        account_id,
        conversation,
        message_id,
        text.or(button),
        "incoming",
        now,
    );
    body["sender"] = contact(account_id, conversation);
    body["source_id"] = json!(format!("wamid.{message_id}"));
    if let Some(reply_to) = &message.reply_to {
        let id = reply_to.parse::<u64>().map_or(json!(reply_to), Value::from);
        body["content_attributes"] = json!({ "in_reply_to": id });
    }
    if !attachments.is_empty() {
        body["attachments"] = Value::Array(attachments);
    }
    body
}

/// What a `message_created` body has whoever wrote the message.
pub(super) fn message_body(
    account_id: u64,
    conversation: &Conversation,
    message_id: u64,
    content: Option<&str>,
    message_type: &str,
    now: Timestamp,
) -> Value {
    json!({
        "event": "message_created",
        "id": message_id,
        "content": content,
        "content_type": "text",
        "content_attributes": {},
        "additional_attributes": {},
        "message_type": message_type,
        "private": false,
        "source_id": null,
        "created_at": now.to_string(),
        "sender": null,
        "inbox": { "id": INBOX_ID, "name": INBOX_NAME },
        "account": { "id": account_id, "name": "Autobedrijf" },
        "conversation": conversation_body(account_id, conversation, now),
        "performed_by": null,
    })
}

fn contact(account_id: u64, conversation: &Conversation) -> Value {
    let phone = Some(&conversation.customer).filter(|customer| customer.starts_with('+'));
    json!({
        "id": conversation.id,
        "name": conversation.name.as_deref().unwrap_or(&conversation.customer),
        "identifier": phone.is_none().then_some(&conversation.customer),
        "phone_number": phone,
        "email": null,
        "avatar": "",
        "thumbnail": "",
        "blocked": false,
        "type": "contact",
        "custom_attributes": {},
        "additional_attributes": {},
        "account": { "id": account_id, "name": "Autobedrijf" },
    })
}

pub(super) fn conversation_body(
    account_id: u64,
    conversation: &Conversation,
    now: Timestamp,
) -> Value {
    let assignee = conversation
        .assignee
        .as_ref()
        .map(|name| json!({ "id": 1, "name": name, "available_name": name, "type": "user" }));
    json!({
        "id": conversation.id,
        "status": conversation.status,
        "channel": "Channel::Whatsapp",
        "can_reply": true,
        "inbox_id": INBOX_ID,
        "contact_inbox": {
            "id": conversation.id,
            "contact_id": conversation.id,
            "inbox_id": INBOX_ID,
            "source_id": conversation.customer.trim_start_matches('+'),
        },
        "meta": {
            "sender": contact(account_id, conversation),
            "assignee": assignee,
            "assignee_type": assignee.as_ref().map(|_| "User"),
            "team": null,
            "hmac_verified": false,
        },
        "messages": [],
        "labels": [],
        "custom_attributes": {},
        "additional_attributes": {},
        "priority": null,
        "snoozed_until": null,
        "unread_count": 1,
        "first_reply_created_at": null,
        "waiting_since": now.as_second(),
        "agent_last_seen_at": 0,
        "contact_last_seen_at": 0,
        "last_activity_at": now.as_second(),
        "timestamp": now.as_second(),
        "created_at": now.as_second(),
    })
}

/// The webhook bodies of a change of status: `conversation_status_changed`, then the event of its
/// own that Chatwoot has for opened and resolved.
fn status_bodies(account_id: u64, change: &StatusChange, now: Timestamp) -> Vec<Value> {
    use super::ConversationStatus::{Open, Resolved};
    let conversation = &change.conversation;
    let mut body = conversation_body(account_id, conversation, now);
    body["account"] = json!({ "id": account_id, "name": "Autobedrijf" });
    body["changed_attributes"] = json!([
        { "status": { "previous_value": change.before, "current_value": conversation.status } }
    ]);
    let events = match conversation.status {
        Open => vec!["conversation_status_changed", "conversation_opened"],
        Resolved => vec!["conversation_status_changed", "conversation_resolved"],
        _ => vec!["conversation_status_changed"],
    };
    events
        .into_iter()
        .map(|event| {
            let mut body = body.clone();
            body["event"] = json!(event);
            body
        })
        .collect()
}

/// The signed webhook of a customer's message.
pub(crate) fn inbound_webhook(
    config: &SimulatorConfig,
    conversation: &Conversation,
    message_id: u64,
    message: &CustomerMessage,
) -> Webhook {
    let account = config.chatwoot.account_id;
    let now = Timestamp::now();
    let mut body = webhook_body(account, conversation, message_id, message, now);
    merge_patch(&mut body, &message.raw_fields);
    signed(config, &body, message.tamper)
}

/// The signed webhooks of a change of status.
pub(super) fn status_webhooks(config: &SimulatorConfig, change: &StatusChange) -> Vec<Webhook> {
    status_bodies(config.chatwoot.account_id, change, Timestamp::now())
        .iter()
        .map(|body| signed(config, body, None))
        .collect()
}

pub(super) fn signed(config: &SimulatorConfig, body: &Value, tamper: Option<Tamper>) -> Webhook {
    signed_with(
        config,
        config.chatwoot.webhook_secret.expose_secret(),
        body,
        tamper,
    )
}

/// The same, signed with another secret: each inbox has its own.
pub(super) fn signed_with(
    config: &SimulatorConfig,
    secret: &str,
    body: &Value,
    tamper: Option<Tamper>,
) -> Webhook {
    let mut bytes = body.to_string().into_bytes();
    let timestamp = Timestamp::now().as_second() - Tamper::age_secs(tamper);
    let key = Tamper::key(tamper, secret);
    let mut signature = sign(&key, timestamp, &bytes);
    if tamper == Some(Tamper::WrongAlgorithm) {
        signature = signature.replace("sha256=", "sha1=");
    }
    if tamper == Some(Tamper::AlteredBody) {
        bytes.push(b' ');
    }
    let mut headers = vec![
        (
            "content-type".to_owned(),
            Tamper::content_type(tamper, "application/json"),
        ),
        ("x-chatwoot-delivery".to_owned(), Uuid::new_v4().to_string()),
        ("x-chatwoot-timestamp".to_owned(), timestamp.to_string()),
    ];
    let signature = Tamper::signature(tamper, signature);
    headers.extend(signature.map(|value| ("x-chatwoot-signature".to_owned(), value)));
    Webhook {
        url: format!("{}{PATH}", config.ingress_url.trim_end_matches('/')),
        headers,
        body: bytes,
    }
}

#[cfg(test)]
mod tests;
