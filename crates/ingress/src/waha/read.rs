//! From WAHA's events to ours. Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared_types::{
    Channel, ChannelAddress, ControlEvent, ControlKind, ConversationId, ConversationRef, Endpoint,
    InboundMessage, MessageId, MessageType, Sender, Source,
};

use super::engine::Engine;
use super::payload::Envelope;
use super::reports;
use super::said::{Said, reply_to};
use super::written;
use crate::event::{Event, Reading, Rejection};
use crate::lenient::{Fields, Unread, time};
use crate::text::clean_line;
use crate::whatsapp::chat_of;

const MAX_NAME_CHARS: usize = 100;
const DEFAULT_SESSION: &str = "default";
static NOTHING: Value = Value::Null;

/// Reads a verified webhook. `max_age` bounds the signed time of the event; the header with a time
/// is not signed and not looked at.
pub fn read(body: &[u8], now: Timestamp, max_age: SignedDuration) -> Reading {
    let envelope: Envelope = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(error) => return Reading::Rejected(malformed(&error)),
    };
    let unread = Unread::default();
    let event = Incoming {
        payload: Fields::of(&envelope.payload, &unread),
        envelope: &envelope,
        unread: &unread,
        now,
    };
    let read = match envelope.event.as_str() {
        "message" | "message.any" | "message.edited" => event.message(max_age),
        "message.revoked" => event.deleted(),
        "message.ack" | "message.ack.group" => reports::ack(&event),
        "session.status" => reports::session_status(&event),
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

/// An event on its way to ours.
pub(super) struct Incoming<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) payload: Fields<'a>,
    pub(super) unread: &'a Unread,
    pub(super) now: Timestamp,
}

impl<'a> Incoming<'a> {
    pub(super) fn lacks(&self, field: &str) -> Rejection {
        let text = format!("the payload of {} lacks {field}", self.envelope.event);
        Rejection::new("invalid_payload", text)
    }

