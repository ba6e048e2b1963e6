use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::clock::Moment;
use crate::provider::{Endpoint, Provider};

/// One call of a service to a provider, or one webhook of a customer: what happened, never changed.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Place in the order of arrival, from 1.
    pub seq: u64,
    /// Microseconds since start and wall-clock time of arrival.
    #[serde(flatten)]
    pub arrived: Moment,
    /// Who was called, or who called.
    pub provider: Provider,
    /// What was asked for; [`Endpoint::Webhook`] for a customer's message.
    pub endpoint: Endpoint,
    /// The provider's id of the message.
    pub id: String,
    /// The customer, in the form of [`crate::address::customer`].
    pub customer: String,
    /// The other end: sender number, WAHA session or Chatwoot inbox.
    pub business: String,
    /// Text of the message.
    pub text: String,
    /// Whether the provider took it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The outbound id that the service put into its request, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oid: Option<String>,
    /// The misbehaviour that the call met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// The request as it was understood: form fields or JSON.
    pub request: Value,
}

/// Whether a provider took what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Taken: a real customer would get it.
    Accepted,
    /// Not taken. Nothing reaches a customer.
    Refused {
        /// The provider's error code, else the HTTP status, else the name of the fault.
        code: String,
    },
}

impl Outcome {
    /// Whether the provider took it.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Outcome", 2)?;
        fields.serialize_field("accepted", &self.is_accepted())?;
        match self {
            Self::Accepted => fields.skip_field("refused")?,
            Self::Refused { code } => fields.serialize_field("refused", code)?,
        }
        fields.end()
    }
}

/// How far a message came. Ordered: a message never moves to a smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Refused: no delivery.
    None,
    /// A webhook is being posted.
    Posting,
    /// The ingress did not answer.
    Unreachable,
    /// The ingress answered with an error.
    Rejected,
    /// The ingress took the webhook.
    Received,
    /// Taken by a Messaging Service.
    Accepted,
    /// Taken, with its sender known.
    Queued,
    /// On its way.
    Sending,
    /// Handed to WhatsApp.
    Sent,
    /// WhatsApp could not deliver it.
    Undelivered,
    /// Twilio or WhatsApp refused it later.
    Failed,
    /// On the customer's phone.
    Delivered,
    /// Read by the customer.
    Read,
}

impl MessageStatus {
    /// The word in Twilio's API and in ours.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Posting => "posting",
            Self::Unreachable => "unreachable",
            Self::Rejected => "rejected",
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// What changes about an entry after it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// How far it came.
    pub status: MessageStatus,
    /// Error of a failed delivery, or the ingress's HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// How long the ingress took to answer, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_us: Option<u64>,
    /// What the ingress calls the webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What the ingress said was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complaint: Option<String>,
}

impl Progress {
    /// A status and nothing else.
    pub fn of(status: MessageStatus) -> Self {
        Self {
            status,
            code: None,
            elapsed_us: None,
            request_id: None,
            complaint: None,
        }
    }
}

/// An entry with its progress at the moment of looking.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// What happened.
    #[serde(flatten)]
    pub entry: Arc<Entry>,
    /// What became of it.
    #[serde(flatten)]
    pub progress: Progress,
}

/// A request as it was understood, before the journal numbers and times it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) provider: Provider,
    pub(crate) endpoint: Endpoint,
    pub(crate) customer: String,
    pub(crate) business: String,
    pub(crate) text: String,
    pub(crate) oid: Option<String>,
    pub(crate) request: Value,
}

impl Call {
    /// A call about nobody in particular.
    pub(crate) fn new(provider: Provider, endpoint: Endpoint) -> Self {
        Self {
            provider,
            endpoint,
            customer: String::new(),
            business: String::new(),
            text: String::new(),
            oid: None,
            request: Value::Null,
        }
    }

    /// Roughly how much memory the entry of this call will take, in bytes.
    fn weight(&self) -> usize {
        // The entry itself, its place in the indexes and the allocations of its short texts.
        const FIXED: usize = 800;
        FIXED + self.text.len() + self.customer.len() + json_weight(&self.request)
    }

    pub(super) fn into_entry(self, seq: u64, arrived: Moment, verdict: Verdict) -> (Entry, usize) {
        let weight = self.weight();
        let entry = Entry {
            seq,
            arrived,
            provider: self.provider,
            endpoint: self.endpoint,
            id: verdict.id,
            customer: self.customer,
            business: self.business,
            text: self.text,
            outcome: verdict.outcome,
            oid: self.oid,
            fault: verdict.fault,
            request: self.request,
        };
        (entry, weight)
    }
}

/// What the provider made of a call.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) id: String,
    pub(crate) outcome: Outcome,
    pub(crate) status: MessageStatus,
    pub(crate) fault: Option<&'static str>,
}

fn json_weight(value: &Value) -> usize {
    const NODE: usize = 32;
    /// A map keeps its fields in blocks of a fixed size.
    const MAP: usize = 700;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => NODE,
        Value::String(text) => NODE + text.len(),
        Value::Array(items) => NODE + items.iter().map(json_weight).sum::<usize>(),
        Value::Object(fields) => fields.iter().fold(MAP, |sum, (name, value)| {
            sum + NODE + name.len() + json_weight(value)
        }),
    }
}
