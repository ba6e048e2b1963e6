//! Twilio: verification and translation, both pure.

mod content;
mod events;
mod form;
mod inbound;
mod names;
mod settings;
mod signature;
mod status;
mod url;
mod written;

pub(crate) use events::read_events;
pub(crate) use form::Pair;
pub use form::Params;
pub use inbound::read_message;
pub(crate) use names::are_ambiguous;
pub(crate) use settings::Algorithm;
pub use settings::{SharedKey, TwilioKeys};
pub(crate) use signature::{Refusal, key_id, replay_mark, sign};
pub use signature::{SignedBody, SignedRequest, verify};
pub use status::read_status;
pub(crate) use url::{host_and_port, port_variants, with_path};
pub(crate) use written::{read_written, written_at};
