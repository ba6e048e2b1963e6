//! Events of the API inbox in which conversations of other channels are shown. Pure.
//!
//! What we showed there comes back, and must never go round: each message of ours has its mark, so nothing
//! depends on whether the event or the answer to our request came first. Chatwoot says who wrote a message
//! by its sender and its attributes (`app/models/message.rb`, `app/services/macros/execution_service.rb`), and newer
//! servers say who caused an event (`performed_by`).

use shared_types::{
    ColleagueMessage, ControlEvent, ControlKind, ConversationId, MirrorMessage, Mirrored, Source,
    Wanted,
};

use super::content;
use super::read::{Incoming, assigned_to, changed_at, has_human_assignee, lacks, time};
use super::written::{is_outgoing, name};
use crate::config::MirrorConfig;
use crate::event::{Event, Reading, Rejection};
use crate::lenient::Fields;
use crate::text::message_text;

/// What stands before the name of each message of ours.
pub(crate) const OURS: &str = "pd:";
/// Longest content of a message in Chatwoot, in characters.
const MAX_CHARS: usize = 150_000;

/// Whether an event is of the inbox.
pub(super) fn is_of(config: &MirrorConfig, fields: Fields<'_>) -> bool {
    let of_message = fields.object("inbox").and_then(|inbox| inbox.whole("id"));
    let inbox = of_message.or_else(|| fields.whole("inbox_id"));
    inbox.is_some() && inbox == config.chatwoot_mirror_inbox_id
}

pub(super) fn read(
    event: &Incoming<'_>,
    kind: &str,
    delivery: &str,
    config: &MirrorConfig,
) -> Result<Reading, Rejection> {
    match kind {
        "message_created" => message(event, config),
        "message_updated" => again(event),
        "conversation_updated" if !event.changes_hands() => Ok(Reading::Ignored("event")),
        "conversation_status_changed" | "conversation_updated" => hands(event, delivery, config),
        _ => Ok(Reading::Ignored("event")),
    }
}

/// Who caused an event, where the server tells: `user`, `agent_bot`, …
fn performer(fields: Fields<'_>) -> Option<&str> {
    fields.object("performed_by")?.text("type")
}

/// The conversation of a message or of a conversation's event: its address in the inbox is our own name.
/// Where a list leaves that out, egress has written it down.
fn conversation(fields: Fields<'_>) -> Option<ConversationId> {
    let address = fields.object("contact_inbox");
    let address = address.and_then(|address| address.text("source_id"));
    let written = || fields.object("additional_attributes")?.text("postduif");
    let id: ConversationId = address.or_else(written)?.parse().ok()?;
    matches!(id.source(), Some(Source::Twilio | Source::Waha)).then_some(id)
}

