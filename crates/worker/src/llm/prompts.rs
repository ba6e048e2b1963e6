//! The prompts, one versioned file each under `prompts/`, and what is put into their gaps. Pure.

use serde_json::{Value, json};
use shared_types::Role;

use super::redact::redact;
use crate::dialogue::Plan;
use crate::domain::{About, Domain};
use crate::turn::Turn;

const ROUTER: &str = include_str!("../../prompts/router.v1.md");
const EXTRACTION: &str = include_str!("../../prompts/extraction.v1.md");
const CONVERSATION: &str = include_str!("../../prompts/conversation.v1.md");

/// Earlier lines that a model sees.
const HISTORY_LINES: usize = 8;
const MAX_LINE: usize = 500;

pub(super) fn router(domain: &Domain) -> String {
    let intents: Vec<_> = domain
        .intents
        .iter()
        .map(|intent| intent.name.as_str())
        .collect();
    let languages: Vec<_> = domain
        .replies
        .iter()
        .map(|replies| replies.language.as_str())
        .collect();
    filled(
        ROUTER,
        domain,
        &[
            ("intents", intents.join(", ")),
            ("languages", languages.join(", ")),
            (
                "threshold",
                domain.settings.confidence_threshold.to_string(),
            ),
            ("fallback", domain.settings.fallback_intent.clone()),
        ],
    )
}

pub(super) fn extraction(domain: &Domain) -> String {
    let own = domain
        .intents
        .iter()
        .filter(|intent| intent.about == About::Own);
    let own: Vec<_> = own.map(|intent| intent.name.as_str()).collect();
    let slots = super::answers::extraction_schema(domain);
    let names: Vec<_> = slots["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    filled(
        EXTRACTION,
        domain,
        &[("own_intents", own.join(", ")), ("slots", names.join(", "))],
    )
}

pub(super) fn conversation(domain: &Domain, turn: &Turn) -> String {
    let business = &domain.business;
    let facts = json!({
        "business": business.name,
        "address": business.address,
        "phone": business.phone,
        "email": business.email,
        "website": business.website,
        "known": turn.memory.known(turn.about),
        "intent": turn.intent(),
    });
    filled(
        CONVERSATION,
        domain,
        &[
            ("language", turn.lang().to_owned()),
            ("max_chars", "700".into()),
            ("facts", facts.to_string()),
        ],
    )
}

fn filled(prompt: &str, domain: &Domain, gaps: &[(&str, String)]) -> String {
    let prompt = prompt.replace("{business}", &domain.business.name);
    gaps.iter().fold(prompt, |prompt, (gap, value)| {
        prompt.replace(&format!("{{{gap}}}"), value)
    })
}

/// The messages as data: one JSON document, so that nothing a customer writes can look like a part
/// of the prompt. No name, no number.
pub(super) fn messages(turn: &Turn) -> Value {
    let history = &turn.state.conversation_history;
    let from = history.len().saturating_sub(HISTORY_LINES);
    let line = |text: &str| -> String { redact(text).chars().take(MAX_LINE).collect() };
    let earlier: Vec<Value> = history
        .iter()
        .skip(from)
        .filter(|turn| turn.role != Role::System)
        .map(|turn| json!({"from": turn.role, "text": line(&turn.text)}))
        .collect();
    json!({"earlier_messages": earlier, "last_message": line(&turn.message.content)})
}

/// The same with the draft that is to be worded.
pub(super) fn draft(turn: &Turn, plan: &Plan, draft: &str) -> Value {
    let mut document = messages(turn);
    document["draft"] = json!(draft);
    document["asks_for"] = json!(plan.ask);
    document
}
