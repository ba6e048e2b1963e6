use std::fmt;

use serde::{Deserialize, Serialize};

/// Whom the simulator plays.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Twilio Programmable Messaging for WhatsApp.
    #[default]
    Twilio,
    /// WAHA, the self-hosted WhatsApp HTTP API.
    Waha,
    /// Chatwoot with an agent bot.
    Chatwoot,
    /// A language model behind the OpenAI-compatible API.
    Llm,
}

impl Provider {
    /// The name used in JSON and in queries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Waha => "waha",
            Self::Chatwoot => "chatwoot",
            Self::Llm => "llm",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a call asked for. The words are the same for every provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// A message to a customer.
    Send,
    /// The messages sent earlier: Twilio's list, WAHA's history, Chatwoot's conversation.
    List,
    /// One message by its id.
    Fetch,
    /// Typing on or off.
    Typing,
    /// Marked as read.
    Seen,
    /// WAHA presence.
    Presence,
    /// State of a WAHA session.
    Session,
    /// WAHA contact and LID look-ups.
    Contact,
    /// Chatwoot conversation status.
    Status,
    /// Download of an attachment.
    Media,
    /// Chat completion.
    Completions,
    /// Audio transcription.
    Transcriptions,
    /// What becomes of an accepted message: status callbacks and acks.
    Delivery,
    /// A webhook that the simulator posted for a customer.
    Webhook,
    /// Any call about a conversation of Chatwoot's API inbox.
    Mirror,
    /// A webhook of Chatwoot's API inbox.
    Event,
    /// Of which time Chatwoot's server is.
    Server,
    /// A message of a colleague to a customer, which no service sent.
    Colleague,
}

impl Endpoint {
    /// Whether it is a message to a customer, by whomever.
    pub fn is_outgoing(self) -> bool {
        matches!(self, Self::Send | Self::Colleague)
    }

    /// The name used in JSON and in queries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::List => "list",
            Self::Fetch => "fetch",
            Self::Typing => "typing",
            Self::Seen => "seen",
            Self::Presence => "presence",
            Self::Session => "session",
            Self::Contact => "contact",
            Self::Status => "status",
            Self::Media => "media",
            Self::Completions => "completions",
            Self::Transcriptions => "transcriptions",
            Self::Delivery => "delivery",
            Self::Webhook => "webhook",
            Self::Mirror => "mirror",
            Self::Event => "event",
            Self::Server => "server",
            Self::Colleague => "colleague",
        }
    }
}
