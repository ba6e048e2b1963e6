//! WAHA, the WhatsApp HTTP API: signatures and webhooks as pure functions, and the API that a
//! sender calls.

mod api;
mod contacts;
mod error;
mod history;
mod inbound;
mod messages;
mod signature;
mod state;
mod webhook;

pub(crate) use api::routes;
pub(crate) use error::error;
pub use signature::sign;
pub use state::{Ack, Engine, SessionStatus};
pub(crate) use state::{WahaState, ack_of};
pub use webhook::{Session, envelope, new_id, webhook_body};
pub(crate) use webhook::{ack_webhook, inbound_webhook, own_message_webhook, session_webhook};
