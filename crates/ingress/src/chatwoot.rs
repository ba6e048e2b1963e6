//! Chatwoot: verification and translation, both pure
//! (<https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks>).

mod content;
pub(crate) mod mirror;
mod payload;
mod person;
mod read;
mod signature;
mod written;

pub use read::{read, read_with_mirror};
pub use signature::verify;
pub(crate) use signature::{Refusal, verify_path_token};
