//! The table `[pieces]`: what every business says.

use std::collections::BTreeMap;

use super::{Reader, Variants};
use crate::domain::section::Section;

/// Each piece with the gaps of its own, beside those that all texts have.
pub const PIECES: &[(&str, &[&str])] = &[
    ("hello", &[]),
    ("greeting", &[]),
    ("thanks", &[]),
    ("bye", &[]),
    ("nicety", &[]),
    ("listening", &[]),
    ("condolence", &[]),
    ("congratulation", &[]),
    ("pleased", &[]),
    ("get_well", &[]),
    ("no_harm", &[]),
    ("sympathy", &[]),
    ("jest", &[]),
    ("small_talk", &[]),
    ("no_calls", &[]),
    ("named", &["who"]),
    ("robot", &[]),
    ("about_you", &[]),
    ("unheard", &[]),
    ("apology", &["quote"]),
    ("misread", &[]),
    ("withheld", &[]),
    ("possible", &[]),
    ("passed_on", &["clauses", "quote"]),
    ("passed_whole", &[]),
    ("passed_again", &[]),
    ("quoted", &["quote"]),
    ("existence", &["thing"]),
    ("existence_any", &["name"]),
    ("stock", &[]),
    ("bid", &["amount"]),
    ("deal", &[]),
    ("price", &["prices"]),
    ("noted", &["changes"]),
    ("noted_own", &["changes"]),
    ("known", &["changes"]),
    ("answered", &["quote"]),
    ("remarked", &[]),
    ("skipped", &[]),
    ("not_then", &["moment"]),
    ("dropped", &["what"]),
    ("cancelled", &["moment"]),
    ("called_off", &["moment"]),
    ("appointment", &["what", "moment"]),
    ("appointment_open", &["moment"]),
    ("appointment_moved", &["what", "moment"]),
    ("call_back", &["moment"]),
    ("ring", &["number"]),
    ("ring_at", &["moment"]),
    ("told_open", &[]),
    ("told_closed", &[]),
    ("told_again", &[]),
    ("urgent", &[]),
    ("supplier", &[]),
    ("waiting", &[]),
    ("unanswered", &[]),
    ("late", &[]),
    ("stopped", &[]),
    ("started", &[]),
    ("erased", &[]),
    ("hours_unknown", &[]),
    ("hours_week", &[]),
    ("open_on", &["day", "span"]),
    ("closed_on", &["day"]),
    ("open_at", &["day", "time", "span"]),
    ("closed_at", &["day", "time", "span"]),
    ("open_now", &["until"]),
    ("closed_now", &[]),
    ("image", &[]),
    ("audio", &[]),
    ("video", &[]),
    ("document", &[]),
    ("contact_card", &[]),
    ("location", &[]),
    ("unknown_media", &[]),
    ("file_noted", &[]),
    ("as_said", &["said"]),
    ("received", &["quote", "clock"]),
    ("ask_meaning", &["choices", "first", "second"]),
    ("ask_meaning_again", &["choices", "first", "second"]),
    ("ask_moment", &["obstacle", "first", "second"]),
    ("obstacle_closed", &["day"]),
    ("obstacle_closed_at", &["day", "time", "span"]),
    ("obstacle_past", &[]),
    ("ask_conflict", &[]),
    ("ask_stop", &[]),
    ("ask_colleague", &[]),
    ("ask_help", &[]),
];

/// Said so often that one wording is not enough.
const VARIED: &[&str] = &["noted", "passed_on", "thanks", "ask_meaning"];

/// Without a text nothing is said.
const OPTIONAL: &[&str] = &[
    "unanswered",
    "late",
    "not_then",
    "noted_own",
    "existence_any",
    "passed_whole",
    "ring_at",
];

/// Pieces whose gaps are filled by what they are about, so that no bare text is needed.
const CONTAINERS: &[&str] = &[
    "existence",
    "as_said",
    "ask_moment",
    "open_on",
    "closed_on",
    "open_at",
    "closed_at",
    "open_now",
    "obstacle_closed",
    "obstacle_closed_at",
    "appointment",
    "appointment_open",
    "appointment_moved",
    "call_back",
    "price",
    "hours_week",
    "named",
];

/// What earlier builds said: a domain that was written for them is read, too.
const FORGOTTEN: &[&str] = &["ask_other_goal"];

pub(super) fn read(root: &Section<'_>, reader: &Reader) -> BTreeMap<String, Variants> {
    let Some(section) = root.section("pieces") else {
        root.problem(1, "the table [pieces] is missing");
        return BTreeMap::new();
    };
    let mut pieces = BTreeMap::new();
    for (name, own) in PIECES {
        let variants = if OPTIONAL.contains(name) {
            reader.variants(&section, name, own)
        } else if CONTAINERS.contains(name) {
            let variants = reader.variants(&section, name, own);
            if !variants.iter().any(|text| {
                text.required()
                    .iter()
                    .all(|gap| own.contains(gap) || matches!(*gap, "hours" | "when"))
            }) {
                section.problem(section.line(), format!("`{name}` needs at least one text"));
            }
            variants
        } else {
            reader.required(&section, name, own)
        };
        if VARIED.contains(name) && variants.len() == 1 {
            let message = format!("`{name}` needs two texts or more: it is said often");
            section.problem(section.line(), message);
        }
        pieces.insert((*name).to_owned(), variants);
    }
    for name in FORGOTTEN {
        section.texts(name);
    }
    section.close();
    pieces
}
