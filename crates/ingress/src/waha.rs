//! WAHA: verification and translation, both pure
//! (<https://waha.devlike.pro/docs/how-to/events/>).

mod engine;
mod payload;
mod read;
mod reports;
mod said;
mod signature;
mod written;

pub use read::read;
pub(crate) use signature::Refusal;
pub use signature::verify;
