use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Value, json};

use crate::address;
use crate::journal::{MessageStatus, Record};
use crate::provider::Endpoint;

/// A message as Twilio's API shows it: counts as strings, no price yet, dates as RFC 2822.
pub(super) fn message(account_sid: &str, record: &Record) -> Value {
    let entry = &record.entry;
    let is_inbound = entry.endpoint == Endpoint::Webhook;
    let field = |name: &str| entry.request.get(name).and_then(Value::as_str);
    let customer = address::whatsapp(&entry.customer);
    let (from, to) = if is_inbound {
        (Some(customer.as_str()), Some(entry.business.as_str()))
    } else {
        (field("From"), field("To"))
    };
    let uri = format!(
        "/2010-04-01/Accounts/{account_sid}/Messages/{}.json",
        entry.id
    );
    let media_uri = uri.replace(".json", "/Media.json");
    let created = date(entry.arrived.at);
    // What ingress answered is no error of the message.
    let error_code = record.progress.code.filter(|_| !is_inbound);
    json!({
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": entry.text,
        "date_created": created,
        "date_sent": (is_inbound || is_sent(record.progress.status)).then(|| created.clone()),
        "date_updated": created,
        "direction": if is_inbound { "inbound" } else { "outbound-api" },
        "error_code": error_code,
        "error_message": error_code.map(super::error_text),
        "from": from,
        "messaging_service_sid": field("MessagingServiceSid"),
        "num_media": media_count(&entry.request).to_string(),
        "num_segments": "1",
        "price": null,
        "price_unit": null,
        "sid": entry.id,
        "status": if is_inbound { "received" } else { record.progress.status.as_str() },
        "subresource_uris": { "media": media_uri },
        "to": to,
        "uri": uri,
    })
}

/// The files of a customer's message, by what its webhook said of them.
pub(super) fn media_list(account_sid: &str, record: &Record) -> Value {
    let message = &record.entry.id;
    let media = record.entry.request.get("media").and_then(Value::as_array);
    let files = media.into_iter().flatten().map(|media| {
        let url = media["url"].as_str().unwrap_or_default();
        let sid = url.rsplit('/').next();
        json!({
            "sid": sid,
            "account_sid": account_sid,
            "parent_sid": message,
            "content_type": media["content_type"],
            "uri": url.find("/2010-04-01/").and_then(|at| Some(format!("{}.json", url.get(at..)?))),
        })
    });
    json!({ "media_list": files.collect::<Vec<_>>(), "next_page_uri": null })
}

fn media_count(request: &Value) -> usize {
    if let Some(media) = request.get("media").and_then(Value::as_array) {
        return media.len();
    }
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
