//! Sends replies through Twilio, WAHA and Chatwoot: once, in order, within the rules.
//!
//! An entry of the outbound queue passes the gate: opt-out, who is in charge, WhatsApp's window, the
//! sender's pace. Its intent is written down before the request, so a send whose outcome is unknown
//! is looked up before it is repeated. Only the recipient concerned waits.

mod attempt;
mod config;
mod deliveries;
mod doctor;
mod gate;
mod handler;
mod indicator;
mod ledger;
mod metrics;
mod mirror;
mod reports;
mod retry;
mod senders;
mod service;
pub mod split; // also for the benchmark of the pure functions
mod ticks;
mod typing;

pub use config::EgressConfig;
pub use deliveries::{DeliveriesArgs, DeliveriesError, show_deliveries};
pub use doctor::{DoctorArgs, DoctorError};
pub use metrics::EgressMetrics;
pub use service::{Egress, EgressError};
