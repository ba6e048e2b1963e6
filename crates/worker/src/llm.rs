//! Understanding and wording by a language model, with the rules behind it.
//!
//! Any OpenAI-compatible endpoint. Requests leave out what a server refuses, answers are read
//! leniently and checked like any other input; whatever is late, failed, over budget or of no use is
//! the rules' to do.

mod answers;
mod breaker;
mod client;
mod dialect;
mod failure;
mod faithful;
mod health;
mod links;
mod plain;
mod prompts;
mod redact;
mod reply;
mod request;
mod schema;
mod slots;
mod stream;

pub use answers::{ConversationAnswer, RouterAnswer};
pub use client::{Asked, Model};
pub(crate) use dialect::Settings;
pub use dialect::{Auto, Format, Temperature, TokenField};
pub use failure::ModelError;
