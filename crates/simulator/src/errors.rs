//! Errors in the form that each provider documents.

use serde_json::json;

use crate::answer::Answer;
use crate::provider::Provider;
use crate::{chatwoot, llm, twilio, waha};

/// An error of this provider. What is not given is filled with the provider's usual words.
pub(crate) fn answer(
    provider: Provider,
    status: u16,
    code: Option<u32>,
    message: Option<String>,
) -> Answer {
    match provider {
        Provider::Twilio => twilio::error(status, code, message),
        Provider::Waha => waha::error(status, message),
        Provider::Chatwoot => chatwoot::error(status, message),
        Provider::Llm => llm::error(status, message),
    }
}

/// "Too many requests" of this provider.
pub(crate) fn rate_limited(provider: Provider) -> Answer {
    match provider {
        Provider::Twilio => twilio::error(429, Some(20_429), None),
        // The throttle in front of Chatwoot answers before the application does.
        Provider::Chatwoot => Answer::new(429, "text/plain", "Retry later\n"),
        Provider::Waha | Provider::Llm => answer(provider, 429, None, None),
    }
}

/// The answer to a page of another site.
pub(crate) fn foreign_page() -> Answer {
    let text = "only pages of the simulator may use it, under an address or a name without dots";
    Answer::json(403, &json!({ "error": text }))
}

/// The answer to a path that nobody serves.
pub(crate) fn unknown_path() -> Answer {
    Answer::json(404, &json!({ "error": "unknown path" }))
}
