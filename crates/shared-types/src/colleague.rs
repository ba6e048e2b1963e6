use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Attachment, ChannelAddress, ConversationId, MessageId, Source};

/// A colleague wrote to a customer, past us: on the telephone, in the help desk.
///
/// It travels on the inbound stream, so that it takes its place in the conversation's order. The script
/// that takes it in also fences: no turn that was begun before it commits, no reply that was committed
/// before it is sent. `Debug` leaves the text out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColleagueMessage {
    /// The provider's id.
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
    /// When ingress took it in; of one that was found later, when it was written.
    pub at: Timestamp,
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
