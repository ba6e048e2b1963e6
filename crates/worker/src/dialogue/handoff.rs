//! What a colleague reads who takes a conversation over. Pure.

use super::filling;
use super::quote::quote;
use super::state::State;
use super::times;
use crate::domain::{About, Domain};

const MAX_QUOTED: usize = 300;

/// A short note: why, what the customer wants, what is known and asked, what was written last.
#[must_use]
pub fn handoff_note(domain: &Domain, state: &State, reason: &str, message: &str) -> String {
    let mut lines = vec![format!("Reason: {reason}")];
    if let Some(goal) = state.goal() {
        lines.push(format!("Intent: {goal}"));
    }
    if let Some(lang) = &state.lang {
        lines.push(format!("Language: {lang}"));
    }
    let own_language = domain.replies.first();
    for (what, about) in [("Wants", About::Wanted), ("Has", About::Own)] {
        let values = filling::values_of(state.wishes(about));
        let known = own_language.map(|replies| filling::list(domain, replies, about, &values));
        let known = known.unwrap_or_default().join(", ");
        if !known.is_empty() {
            lines.push(format!("{what}: {known}"));
        }
    }
    if let Some(chosen) = &state.stock.chosen {
        lines.push(format!("Chosen: {} ({})", chosen.title, chosen.id));
    }
    let answers = state.answers.iter().chain(&state.contact);
    lines.extend(answers.map(|(topic, answer)| format!("{topic}: {answer}")));
    if let Some(appointment) = state.appointment() {
        let date = appointment.date.map(times::date_code).unwrap_or_default();
        let time = appointment.time.map(times::time_code).unwrap_or_default();
        let (purpose, status) = (&appointment.purpose, appointment.status.as_str());
        lines.push(format!("Appointment: {purpose} {date} {time} ({status})"));
    }
    let asked = state.theirs.iter().filter(|asked| asked.passed_on);
    lines.extend(asked.map(|asked| format!("Asked: {}", asked.words)));
    if !message.is_empty() {
        let quoted: String = message.chars().take(MAX_QUOTED).collect();
        lines.push(format!("Last message: {quoted}"));
    }
    let lines = lines.iter().map(|line| quote(line));
    lines.collect::<Vec<_>>().join("\n")
}
