//! From WAHA's events to ours. Pure.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_types::{
    Attachment, Channel, ChannelAddress, ConversationId, ConversationRef, DeliveryEvent,
    DeliveryStatus, Endpoint, InboundMessage, Location, MessageType, ReplyTo, Sender, Source,
};

use super::payload::{Ack, Envelope, Message, SessionStatus};
use crate::event::{Event, Reading, Rejection};
use crate::text::{MAX_CHARS, clean, clean_line};

const MAX_NAME_CHARS: usize = 100;
const DEFAULT_SESSION: &str = "default";

/// Reads a verified webhook. `max_age` bounds the signed time of the event; the header with a time
/// is not signed and not looked at.
pub fn read(body: &[u8], now: Timestamp, max_age: jiff::SignedDuration) -> Reading {
    let envelope: Envelope = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(error) => return Reading::Rejected(malformed(&error)),
    };
    let read = match envelope.event.as_str() {
        "message" | "message.any" => message(&envelope, now, max_age),
        "message.ack" | "message.ack.group" => ack(&envelope, now),
        "session.status" => session_status(&envelope),
        _ => Ok(Reading::Ignored("event")),
    };
    read.unwrap_or_else(Reading::Rejected)
}

/// The place and kind of the mistake, not the text around it.
fn malformed(error: &serde_json::Error) -> Rejection {
    let place = format!("line {}, column {}", error.line(), error.column());
    Rejection::new(
        "malformed_json",
        format!("the body cannot be read at {place}"),
    )
}

fn payload<T: DeserializeOwned>(envelope: &Envelope) -> Result<T, Rejection> {
    serde_json::from_value(envelope.payload.clone()).map_err(|_| {
        Rejection::new(
            "invalid_payload",
            format!("the payload of {} lacks a field", envelope.event),
        )
    })
}

fn message(
    envelope: &Envelope,
    now: Timestamp,
    max_age: jiff::SignedDuration,
) -> Result<Reading, Rejection> {
    let message: Message = payload(envelope)?;
    if message.from_me {
        return Ok(Reading::Ignored("own_message"));
    }
    let chat = match chat_id(&message.from) {
        Ok(chat) => chat,
        Err(kind) => return Ok(Reading::Ignored(kind)),
    };
    let rejected = |rejection: Rejection| rejection.of(&message.id);
    let at = event_time(envelope, &message).ok_or_else(|| {
        rejected(Rejection::new(
            "missing_timestamp",
            "the event has no timestamp",
        ))
    })?;
    if now.duration_since(at) > max_age || at.duration_since(now) > max_age {
        let text = "the event is too old, or the clocks differ";
        return Err(rejected(Rejection::new("stale_timestamp", text)));
    }
    let content = clean(message.body.as_deref().unwrap_or_default());
    let length = content.chars().count();
    if length > MAX_CHARS {
        let text = format!("the text has {length} characters; {MAX_CHARS} are allowed");
        return Err(rejected(Rejection::new("message_too_long", text)));
    }
    let attachments = attachments(&message);
    let location = location(&message);
    if content.is_empty() && attachments.is_empty() && location.is_none() {
        let text = "the message has no text, media, location or contact";
        return Err(rejected(Rejection::new("empty_message", text)));
    }
    let session = session(envelope);
    Ok(Reading::Event(Event::Message(Box::new(InboundMessage {
        id: message.id.parse().map_err(|error| {
            Rejection::new("invalid_message_id", format!("payload.id: {error}"))
        })?,
        conversation: ConversationRef {
            id: conversation(&session, &chat)?,
        },
        sender: Sender {
            name: push_name(&message.data).and_then(|name| clean_line(name, MAX_NAME_CHARS)),
            phone_number: chat.phone_number(),
            id: chat,
            aliases: vec![],
        },
        content,
        message_type: MessageType::Incoming,
        channel: Channel::Whatsapp,
        source: Source::Waha,
        endpoint: Some(endpoint(envelope, session)),
        attachments,
        location,
        button: None,
        reply_to: reply_to(&message),
        forwarded: false,
        referral: None,
        provider_word: None,
        received_at: Some(now),
    }))))
}

/// A person's chat id without device suffix, or what else the address is.
fn chat_id(address: &str) -> Result<ChannelAddress, &'static str> {
    let (local, host) = address.split_once('@').ok_or("address")?;
    let local = local.split(':').next().unwrap_or(local);
    let host = match host {
        "c.us" | "s.whatsapp.net" => "c.us",
        "lid" => "lid",
        "g.us" => return Err("group"),
        "newsletter" => return Err("newsletter"),
        "broadcast" if local == "status" => return Err("status"),
        "broadcast" => return Err("broadcast"),
        _ => return Err("address"),
    };
    format!("{local}@{host}").parse().map_err(|_| "address")
}

