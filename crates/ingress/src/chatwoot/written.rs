//! What was written to a customer from the help desk: outgoing messages. Pure.
//!
//! Chatwoot shows who wrote a message by its sender: a person, a bot, or nobody, for which there are
//! several reasons (`app/models/message.rb`, `app/services/macros/execution_service.rb`).

use serde_json::Value;
use shared_types::{ColleagueMessage, ConversationId, Source};

use super::content;
use super::read::{Incoming, conversation_id, lacks};
use crate::event::{Reading, Rejection, Written};
use crate::lenient::Fields;
use crate::text::{MAX_CHARS, clean_line, message_text};

const MAX_NAME_CHARS: usize = 100;

/// A name at top level of a webhook, a number inside conversations.
pub(super) fn is_outgoing(kind: Option<&Value>) -> bool {
    kind.is_some_and(|kind| kind == "outgoing" || kind == 1)
}

pub(super) fn read(
    event: &Incoming<'_>,
    id: &str,
    conversation: Fields<'_>,
) -> Result<Reading, Rejection> {
    let rejected = |rejection: Rejection| rejection.of(id);
    if let Some(reason) = nobody_wrote(event) {
        return Ok(Reading::Ignored(reason));
    }
    let account = event.fields.object("account");
    let account = account.and_then(|account| account.whole("id"));
    let account = account.ok_or_else(|| rejected(lacks("account")))?;
    let display_id = conversation.whole("id");
    let display_id = display_id.ok_or_else(|| rejected(lacks("conversation.id")))?;
    let raw = event.fields.words("content");
    let content = message_text(&raw.replace("\\\n", "\n"), MAX_CHARS).map_err(rejected)?;
    let attachments = content::attachments(event.fields, event.attribute("is_unsupported"));
    if content.is_empty() && attachments.is_empty() {
        return Ok(Reading::Ignored("empty"));
    }
    let conversation: ConversationId = conversation_id(account, display_id)?;
    let message = ColleagueMessage {
        id: id.parse().map_err(|_| lacks("id"))?,
        conversation_id: conversation.clone(),
        source: Source::Chatwoot,
        to: Vec::new(),
        content,
        attachments,
        by: name(event),
        mirrored: None,
        unsent: false,
        template: None,
        at: event.now,
    };
    Ok(Reading::Written(Box::new(Written {
        message,
        conversations: vec![conversation],
    })))
}

/// Why no person wrote the message to the customer. Without a sender one did from the app of the channel
/// (an echo), or pressed a macro.
fn nobody_wrote(event: &Incoming<'_>) -> Option<&'static str> {
    let fields = event.fields;
    let sender = fields.object("sender");
    let kind = sender.map(|sender| sender.text("type").unwrap_or_default());
    let attributes = fields.object("content_attributes");
    let additional = fields.object("additional_attributes");
    let has = |object: Option<Fields<'_>>, name| object.is_some_and(|one| one.raw(name).is_some());
    let checks = [
        (event.is_private(), "private_note"),
        (event.attribute("deleted"), "deleted"),
        (event.attribute("mirrored"), "echo"),
        (event.attribute("is_reaction"), "reaction"),
        // Servers of 2025 leave our mark out.
        (
            kind == Some("agent_bot") || event.attribute("postduif"),
            "own_message",
        ),
        (
            fields.raw("content_type").and_then(Value::as_str) == Some("input_csat"),
            "survey",
        ),
        (has(attributes, "automation_rule_id"), "automation"),
        (has(additional, "campaign_id"), "campaign"),
        (kind.is_some_and(|kind| kind != "user"), "not_incoming"),
    ];
    checks
        .into_iter()
        .find_map(|(holds, reason)| holds.then_some(reason))
}

/// The colleague's name, where Chatwoot tells it.
pub(super) fn name(event: &Incoming<'_>) -> Option<String> {
    let sender = event.fields.object("sender");
    let of_sender = ["available_name", "name"]
        .into_iter()
        .find_map(|name| sender?.raw(name)?.as_str());
    let attributes = event.fields.object("content_attributes");
    let of_app = || attributes?.raw("external_sender_name")?.as_str();
    clean_line(of_sender.or_else(of_app)?, MAX_NAME_CHARS)
}
