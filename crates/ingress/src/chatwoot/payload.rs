//! The parts of Chatwoot's JSON that are used.

use serde::Deserialize;
use serde_json::Value;

/// `message_created`, or a conversation event: both in one shape, because the event's name comes
/// with the rest.
#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    pub(super) event: String,
    #[serde(default)]
    pub(super) id: Option<u64>,
    #[serde(default)]
    pub(super) content: Option<String>,
    #[serde(default)]
    pub(super) content_attributes: Value,
    #[serde(default)]
    pub(super) message_type: Option<MessageKind>,
    #[serde(default)]
    pub(super) private: bool,
    #[serde(default)]
    pub(super) sender: Option<Person>,
    #[serde(default)]
    pub(super) contact: Option<Person>,
    #[serde(default)]
    pub(super) account: Option<Account>,
    #[serde(default)]
    pub(super) conversation: Option<Conversation>,
    #[serde(default)]
    pub(super) attachments: Option<Vec<File>>,
    /// Conversation events carry the conversation at top level, and name no account but here.
    #[serde(default)]
    pub(super) messages: Vec<InnerMessage>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) meta: Option<Meta>,
}

#[derive(Debug, Deserialize)]
pub(super) struct InnerMessage {
    #[serde(default)]
    pub(super) account_id: Option<u64>,
}

/// A name at top level of a webhook, a number inside conversations.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum MessageKind {
    Name(String),
    Number(i64),
}

impl MessageKind {
    pub(super) fn is_incoming(&self) -> bool {
        match self {
            Self::Name(name) => name == "incoming",
            Self::Number(number) => *number == 0,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Person {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) phone_number: Option<String>,
    /// `user` and `agent_bot` are ours; contacts have none, or `contact`.
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Conversation {
    /// The display id, the one that API paths use.
    pub(super) id: u64,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) meta: Option<Meta>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    #[serde(default)]
    pub(super) assignee: Option<Value>,
    #[serde(default)]
    pub(super) assignee_type: Option<String>,
    #[serde(default)]
    pub(super) sender: Option<Person>,
}

impl Meta {
    /// Whether a colleague, and not a bot, has the conversation.
    pub(super) fn has_human_assignee(&self) -> bool {
        self.assignee
            .as_ref()
            .is_some_and(|assignee| !assignee.is_null())
            && self.assignee_type.as_deref() != Some("AgentBot")
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct File {
    #[serde(default)]
    pub(super) data_url: Option<String>,
    /// `image`, `audio`, `video`, `file`, `location`, `contact`, …
    #[serde(default)]
    pub(super) file_type: Option<String>,
    #[serde(default)]
    pub(super) coordinates_lat: Option<f64>,
    #[serde(default)]
    pub(super) coordinates_long: Option<f64>,
    #[serde(default)]
    pub(super) fallback_title: Option<String>,
}
