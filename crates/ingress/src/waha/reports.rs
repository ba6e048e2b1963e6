//! What WAHA reports about our messages and its sessions. Pure.

use jiff::Timestamp;
use serde_json::Value;
use shared_types::{DeliveryEvent, DeliveryStatus, Source};

use super::read::Incoming;
use crate::event::{Event, Reading, Rejection};
use crate::lenient::Fields;
use crate::text::clean_line;
use crate::whatsapp::chat_of;

pub(super) fn ack(event: &Incoming<'_>) -> Result<Reading, Rejection> {
    let report = event.payload;
    let id = report.text("id").ok_or_else(|| event.lacks("id"))?;
    let ack = report.number("ack").ok_or_else(|| event.lacks("ack"))?;
    if !event.is_own(id) {
        return Ok(Reading::Ignored("own_message"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "other numbers are ignored")]
    let status = match ack as i64 {
        -1 => DeliveryStatus::Failed,
        0 => DeliveryStatus::Queued,
        1 => DeliveryStatus::Sent,
        2 => DeliveryStatus::Delivered,
        3 | 4 => DeliveryStatus::Read,
        _ => return Ok(Reading::Ignored("ack")),
    };
    // `true_<chat id>_<key>` names the chat in every engine; `to` and `from` do not.
    let in_id = id
        .strip_prefix("true_")
        .and_then(|rest| rest.split('_').next());
    let addresses = [in_id, report.text("to"), report.text("from")];
    let Some(chat) = addresses
        .into_iter()
        .flatten()
        .find_map(|address| chat_of(address).ok())
    else {
        return Ok(Reading::Ignored("address"));
    };
    Ok(Reading::Event(Event::Delivery(DeliveryEvent {
        source: Source::Waha,
        outbound_id: None,
        conversation_id: event.conversation(&chat)?,
        provider_id: id.to_owned(),
        to: chat,
        status,
        error_code: None,
        error_message: None,
        at: event.now,
    })))
}

pub(super) fn session_status(event: &Incoming<'_>) -> Result<Reading, Rejection> {
    let status = event.payload.text("status");
    let status = status.ok_or_else(|| event.lacks("status"))?;
    let session = clean_line(event.session(), 64).unwrap_or_default();
    let status = clean_line(status, 64).unwrap_or_default();
    let of_account = [&event.envelope.me, event.payload.value()];
    Ok(Reading::Session {
        working: status == "WORKING",
        timelocked: of_account
            .into_iter()
            .any(|account| is_timelocked(Fields::of(account, event.unread), event.now)),
        session,
        status,
    })
}

/// WhatsApp bars an account for a while from writing to people who did not write first (WAHA's
/// `reachoutTimelock`, since 2026.8).
fn is_timelocked(account: Fields<'_>, now: Timestamp) -> bool {
    let Some(lock) = account.raw("reachoutTimelock") else {
        return false;
    };
    let flag = ["isActive", "is_active", "active"]
        .into_iter()
        .find_map(|name| lock.get(name)?.as_bool());
    let end = ["timeEnforcementEnds", "time_enforcement_ends", "expiresAt"]
        .into_iter()
        .find_map(|name| time(lock.get(name)?));
    match (flag, end) {
        (Some(active), _) => active,
        (None, Some(end)) => end > now,
        (None, None) => lock.as_bool() == Some(true),
    }
}

/// A time in seconds or milliseconds since 1970, or written out.
fn time(value: &Value) -> Option<Timestamp> {
    const FIRST_OF_MS: i64 = 100_000_000_000;
    if let Some(text) = value.as_str()
        && let Ok(at) = text.parse()
    {
        return Some(at);
    }
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    if number < FIRST_OF_MS {
        Timestamp::from_second(number).ok()
    } else {
        Timestamp::from_millisecond(number).ok()
    }
}
