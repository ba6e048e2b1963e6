//! What WAHA reports about our messages and its sessions. Pure.

use jiff::Timestamp;
use shared_types::{DeliveryEvent, DeliveryStatus, Source};

use super::read::{Incoming, chat_in};
use crate::event::{Event, Reading, Rejection};
use crate::lenient::{Fields, time};
use crate::text::clean_line;
use crate::whatsapp::chat_of;

pub(super) fn ack(event: &Incoming<'_>) -> Result<Reading, Rejection> {
    let report = event.payload;
    let id = report.text("id").ok_or_else(|| event.lacks("id"))?;
    if !event.is_own(id) {
        return Ok(Reading::Ignored("own_message"));
    }
    let by_number = report.number("ack").map(by_number);
    let by_name = || report.text("ackName").map(by_name);
    let status = by_number.or_else(by_name);
    let Some(status) = status.ok_or_else(|| event.lacks("ack"))? else {
        return Ok(Reading::Ignored("ack"));
    };
    // `true_<chat id>_<key>` names the chat in every engine; `to` and `from` do not.
    let addresses = [chat_in(id), report.text("to"), report.text("from")];
    let chats = addresses.into_iter().flatten().map(chat_of);
    let mut told = chats.filter(|chat| *chat != Err("address"));
    let chat = match told.next().unwrap_or(Err("address")) {
        Ok(chat) => chat,
        Err(kind) => return Ok(Reading::Ignored(kind)),
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

/// WAHA's numbers; none for one that says nothing to us.
fn by_number(ack: f64) -> Option<DeliveryStatus> {
    #[expect(clippy::cast_possible_truncation, reason = "other numbers are ignored")]
    match ack as i64 {
        -1 => Some(DeliveryStatus::Failed),
        0 => Some(DeliveryStatus::Queued),
        1 => Some(DeliveryStatus::Sent),
        2 => Some(DeliveryStatus::Delivered),
        3 | 4 => Some(DeliveryStatus::Read),
        _ => None,
    }
}

/// WAHA's names of the same.
fn by_name(ack: &str) -> Option<DeliveryStatus> {
    match ack {
        "ERROR" => Some(DeliveryStatus::Failed),
        "PENDING" => Some(DeliveryStatus::Queued),
        "SERVER" => Some(DeliveryStatus::Sent),
        "DEVICE" => Some(DeliveryStatus::Delivered),
        "READ" | "PLAYED" => Some(DeliveryStatus::Read),
        _ => None,
    }
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
