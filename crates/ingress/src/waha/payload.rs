//! The parts of WAHA's JSON that are used. Older builds leave much of it out.

use serde::Deserialize;
use serde_json::Value;

/// The envelope of every event.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) event: String,
    #[serde(default)]
    pub(super) session: Option<String>,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub(super) timestamp: Option<f64>,
    #[serde(default)]
    pub(super) me: Option<Me>,
    #[serde(default)]
    pub(super) payload: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Me {
    pub(super) id: String,
}

/// The payload of `message`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) id: String,
    /// Seconds since 1970, perhaps with a fraction.
    #[serde(default)]
    pub(super) timestamp: Option<f64>,
    pub(super) from: String,
    #[serde(default)]
    pub(super) from_me: bool,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) has_media: bool,
    #[serde(default)]
    pub(super) media: Option<Media>,
    #[serde(default)]
    pub(super) location: Option<Place>,
    #[serde(default)]
    pub(super) v_cards: Option<Vec<Value>>,
    #[serde(default)]
    pub(super) reply_to: Option<Quoted>,
    /// The engine's own data; only the name is read.
    #[serde(default, rename = "_data")]
    pub(super) data: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Media {
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) mimetype: Option<String>,
    #[serde(default)]
    pub(super) filename: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Place {
    pub(super) latitude: Degrees,
    pub(super) longitude: Degrees,
    #[serde(default, alias = "name", alias = "title")]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) address: Option<String>,
}

/// Engines write degrees as a number or as a text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Degrees {
    Number(f64),
    Text(String),
}

impl Degrees {
    pub(super) fn within(&self, most: f64) -> Option<f64> {
        let value = match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        };
        value.filter(|degrees: &f64| degrees.abs() <= most)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Quoted {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) participant: Option<String>,
}

/// The payload of `message.ack`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ack {
    pub(super) id: String,
    #[serde(default)]
    pub(super) from: Option<String>,
    #[serde(default)]
    pub(super) to: Option<String>,
    #[serde(default)]
    pub(super) from_me: bool,
    pub(super) ack: i64,
}

/// The payload of `session.status`.
#[derive(Debug, Deserialize)]
pub(super) struct SessionStatus {
    pub(super) status: String,
}
