use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ChannelAddress, ConversationId, OutboundId, Source};

/// A provider's report about a message that we sent: a Twilio status callback or a WAHA ack.
///
/// Reports may be lost, doubled and reordered; egress applies them forwards only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryEvent {
    /// Who reports.
    pub source: Source,
    /// Our id, where the report carries it (`?oid=` of the status callback).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_id: Option<OutboundId>,
    /// The conversation that the message was sent in.
    pub conversation_id: ConversationId,
    /// The provider's id of the message.
    pub provider_id: String,
    /// The recipient.
    pub to: ChannelAddress,
    /// What the provider says.
    pub status: DeliveryStatus,
    /// The provider's error code. A text: Twilio has sent `InvalidSandboxRequest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The provider's words for the error, numbers in them masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// When ingress took the report in.
    pub at: Timestamp,
}

/// How far a message got. Twilio's states; WAHA's acks are mapped onto them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Accepted by a Messaging Service.
    Accepted,
    /// Waits for its scheduled time.
    Scheduled,
    /// In the provider's queue.
    Queued,
    /// On its way to the carrier.
    Sending,
    /// Handed to the carrier or to WhatsApp.
    Sent,
    /// On the recipient's phone.
    Delivered,
    /// Delivered to some of several recipients.
    PartiallyDelivered,
    /// Read by the recipient.
    Read,
    /// Could not be sent.
    Failed,
    /// Sent, but not delivered.
    Undelivered,
    /// Withdrawn before it was sent.
    Canceled,
}

impl DeliveryStatus {
    /// All states with their names on the wire.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Accepted, "accepted"),
        (Self::Scheduled, "scheduled"),
        (Self::Queued, "queued"),
        (Self::Sending, "sending"),
        (Self::Sent, "sent"),
        (Self::Delivered, "delivered"),
        (Self::PartiallyDelivered, "partially_delivered"),
        (Self::Read, "read"),
        (Self::Failed, "failed"),
        (Self::Undelivered, "undelivered"),
        (Self::Canceled, "canceled"),
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(status, _)| *status == self)
            .map_or("", |(_, name)| name)
    }
}

/// The text names no delivery status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown delivery status")]
pub struct UnknownStatus;

impl FromStr for DeliveryStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|(_, name)| *name == text);
        known.map(|(status, _)| status).ok_or(UnknownStatus)
    }
}
