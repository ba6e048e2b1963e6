//! From Twilio's status callback to a delivery report. Pure
//! (<https://www.twilio.com/docs/messaging/guides/track-outbound-message-status>).

use jiff::Timestamp;
use shared_types::{ChannelAddress, DeliveryEvent, DeliveryStatus, Masking, OutboundId, Source};

use super::Params;
use super::inbound::unusable;
use crate::event::{Event, Reading, Rejection};
use crate::text::clean_line;

const MAX_ERROR_CODE_CHARS: usize = 64;
const MAX_ERROR_MESSAGE_CHARS: usize = 300;

/// Reads a status callback. `query` is the query string of the callback URL, which carries our id
/// as `oid`.
pub fn read_status(params: &Params<'_>, query: &str, at: Timestamp) -> Reading {
    match report(params, query, at) {
        Ok(Some(event)) => Reading::Event(Event::Delivery(event)),
        Ok(None) => Reading::Ignored("status"),
        Err(rejection) => Reading::Rejected(rejection),
    }
}

fn report(
    params: &Params<'_>,
    query: &str,
    at: Timestamp,
) -> Result<Option<DeliveryEvent>, Rejection> {
    let text = |name| params.get(name).map_err(|error| unusable(name, error));
    let sid = text("MessageSid")?.ok_or_else(|| {
        Rejection::new("missing_message_sid", "the parameter MessageSid is missing")
    })?;
    let Some(status) =
        text("MessageStatus")?.and_then(|status| status.parse::<DeliveryStatus>().ok())
    else {
        return Ok(None);
    };
    let to: ChannelAddress = text("To")?.and_then(|to| to.parse().ok()).ok_or_else(|| {
        Rejection::new("invalid_recipient", "To is missing or not an address").of(sid)
    })?;
    let conversation_id = String::from(to.clone())
        .try_into()
        .map_err(|_| Rejection::new("invalid_recipient", "To is not an address").of(sid))?;
    Ok(Some(DeliveryEvent {
        source: Source::Twilio,
        outbound_id: outbound_id(query),
        conversation_id,
        provider_id: sid.to_owned(),
        to,
        status,
        error_code: text("ErrorCode")?
            .map(|code| code.chars().take(MAX_ERROR_CODE_CHARS).collect()),
        error_message: text("ErrorMessage")?.and_then(error_message),
        at,
    }))
}

/// Twilio quotes the recipient in its errors.
fn error_message(text: &str) -> Option<String> {
    let masked = Masking::On.show(text).to_string();
    clean_line(&masked, MAX_ERROR_MESSAGE_CHARS)
}

fn outbound_id(query: &str) -> Option<OutboundId> {
    let params = Params::parse(query.as_bytes())?;
    params.get("oid").ok().flatten()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, query: &str) -> Reading {
        read_status(
            &Params::parse(body.as_bytes()).unwrap(),
            query,
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_report_carries_our_id_and_the_error_as_text() {
        let body = "MessageSid=SM1&MessageStatus=undelivered&To=whatsapp%3A%2B31612345678\
                    &ErrorCode=InvalidSandboxRequest&ErrorMessage=No+%2B31612345678+here";
        let Reading::Event(Event::Delivery(report)) = read(body, "oid=ob_1&x=%20") else {
            panic!("not a report");
        };
        assert_eq!(report.outbound_id.unwrap().as_str(), "ob_1");
        assert_eq!(report.status, DeliveryStatus::Undelivered);
        assert_eq!(report.error_code.as_deref(), Some("InvalidSandboxRequest"));
        let words = report.error_message.unwrap();
        assert!(
            words.starts_with("No +31") && words.ends_with("78 here"),
            "{words}"
        );
        assert!(!words.contains("31612345678"), "{words}");
    }

    #[test]
    fn states_of_inbound_messages_and_unknown_ones_are_ignored() {
        for status in ["received", "receiving", "sunny", ""] {
            let body =
                format!("MessageSid=SM1&MessageStatus={status}&To=whatsapp%3A%2B31612345678");
            assert_eq!(read(&body, ""), Reading::Ignored("status"), "{status}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let Reading::Rejected(rejection) = read("MessageStatus=sent", "") else {
            panic!()
        };
        assert_eq!(rejection.code, "missing_message_sid");
        let Reading::Rejected(rejection) = read("MessageSid=SM1&MessageStatus=sent", "") else {
            panic!()
        };
        assert_eq!(rejection.code, "invalid_recipient");
    }
}
