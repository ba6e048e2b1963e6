//! Chatwoot with an agent bot: signatures and webhooks as pure functions, and the API that a sender
//! calls; and beside the bot's inbox one of kind "API".

mod api;
pub(crate) mod api_inbox;
mod conversation;
mod conversations;
mod messages;
mod signature;
mod webhook;

use std::sync::Arc;

pub(crate) use api::{error, routes};
pub(crate) use conversation::ChatwootState;
pub use conversation::{Conversation, ConversationStatus};
pub(crate) use messages::user_message_webhook;
pub use signature::sign;
use webhook::status_webhooks;
pub use webhook::webhook_body;
pub(crate) use webhook::{INBOX_NAME, inbound_webhook};

use crate::world::World;

/// Sets (or, with `None`, toggles) the status of a conversation and tells the ingress of it, its
/// events in order. `None` when there is no such conversation.
pub(crate) fn change_status(
    world: &Arc<World>,
    conversation: u64,
    status: Option<ConversationStatus>,
) -> Option<Conversation> {
    let change = world.chatwoot.set_status(conversation, status)?;
    let changed = change.conversation.clone();
    let poster = Arc::clone(world);
    world.spawn(async move {
        for webhook in status_webhooks(&poster.config, &change) {
            poster.post_notice(&webhook).await;
        }
    });
    Some(changed)
}
