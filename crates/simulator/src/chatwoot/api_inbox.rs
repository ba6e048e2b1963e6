//! An inbox of kind "API" beside the bot's: conversations that a service mirrors into it, colleagues who
//! answer in it, and its webhook, which tells of all of that.

mod calls;
mod contacts;
mod conversations;
mod events;
mod messages;
mod state;
mod writer;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) use calls::routes;
pub(super) use conversations::{listed, show, toggle_status};
pub(super) use messages::{create_message, messages};
pub(crate) use state::ApiInbox;
pub(crate) use writer::Writer;

use self::events::{Told, tell};
use super::ConversationStatus;
use crate::world::World;

/// The number of the inbox.
pub(crate) const API_INBOX_ID: u64 = 2;

/// A colleague, or the server by itself, writes in a conversation. Gives the message; none when there is no
/// such conversation.
pub(crate) fn write(
    world: &Arc<World>,
    conversation: u64,
    writer: &Writer,
    text: &str,
    lost: bool,
) -> Option<Value> {
    let id = world.chatwoot.next_message();
    let mut message = writer.message(id, text, Timestamp::now());
    let keeps = message["content_attributes"].clone();
    if events::is_old(world) {
        message["content_attributes"] = writer::old_attributes(&keeps);
    }
    world.api_inbox.add(conversation, message.clone())?;
    let user = writer.user();
    tell(world, conversation, &Told::Created(id), user, lost);
    Some(message)
}

/// A colleague sets status and assignee of a conversation. `false` when there is none.
pub(crate) fn hand(
    world: &Arc<World>,
    conversation: u64,
    status: Option<ConversationStatus>,
    assignee: Option<Option<String>>,
    by: &str,
    lost: bool,
) -> bool {
    let user = Some(world.api_inbox.agent(by));
    if let Some(assignee) = assignee {
        let agent = assignee.map(|name| world.api_inbox.agent(&name));
        let Some(before) = world.api_inbox.assign(conversation, agent) else {
            return false;
        };
        tell(
            world,
            conversation,
            &Told::Assigned { before },
            user.clone(),
            lost,
        );
    }
    let Some(status) = status else {
        return world.api_inbox.has(conversation);
    };
    let Some(before) = world.api_inbox.set_status(conversation, status) else {
        return false;
    };
    tell(world, conversation, &Told::Status { before }, user, lost);
    true
}

/// A colleague presses "retry" at a message that failed: Chatwoot only takes the mark away. `false` when
/// there is none.
pub(crate) fn retry(world: &Arc<World>, message: u64, by: &str) -> bool {
    let Some(conversation) = world.api_inbox.conversation_of(message) else {
        return false;
    };
    let cleared = json!({"status": "sent", "content_attributes": {}});
    let user = Some(world.api_inbox.agent(by));
    world.api_inbox.update(conversation, message, &cleared);
    tell(world, conversation, &Told::Updated(message), user, false);
    true
}
