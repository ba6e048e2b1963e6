use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ChannelAddress, MessageId};

/// A file that came with a message, or something else that is not text: a contact, a poll, an order.
/// Only its description travels; nothing is fetched on the way. `Debug` leaves its words out.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Where the provider keeps the file. Never fetched with credentials before the host is
    /// checked. Missing when the provider did not offer a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// MIME type, such as `image/jpeg` or `audio/ogg; codecs=opus`. What is no file has a type of
    /// its own: `text/vcard` for a contact, `application/x-whatsapp-poll` for a poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The name that the sender's file has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The words that it carries: name and number of a contact, question and options of a poll, the
    /// answers to a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Attachment {
    /// Something that is no file: `kind` is one of WhatsApp's, such as `poll`.
    pub fn of_kind(kind: &str, text: Option<String>) -> Self {
        Self {
            content_type: Some(format!("application/x-whatsapp-{kind}")),
            text,
            ..Self::default()
        }
    }

    /// A contact that the customer shared.
    pub fn contact(text: Option<String>) -> Self {
        Self {
            content_type: Some("text/vcard".into()),
            text,
            ..Self::default()
        }
    }

    /// Whether it is a contact, by the names that its type has had or by that of the file.
    pub fn is_contact(&self) -> bool {
        let kind = self.content_type.as_deref().unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_card = ["text/vcard", "text/x-vcard", "text/directory"]
            .iter()
            .any(|card| kind.eq_ignore_ascii_case(card));
        let name = self.file_name.as_deref().unwrap_or_default();
        is_card || name.to_ascii_lowercase().ends_with(".vcf")
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("content_type", &self.content_type)
            .field("has_url", &self.url.is_some())
            .finish_non_exhaustive()
    }
}

/// A place that the customer sent. Degrees in WGS 84.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
    /// The postal address, where the sender's app added one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The name of the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A tap on a quick-reply button or a list row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonReply {
    /// The text on the button.
    pub text: String,
    /// What we attached to it when we sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// The earlier message that the customer quoted. `Debug` leaves its words out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyTo {
    /// The provider's id of the quoted message.
    pub message_id: MessageId,
    /// Who wrote the quoted message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<ChannelAddress>,
    /// What it said, where the provider repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl fmt::Debug for ReplyTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyTo")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

/// The advertisement that the customer tapped to open the chat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// The advertiser's id of the post or ad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// `ad` or `post`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<String>,
    /// The page behind the ad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_url: Option<String>,
    /// The headline of the ad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// The text of the ad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The click id, for attribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click_id: Option<String>,
}
