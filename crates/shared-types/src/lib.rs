//! The wire of Postduif: what ingress, worker and egress say to each other, as pure data.
//!
//! Every type here is stored as JSON in a Redis stream entry, a Redis hash or a log line. Unknown
//! fields are ignored and missing optional fields are fine, so services of neighbouring versions
//! can run side by side. The contract with examples is in this crate's `README.md`.

mod address;
mod arrival;
mod card;
mod colleague;
mod connection;
mod content;
mod control;
mod delivery;
mod failure;
pub mod fields;
mod ids;
mod inbound;
mod masking;
mod mirror;
mod outbound;
mod own_number;
mod payload;
mod send_result;
mod source;
mod state;
mod turn_view;
mod twilio_sid;
mod typing;
mod whatsapp_number;

pub use address::{AddressError, ChannelAddress, PhoneNumber};
pub use arrival::StockArrival;
pub use card::card_text;
pub use colleague::{ColleagueMessage, Mirrored, Wanted};
pub use connection::connection_failure;
pub use content::{Attachment, ButtonReply, Location, Referral, ReplyTo};
pub use control::{ControlEvent, ControlKind};
pub use delivery::{DeliveryEvent, DeliveryStatus};
pub use failure::FailureClass;
pub use ids::{ConversationId, IdError, MessageId, OutboundId, provider_key};
pub use inbound::{
    Channel, ConversationRef, Endpoint, InboundMessage, MessageType, ProviderWord, Sender,
};
pub use masking::{Masking, Shown};
pub use mirror::{MirrorMessage, MirrorStatus, MirrorStep, MirrorWhat, TickStatus, Ticked};
pub use outbound::{OutboundMessage, Picture, Purpose, Template};
pub use own_number::OwnNumber;
pub use payload::{Inbound, Kind, Outbound, Payload, PayloadError};
pub use send_result::{Receipt, SendResult};
pub use source::{Source, SourceError};
pub use state::{
    ConversationOutput, ConversationState, CrmOutput, ExtractionOutput, HistoryLine, NextAgent,
    Role, RouterAct, RouterOutput, Sentiment, SlotValue, Slots,
};
pub use turn_view::{ActView, Changed, Cue, TurnView, confidence};
pub use twilio_sid::sid_mistake;
pub use typing::TypingSignal;
pub use whatsapp_number::phone_number_of;
