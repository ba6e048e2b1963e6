//! Takes webhooks of Twilio, WAHA and Chatwoot in.
//!
//! In this order: size and time limits, signature, rate limit, dedup, validation, queue. What a
//! provider sent is verified over raw bytes, turned into one message for all channels by pure
//! functions, and written to Redis in one round trip before the 200. Nothing unverified reaches a
//! stream that agents read.

mod address_budget;
mod again;
mod author;
mod bodies;
mod chatwoot;
mod client_address;
mod config;
pub mod doctor;
mod event;
mod intake;
mod lenient;
mod lines;
mod metrics;
mod network;
mod openapi;
mod reconcile;
mod rejected;
mod reply;
mod request;
mod routes;
mod server;
mod spool;
mod strangers;
mod text;
mod total;
mod twilio;
mod unread_body;
mod waha;
mod whatsapp;

pub use config::{ClientAddressSource, IngressConfig, MirrorConfig};
pub use event::{Event, Reading, Rejection, Written};
pub use metrics::IngressMetrics;
pub use openapi::document;
pub use reconcile::{ReconcileArgs, ReconcileError, Reconciled, reconcile};
pub use server::{Ingress, IngressError};

/// The pure readers of each provider's webhooks, for tools and tests.
pub mod read {
    pub use crate::chatwoot::{read as chatwoot, read_with_mirror as chatwoot_with_mirror};
    pub use crate::twilio::{Params, read_message as twilio_message, read_status as twilio_status};
    pub use crate::waha::read as waha;
}

/// The pure verifiers of each provider's webhooks, for tools and tests.
pub mod verify {
    pub use crate::chatwoot::verify as chatwoot;
    pub use crate::twilio::{SharedKey, SignedBody, SignedRequest, TwilioKeys, verify as twilio};
    pub use crate::waha::verify as waha;
}
