//! What the inbox's webhook says. Each delivery has a header of its own; nothing is repeated, and of a
//! message whose event was not taken Chatwoot says that it failed (its `Webhooks::Trigger`).

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::super::ConversationStatus;
use super::super::webhook::signed_with;
use super::API_INBOX_ID;
use super::state::{Agent, Contact, Mirror};
use crate::faults::Fault;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// What happened.
#[derive(Debug, Clone)]
pub(super) enum Told {
    Created(u64),
    Updated(u64),
    Status { before: ConversationStatus },
    Assigned { before: Option<Agent> },
    Labelled,
}

/// Whether a server of early 2025 is played.
pub(super) fn is_old(world: &World) -> bool {
    let call = Call::new(Provider::Chatwoot, Endpoint::Server);
    world.faults.pick(&call).is_some()
}

/// Tells the ingress what a person, or the bot, did in a conversation.
pub(super) fn tell(
    world: &Arc<World>,
    conversation: u64,
    told: &Told,
    user: Option<Agent>,
    lost: bool,
) {
    let performed_by = user.map(|user| json!({"type": "user", "id": user.id}));
    tell_by(world, conversation, told, performed_by, lost);
}

pub(super) fn tell_by(
    world: &Arc<World>,
    conversation: u64,
    told: &Told,
    performed_by: Option<Value>,
    lost: bool,
) {
    let Some(mirror) = world.api_inbox.get(conversation) else {
        return;
    };
    let is_old = is_old(world);
    let account = world.config.chatwoot.account_id;
    let (message, mut body) = match told {
        Told::Created(id) | Told::Updated(id) => {
            let Some(message) = mirror.messages.iter().find(|one| one["id"] == *id) else {
                return;
            };
            // Status lines are sent to nobody.
            if message["message_type"] == 2 {
                return;
            }
            let mut body = message_body(account, &mirror, message);
            body["event"] = json!(match told {
                Told::Created(_) => "message_created",
                _ => "message_updated",
            });
            (Some(*id), body)
        }
        Told::Status { before } => {
            let mut body = conversation_body(account, &mirror);
            body["event"] = json!("conversation_status_changed");
            let change = json!({"previous_value": before, "current_value": mirror.status});
            body["changed_attributes"] = json!([{ "status": change }]);
            (None, body)
        }
        Told::Assigned { before } => {
            let mut body = conversation_body(account, &mirror);
            body["event"] = json!("conversation_updated");
            let id = |agent: &Option<Agent>| agent.as_ref().map(|agent| agent.id);
            let change =
                json!({"previous_value": id(before), "current_value": id(&mirror.assignee)});
            body["changed_attributes"] = json!([{ "assignee_id": change }]);
            (None, body)
        }
        Told::Labelled => {
            let mut body = conversation_body(account, &mirror);
            body["event"] = json!("conversation_updated");
            let change = json!({"previous_value": [], "current_value": mirror.labels});
            body["changed_attributes"] = json!([{ "cached_label_list": change }]);
            (None, body)
        }
    };
    if is_old {
        if let Some(fields) = body.as_object_mut() {
            fields.remove("changed_attributes");
        }
    } else {
        body["performed_by"] = performed_by.unwrap_or(Value::Null);
    }
    if !lost {
        post(world, conversation, message, &body);
    }
}

fn post(world: &Arc<World>, conversation: u64, message: Option<u64>, body: &Value) {
    let call = Call {
        text: body["content"].as_str().unwrap_or_default().to_owned(),
        ..Call::new(Provider::Chatwoot, Endpoint::Event)
    };
    let copies = match world.faults.pick(&call) {
        Some(Fault::EventLost {}) => 0,
        Some(Fault::EventTwice {}) => 2,
        _ => 1,
    };
    for _ in 0..copies {
        let (poster, body) = (Arc::clone(world), body.clone());
        world.spawn(async move {
            let secret = poster
                .config
                .chatwoot
                .mirror_secret
                .expose_secret()
                .to_owned();
            let webhook = signed_with(&poster.config, &secret, &body, None);
            let posted = poster.webhooks.post(&webhook).await;
            if let Some(message) = message.filter(|_| !posted.is_success()) {
                let error = posted.status.map_or_else(
                    || "timed out".to_owned(),
                    |status| format!("{status} from the webhook"),
                );
                poster.api_inbox.fail(conversation, message, &error);
            }
        });
    }
}

fn time(seconds: &Value) -> String {
    let at = Timestamp::from_second(seconds.as_i64().unwrap_or(0));
    at.unwrap_or_default().to_string()
}

fn message_body(account: u64, mirror: &Mirror, message: &Value) -> Value {
    let mut body = message.clone();
    let kinds = ["incoming", "outgoing", "activity", "template"];
    let kind = message["message_type"].as_u64().unwrap_or(1) as usize;
    body["message_type"] = json!(kinds.get(kind));
    body["created_at"] = json!(time(&message["created_at"]));
    body["inbox"] = json!({"id": API_INBOX_ID, "name": "Postduif"});
    body["account"] = json!({"id": account, "name": "Autobedrijf"});
    body["conversation"] = conversation_fields(mirror);
    if let Some(fields) = body.as_object_mut() {
        fields.remove("status");
        fields.remove("echo_id");
    }
    if kind == 0 {
        // A contact has no type in a webhook.
        body["sender"] = json!({"id": mirror.contact.id, "name": mirror.contact.name,
            "phone_number": mirror.contact.phone_number, "identifier": mirror.contact.identifier});
    }
    body
}

fn conversation_body(account: u64, mirror: &Mirror) -> Value {
    let mut body = conversation_fields(mirror);
    body["account"] = json!({"id": account, "name": "Autobedrijf"});
    body
}

/// A conversation in a webhook.
pub(super) fn conversation_fields(mirror: &Mirror) -> Value {
    let assignee = mirror.assignee.as_ref().map(
        |agent| json!({"id": agent.id, "name": agent.name, "available_name": agent.name, "type": "user"}),
    );
    json!({
        "id": mirror.id,
        "status": mirror.status,
        "channel": "Channel::Api",
        "can_reply": true,
        "inbox_id": API_INBOX_ID,
        "contact_inbox": {
            "id": mirror.id,
            "contact_id": mirror.contact.id,
            "inbox_id": API_INBOX_ID,
            "source_id": mirror.source_id,
        },
        "meta": {
            "sender": contact_fields(&mirror.contact),
            "assignee": assignee,
            "assignee_type": assignee.as_ref().map(|_| "User"),
            "team": mirror.team.map(|team| json!({"id": team})),
            "hmac_verified": false,
        },
        "messages": [],
        "labels": mirror.labels,
        "priority": mirror.priority,
        "custom_attributes": {},
        "additional_attributes": mirror.additional_attributes,
        "unread_count": 1,
        "last_activity_at": mirror.last_activity_at.as_second(),
        "timestamp": mirror.last_activity_at.as_second(),
        "created_at": mirror.last_activity_at.as_second(),
        "updated_at": mirror.last_activity_at.as_duration().as_secs_f64(),
    })
}

/// A contact as the API shows it.
pub(super) fn contact_fields(contact: &Contact) -> Value {
    let inboxes: Vec<Value> = contact
        .source_ids
        .iter()
        .map(|source_id| json!({"source_id": source_id, "inbox": {"id": API_INBOX_ID}}))
        .collect();
    json!({
        "id": contact.id,
        "name": contact.name,
        "identifier": contact.identifier,
        "phone_number": contact.phone_number,
        "contact_inboxes": inboxes,
    })
}
