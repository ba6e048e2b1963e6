//! From Twilio's Event Streams to signs of messages that went out from our numbers. Pure
//! (<https://www.twilio.com/docs/events>: a sink of the kind webhook posts a JSON array of CloudEvents,
//! at least once and in no order).

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared_types::{ChannelAddress, DeliveryEvent, DeliveryStatus, Source};

use crate::event::Rejection;

/// What the types of events about a message begin with; the status follows.
const MESSAGE: &str = "com.twilio.messaging.message.";

/// One event. Everything beside it is not read.
#[derive(Deserialize)]
struct CloudEvent {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    message_sid: String,
    account_sid: String,
    to: String,
}

/// Reads a delivery of a sink: the messages that went out, as reports without an id of ours. Events of other
/// kinds, of other accounts than `account` and those that cannot be read are none.
///
/// # Errors
/// When it is no JSON array.
pub(crate) fn read_events(
    body: &[u8],
    account: Option<&str>,
    at: Timestamp,
) -> Result<Vec<DeliveryEvent>, Rejection> {
    let Ok(Value::Array(events)) = serde_json::from_slice(body) else {
        return Err(Rejection::new(
            "malformed_json",
            "the body is not a JSON array",
        ));
    };
    let events = events.into_iter();
    Ok(events
        .filter_map(|event| report(event, account, at))
        .collect())
}

fn report(event: Value, account: Option<&str>, at: Timestamp) -> Option<DeliveryEvent> {
    let CloudEvent { kind, data } = serde_json::from_value(event).ok()?;
    let status: DeliveryStatus = kind.strip_prefix(MESSAGE)?.parse().ok()?;
    account
        .is_none_or(|own| own == data.account_sid)
        .then_some(())?;
    let to: ChannelAddress = data.to.parse().ok()?;
    Some(DeliveryEvent {
        source: Source::Twilio,
        outbound_id: None,
        conversation_id: String::from(to.clone()).try_into().ok()?,
        provider_id: data.message_sid,
        to,
        status,
        error_code: None,
        error_message: None,
        at,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: &str, account: &str, to: &str) -> Value {
        json!({
            "specversion": "1.0", "id": "EZ1", "source": "/2010-04-01/Messages", "type": kind,
            "data": { "messageSid": "SM1", "accountSid": account, "to": to, "body": "hoi" },
        })
    }

    #[test]
    fn only_our_messages_that_went_out_are_reports() {
        let to = "whatsapp:+31612345678";
        let body = json!([
            event("com.twilio.messaging.message.sent", "AC1", to),
            event("com.twilio.messaging.message.sent", "AC2", to),
            event("com.twilio.messaging.message.sunny", "AC1", to),
            event("com.twilio.messaging.inbound-message.received", "AC1", to),
            event("com.twilio.messaging.message.read", "AC1", ""),
            { "type": "com.twilio.messaging.message.sent" },
            17,
        ]);
        let reports = read_events(
            body.to_string().as_bytes(),
            Some("AC1"),
            Timestamp::UNIX_EPOCH,
        );
        let reports = reports.unwrap();
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].provider_id, "SM1");
        assert_eq!(reports[0].conversation_id.as_str(), to);
        assert_eq!(reports[0].status, DeliveryStatus::Sent);
    }

    #[test]
    fn a_body_that_is_no_array_is_refused() {
        for body in ["", "{}", "[", "null"] {
            let read = read_events(body.as_bytes(), None, Timestamp::UNIX_EPOCH);
            assert_eq!(read.unwrap_err().code, "malformed_json", "{body}");
        }
    }
}
