//! What customers send besides text: voice messages are fetched, with care, and put into text.

mod fetch;
mod origins;
mod recording;
mod resolver;
mod transcribe;

pub use transcribe::{Transcriber, TranscriberError};
