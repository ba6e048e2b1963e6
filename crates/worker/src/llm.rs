//! Understanding and wording by a language model, with the rules behind it.
//!
//! Any OpenAI-compatible endpoint. Answers come in a JSON schema and are checked like any other
//! input; whatever is late, failed, over budget or not in the schema is the rules' to do.

mod answers;
mod breaker;
mod client;
mod prompts;
mod redact;

pub use answers::{ConversationAnswer, RouterAnswer};
pub use client::Model;
