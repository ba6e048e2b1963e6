//! From Chatwoot's events to ours. Pure.

use jiff::Timestamp;
use serde_json::Value;
use shared_types::{
    Attachment, Channel, ChannelAddress, ControlEvent, ControlKind, ConversationId,
    ConversationRef, Endpoint, InboundMessage, Location, MessageType, PhoneNumber, Sender, Source,
};

use super::payload::{Conversation, File, Meta, Payload, Person};
use crate::event::{Event, Reading, Rejection};
use crate::text::{MAX_CHARS, clean, clean_line};

const MAX_NAME_CHARS: usize = 100;

/// Reads a verified webhook. `delivery` is the header `X-Chatwoot-Delivery`, or another text that
/// tells this delivery from others. `own_account` is ours, for events that do not name one.
pub fn read(body: &[u8], delivery: &str, own_account: Option<u64>, now: Timestamp) -> Reading {
    let payload: Payload = match serde_json::from_slice(body) {
        Ok(payload) => payload,
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            let text = format!("the body cannot be read at {place}");
            return Reading::Rejected(Rejection::new("malformed_json", text));
        }
    };
    let read = match payload.event.as_str() {
        "message_created" => message(&payload, now),
        "conversation_status_changed"
        | "conversation_opened"
        | "conversation_resolved"
        | "conversation_updated" => control(&payload, delivery, own_account, now),
        _ => Ok(Reading::Ignored("event")),
    };
    read.unwrap_or_else(Reading::Rejected)
}

/// Why a message is not the bot's business (provider facts, section 4.4).
fn not_ours(payload: &Payload, conversation: &Conversation) -> Option<&'static str> {
    let flag = |name| {
        payload
            .content_attributes
            .get(name)
            .and_then(Value::as_bool)
            == Some(true)
    };
    let written_by_us = payload
        .sender
        .as_ref()
        .and_then(|sender| sender.kind.as_deref())
        .is_some_and(|kind| ["user", "agent_bot"].contains(&kind));
    let has_assignee = conversation
        .meta
        .as_ref()
        .is_some_and(Meta::has_human_assignee);
    let checks = [
        (
            !payload
                .message_type
                .as_ref()
                .is_some_and(|kind| kind.is_incoming()),
            "not_incoming",
        ),
        (payload.private, "private_note"),
        (written_by_us, "own_message"),
        (flag("deleted"), "deleted"),
        (flag("external_echo") || flag("mirrored"), "echo"),
        (
            conversation.status.as_deref() != Some("pending"),
            "not_pending",
        ),
        (has_assignee, "human_assignee"),
    ];
    checks
        .into_iter()
        .find_map(|(holds, reason)| holds.then_some(reason))
}

fn message(payload: &Payload, now: Timestamp) -> Result<Reading, Rejection> {
    let lacks =
        |field: &str| Rejection::new("invalid_payload", format!("the payload lacks {field}"));
    let id = payload.id.ok_or_else(|| lacks("id"))?.to_string();
    let rejected = |rejection: Rejection| rejection.of(&id);
    let conversation = payload
        .conversation
        .as_ref()
        .ok_or_else(|| rejected(lacks("conversation")))?;
    if let Some(reason) = not_ours(payload, conversation) {
        return Ok(Reading::Ignored(reason));
    }
    let account_id = payload
        .account
        .as_ref()
        .ok_or_else(|| rejected(lacks("account")))?
        .id;
    let person = payload.sender.as_ref().or(payload.contact.as_ref());
    let person = person.ok_or_else(|| rejected(lacks("sender")))?;
    let content = content(payload.content.as_deref().unwrap_or_default());
    let length = content.chars().count();
    if length > MAX_CHARS {
        let text = format!("the text has {length} characters; {MAX_CHARS} are allowed");
        return Err(rejected(Rejection::new("message_too_long", text)));
    }
    let files = payload.attachments.as_deref().unwrap_or_default();
    let location = files.iter().find_map(location);
    let attachments: Vec<_> = files.iter().filter_map(attachment).collect();
    if content.is_empty() && attachments.is_empty() && location.is_none() {
        return Ok(Reading::Ignored("empty"));
    }
    Ok(Reading::Event(Event::Message(Box::new(InboundMessage {
        id: id.parse().map_err(|_| lacks("id"))?,
        conversation: ConversationRef {
            id: conversation_id(account_id, conversation.id)?,
        },
        sender: sender(person, conversation.meta.as_ref(), account_id)?,
        content,
        message_type: MessageType::Incoming,
        channel: Channel::Whatsapp,
        source: Source::Chatwoot,
        endpoint: Some(Endpoint {
            account_id: Some(account_id),
            conversation_id: Some(conversation.id),
            ..Endpoint::default()
        }),
        attachments,
        location,
        button: None,
        reply_to: None,
        forwarded: false,
        referral: None,
        provider_word: None,
        received_at: Some(now),
    }))))
}

