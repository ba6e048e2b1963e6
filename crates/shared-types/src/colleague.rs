use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Attachment, ChannelAddress, ConversationId, MessageId, MirrorMessage, OutboundId, Source,
    Template,
};

/// A colleague wrote to a customer: past us, on the telephone or in the help desk; or in the console.
///
/// It travels on the inbound stream, so that it takes its place in the conversation's order. The script
/// that takes it in also fences: no turn that was begun before it commits, no reply that was committed
/// before it is sent. `Debug` leaves the text out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColleagueMessage {
    /// The provider's id; of one of the console `console-`, a UUID and a hash of what is said to whom.
    pub id: MessageId,
    /// The conversation that it was written in.
    pub conversation_id: ConversationId,
    /// The provider that told of it.
    pub source: Source,
    /// Addresses of the customer it was written to, where the provider names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<ChannelAddress>,
    /// The text; empty for a message that is only a file or a place.
    pub content: String,
    /// Files that went with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The colleague, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What it is in the help desk, when it was written there and the conversation is held elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored: Option<Mirrored>,
    /// It was written in the console: the customer has not got it, and the worker has it sent. An earlier
    /// worker notes it without sending it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsent: bool,
    /// The template that it is to be sent as; `content` is then what the customer reads, as far as that is
    /// known. An earlier worker sends `content` as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// When ingress took it in; of one that was found later, when it was written.
    pub at: Timestamp,
}

/// A message that was written in the help desk, in a conversation of another channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirrored {
    /// Its place there.
    pub message: MirrorMessage,
    /// The number of the colleague there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<u64>,
    /// What is to be done with it.
    pub wanted: Wanted,
}

/// What is to be done with a message of the help desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// A colleague answers: the conversation is theirs, and the customer gets it.
    Answer,
    /// A colleague answered in the channel's own app: the customer has it.
    Delivered,
    /// A rule of the help desk wrote it: the customer gets it, and the conversation is the bot's.
    Automation,
    /// It was not sent, and a colleague wants it sent again.
    Again {
        /// How often its provider has said that it did not arrive.
        resend: u32,
    },
}

impl ColleagueMessage {
    /// Whether the conversation is the colleague's from now on.
    pub fn takes_over(&self) -> bool {
        self.mirrored
            .is_none_or(|mirrored| matches!(mirrored.wanted, Wanted::Answer | Wanted::Delivered))
    }

    /// The id under which it is sent to the customer, each time the same.
    pub fn outbound_id(&self) -> OutboundId {
        OutboundId::of_scoped_reply(self.source, "mirror", &self.id, 0)
    }
}

impl fmt::Debug for ColleagueMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColleagueMessage")
            .field("id", &self.id)
            .field("conversation", &self.conversation_id)
            .field("source", &self.source)
            .field("content_chars", &self.content.chars().count())
            .finish_non_exhaustive()
    }
}
