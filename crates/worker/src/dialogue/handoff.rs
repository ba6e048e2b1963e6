//! What a colleague reads who takes a conversation over. Pure.

use super::filling::fill;
use super::quote::quote;
use crate::domain::{About, Domain};
use crate::turn::Turn;

const MAX_QUOTED: usize = 300;

/// A short note: why, what the customer wants, what is known, what was written last.
pub fn handoff_note(domain: &Domain, turn: &Turn, reason: &str) -> String {
    let mut lines = vec![format!("Reason: {reason}")];
    if let Some(intent) = &turn.memory.intent {
        lines.push(format!("Intent: {intent}"));
    }
    if let Some(lang) = &turn.memory.lang {
        lines.push(format!("Language: {lang}"));
    }
    let own_language = domain.replies.first();
    for (what, about) in [("Wants", About::Wanted), ("Has", About::Own)] {
        let known = (about, turn.memory.known(about));
        let filled = own_language.map(|replies| fill(domain, replies, known, None, "", turn.now));
        if let Some(wish) = filled.as_ref().and_then(|filled| filled.get("wish")) {
            lines.push(format!("{what}: {wish}"));
        }
    }
    lines.extend(
        turn.memory
            .answers
            .iter()
            .map(|(topic, answer)| format!("{topic}: {answer}")),
    );
    if !turn.message.content.is_empty() {
        let quoted: String = turn.message.content.chars().take(MAX_QUOTED).collect();
        lines.push(format!("Last message: {quoted}"));
    }
    let lines = lines.iter().map(|line| quote(line));
    lines.collect::<Vec<_>>().join("\n")
}
