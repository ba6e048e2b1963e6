use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ChannelAddress, ConversationId, Endpoint, MessageId, Source};

/// The customer's message takes a while to answer: what the worker says at the first sign of a
/// slow turn, so that egress may show a typing indicator.
///
/// It lies in the outbound stream of the conversation, in the mailbox of [`TypingSignal::mailbox`]: it waits for no message, and none waits for it.
/// Nothing depends on it. Egress shows it at once or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypingSignal {
    /// The provider to show it through.
    pub source: Source,
    /// Who is to see it.
    pub to: ChannelAddress,
    /// What is written from.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// The customer's message that is being answered: Twilio ties the indicator to it.
    pub message_id: MessageId,
    /// When the worker noticed. A late indicator is not shown.
    pub at: Timestamp,
}

impl TypingSignal {
    /// The mailbox of its stream entry.
    pub fn mailbox(conversation: &ConversationId) -> String {
        format!("typing:{conversation}")
    }
}
