use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ChannelAddress, ConversationId, Endpoint, MessageId, MirrorMessage, OutboundId, Source,
};

/// A message to a customer: what the worker commits and egress sends.
///
/// `Debug` leaves the text out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundMessage {
    /// Deterministic, so a turn done twice yields the same id.
    pub id: OutboundId,
    /// The provider to send through.
    pub source: Source,
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// The recipient's address.
    pub to: ChannelAddress,
    /// What to send from.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// The text. Egress splits it where the channel's limit demands.
    pub text: String,
    /// A picture that follows the text where the channel takes one. Earlier builds wrote none, and
    /// send the text alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// The message that this one answers.
    pub in_reply_to: MessageId,
    /// Why it is sent; some purposes pass gates that ordinary replies do not.
    #[serde(default)]
    pub purpose: Purpose,
    /// A pre-approved template to send instead of the text where the channel demands one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// What a colleague should know when the conversation is handed over. Never shown to the
    /// customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff_note: Option<String>,
    /// It is not sent before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The last word of a colleague that its turn knew of, see
    /// [`COLLEAGUE`](crate::fields::conversation::COLLEAGUE); `0-0` for none. What a colleague wrote
    /// later keeps it from being sent. Earlier builds wrote nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colleague_seen: Option<String>,
    /// The message of the help desk that it is: how far it gets is told there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored: Option<MirrorMessage>,
    /// When the worker committed it.
    pub created_at: Timestamp,
}

impl fmt::Debug for OutboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundMessage")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("to", &self.to)
            .field("purpose", &self.purpose)
            .field("text_chars", &self.text.chars().count())
            .finish_non_exhaustive()
    }
}

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An ordinary answer: held back after an opt-out and while a human is in charge.
    #[default]
    Reply,
    /// Confirms an opt-out or its end; sent in spite of the opt-out.
    OptOutNotice,
    /// Says that a colleague takes over; sent although a human is now in charge.
    HandoffNotice,
    /// A colleague's own words, written in the help desk or in the console: sent while a human is in charge, and never
    /// replaced by a template, but for one that the colleague chose.
    Colleague,
}

/// A picture that the provider fetches. `Debug` leaves its words out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Where it is; `http` or `https`.
    pub url: String,
    /// What it shows, in a few words.
    pub caption: String,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture")
    }
}

/// A Twilio Content template with its variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// `HX…`, Twilio's ContentSid.
    pub content_sid: String,
    /// The values of its numbered or named variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}
