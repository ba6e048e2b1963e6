//! WAHA: verification and translation, both pure (provider facts, section 3).

mod engine;
mod payload;
mod read;
mod reports;
mod said;
mod signature;

pub use read::read;
pub use signature::verify;
