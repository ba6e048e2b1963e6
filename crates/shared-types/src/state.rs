use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ConversationId, MessageId, PhoneNumber, Source};

/// One turn of the agent graph: what came in, what is known, and what each agent made of it.
///
/// `Debug` leaves all customer text out.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConversationState {
    /// The message of this turn.
    pub message_id: MessageId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The customer's text.
    pub content: String,
    /// The profile name.
    #[serde(default)]
    pub sender_name: Option<String>,
    /// The phone number, where the channel tells it.
    #[serde(default)]
    pub sender_phone: Option<PhoneNumber>,
    /// The provider that the message came through.
    pub source: Source,
    /// Earlier turns, oldest first.
    #[serde(default)]
    pub conversation_history: Vec<HistoryLine>,
    /// What the router decided.
    #[serde(default)]
    pub router_output: Option<RouterOutput>,
    /// What the extraction found.
    #[serde(default)]
    pub extraction_output: Option<ExtractionOutput>,
    /// What is answered.
    #[serde(default)]
    pub conversation_output: Option<ConversationOutput>,
    /// What was noted in the CRM.
    #[serde(default)]
    pub crm_output: Option<CrmOutput>,
}

impl fmt::Debug for ConversationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConversationState")
            .field("message_id", &self.message_id)
            .field("conversation_id", &self.conversation_id)
            .field("source", &self.source)
            .field("router_output", &self.router_output)
            .field("crm_output", &self.crm_output)
            .finish_non_exhaustive()
    }
}

/// One line of a conversation's history.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl fmt::Debug for HistoryLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryLine")
            .field("role", &self.role)
            .field("at", &self.at)
            .finish()
    }
}

/// Who spoke in a history line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The customer.
    Customer,
    /// Us.
    Bot,
    /// A colleague.
    Colleague,
    /// A note by the system, such as a message that could not be handled.
    System,
}

/// The router's decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouterOutput {
    /// One of the domain's intents, such as `car_inquiry`.
    pub intent: String,
    /// How sure the router is, 0 to 1.
    pub confidence: f64,
    /// Where the graph goes from here.
    pub next_agent: NextAgent,
    /// What the message does, clause by clause; the intent is that of the weightiest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<RouterAct>,
}

/// One thing that a message does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouterAct {
    /// `ask`, `inform`, `request`, `complain` …
    pub act: String,
    /// The fact, attribute, goal or alarm of the domain that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How sure the router is, 0 to 1.
    pub confidence: f64,
}

/// The edges that leave the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextAgent {
    /// The message may name things worth noting.
    Extraction,
    /// Nothing to extract; straight to the reply.
    Conversation,
    /// No reply is due: a human is in charge, or the contact has opted out.
    End,
}

/// The slots of a message, by name: `{"car_make":"Volkswagen","price_max":15000}`.
pub type Slots = BTreeMap<String, SlotValue>;

/// A slot's value: a text or a whole number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SlotValue {
    /// Euros, years, kilometres.
    Integer(i64),
    /// A canonical name.
    Text(String),
}

impl fmt::Debug for SlotValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(_) => f.write_str("Integer"),
            Self::Text(_) => f.write_str("Text"),
        }
    }
}

impl fmt::Display for SlotValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// What the extraction found: the slots at top level beside the intent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractionOutput {
    /// `car_make`, `car_model`, `price_max` and the domain's other slots.
    #[serde(flatten)]
    pub slots: Slots,
    /// The intent that the slots belong to.
    pub intent: String,
}

/// The reply and how the customer seems to feel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationOutput {
    /// What the customer will read.
    pub response_text: String,
    /// The mood of the customer's message.
    pub sentiment: Sentiment,
    /// Whether a colleague should take over.
    pub should_escalate: bool,
    /// Why, when they should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation_reason: Option<String>,
}

impl fmt::Debug for ConversationOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConversationOutput")
            .field("response_chars", &self.response_text.chars().count())
            .field("sentiment", &self.sentiment)
            .field("should_escalate", &self.should_escalate)
            .finish_non_exhaustive()
    }
}

/// The mood of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sentiment {
    /// Pleased or thankful.
    Positive,
    /// Neither.
    #[default]
    Neutral,
    /// Displeased.
    Negative,
}

/// What the CRM agent noted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrmOutput {
    /// Whether this turn created the contact.
    pub contact_created: bool,
    /// The contact, where the CRM could be reached.
    #[serde(default)]
    pub contact_id: Option<String>,
    /// Whether this turn created a lead.
    pub lead_created: bool,
}
