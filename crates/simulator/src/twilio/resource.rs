use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Value, json};

use crate::journal::{MessageStatus, Record};

/// A message as Twilio's API shows it: counts as strings, no price yet, dates as RFC 2822.
pub(super) fn message(account_sid: &str, record: &Record) -> Value {
    let entry = &record.entry;
    let field = |name: &str| entry.request.get(name).and_then(Value::as_str);
    let uri = format!(
        "/2010-04-01/Accounts/{account_sid}/Messages/{}.json",
        entry.id
    );
    let media_uri = uri.replace(".json", "/Media.json");
    let created = date(entry.arrived.at);
    let error_code = record.progress.code;
    json!({
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": entry.text,
        "date_created": created,
        "date_sent": is_sent(record.progress.status).then(|| created.clone()),
        "date_updated": created,
        "direction": "outbound-api",
        "error_code": error_code,
        "error_message": error_code.map(super::error_text),
        "from": field("From"),
        "messaging_service_sid": field("MessagingServiceSid"),
        "num_media": media_count(&entry.request).to_string(),
        "num_segments": "1",
        "price": null,
        "price_unit": null,
        "sid": entry.id,
        "status": record.progress.status.as_str(),
        "subresource_uris": { "media": media_uri },
        "to": field("To"),
        "uri": uri,
    })
}

fn media_count(request: &Value) -> usize {
    match request.get("MediaUrl") {
        None => 0,
        Some(Value::Array(urls)) => urls.len(),
        Some(_) => 1,
    }
}

fn is_sent(status: MessageStatus) -> bool {
    !matches!(
        status,
        MessageStatus::Accepted | MessageStatus::Queued | MessageStatus::Sending
    )
}

/// `Sun, 22 Nov 2026 22:49:00 +0000`, or nothing for a time beyond the format.
fn date(at: Timestamp) -> Option<String> {
    rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).ok()
}
