//! The simulator as its users see it: over real HTTP, with a receiver in the ingress's place.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod api_inbox;
mod chatwoot;
mod colleagues;
mod customers;
mod deliveries;
mod faults;
mod journal;
mod llm;
mod page;
mod program;
mod support;
mod twilio;
mod waha;
