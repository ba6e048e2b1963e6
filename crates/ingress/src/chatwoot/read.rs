//! From Chatwoot's events to ours. Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared_types::{
    Channel, ControlEvent, ControlKind, ConversationId, ConversationRef, Endpoint, InboundMessage,
    MessageType, Source,
};

use super::content;
use super::mirror;
use super::payload::Payload;
use super::person::{not_a_customer, sender};
use super::written;
use crate::config::MirrorConfig;
use crate::event::{Event, Reading, Rejection};
use crate::lenient::{Fields, Unread};
use crate::text::{MAX_CHARS, message_text};

/// Reads a verified webhook where no conversations of other channels are shown. `delivery` tells this
/// delivery from others. `own_account` is ours, for events that do not name one.
pub fn read(body: &[u8], delivery: &str, own_account: Option<u64>, now: Timestamp) -> Reading {
    let nowhere = MirrorConfig::default();
    read_with_mirror(body, delivery, own_account, &nowhere, now)
}

/// The same where they are: `shown` is the inbox that is read by rules of its own.
pub fn read_with_mirror(
    body: &[u8],
    delivery: &str,
    own_account: Option<u64>,
    shown: &MirrorConfig,
    now: Timestamp,
) -> Reading {
    let payload: Payload = match serde_json::from_slice(body) {
        Ok(payload) => payload,
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            let text = format!("the body cannot be read at {place}");
            return Reading::Rejected(Rejection::new("malformed_json", text));
        }
    };
    let fields = Value::Object(payload.fields);
    let unread = Unread::default();
    let event = Incoming {
        fields: Fields::of(&fields, &unread),
        unread: &unread,
        now,
    };
    if mirror::is_of(shown, event.fields) {
        let read = mirror::read(&event, &payload.event, delivery, shown);
        return read.unwrap_or_else(Reading::Rejected);
    }
    let read = match payload.event.as_str() {
        "message_created" => event.message(),
        "message_updated" => event.updated(),
        "conversation_updated" if !event.changes_hands() => Ok(Reading::Ignored("event")),
        "conversation_status_changed"
        | "conversation_opened"
        | "conversation_resolved"
        | "conversation_updated" => event.control(delivery, own_account),
        _ => Ok(Reading::Ignored("event")),
    };
    read.unwrap_or_else(Reading::Rejected)
}

/// An event on its way to ours.
pub(super) struct Incoming<'a> {
    pub(super) fields: Fields<'a>,
    unread: &'a Unread,
    pub(super) now: Timestamp,
}

pub(super) fn lacks(field: &str) -> Rejection {
    Rejection::new("invalid_payload", format!("the payload lacks {field}"))
}

/// A name at top level of a webhook, a number inside conversations.
fn is_incoming(kind: Option<&Value>) -> bool {
    kind.is_some_and(|kind| kind == "incoming" || kind == 0)
}

/// Written out in some events, in seconds since 1970 in others.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => Timestamp::from_second(other.as_i64()?).ok(),
    }
}

/// When a conversation was changed last, to the microsecond; older servers do not say.
pub(super) fn changed_at(conversation: Fields<'_>) -> Option<Timestamp> {
    let seconds = conversation.raw("updated_at")?.as_f64()?;
    let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(since).ok()
}

/// Whether a colleague, and not a bot, has the conversation.
pub(super) fn has_human_assignee(meta: Option<Fields<'_>>) -> bool {
    meta.is_some_and(|meta| {
        meta.raw("assignee").is_some()
            && meta.raw("assignee_type").and_then(Value::as_str) != Some("AgentBot")
    })
}

/// The colleague who has the conversation.
pub(super) fn assigned_to(meta: Option<Fields<'_>>) -> Option<String> {
    let assignee = meta
        .filter(|_| has_human_assignee(meta))?
        .object("assignee")?;
    let name = assignee.text("available_name").or(assignee.text("name"));
    name.map(str::to_owned).or_else(|| {
        let id = assignee.whole("id")?;
        Some(format!("Chatwoot user {id}"))
    })
}

