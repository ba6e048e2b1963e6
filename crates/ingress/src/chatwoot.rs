//! Chatwoot: verification and translation, both pure (provider facts, section 4).

mod content;
mod payload;
mod person;
mod read;
mod signature;

pub use read::read;
pub use signature::verify;
pub(crate) use signature::{Refusal, verify_path_token};
