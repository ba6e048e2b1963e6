use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::Agent;

/// Who writes a message of a conversation, and which marks it gets by that.
#[derive(Debug, Clone)]
pub(crate) enum Writer {
    /// A colleague in the dashboard.
    User { id: u64, name: String },
    /// A colleague in the channel's own app: it is with the customer already.
    Echo { name: String },
    /// A macro that a colleague ran.
    Macro { id: u64, name: String },
    /// A rule of the account.
    Automation,
    /// A campaign.
    Campaign { id: u64, name: String },
    /// Greeting, out of office.
    Template,
    /// The survey at the end.
    Survey,
    /// A colleague, for colleagues only.
    Note { id: u64, name: String },
    /// The server: a status line.
    Activity,
    /// A colleague in the dashboard, with a file.
    File { id: u64, name: String },
}

impl Writer {
    pub(super) fn user(&self) -> Option<Agent> {
        match self {
            Self::User { id, name }
            | Self::Macro { id, name }
            | Self::Campaign { id, name }
            | Self::Note { id, name }
            | Self::File { id, name } => Some(Agent {
                id: *id,
                name: name.clone(),
            }),
            _ => None,
        }
    }

    /// The message as the API shows it.
    pub(super) fn message(&self, id: u64, text: &str, at: Timestamp) -> Value {
        let mut message = blank_message(id, text, at);
        message["message_type"] = json!(match self {
            Self::Template => 3,
            Self::Activity => 2,
            _ => 1,
        });
        match self {
            Self::User { .. } | Self::Note { .. } | Self::Campaign { .. } | Self::File { .. } => {
                let user = self.user();
                message["sender"] = json!({
                    "id": user.as_ref().map(|user| user.id),
                    "name": user.as_ref().map(|user| &user.name),
                    "available_name": user.as_ref().map(|user| &user.name),
                    "email": "colleague@example.nl",
                    "type": "user",
                });
            }
            Self::Echo { name } => {
                message["content_attributes"] =
                    json!({"external_echo": true, "external_sender_name": name});
            }
            Self::Automation => message["content_attributes"] = json!({"automation_rule_id": 3}),
            Self::Survey => message["content_type"] = json!("input_csat"),
            Self::Macro { .. } | Self::Template | Self::Activity => {}
        }
        match self {
            Self::Note { .. } => message["private"] = json!(true),
            Self::Campaign { .. } => {
                message["additional_attributes"] = json!({"campaign_id": 7});
            }
            Self::File { .. } => {
                let file = json!({"id": id, "message_id": id, "file_type": "image", "data_url": "http://files/1"});
                message["attachments"] = json!([file]);
            }
            _ => {}
        }
        message
    }
}

pub(super) fn blank_message(id: u64, text: &str, at: Timestamp) -> Value {
    json!({
        "id": id,
        "content": text,
        "content_type": "text",
        "content_attributes": {},
        "additional_attributes": {},
        "message_type": 1,
        "private": false,
        "source_id": null,
        "echo_id": null,
        "status": "sent",
        "sender": null,
        "created_at": at.as_second(),
    })
}

/// What servers of 2025 keep of the attributes.
pub(super) fn old_attributes(attributes: &Value) -> Value {
    let kept = ["in_reply_to", "items", "automation_rule_id"];
    let fields = attributes.as_object().into_iter().flatten();
    let kept = fields.filter(|(name, _)| kept.contains(&name.as_str()));
    Value::Object(
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}
