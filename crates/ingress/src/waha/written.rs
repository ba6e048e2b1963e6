//! What was written from our side of a chat: `message.any` with `fromMe`. Pure.
//!
//! `source` says `api` or `app` and cannot be trusted (<https://github.com/devlikeapro/waha/issues/1689>).

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared_types::{Attachment, ChannelAddress, ColleagueMessage, ConversationId, Source};

use super::engine::Engine;
use super::read::{Incoming, chat_in};
use super::said::Said;
use crate::event::{Reading, Rejection, Written};
use crate::lenient::Fields;
use crate::whatsapp::chat_of;

/// Where engines name the chat, by its number or by its hidden id.
const CHATS: [&str; 4] = [
    "/key/remoteJid",
    "/key/remoteJidAlt",
    "/Info/Chat",
    "/Info/RecipientAlt",
];

pub(super) fn read(
    event: &Incoming<'_>,
    id: &str,
    max_age: SignedDuration,
) -> Result<Reading, Rejection> {
    // `to` is empty in some engines' events.
    let named = [chat_in(id), event.payload.text("to")]
        .into_iter()
        .flatten();
    let Some(named) = named.into_iter().find(|address| address.contains('@')) else {
        return Ok(Reading::Ignored("address"));
    };
    let chat = match chat_of(named) {
        Ok(chat) => chat,
        Err(kind) => return Ok(Reading::Ignored(kind)),
    };
    let ours = own_chats(event);
    if ours.contains(&chat) {
        return Ok(Reading::Ignored("note_to_self"));
    }
    event
        .check_age(max_age)
        .map_err(|rejection| rejection.of(id))?;
    if is_from_the_past(event, max_age) {
        return Ok(Reading::Ignored("backfill"));
    }
    let nothing = Value::Null;
    let data = event.payload.object("_data");
    let data = data.unwrap_or_else(|| event.payload.within(&nothing));
    let said = Said::read(event.payload, Engine::of(data), event.unread);
    let Some(said) = said.map_err(|rejection| rejection.of(id))? else {
        return Ok(Reading::Ignored("nothing_said"));
    };
    let mut attachments = said.attachments;
    if said.location.is_some() && said.content.is_empty() && attachments.is_empty() {
        attachments.push(Attachment::of_kind("location", None));
    }
    let mut to = vec![chat];
    for place in CHATS {
        let address = data.value().pointer(place).and_then(Value::as_str);
        match chat_of(address.unwrap_or_default()) {
            Ok(other) if !to.contains(&other) && !ours.contains(&other) => to.push(other),
            Ok(_) | Err(_) => {}
        }
    }
    let conversations = to.iter().map(|chat| event.conversation(chat));
    let conversations: Vec<ConversationId> = conversations.collect::<Result<_, _>>()?;
    let Some(conversation_id) = conversations.first().cloned() else {
        return Ok(Reading::Ignored("address"));
    };
    let message = ColleagueMessage {
        id: event.message_id(id, None)?,
        conversation_id,
        source: Source::Waha,
        to,
        content: said.content,
        attachments,
        by: None,
        mirrored: None,
        unsent: false,
        template: None,
        at: event.now,
    };
    Ok(Reading::Written(Box::new(Written {
        message,
        conversations,
    })))
}

/// The chats of the account itself: what is written there is a note.
fn own_chats(event: &Incoming<'_>) -> Vec<ChannelAddress> {
    let me = Fields::of(&event.envelope.me, event.unread);
    let ids = ["id", "lid"].map(|name| me.raw(name).and_then(Value::as_str));
    ids.into_iter()
        .flatten()
        .filter_map(|id| chat_of(id).ok())
        .collect()
}

/// After a session is paired anew WhatsApp hands over what was written before.
fn is_from_the_past(event: &Incoming<'_>, max_age: SignedDuration) -> bool {
    let told = event.told_at().unwrap_or(event.now);
    let is_older = |written: Timestamp| told.duration_since(written) > max_age;
    event.written_at().is_some_and(is_older)
}