/// Some versions put a backslash before line breaks.
fn content(raw: &str) -> String {
    clean(&raw.replace("\\\n", "\n"))
}

fn conversation_id(account: u64, display_id: u64) -> Result<ConversationId, Rejection> {
    format!("chatwoot:{account}:{display_id}")
        .parse()
        .map_err(|_| Rejection::new("invalid_payload", "the conversation cannot be named"))
}

fn sender(person: &Person, meta: Option<&Meta>, account: u64) -> Result<Sender, Rejection> {
    let known = meta.and_then(|meta| meta.sender.as_ref());
    let phone = person
        .phone_number
        .as_ref()
        .or(known.and_then(|known| known.phone_number.as_ref()));
    let phone_number: Option<PhoneNumber> = phone.and_then(|phone| phone.parse().ok());
    let id = match &phone_number {
        Some(number) => format!("whatsapp:{number}"),
        None => format!("chatwoot:{account}-contact-{}", person.id),
    };
    let id: ChannelAddress = id
        .parse()
        .map_err(|_| Rejection::new("invalid_sender", "the sender has no usable address"))?;
    let name = person
        .name
        .as_deref()
        .and_then(|name| clean_line(name, MAX_NAME_CHARS));
    Ok(Sender {
        id,
        name,
        phone_number,
        aliases: vec![],
    })
}

fn attachment(file: &File) -> Option<Attachment> {
    let kind = file.file_type.as_deref().unwrap_or("file");
    let content_type = match kind {
        "location" => return None,
        "image" | "audio" | "video" => format!("{kind}/*"),
        "contact" => "text/vcard".into(),
        _ => "application/octet-stream".into(),
    };
    let file_name = file
        .fallback_title
        .as_deref()
        .and_then(|name| clean_line(name, MAX_NAME_CHARS));
    Some(Attachment {
        url: file.data_url.clone(),
        content_type: Some(content_type),
        file_name,
    })
}

fn location(file: &File) -> Option<Location> {
    if file.file_type.as_deref() != Some("location") {
        return None;
    }
    Some(Location {
        latitude: file
            .coordinates_lat
            .filter(|degrees| degrees.abs() <= 90.0)?,
        longitude: file
            .coordinates_long
            .filter(|degrees| degrees.abs() <= 180.0)?,
        address: None,
        label: file
            .fallback_title
            .as_deref()
            .and_then(|title| clean_line(title, 500)),
    })
}

fn control(
    payload: &Payload,
    delivery: &str,
    own_account: Option<u64>,
    now: Timestamp,
) -> Result<Reading, Rejection> {
    let lacks =
        |field: &str| Rejection::new("invalid_payload", format!("the payload lacks {field}"));
    let named = payload.account.as_ref().map(|account| account.id);
    let of_message = payload
        .messages
        .first()
        .and_then(|message| message.account_id);
    let account = named.or(of_message).or(own_account);
    let display_id = payload.id.ok_or_else(|| lacks("id"))?;
    let human = payload.meta.as_ref().is_some_and(Meta::has_human_assignee);
    let kind = match payload.status.as_deref() {
        Some("resolved") => ControlKind::Resolved,
        Some("open") => ControlKind::HumanTookOver,
        Some("pending") if human => ControlKind::HumanTookOver,
        Some("pending") => ControlKind::Released,
        _ => return Ok(Reading::Ignored("conversation_status")),
    };
    Ok(Reading::Event(Event::Control {
        event: ControlEvent {
            conversation_id: conversation_id(account.ok_or_else(|| lacks("account"))?, display_id)?,
            source: Source::Chatwoot,
            kind,
            at: now,
        },
        delivery: delivery.to_owned(),
    }))
}
