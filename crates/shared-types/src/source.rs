use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The provider that a message came through, and so the one its answer leaves through.
///
/// JSON: `"twilio"`, `"waha"` or `"chatwoot"`. It is the routing key of egress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Twilio's Programmable Messaging API, WhatsApp channel.
    Twilio,
    /// WAHA, a self-hosted WhatsApp HTTP API.
    Waha,
    /// Chatwoot, a help desk; Postduif is its agent bot.
    Chatwoot,
}

impl Source {
    /// Every provider.
    pub const ALL: [Self; 3] = [Self::Twilio, Self::Waha, Self::Chatwoot];

    /// The name on the wire, in metric labels and in Redis keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Waha => "waha",
            Self::Chatwoot => "chatwoot",
        }
    }
}

/// The text names no provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a provider is twilio, waha or chatwoot")]
pub struct SourceError;

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|source| source.as_str() == text);
        named.ok_or(SourceError)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
