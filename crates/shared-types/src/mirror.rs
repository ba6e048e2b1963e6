use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ConversationId;

/// One step of a conversation that is shown in a help desk beside the channel on which it is held.
///
/// The steps of a conversation are shown in the order in which they were committed. `Debug` leaves the
/// texts out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorStep {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Names the step: shown twice it is the same.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: MirrorWhat,
}

/// What happened in a conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum MirrorWhat {
    /// The customer wrote.
    Customer {
        /// The name of their profile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Their number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone_number: Option<String>,
        /// The words.
        text: String,
    },
    /// We wrote.
    Bot {
        /// The words.
        text: String,
    },
    /// A colleague wrote, but not in the help desk.
    Colleague {
        /// The words.
        text: String,
    },
    /// A colleague is wanted.
    HandedOver {
        /// Reason and summary.
        note: String,
        /// Whether it cannot wait.
        urgent: bool,
    },
    /// A colleague answered in the help desk.
    Answered {
        /// Their number there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<u64>,
    },
    /// The conversation changed hands.
    Hands {
        /// How it stands.
        to: MirrorStatus,
        /// Whether the help desk told of it: then it is so there already.
        told: bool,
    },
    /// The customer was erased. The step names the conversation there, and nothing else of them.
    Forgotten {
        /// The number of the conversation there: the display id.
        display: u64,
    },
    /// How far a colleague's answer, or a message of ours, got.
    Tick {
        /// Which message.
        of: Ticked,
        /// How far.
        status: TickStatus,
        /// Why it failed, in words for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

/// Who has a mirrored conversation, in Chatwoot's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MirrorStatus {
    /// A colleague.
    Open,
    /// The bot.
    Pending,
    /// Nobody; the customer's next message is the bot's.
    Resolved,
}

impl MirrorStatus {
    /// Chatwoot's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Resolved => "resolved",
        }
    }
}

/// A message whose progress is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ticked {
    /// One that was written in the help desk.
    Theirs(MirrorMessage),
    /// One of ours, by the name of its step.
    Ours(String),
}

/// A message of the help desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorMessage {
    /// Its conversation there: the display id.
    pub conversation: u64,
    /// Its number.
    pub message: u64,
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickStatus {
    /// The provider has it.
    Sent,
    /// The customer's telephone has it.
    Delivered,
    /// The customer has read it.
    Read,
    /// It was not sent, or did not arrive.
    Failed,
}

impl TickStatus {
    /// Chatwoot's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }
}

impl MirrorWhat {
    /// The name of the kind.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Customer { .. } => "customer",
            Self::Bot { .. } => "bot",
            Self::Colleague { .. } => "colleague",
            Self::HandedOver { .. } => "handed_over",
            Self::Answered { .. } => "answered",
            Self::Hands { .. } => "hands",
            Self::Forgotten { .. } => "forgotten",
            Self::Tick { .. } => "tick",
        }
    }
}

impl fmt::Debug for MirrorWhat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for MirrorStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorStep")
            .field("conversation", &self.conversation_id)
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}
