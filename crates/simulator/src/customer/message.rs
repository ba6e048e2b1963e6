use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tamper::Tamper;
use crate::provider::Provider;

/// What a customer writes, on any channel, and how the provider (or a forger) delivers it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerMessage {
    /// Through whom it comes.
    pub provider: Provider,
    /// The customer: `+31612345678`, or an address without a number, such as `4711@lid`.
    pub from: String,
    /// The customer's name.
    pub name: Option<String>,
    /// Text, or caption of the media.
    pub text: String,
    /// Id of the provider (`SM…`, `false_…`, a number); a new one when absent.
    pub id: Option<String>,
    /// Sender number, WAHA session or Chatwoot inbox name; the configured one when absent.
    pub to: Option<String>,
    /// Attachments.
    pub media: Vec<Media>,
    /// A place.
    pub location: Option<Location>,
    /// A tap on a button of ours.
    pub button: Option<Button>,
    /// Id of the message that this one answers.
    pub reply_to: Option<String>,
    /// Whether the customer passed it on from somebody else.
    pub forwarded: bool,
    /// The advertisement that led the customer here.
    pub referral: Option<Referral>,
    /// What is wrong with the webhook.
    pub tamper: Option<Tamper>,
    /// Post it this often with the same id; 0 counts as 1.
    pub repeat: u32,
    /// Post the repetitions at the same time instead of one after another.
    pub at_once: bool,
    /// The provider has the message, and its webhook never arrives.
    pub lost: bool,
    /// Post again after a failure, this often, as the provider would.
    pub retries: u32,
    /// Milliseconds before each retry.
    pub retry_delay_ms: u64,
    /// Twilio: names of form fields to leave out.
    pub remove_params: Vec<String>,
    /// Twilio: further form fields, also repeated ones.
    pub raw_params: Vec<(String, String)>,
    /// WAHA and Chatwoot: merged into the JSON body; `null` takes a field away (RFC 7396).
    pub raw_fields: Value,
}

/// An attachment. Its bytes come from `base64` or `content`, else from `url`, else they are made up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// MIME type, such as `image/jpeg`.
    pub content_type: String,
    /// The bytes, encoded.
    pub base64: Option<String>,
    /// The bytes, as text.
    pub content: Option<String>,
    /// Where the webhook says that they are; the simulator serves them itself when absent.
    pub url: Option<String>,
    /// Name of the file.
    pub filename: Option<String>,
}

/// A place on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Name of the place.
    #[serde(default)]
    pub label: Option<String>,
    /// Street address.
    #[serde(default)]
    pub address: Option<String>,
}

/// A tapped button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// Its label.
    pub text: String,
    /// What it stands for.
    #[serde(default)]
    pub payload: Option<String>,
}

/// A click-to-WhatsApp advertisement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Referral {
    /// Id of the advertisement or post.
    pub source_id: Option<String>,
    /// `ad` or `post`.
    pub source_type: Option<String>,
    /// Its address.
    pub source_url: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// Click id.
    pub ctwa_clid: Option<String>,
}

impl CustomerMessage {
    /// A text, and nothing else.
    pub fn text(provider: Provider, from: &str, text: &str) -> Self {
        Self {
            provider,
            from: from.to_owned(),
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// The same message with this id.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// The same message by a customer of this name.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Refuses what cannot be sent.
    ///
    /// # Errors
    ///
    /// One line that names the field.
    pub fn validate(&self) -> Result<(), String> {
        if self.from.trim().is_empty() {
            return Err("from is empty: name a customer, such as +31612345678".to_owned());
        }
        if self.provider == Provider::Llm {
            return Err("provider must be twilio, waha or chatwoot".to_owned());
        }
        if !matches!(self.raw_fields, Value::Null | Value::Object(_)) {
            return Err("raw_fields must be an object".to_owned());
        }
        Ok(())
    }
}

impl Media {
    /// `image`, `audio`, `video`, `sticker`, `contacts`, or `document` for everything else.
    pub fn class(&self) -> &'static str {
        match self.content_type.split('/').next() {
            _ if self.is_card() => "contacts",
            Some("image") if self.content_type == "image/webp" => "sticker",
            Some("image") => "image",
            Some("audio") => "audio",
            Some("video") => "video",
            _ => "document",
        }
    }

    /// Whether it is a contact: a file with Twilio, a part of the message with the others.
    pub fn is_card(&self) -> bool {
        self.content_type.starts_with("text/vcard")
    }

    /// Name and number of a contact, as far as it has them.
    pub(crate) fn card(&self) -> (Option<&str>, Option<&str>) {
        let lines = || self.content.as_deref().unwrap_or_default().lines();
        let value = |name: &str| {
            let line = lines().find(|line| line.starts_with(name))?;
            line.split_once(':').map(|(_, value)| value.trim())
        };
        (value("FN"), value("TEL"))
    }
}
