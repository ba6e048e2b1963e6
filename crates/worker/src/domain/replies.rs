//! What is said, in one language: the files that `[replies]` names.

use std::collections::BTreeMap;

use super::dialogue::{Dialogue, value_names};
use super::intents::Intent;
use super::section::{Section, Text};
use super::slots::{Slot, SlotKind};
use super::template::Template;
use super::wordings;

mod format;
mod pieces;

pub use format::Format;
pub use pieces::PIECES;

/// Texts of which one is chosen, so that replies vary.
pub type Variants = Vec<Template>;

/// Everything that is said in one language.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replies {
    /// The language's code.
    pub language: String,
    /// Texts for what every business says, by name; see [`PIECES`].
    pub pieces: BTreeMap<String, Variants>,
    /// Questions by topic.
    pub questions: BTreeMap<String, Variants>,
    /// What is said to each goal.
    pub goals: BTreeMap<String, GoalTexts>,
    /// How known values are strung together; see [`crate::dialogue`].
    pub wish: Vec<Template>,
    /// The same for the thing that the customer has; the list `own`, or that of `wish`.
    pub own: Vec<Template>,
    /// How the wanted and the own thing are called in a sentence, with and without its name.
    pub things: [Variants; 2],
    /// How values, days and times are shown.
    pub format: Format,
}

/// What is said to a goal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GoalTexts {
    /// The goal as a part of a sentence: "een proefrit".
    pub label: String,
    /// The same for an appointment that the customer has not called by one of its `names`:
    /// "een bezoek".
    pub label_alone: Option<String>,
    /// An appointment for it, where that has a name of its own: "een taxatie van uw auto".
    pub visit: Option<String>,
    /// Beginnings of words that customers call the goal by, beside those of the label.
    pub names: Vec<String>,
    /// When it is taken up.
    pub take_up: Variants,
    /// When all that it needs is known: what happens next, and when.
    pub next: Variants,
}

/// Gaps that are filled from what is known of the business and the moment.
const COMMON_GAPS: &[&str] = &[
    "name", "business", "address", "phone", "email", "website", "hours", "today", "when", "wish",
    "details",
];

/// Reads one language's file.
pub(super) fn read(
    root: &Section<'_>,
    language: &str,
    intents: &[Intent],
    slots: &[Slot],
    dialogue: &Dialogue,
) -> Replies {
    let reader = Reader {
        gaps: known_gaps(slots),
    };
    for (old, new) in [("occasions", "pieces"), ("intents", "goals")] {
        if let Some(section) = root.section(old) {
            section.problem(section.line(), format!("[{old}] is called [{new}] now"));
        }
    }
    let pieces = pieces::read(root, &reader);
    let questions = questions(root, &reader, dialogue);
    let goals = goals(root, &reader, intents, dialogue);
    let wish = reader.variants(root, "wish", &[]);
    let own = reader.variants(root, "own", &[]);
    let own = if own.is_empty() { wish.clone() } else { own };
    Replies {
        language: language.to_owned(),
        pieces,
        questions,
        goals,
        wish,
        own,
        things: things(root, &reader),
        format: format::read(root),
    }
}

/// Each topic, in two wordings: it may be asked twice.
fn questions(
    root: &Section<'_>,
    reader: &Reader,
    dialogue: &Dialogue,
) -> BTreeMap<String, Variants> {
    let Some(section) = root.section("questions") else {
        return BTreeMap::new();
    };
    let topics = dialogue.topics.iter().map(|topic| {
        let variants = reader.required(&section, &topic.name, &[]);
        if variants.len() == 1 {
            let message = format!("`{}` needs two texts: it may be asked twice", topic.name);
            section.problem(section.line(), message);
        }
        (topic.name.clone(), variants)
    });
    let questions = topics.collect();
    section.close();
    questions
}

