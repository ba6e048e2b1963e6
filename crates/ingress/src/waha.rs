//! WAHA: verification and translation, both pure (provider facts, section 3).

mod payload;
mod read;
mod signature;

pub use read::read;
pub use signature::verify;
