use serde::{Deserialize, Serialize};

/// How a send ended. The same three for every channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum SendResult {
    /// The provider accepted the message.
    Sent(Receipt),
    /// A round of attempts ended without success.
    Failed {
        /// What the last attempt said, without customer text.
        error: String,
        /// How many attempts the round had.
        attempts: u32,
    },
    /// The message waits for its turn; it is not dropped.
    RateLimited,
}

/// What the provider gave back, with the channel's own ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Receipt {
    /// `{"message_sid":"SM…","to":"+31…","twilio_status":"queued"}`
    Twilio {
        /// `SM…` or `MM…`.
        message_sid: String,
        /// The recipient without the channel prefix.
        to: String,
        /// `queued`, `accepted` or another of Twilio's states.
        twilio_status: String,
    },
    /// `{"waha_message_id":"true_…","to":"31612345678@c.us"}`
    Waha {
        /// The engine's id; empty when the engine gave none.
        waha_message_id: String,
        /// The chat id.
        to: String,
    },
    /// `{"chatwoot_message_id":4711,"to":"12"}`
    Chatwoot {
        /// Chatwoot's message id.
        chatwoot_message_id: u64,
        /// The conversation's display id.
        to: String,
    },
}

impl Receipt {
    /// The provider's id of the message, as text.
    pub fn provider_id(&self) -> String {
        match self {
            Self::Twilio { message_sid, .. } => message_sid.clone(),
            Self::Waha {
                waha_message_id, ..
            } => waha_message_id.clone(),
            Self::Chatwoot {
                chatwoot_message_id,
                ..
            } => chatwoot_message_id.to_string(),
        }
    }
}
