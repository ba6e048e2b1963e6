//! What customers send besides text: voice messages and contact cards are fetched, with care, and put into
//! text.

mod cards;
mod fetch;
mod origins;
mod recording;
mod transcribe;

pub use cards::Cards;
pub use transcribe::{Transcriber, TranscriberError};