impl Incoming<'_> {
    /// A flag of the message's attributes.
    pub(super) fn attribute(&self, name: &'static str) -> bool {
        let attributes = self.fields.object("content_attributes");
        attributes.is_some_and(|attributes| attributes.flag(name))
    }

    /// Whether customers must not see the message. What is odd is private.
    pub(super) fn is_private(&self) -> bool {
        let private = self.fields.raw("private");
        private.is_some_and(|private| *private != false && private != "false" && *private != 0)
    }

    /// Why a message is not the bot's business.
    fn not_ours(&self, conversation: Fields<'_>) -> Option<&'static str> {
        let sender = self.fields.object("sender");
        let written_by_us = sender
            .and_then(|sender| sender.text("type"))
            .is_some_and(|kind| ["user", "agent_bot"].contains(&kind));
        let checks = [
            (
                !is_incoming(self.fields.raw("message_type")),
                "not_incoming",
            ),
            (self.is_private(), "private_note"),
            (written_by_us, "own_message"),
            (self.attribute("deleted"), "deleted"),
            (
                self.attribute("external_echo") || self.attribute("mirrored"),
                "echo",
            ),
            (self.attribute("is_reaction"), "reaction"),
            (
                conversation.text("status") != Some("pending"),
                "not_pending",
            ),
            (
                has_human_assignee(conversation.object("meta")),
                "human_assignee",
            ),
        ];
        checks
            .into_iter()
            .find_map(|(holds, reason)| holds.then_some(reason))
    }

    fn message(&self) -> Result<Reading, Rejection> {
        let id = self.fields.whole("id").ok_or_else(|| lacks("id"))?;
        let id = id.to_string();
        let rejected = |rejection: Rejection| rejection.of(&id);
        let conversation = self
            .fields
            .object("conversation")
            .ok_or_else(|| rejected(lacks("conversation")))?;
        if written::is_outgoing(self.fields.raw("message_type")) {
            return match not_a_customer(self.fields, conversation) {
                Some(reason) => Ok(Reading::Ignored(reason)),
                None => written::read(self, &id, conversation),
            };
        }
        if let Some(reason) = self.not_ours(conversation) {
            return Ok(Reading::Ignored(reason));
        }
        if let Some(reason) = not_a_customer(self.fields, conversation) {
            return Ok(Reading::Ignored(reason));
        }
        let account_id = self
            .fields
            .object("account")
            .and_then(|account| account.whole("id"))
            .ok_or_else(|| rejected(lacks("account")))?;
        let display_id = conversation
            .whole("id")
            .ok_or_else(|| rejected(lacks("conversation.id")))?;
        let raw = self.fields.words("content");
        // Some versions put a backslash before line breaks.
        let text = message_text(&raw.replace("\\\n", "\n"), MAX_CHARS).map_err(rejected)?;
        let location = content::location(self.fields);
        let attachments = content::attachments(self.fields, self.attribute("is_unsupported"));
        let nothing = text.is_empty() && attachments.is_empty() && location.is_none();
        if nothing && self.unread.is_empty() {
            return Ok(Reading::Ignored("empty"));
        }
        let message = InboundMessage {
            id: id.parse().map_err(|_| lacks("id"))?,
            conversation: ConversationRef {
                id: conversation_id(account_id, display_id)?,
                begun_at: conversation.read("created_at", time),
            },
            sender: sender(self.fields, conversation, account_id)
                .ok_or_else(|| rejected(lacks("sender")))?,
            content: text,
            message_type: MessageType::Incoming,
            channel: Channel::Whatsapp,
            source: Source::Chatwoot,
            endpoint: Some(Endpoint {
                account_id: Some(account_id),
                conversation_id: Some(display_id),
                ..Endpoint::default()
            }),
            attachments: content::or_unknown(attachments, nothing),
            location,
            button: None,
            reply_to: content::reply_to(self.fields),
            forwarded: false,
            referral: content::referral(self.fields),
            edits: None,
            provider_word: None,
            late: false,
            too_late: false,
            received_at: Some(self.now),
            written_at: self.fields.read("created_at", time),
            unread: self.unread.names(),
        };
        Ok(Reading::Event(Event::Message(Box::new(message))))
    }

    /// When the message was written, in seconds since 1970; nothing where nobody says.
    fn written(&self) -> String {
        let at = self.fields.read("created_at", time);
        at.map_or_else(String::new, |at| at.as_second().to_string())
    }

    /// Chatwoot reports every change of a message; only its deletion is news.
    fn updated(&self) -> Result<Reading, Rejection> {
        let conversation = self.fields.object("conversation");
        let account = self.fields.object("account");
        let ids = (
            self.fields.whole("id"),
            account.and_then(|account| account.whole("id")),
            conversation.and_then(|conversation| conversation.whole("id")),
        );
        let deleted = self.attribute("deleted") && is_incoming(self.fields.raw("message_type"));
        let (true, (Some(id), Some(account), Some(display_id))) = (deleted, ids) else {
            return Ok(Reading::Ignored("event"));
        };
        Ok(Reading::Event(Event::Control {
            event: ControlEvent {
                conversation_id: conversation_id(account, display_id)?,
                source: Source::Chatwoot,
                kind: ControlKind::MessageDeleted,
                by: None,
                changed_at: None,
                late: false,
                at: self.now,
            },
            dedup: format!("{account}:deleted:{id}@{}", self.written()),
        }))
    }

    /// Whether an update gives the conversation to somebody: every label and message is one, also while it
    /// is pending and a colleague writes. Servers that do not say what changed tell of states in other
    /// events.
    pub(super) fn changes_hands(&self) -> bool {
        let changes = self.fields.list("changed_attributes").iter();
        let mut names = changes.filter_map(Value::as_object).flatten();
        names.any(|(name, _)| ["status", "assignee_id"].contains(&name.as_str()))
    }

    /// Whether nobody has it any more, and nothing else is said: that takes nothing over.
    pub(super) fn only_unassigns(&self) -> bool {
        let changes = self.fields.list("changed_attributes").iter();
        let changes: Vec<_> = changes.filter_map(Value::as_object).flatten().collect();
        let is_status = |name: &str| name == "status";
        let unassigns = |(name, change): &&(&String, &Value)| {
            *name == "assignee_id" && change.get("current_value").is_none_or(Value::is_null)
        };
        !changes.iter().any(|(name, _)| is_status(name))
            && changes.iter().any(|one| unassigns(&one))
    }

    fn control(&self, delivery: &str, own_account: Option<u64>) -> Result<Reading, Rejection> {
        let meta = self.fields.object("meta");
        let account = self
            .fields
            .object("account")
            .and_then(|account| account.whole("id"));
        // Conversation events name no account but in their messages.
        let messages = self.fields.list("messages").first();
        let of_message = messages.and_then(|message| message.get("account_id")?.as_u64());
        let account = account.or(of_message).or(own_account);
        let display_id = self.fields.whole("id").ok_or_else(|| lacks("id"))?;
        let kind = match self.fields.text("status") {
            Some("resolved") => ControlKind::Resolved,
            Some("open") => ControlKind::HumanTookOver,
            Some("pending") if has_human_assignee(meta) => ControlKind::HumanTookOver,
            Some("pending") => ControlKind::Released,
            _ => return Ok(Reading::Ignored("conversation_status")),
        };
        let account = account.ok_or_else(|| lacks("account"))?;
        Ok(Reading::Event(Event::Control {
            event: ControlEvent {
                conversation_id: conversation_id(account, display_id)?,
                source: Source::Chatwoot,
                kind,
                by: assigned_to(meta),
                changed_at: changed_at(self.fields),
                late: false,
                at: self.now,
            },
            dedup: delivery.to_owned(),
        }))
    }
}

pub(super) fn conversation_id(account: u64, display_id: u64) -> Result<ConversationId, Rejection> {
    format!("chatwoot:{account}:{display_id}")
        .parse()
        .map_err(|_| Rejection::new("invalid_payload", "the conversation cannot be named"))
}
