//! Twilio Programmable Messaging for WhatsApp: signatures and webhooks as pure functions, and the
//! API that a sender calls.

mod api;
mod error;
mod inbound;
mod list;
mod request;
mod resource;
mod signature;
mod status;
mod webhook;

pub(crate) use api::routes;
pub(crate) use error::{error, error_text};
pub use inbound::{Account, encode_form, webhook_form};
pub use signature::{Algorithm, body_sha256_url, sign, sign_with};
pub use status::status_form;
pub(crate) use webhook::{inbound_webhook, status_url, status_webhook};

/// A new message SID: `SM`, or `MM` for a message with media, and 32 hexadecimal digits.
pub fn new_sid(media: usize) -> String {
    api::new_sid(media)
}
