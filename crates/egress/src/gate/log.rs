//! The lines that operators search for, with the counters that go with them.

use std::time::Duration;

use runtime::traces;
use serde_json::json;
use shared_types::{Receipt, SendResult, Source};

use crate::metrics::{EgressMetrics, SendOutcome};
use crate::senders::Part;

pub(super) fn sent(metrics: &EgressMetrics, part: &Part, receipt: &Receipt) {
    metrics.send(part.message.source, SendOutcome::Sent);
    traces::content(
        "sent",
        || json!({ "outbound": part.id.as_str(), "id": receipt.provider_id() }),
    );
    tracing::info!(
        outbound.id = %part.id,
        in_reply_to = %part.message.in_reply_to,
        to = %part.message.to,
        provider_id = receipt.provider_id(),
        result = "sent",
        "Message sent to {}", channel(part)
    );
}

/// A round of attempts, or the whole message, has failed.
pub(super) fn failed(metrics: &EgressMetrics, part: &Part, error: &str, attempts: u32) {
    metrics.send(part.message.source, SendOutcome::Failed);
    let result = SendResult::Failed {
        error: error.to_owned(),
        attempts,
    };
    traces::content(
        "failed",
        || json!({ "outbound": part.id.as_str(), "result": result }),
    );
    tracing::error!(
        outbound.id = %part.id,
        to = %part.message.to,
        result = serde_json::to_string(&result).unwrap_or_default(),
        "{} send failed", channel(part)
    );
}

/// The message waits for its turn; it is not dropped.
pub(super) fn rate_limited(metrics: &EgressMetrics, part: &Part, waited: Duration) {
    metrics.send(part.message.source, SendOutcome::RateLimited);
    traces::content("rate_limited", || json!({ "outbound": part.id.as_str() }));
    tracing::warn!(
        outbound.id = %part.id,
        waited_ms = waited.as_millis(),
        result = serde_json::to_string(&SendResult::RateLimited).unwrap_or_default(),
        "{} rate limit reached", channel(part)
    );
}

fn channel(part: &Part) -> &'static str {
    match part.message.source {
        Source::Twilio => "Twilio",
        Source::Waha => "WAHA",
        Source::Chatwoot => "Chatwoot",
    }
}
