use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ConversationId, Source};

/// Something that happened to a conversation outside of its messages.
///
/// It travels on the inbound stream, so that it takes its place in the conversation's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlEvent {
    /// The conversation concerned.
    pub conversation_id: ConversationId,
    /// The provider or `console` that reported it is not needed to act; the source is.
    pub source: Source,
    /// What happened.
    pub kind: ControlKind,
    /// The colleague who did it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When the help desk changed it, by its own clock, where it says so: its events overtake each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// Nobody told of it: it was found later. What began since then is not ended by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// When ingress took it in; of one that was found later, when it happened.
    pub at: Timestamp,
}

/// What happened to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// A colleague took the conversation over: the bot stays silent.
    HumanTookOver,
    /// The conversation was given back: the bot answers again.
    Released,
    /// The conversation was closed; a new message starts with the bot again.
    Resolved,
    /// The customer deleted a message for everybody.
    MessageDeleted,
}
