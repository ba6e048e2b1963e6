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

impl ConversationId {
    /// The provider on whose channel it is held.
    pub fn source(&self) -> Option<Source> {
        let (kind, _) = self.0.split_once(':')?;
        match kind {
            "whatsapp" => Some(Source::Twilio),
            "waha" => Some(Source::Waha),
            "chatwoot" => Some(Source::Chatwoot),
            _ => None,
        }
    }
}

impl OutboundId {
    /// The id of reply number `index` (from 0) to message `answered` of `source`: the first 16
    /// bytes of `SHA-256("<source>\n<answered>\n<index>")`.
    pub fn of_reply(source: Source, answered: &MessageId, index: usize) -> Self {
        Self::hashed(&format!("{source}\n{answered}\n{index}"))
    }

    /// The same for a message whose id is unique within a session or an account only:
    /// `SHA-256("<source>\n<scope>\n<answered>\n<index>")`.
    pub fn of_scoped_reply(
        source: Source,
        scope: &str,
        answered: &MessageId,
        index: usize,
    ) -> Self {
        Self::hashed(&format!("{source}\n{scope}\n{answered}\n{index}"))
    }

    fn hashed(name: &str) -> Self {
        let digest = Sha256::digest(name);
        let short = digest.get(..16).unwrap_or_default();
        Self(format!("ob_{}", hex::encode(short)))
    }

    /// The id of this message when it is sent for the `number`th time after its provider had taken it, and
    /// said that it did not arrive. The zeroth is the message itself.
    #[must_use]
    pub fn resend(&self, number: u32) -> Self {
        let original = self.0.split('~').next().unwrap_or_default();
        match number {
            0 => Self(original.to_owned()),
            number => Self(format!("{original}~{number}")),
        }
    }

    /// What a template's id ends with that goes in a message's place.
    pub const TEMPLATE: &'static str = ".t";

    /// The id of the template that goes in this message's place.
    #[must_use]
    pub fn template(&self) -> Self {
        Self(format!("{}{}", self.0, Self::TEMPLATE))
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

/// The name under which a message of ours is found by what its provider calls it.
///
/// Twilio's ids are unique. WAHA's (`true_<chat>_<key>`) are so within a session, and an acknowledgement
/// may name the same chat by its hidden id: session and key are what stays. Chatwoot's are so within
/// an account of one installation.
pub fn provider_key(source: Source, conversation: &ConversationId, provider_id: &str) -> String {
    let scope = conversation.as_str().split_once(':');
    match (source, scope) {
        (Source::Waha, Some(("waha", chat))) => {
            let session = chat.split(':').next().unwrap_or_default();
            let key = provider_id.rsplit('_').next().unwrap_or(provider_id);
            format!("{session}:{key}")
        }
        (Source::Chatwoot, Some(("chatwoot", conversation))) => {
            format!("{conversation}:{provider_id}")
        }
        _ => provider_id.to_owned(),
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
    fn one_id_in_two_sessions_is_two_messages() {
        let id: MessageId = "false_31612345678@c.us_A1".parse().unwrap();
        let reply = |scope| OutboundId::of_scoped_reply(Source::Waha, scope, &id, 0);
        assert_ne!(reply("default"), reply("second"));
        assert_eq!(reply("default"), reply("default"));
    }

    #[test]
    fn an_acknowledgement_under_the_hidden_id_of_a_chat_is_of_the_same_message() {
        let key = |conversation: &str, id: &str| {
            provider_key(Source::Waha, &conversation.parse().unwrap(), id)
        };
        let sent = key(
            "waha:default:31612345678@c.us",
            "true_31612345678@c.us_3EB0AB",
        );
        assert_eq!(sent, "default:3EB0AB");
        assert_eq!(key("waha:default:15@lid", "true_15@lid_3EB0AB"), sent);
        assert_ne!(key("waha:second:15@lid", "true_15@lid_3EB0AB"), sent);
    }

    #[test]
    fn only_ids_that_are_unique_stand_alone() {
        let key = |source, conversation: &str| {
            provider_key(source, &conversation.parse().unwrap(), "1001")
        };
        assert_eq!(key(Source::Twilio, "whatsapp:+31612345678"), "1001");
        let first = key(Source::Chatwoot, "chatwoot:1:42");
        assert_ne!(first, key(Source::Chatwoot, "chatwoot:2:42"));
    }

    #[test]
    fn ids_with_white_space_or_without_content_are_refused() {
        for bad in ["", " ", "a b", "a\nb", &"x".repeat(257)] {
            assert!(bad.parse::<MessageId>().is_err(), "{bad:?}");
        }
    }
}