fn goals(
    root: &Section<'_>,
    reader: &Reader,
    intents: &[Intent],
    dialogue: &Dialogue,
) -> BTreeMap<String, GoalTexts> {
    let mut goals = BTreeMap::new();
    if let Some(section) = root.section("goals") {
        for key in section.keys() {
            super::intents::find(intents, &section, key);
            let Some(table) = section.section(key.value) else {
                continue;
            };
            let asks = dialogue
                .goal(key.value)
                .is_some_and(|goal| !goal.asks.is_empty());
            goals.insert(key.value.to_owned(), goal(table, reader, asks));
        }
        section.close();
    }
    for goal in &dialogue.goals {
        if !goals.contains_key(&goal.intent) {
            root.problem(1, format!("the table [goals.{}] is missing", goal.intent));
        }
    }
    goals
}

fn goal(section: Section<'_>, reader: &Reader, asks: bool) -> GoalTexts {
    for (old, new) in [
        ("opening", "`take_up`"),
        ("done", "`next`"),
        ("more", "[pieces] noted"),
        ("facets", "[[facts]] and [[attributes]]"),
    ] {
        if section.keys().iter().any(|key| key.value == old) {
            let message = format!("`{old}` has been replaced by {new}");
            section.problem(section.line(), message);
        }
    }
    let label = section.required_text("label");
    let texts = GoalTexts {
        label: label.map_or_else(String::new, |label| label.value.to_owned()),
        label_alone: section
            .text("label_alone")
            .map(|label| label.value.to_owned()),
        visit: section.text("visit").map(|label| label.value.to_owned()),
        names: section
            .texts("names")
            .into_iter()
            .map(|name| name.value.to_lowercase())
            .collect(),
        take_up: reader.required(&section, "take_up", &[]),
        next: if asks {
            reader.required(&section, "next", &[])
        } else {
            reader.variants(&section, "next", &[])
        },
    };
    section.close();
    texts
}

fn things(root: &Section<'_>, reader: &Reader) -> [Variants; 2] {
    let Some(section) = root.section("things") else {
        root.problem(1, "the table [things] is missing");
        return Default::default();
    };
    let things = ["wanted", "own"].map(|key| reader.required(&section, key, &[]));
    section.close();
    things
}

fn known_gaps(slots: &[Slot]) -> Vec<String> {
    let mut gaps = value_names(slots);
    gaps.extend(slots.iter().filter_map(|slot| match slot.kind {
        SlotKind::Catalogue(_) | SlotKind::Year(_) => Some(slot.name.clone()),
        SlotKind::Choice { .. } | SlotKind::Amount(_) | SlotKind::Plate { .. } => None,
    }));
    gaps.extend(COMMON_GAPS.iter().map(|gap| (*gap).to_owned()));
    gaps
}

/// Reads texts with gaps, and knows which gaps there are.
struct Reader {
    gaps: Vec<String>,
}

impl Reader {
    /// At least one text, one of which can be filled whatever is known: a reply is never empty.
    fn required(&self, section: &Section<'_>, key: &str, own: &[&str]) -> Variants {
        let variants = self.variants(section, key, own);
        if variants.is_empty() {
            section.problem(section.line(), format!("`{key}` needs at least one text"));
        } else if !variants.iter().any(is_bare) {
            let message = format!("`{key}` needs a text whose gaps can always be filled");
            section.problem(section.line(), message);
        }
        variants
    }

    fn variants(&self, section: &Section<'_>, key: &str, own: &[&str]) -> Variants {
        let texts = section.texts(key).into_iter();
        texts
            .filter_map(|text| self.template(section, text, own))
            .collect()
    }

    fn template(&self, section: &Section<'_>, text: Text<'_>, own: &[&str]) -> Option<Template> {
        let template = wordings::template(section, text)?;
        for gap in template.gaps() {
            if !own.contains(&gap) && !self.gaps.iter().any(|known| known == gap) {
                section.problem(text.line, format!("nothing fills the gap `{{{gap}}}`"));
            }
        }
        Some(template)
    }
}

/// Gaps that can be filled whatever is known.
const ALWAYS: &[&str] = &["business", "when", "quote", "clock"];

/// Whether nothing has to be known for a text.
fn is_bare(text: &Template) -> bool {
    text.required().iter().all(|gap| ALWAYS.contains(gap))
}