/// Why a message is nobody's answer.
fn no_answer(event: &Incoming<'_>) -> Option<&'static str> {
    let fields = event.fields;
    let sender = fields.object("sender");
    let kind = sender.map(|sender| sender.text("type").unwrap_or_default());
    let is_ours = fields
        .text("source_id")
        .is_some_and(|id| id.starts_with(OURS));
    let additional = fields.object("additional_attributes");
    let checks = [
        (is_ours || kind == Some("agent_bot"), "own_message"),
        (!is_outgoing(fields.raw("message_type")), "not_outgoing"),
        (event.is_private(), "private_note"),
        (event.attribute("deleted"), "deleted"),
        (event.attribute("is_reaction"), "reaction"),
        (fields.text("content_type") == Some("input_csat"), "survey"),
        (
            additional.is_some_and(|one| one.raw("campaign_id").is_some()),
            "campaign",
        ),
        (kind.is_some_and(|kind| kind != "user"), "not_a_colleague"),
    ];
    checks
        .into_iter()
        .find_map(|(holds, reason)| holds.then_some(reason))
}

/// A new message. Without a sender a person wrote it in the channel's app, or pressed a macro; or a rule did.
fn message(event: &Incoming<'_>, config: &MirrorConfig) -> Result<Reading, Rejection> {
    if let Some(reason) = no_answer(event) {
        return Ok(Reading::Ignored(reason));
    }
    let attributes = event.fields.object("content_attributes");
    let is_automatic = attributes.is_some_and(|one| one.raw("automation_rule_id").is_some());
    let wanted = match (is_automatic, event.attribute("external_echo")) {
        (true, _) if config.chatwoot_mirror_send_automation => Wanted::Automation,
        (true, _) => return Ok(Reading::Ignored("automation")),
        (false, true) => Wanted::Delivered,
        (false, false) => Wanted::Answer,
    };
    Ok(match answer(event, wanted)? {
        Ok(message) => Reading::Event(Event::Colleague {
            message: Box::new(message),
            on_the_wire: false,
        }),
        Err(reason) => Reading::Ignored(reason),
    })
}

/// Every change of a message is told. One that had failed and has no error any more is to be sent again:
/// Chatwoot's "retry" does no more than that. What we sent of it, our own notes tell.
fn again(event: &Incoming<'_>) -> Result<Reading, Rejection> {
    let attributes = event.fields.object("content_attributes");
    let has = |name| attributes.is_some_and(|one| one.raw(name).is_some());
    let by_nobody = has("external_echo") || has("automation_rule_id");
    if let Some(reason) = no_answer(event) {
        return Ok(Reading::Ignored(reason));
    }
    if has("external_error") || by_nobody {
        return Ok(Reading::Ignored("event"));
    }
    Ok(match answer(event, Wanted::Again { resend: 0 })? {
        Ok(message) => Reading::Again(Box::new(message)),
        Err(reason) => Reading::Ignored(reason),
    })
}

fn answer(
    event: &Incoming<'_>,
    wanted: Wanted,
) -> Result<Result<ColleagueMessage, &'static str>, Rejection> {
    let fields = event.fields;
    let id = fields.whole("id").ok_or_else(|| lacks("id"))?;
    let rejected = |rejection: Rejection| rejection.of(&id.to_string());
    let account = fields.object("account");
    let account = account.and_then(|account| account.whole("id"));
    let account = account.ok_or_else(|| rejected(lacks("account")))?;
    let within = fields.object("conversation");
    let within = within.ok_or_else(|| rejected(lacks("conversation")))?;
    let display = within.whole("id");
    let display = display.ok_or_else(|| rejected(lacks("conversation.id")))?;
    let Some(conversation_id) = conversation(within) else {
        return Ok(Err("unknown_conversation"));
    };
    let raw = fields.words("content");
    let content = message_text(&raw.replace("\\\n", "\n"), MAX_CHARS).map_err(rejected)?;
    let attachments = content::attachments(fields, event.attribute("is_unsupported"));
    if content.is_empty() && attachments.is_empty() {
        return Ok(Err("empty"));
    }
    // A server that is set up anew numbers its messages from 1.
    let written = fields.read("created_at", time);
    let written = written.map(|at| at.as_second()).unwrap_or_default();
    let sender = fields
        .object("sender")
        .and_then(|sender| sender.whole("id"));
    let performer = fields.object("performed_by");
    let pressed = performer
        .filter(|one| one.text("type") == Some("user"))
        .and_then(|one| one.whole("id"));
    let id_of_ours = format!("{account}:{id}@{written}");
    Ok(Ok(ColleagueMessage {
        id: id_of_ours.parse().map_err(|_| rejected(lacks("id")))?,
        conversation_id,
        source: Source::Chatwoot,
        to: Vec::new(),
        content,
        attachments,
        by: name(event),
        mirrored: Some(Mirrored {
            message: MirrorMessage {
                conversation: display,
                message: id,
            },
            agent: sender.or(pressed),
            wanted,
        }),
        unsent: false,
        template: None,
        at: event.now,
    }))
}

/// A conversation changes hands. What we did ourselves is no news, nor that Chatwoot opens a conversation
/// because the customer wrote. Servers that do not say who did it are believed about a person who has it,
/// but not one whom we gave it to.
fn hands(
    event: &Incoming<'_>,
    delivery: &str,
    config: &MirrorConfig,
) -> Result<Reading, Rejection> {
    let fields = event.fields;
    let performer = performer(fields);
    if performer.is_some_and(|performer| performer != "user") {
        return Ok(Reading::Ignored("own_change"));
    }
    let meta = fields.object("meta");
    let assignee = meta
        .filter(|_| has_human_assignee(meta))
        .and_then(|meta| meta.object("assignee")?.whole("id"));
    let is_hers = assignee.is_some() && assignee != config.chatwoot_mirror_assignee_id;
    let by_person = performer == Some("user");
    let kind = match fields.text("status") {
        Some("resolved") => ControlKind::Resolved,
        Some("open") if by_person || is_hers => ControlKind::HumanTookOver,
        Some("pending") if is_hers => ControlKind::HumanTookOver,
        Some("pending") => ControlKind::Released,
        _ => return Ok(Reading::Ignored("conversation_status")),
    };
    if kind == ControlKind::HumanTookOver && assignee.is_none() && event.only_unassigns() {
        return Ok(Reading::Ignored("unassigned"));
    }
    let Some(conversation_id) = conversation(fields) else {
        return Ok(Reading::Ignored("unknown_conversation"));
    };
    let pressed = || {
        let id = fields.object("performed_by")?.whole("id")?;
        Some(format!("Chatwoot user {id}"))
    };
    Ok(Reading::Event(Event::Control {
        event: ControlEvent {
            conversation_id,
            source: Source::Chatwoot,
            kind,
            by: assigned_to(meta).or_else(pressed),
            changed_at: changed_at(fields),
            late: false,
            at: event.now,
        },
        dedup: delivery.to_owned(),
    }))
}
