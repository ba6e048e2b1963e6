//! What one turn notes in the CRM. Pure data; applied twice it changes nothing the second time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared_types::{Kind, OutboundMessage, Payload, PayloadError};

use super::status::Status;

/// Everything that one message tells the CRM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrmWrite {
    /// The message, `twilio:message:SM…`: what was created is marked with it.
    pub message: String,
    /// When the message came. Older writes never replace newer ones.
    pub at: Timestamp,
    /// Who wrote.
    pub contact: ContactWrite,
    /// What they want, when that is worth a lead.
    pub lead: Option<LeadWrite>,
    /// What is wanted no more.
    #[serde(default)]
    pub withdrawn: Option<WithdrawnWrite>,
    /// Appointments as they stand now.
    #[serde(default)]
    pub appointments: Vec<AppointmentWrite>,
    /// What was asked and a colleague has to answer.
    #[serde(default)]
    pub questions: Vec<QuestionWrite>,
    /// The hand-over to a colleague, when one was asked for.
    #[serde(default)]
    pub handover: Option<HandoverWrite>,
}

/// A hand-over: one open for each conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverWrite {
    /// The conversation.
    pub conversation: String,
    /// Whether this message asked for it; else it only tells more of one that is open.
    pub opens: bool,
    /// Why.
    pub reason: String,
    /// Whether it cannot wait.
    pub urgent: bool,
    /// What the customer wrote last.
    pub last_words: String,
    /// What a colleague should know.
    pub summary: String,
    /// The moment that the customer was told: the next opening, or today's closing.
    pub promised_at: Option<Timestamp>,
    /// When the customer should have heard from a colleague.
    pub answer_by: Timestamp,
    /// What the customer is told when nobody took it by then.
    #[serde(default)]
    pub late_reply: Option<Box<OutboundMessage>>,
}

/// A conversation changed hands elsewhere: in a help desk, or by a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverChange {
    /// The conversation.
    pub conversation_id: String,
    /// `taken` or `closed`.
    pub to: Status,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What the CRM's queue carries.
#[derive(Debug, Clone, PartialEq)]
pub enum CrmEntry {
    /// A turn that the CRM did not take at once.
    Write(Box<CrmWrite>),
    /// A conversation changed hands.
    Handover(HandoverChange),
}

impl Kind for HandoverChange {
    const KIND: &'static str = "handover";
}

impl Payload for CrmEntry {
    fn read(kind: &str, json: &str) -> Result<Self, PayloadError> {
        if kind == HandoverChange::KIND {
            return HandoverChange::read(kind, json).map(Self::Handover);
        }
        CrmWrite::read(kind, json).map(|write| Self::Write(Box::new(write)))
    }
}

/// An appointment: one for each conversation and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentWrite {
    /// The conversation.
    pub conversation: String,
    /// The goal that it is for.
    pub purpose: String,
    /// The thing that it is about: "Volkswagen Golf".
    pub thing: Option<String>,
    /// The day on the calendar of the business: `2026-12-08`, or a span `2026-12-07/2026-12-09`.
    pub date: Option<String>,
    /// The time on its clock: `14:30`, or a span `12:00/18:00`.
    pub time: Option<String>,
    /// `wanted`, `offered`, `confirmed`, `moved` or `cancelled`.
    pub status: String,
}

/// A question that could not be answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QuestionWrite {
    /// In the customer's words.
    pub words: String,
    /// What it is about: a fact, an attribute, or `other`; of a guess the intent.
    pub topic: String,
    /// Why a colleague should look at it. Earlier builds wrote questions alone.
    #[serde(default)]
    pub kind: Unclear,
    /// The conversation.
    #[serde(default)]
    pub conversation: Option<String>,
    /// How sure the guess is, 0 to 1.
    #[serde(default)]
    pub confidence: Option<f64>,
}

/// Why a colleague should look at words of a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unclear {
    /// They were asked and could not be answered.
    #[default]
    Question,
    /// What they want was guessed, below the domain's threshold.
    Intent,
    /// They may mean that no messages are wanted.
    OptOut,
}

impl Unclear {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Intent, Self::Question, Self::OptOut];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Intent => "intent",
            Self::OptOut => "opt_out",
        }
    }
}

