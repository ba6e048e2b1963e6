use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Source;

/// The text cannot be an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 256 bytes and no white space or control characters")]
pub struct IdError;

const MAX_LEN: usize = 256;

fn check(text: &str) -> Result<(), IdError> {
    let fits = (1..=MAX_LEN).contains(&text.len());
    if fits && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        Ok(())
    } else {
        Err(IdError)
    }
}

macro_rules! opaque_id {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                check(&text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), crate::Masking::On.show(&self.0))
            }
        }
    };
}

opaque_id! {
    /// The provider's id of one message: Twilio's `SM…`, WAHA's `false_…`, Chatwoot's integer.
    MessageId
}

opaque_id! {
    /// The key of a conversation; its messages are handled in order.
    ///
    /// Twilio: the customer's address (`whatsapp:+31612345678`). WAHA: `waha:<session>:<chat id>`.
    /// Chatwoot: `chatwoot:<account>:<conversation display id>`.
    ConversationId
}

opaque_id! {
    /// The id of one outbound message: `ob_` and 32 hexadecimal digits.
    ///
    /// It follows from the message that is answered, so a turn done twice yields the same id.
    OutboundId
}

impl OutboundId {
    /// The id of reply number `index` (from 0) to message `answered` of `source`: the first 16
    /// bytes of `SHA-256("<source>\n<answered>\n<index>")`.
    pub fn of_reply(source: Source, answered: &MessageId, index: usize) -> Self {
        let digest = Sha256::digest(format!("{source}\n{answered}\n{index}"));
        let short = digest.get(..16).unwrap_or_default();
        Self(format!("ob_{}", hex::encode(short)))
    }

    /// The id of the template that goes in this message's place.
    #[must_use]
    pub fn template(&self) -> Self {
        Self(format!("{}.t", self.0))
    }

    /// The id of part `number` (from 1) of this message after it was split to fit a channel.
    /// The first part keeps the id of the whole.
    #[must_use]
    pub fn part(&self, number: usize) -> Self {
        if number <= 1 {
            self.clone()
        } else {
            Self(format!("{}.{number}", self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_ids_are_the_same_every_time_and_differ_by_message_source_and_index() {
        let sid: MessageId = "SM0123".parse().unwrap();
        let id = OutboundId::of_reply(Source::Twilio, &sid, 0);
        assert_eq!(id.as_str(), "ob_b99cb4d8278f8df60ffbcf0ec955bac4");
        assert_eq!(id, OutboundId::of_reply(Source::Twilio, &sid, 0));
        assert_ne!(id, OutboundId::of_reply(Source::Twilio, &sid, 1));
        assert_ne!(id, OutboundId::of_reply(Source::Waha, &sid, 0));
    }

    #[test]
    fn ids_with_white_space_or_without_content_are_refused() {
        for bad in ["", " ", "a b", "a\nb", &"x".repeat(257)] {
            assert!(bad.parse::<MessageId>().is_err(), "{bad:?}");
        }
    }
}
