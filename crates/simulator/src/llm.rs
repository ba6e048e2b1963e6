//! A language model behind the OpenAI-compatible API, with answers from a script.

mod completions;
mod rules;
mod schema;
mod transcriptions;

use actix_web::web;
use serde_json::json;

pub(crate) use rules::LlmRules;
pub use rules::{LlmMatch, LlmReply, LlmRule};

use crate::answer::Answer;

/// The paths of the API that are played.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/v1/chat/completions", web::post().to(completions::create))
        .route(
            "/v1/audio/transcriptions",
            web::post().to(transcriptions::create),
        );
}

/// An error in the API's form.
pub(crate) fn error(status: u16, message: Option<String>) -> Answer {
    let (kind, code, usual) = match status {
        401 => (
            "invalid_request_error",
            Some("invalid_api_key"),
            "Incorrect API key provided.",
        ),
        429 => (
            "requests",
            Some("rate_limit_exceeded"),
            "Rate limit reached for requests.",
        ),
        400..=499 => ("invalid_request_error", None, "Invalid request."),
        _ => (
            "server_error",
            None,
            "The server had an error while processing your request.",
        ),
    };
    let message = message.unwrap_or_else(|| usual.to_owned());
    let body = json!({
        "error": { "message": message, "type": kind, "param": null, "code": code }
    });
    Answer::json(status, &body)
}