    /// The session's name: a part of URLs and keys. One that cannot be used counts as none.
    pub(super) fn session(&self) -> &'a str {
        match &self.envelope.session {
            Value::Null => DEFAULT_SESSION,
            given => given.as_str().filter(is_usable).unwrap_or_else(|| {
                self.unread.note("session");
                DEFAULT_SESSION
            }),
        }
    }

    /// The conversation with a chat, through this session.
    ///
    /// # Errors
    /// When the session has a name that could lead elsewhere in a URL: an answer through another one
    /// would come from a stranger.
    pub(super) fn conversation(&self, chat: &ChannelAddress) -> Result<ConversationId, Rejection> {
        let session = self
            .envelope
            .session
            .as_str()
            .filter(|name| !name.is_empty());
        if session.is_some_and(|name| !is_usable(&name)) {
            let text = "the session's name has other characters than A-Z a-z 0-9 _ . -";
            return Err(Rejection::new("invalid_session", text));
        }
        format!("waha:{}:{chat}", self.session())
            .parse()
            .map_err(|_| Rejection::new("invalid_sender", "the chat cannot be named"))
    }

    /// Whether we wrote it. The id says so too, where the flag is odd.
    pub(super) fn is_own(&self, id: &str) -> bool {
        match self.payload.raw("fromMe") {
            Some(Value::Bool(own)) => *own,
            Some(_) => {
                self.payload.note("fromMe");
                id.starts_with("true_")
            }
            None => id.starts_with("true_"),
        }
    }

    fn message(&self, max_age: SignedDuration) -> Result<Reading, Rejection> {
        let id = self.payload.text("id").ok_or_else(|| self.lacks("id"))?;
        if self.is_own(id) {
            return match self.envelope.event.as_str() {
                "message.edited" => Ok(Reading::Ignored("own_message")),
                _ => written::read(self, id, max_age),
            };
        }
        let from = self
            .payload
            .text("from")
            .ok_or_else(|| self.lacks("from"))?;
        let data = self.payload.object("_data");
        let data = data.unwrap_or_else(|| self.payload.within(&NOTHING));
        let sender = match self.sender(id, from, data) {
            Ok(sender) => sender,
            Err(kind) => return Ok(Reading::Ignored(kind)),
        };
        let rejected = |rejection: Rejection| rejection.of(id);
        self.check_age(max_age).map_err(rejected)?;
        let engine = Engine::of(data);
        let said = Said::read(self.payload, engine, self.unread).map_err(rejected)?;
        let Some(said) = said else {
            return Ok(Reading::Ignored("nothing_said"));
        };
        let edits = self.edited();
        let message = InboundMessage {
            id: self.message_id(id, edits.as_ref())?,
            conversation: ConversationRef {
                id: self.conversation(&sender.id)?,
                begun_at: None,
            },
            sender,
            content: said.content,
            message_type: MessageType::Incoming,
            channel: Channel::Whatsapp,
            source: Source::Waha,
            endpoint: Some(self.endpoint()),
            attachments: said.attachments,
            location: said.location,
            button: said.button,
            reply_to: reply_to(self.payload, engine),
            forwarded: engine.is_forwarded(),
            referral: engine.referral(),
            edits,
            provider_word: None,
            late: false,
            too_late: false,
            received_at: Some(self.now),
            written_at: None,
            unread: self.unread.names(),
        };
        Ok(Reading::Event(Event::Message(Box::new(message))))
    }

    /// The message that this one takes the place of.
    fn edited(&self) -> Option<MessageId> {
        if self.envelope.event != "message.edited" {
            return None;
        }
        let named = self.payload.text("editedMessageId");
        named.or_else(|| self.payload.text("id"))?.parse().ok()
    }

    /// An edit may come under the id of what it edits, and would pass for known.
    pub(super) fn message_id(
        &self,
        id: &str,
        edits: Option<&MessageId>,
    ) -> Result<MessageId, Rejection> {
        let same = edits.is_some_and(|edits| id.ends_with(edits.as_str()));
        let at = self.written_at().map_or(0, Timestamp::as_second);
        let id = if same {
            format!("{id}~{at}")
        } else {
            id.to_owned()
        };
        id.parse()
            .map_err(|error| Rejection::new("invalid_message_id", format!("payload.id: {error}")))
    }

    /// A deleted message changes nothing that was understood of it; people are told.
    fn deleted(&self) -> Result<Reading, Rejection> {
        let parts = ["after", "before"].into_iter();
        let parts: Vec<Fields<'_>> = parts.filter_map(|name| self.payload.object(name)).collect();
        let first = |name| parts.iter().find_map(|part| part.text(name));
        let id = self
            .payload
            .text("revokedMessageId")
            .or_else(|| first("id"));
        let (Some(id), Some(from)) = (id, first("from")) else {
            return Ok(Reading::Ignored("event"));
        };
        if parts.iter().any(|part| part.flag("fromMe")) {
            return Ok(Reading::Ignored("own_message"));
        }
        let chat = match chat_of(from) {
            Ok(chat) => chat,
            Err(kind) => return Ok(Reading::Ignored(kind)),
        };
        let id = clean_line(id, 256).unwrap_or_default();
        Ok(Reading::Event(Event::Control {
            event: ControlEvent {
                conversation_id: self.conversation(&chat)?,
                source: Source::Waha,
                kind: ControlKind::MessageDeleted,
                by: None,
                changed_at: None,
                late: false,
                at: self.now,
            },
            dedup: format!("{}:deleted:{id}", self.session()),
        }))
    }

    /// Who wrote, with every address of theirs that the event has. Or why nobody is to be answered:
    /// of a group or a status `from` may be the person who wrote.
    fn sender(&self, id: &str, from: &str, data: Fields<'_>) -> Result<Sender, &'static str> {
        let chat = chat_of(from)?;
        if let Some(Err(kind)) = chat_in(id).map(chat_of)
            && kind != "address"
        {
            return Err(kind);
        }
        let mut aliases: Vec<ChannelAddress> = Vec::new();
        for place in [
            "/key/remoteJid",
            "/key/remoteJidAlt",
            "/key/senderPn",
            "/key/senderLid",
            "/Info/Chat",
            "/Info/Sender",
            "/Info/SenderAlt",
        ] {
            let address = data.value().pointer(place).and_then(Value::as_str);
            match chat_of(address.unwrap_or_default()) {
                Ok(alias) if alias != chat && !aliases.contains(&alias) => aliases.push(alias),
                Ok(_) | Err("address") => {}
                Err(kind) => return Err(kind),
            }
        }
        let line = |places: &[&str]| {
            let mut texts = places
                .iter()
                .filter_map(|place| data.value().pointer(place)?.as_str());
            texts.find_map(|text| clean_line(text, MAX_NAME_CHARS))
        };
        let numbers = std::iter::once(&chat).chain(&aliases);
        Ok(Sender {
            name: line(&["/notifyName", "/pushName", "/Info/PushName"]),
            phone_number: numbers.into_iter().find_map(ChannelAddress::phone_number),
            phone_number_is_claimed: false,
            username: line(&[
                "/key/remoteJidUsername",
                "/key/username",
                "/Info/SenderUsername",
            ]),
            id: chat,
            aliases,
        })
    }

    fn endpoint(&self) -> Endpoint {
        let me = Fields::of(&self.envelope.me, self.unread);
        let address = me.text("id").and_then(|id| id.parse().ok());
        Endpoint {
            address,
            session: Some(self.session().to_owned()),
            ..Endpoint::default()
        }
    }

    /// When WAHA made the event.
    pub(super) fn told_at(&self) -> Option<Timestamp> {
        let at = time(&self.envelope.timestamp);
        if at.is_none() && !self.envelope.timestamp.is_null() {
            self.unread.note("timestamp");
        }
        at
    }

    /// When the message was written.
    pub(super) fn written_at(&self) -> Option<Timestamp> {
        self.payload.read("timestamp", time)
    }

    /// The event's own time and the message's are both signed; the later one that can be read counts.
    pub(super) fn check_age(&self, max_age: SignedDuration) -> Result<(), Rejection> {
        let times: Vec<Timestamp> = [self.told_at(), self.written_at()]
            .into_iter()
            .flatten()
            .collect();
        if times.is_empty() {
            let text = "the event has no timestamp";
            return Err(Rejection::new("missing_timestamp", text));
        }
        let is_fresh = |at: &Timestamp| self.now.duration_since(*at).abs() <= max_age;
        if times.iter().any(is_fresh) {
            return Ok(());
        }
        let text = "the event is too old, or the clocks differ";
        Err(Rejection::new("stale_timestamp", text))
    }
}

/// The chat that a message's id names: `false_<chat>_<key>`, in a group with `_<author>` behind.
pub(super) fn chat_in(id: &str) -> Option<&str> {
    let (_, rest) = id.split_once('_')?;
    rest.split('_').next()
}

/// A session's name is a part of URLs and keys. Dots alone would be a way up.
fn is_usable(name: &&str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let bytes = || name.bytes();
    (1..=64).contains(&name.len()) && bytes().all(plain) && !bytes().all(|byte| byte == b'.')
}