fn session(envelope: &Envelope) -> String {
    envelope
        .session
        .clone()
        .unwrap_or_else(|| DEFAULT_SESSION.into())
}

fn conversation(session: &str, chat: &ChannelAddress) -> Result<ConversationId, Rejection> {
    format!("waha:{session}:{chat}")
        .parse()
        .map_err(|_| Rejection::new("invalid_session", "the session's name cannot be used"))
}

fn endpoint(envelope: &Envelope, session: String) -> Endpoint {
    let address = envelope.me.as_ref().and_then(|me| me.id.parse().ok());
    Endpoint {
        address,
        session: Some(session),
        ..Endpoint::default()
    }
}

/// The event's own time where the build sends it, else the message's.
fn event_time(envelope: &Envelope, message: &Message) -> Option<Timestamp> {
    let ms = envelope
        .timestamp
        .or(message.timestamp.map(|seconds| seconds * 1000.0))?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time out of range is refused below"
    )]
    Timestamp::from_millisecond(ms as i64).ok()
}

fn attachments(message: &Message) -> Vec<Attachment> {
    let mut attachments = Vec::new();
    if let Some(media) = &message.media {
        attachments.push(Attachment {
            url: media.url.clone(),
            content_type: media.mimetype.clone(),
            file_name: media
                .filename
                .as_deref()
                .and_then(|name| clean_line(name, MAX_NAME_CHARS)),
        });
    } else if message.has_media {
        // The session is set not to download media; the agents should at least know of it.
        attachments.push(Attachment {
            url: None,
            content_type: None,
            file_name: None,
        });
    }
    let cards = message.v_cards.iter().flatten();
    attachments.extend(cards.map(|_| Attachment {
        url: None,
        content_type: Some("text/vcard".into()),
        file_name: None,
    }));
    attachments
}

fn location(message: &Message) -> Option<Location> {
    let place = message.location.as_ref()?;
    let line = |text: &Option<String>| text.as_deref().and_then(|text| clean_line(text, 500));
    Some(Location {
        latitude: place.latitude.within(90.0)?,
        longitude: place.longitude.within(180.0)?,
        address: line(&place.address),
        label: line(&place.description),
    })
}

fn reply_to(message: &Message) -> Option<ReplyTo> {
    let quoted = message.reply_to.as_ref()?;
    let sender = quoted
        .participant
        .as_deref()
        .and_then(|address| chat_id(address).ok());
    Some(ReplyTo {
        message_id: quoted.id.as_deref()?.parse().ok()?,
        sender,
    })
}

/// Each engine keeps the profile name elsewhere.
fn push_name(data: &Value) -> Option<&str> {
    ["/notifyName", "/pushName", "/Info/PushName"]
        .iter()
        .find_map(|place| data.pointer(place)?.as_str())
}

fn ack(envelope: &Envelope, now: Timestamp) -> Result<Reading, Rejection> {
    let ack: Ack = payload(envelope)?;
    if !ack.from_me {
        return Ok(Reading::Ignored("own_message"));
    }
    let status = match ack.ack {
        -1 => DeliveryStatus::Failed,
        0 => DeliveryStatus::Queued,
        1 => DeliveryStatus::Sent,
        2 => DeliveryStatus::Delivered,
        3 | 4 => DeliveryStatus::Read,
        _ => return Ok(Reading::Ignored("ack")),
    };
    // `true_<chat id>_<key>` names the chat in every engine; `to` and `from` do not.
    let in_id = ack
        .id
        .strip_prefix("true_")
        .and_then(|rest| rest.split('_').next());
    let addresses = [in_id, ack.to.as_deref(), ack.from.as_deref()];
    let Some(chat) = addresses
        .into_iter()
        .flatten()
        .find_map(|address| chat_id(address).ok())
    else {
        return Ok(Reading::Ignored("address"));
    };
    Ok(Reading::Event(Event::Delivery(DeliveryEvent {
        source: Source::Waha,
        outbound_id: None,
        conversation_id: conversation(&session(envelope), &chat)?,
        provider_id: ack.id,
        to: chat,
        status,
        error_code: None,
        at: now,
    })))
}

fn session_status(envelope: &Envelope) -> Result<Reading, Rejection> {
    let status: SessionStatus = payload(envelope)?;
    let session = clean_line(&session(envelope), 64).unwrap_or_default();
    let status = clean_line(&status.status, 64).unwrap_or_default();
    Ok(Reading::Session {
        working: status == "WORKING",
        session,
        status,
    })
}