impl Kind for CrmWrite {
    const KIND: &'static str = "write";
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactWrite {
    /// The address written from, then others of the same person: `whatsapp:+316…`, `tel:+316…`.
    pub addresses: Vec<String>,
    /// What leads to the contact and proves nothing, because it may be somebody else's tomorrow: a
    /// conversation of Chatwoot and its number of the contact.
    #[serde(default)]
    pub also: Vec<String>,
    /// The profile name.
    pub name: Option<String>,
    /// The language written in.
    pub language: Option<String>,
    /// Set when the message changed whether the contact wants messages: false is an opt-out.
    pub wants_messages: Option<bool>,
}

/// A lead: one open for each contact and intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadWrite {
    /// The conversation.
    pub conversation: String,
    /// What is wanted.
    pub intent: String,
    /// What is known of it.
    pub fields: Vec<LeadField>,
    /// Whether nothing is missing that the business asks for.
    #[serde(default)]
    pub complete: bool,
}

/// What a customer gave up. It is known no more of the contact's open leads of these intents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawnWrite {
    /// What is wanted.
    pub intents: Vec<String>,
    /// The names of the fields.
    pub fields: Vec<String>,
    /// What is left and has another name now, by that: after a first choice is given up the second is the first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, String>,
}

/// One thing that is known of a lead, and where that comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadField {
    /// The slot or topic.
    pub name: String,
    /// The value as text.
    pub value: String,
    /// The agent that found it.
    pub agent: String,
    /// How sure it was, 0 to 1.
    pub confidence: f64,
}

/// What the CRM made of a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// The contact.
    pub contact_id: String,
    /// Whether this message created it.
    pub contact_created: bool,
    /// Whether this message created the lead.
    pub lead_created: bool,
}

impl CrmWrite {
    /// The id of a contact that is not known yet. It follows from the address, so processes that
    /// create the same contact at once create one.
    pub(super) fn new_contact_id(&self) -> String {
        let address = self.contact.addresses.first().map_or("", String::as_str);
        short_hash("c", &[address])
    }
}

impl WithdrawnWrite {
    /// Each field of each intent, with what it says now: nothing where it is given up.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&String, &String, &str)> {
        let gone = self.fields.iter().map(|name| (name, ""));
        let moved = self.moved.iter();
        let fields = gone.chain(moved.map(|(name, value)| (name, value.as_str())));
        let intents = self.intents.iter();
        intents.flat_map(move |intent| {
            fields
                .clone()
                .map(move |(name, value)| (intent, name, value))
        })
    }
}

impl LeadWrite {
    /// The id of the contact's lead for this intent, after so many that are closed.
    pub(super) fn id(&self, contact: &str, closed: i64) -> String {
        if closed == 0 {
            return short_hash("l", &[contact, &self.conversation, &self.intent]);
        }
        let closed = closed.to_string();
        short_hash("l", &[contact, &self.conversation, &self.intent, &closed])
    }
}

impl HandoverWrite {
    /// The id of the hand-over that this message asks for.
    pub(super) fn id(&self, message: &str) -> String {
        short_hash("h", &[&self.conversation, message])
    }

    pub(super) const fn priority(&self) -> &'static str {
        if self.urgent { "urgent" } else { "normal" }
    }
}

impl HandoverChange {
    /// The id of the hand-over that begins with this change.
    pub(super) fn id(&self) -> String {
        short_hash("h", &[&self.conversation_id, &self.at.to_string()])
    }
}

impl AppointmentWrite {
    /// The id of the contact's appointment for this purpose.
    pub(super) fn id(&self, contact: &str) -> String {
        short_hash("a", &[contact, &self.conversation, &self.purpose])
    }
}

impl QuestionWrite {
    /// The id of a contact's question. The same words within a conversation are one question.
    pub(super) fn id(&self, contact: &str) -> String {
        match self.kind {
            Unclear::Question => short_hash("q", &[contact, &self.topic, &self.words]),
            // The same words may be a question, too.
            kind => short_hash("q", &[contact, kind.as_str(), &self.words]),
        }
    }
}

/// An id that follows from these texts.
pub(super) fn short_hash(prefix: &str, parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    format!(
        "{prefix}_{}",
        hex::encode(digest.get(..12).unwrap_or_default())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They may still wait when a newer build starts.
    #[test]
    fn writes_of_earlier_builds_are_read() {
        let entries = include_str!("../../../tests/fixtures/entries/crm.jsonl");
        for entry in entries.lines() {
            let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
            let field = |name: &str| entry[name].as_str().unwrap();
            CrmEntry::read(field("kind"), field("payload")).unwrap();
        }
    }
}
