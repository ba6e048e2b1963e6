//! What is said, in one language: the files that `[replies]` names.

use std::collections::BTreeMap;

use super::dialogue::{Dialogue, value_names};
use super::intents::Intent;
use super::section::{Section, Text};
use super::slots::{Slot, SlotKind};
use super::template::Template;

/// Texts of which one is chosen, so that replies vary.
pub type Variants = Vec<Template>;

/// Everything that is said in one language.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replies {
    /// The language's code.
    pub language: String,
    /// Texts for occasions that every business has, by name; see [`OCCASIONS`].
    pub occasions: BTreeMap<String, Variants>,
    /// Questions by topic.
    pub questions: BTreeMap<String, Variants>,
    /// What is said to each intent.
    pub intents: BTreeMap<String, IntentReplies>,
    /// How known values are strung together; see [`crate::dialogue`].
    pub wish: Vec<Template>,
    /// The same for the thing that the customer has; the list `own`, or that of `wish`.
    pub own: Vec<Template>,
    /// How values of a slot are shown: `price_max = "€ {}"`.
    pub formats: BTreeMap<String, (String, String)>,
    /// Words for canonical values: `automatic = "automaat"`.
    pub words: BTreeMap<String, String>,
    /// What stands between thousands.
    pub thousands: String,
    /// Names of the days, Monday first.
    pub weekdays: Vec<String>,
    /// Words that mean the day of the message, and the day after.
    pub relative_days: [Vec<String>; 2],
    /// What is said of a day on which it is closed.
    pub closed: String,
}

/// What is said to an intent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IntentReplies {
    /// At first.
    pub opening: Variants,
    /// Later, when the message told something new.
    pub more: Variants,
    /// When there is nothing left to ask.
    pub done: Variants,
    /// Instead of the opening, when the message has one of the words.
    pub facets: Vec<Facet>,
}

/// A side of an intent that deserves an answer of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facet {
    /// Words or beginnings of words, in lower case.
    pub words: Vec<String>,
    /// What is said.
    pub texts: Variants,
}

/// The occasions that every language needs texts for.
pub const OCCASIONS: &[&str] = &[
    "greeting",
    "thanks",
    "off_topic",
    "unclear",
    "handoff_open",
    "handoff_closed",
    "opted_out",
    "opted_in",
    "opt_out_doubtful",
    "image",
    "audio",
    "video",
    "document",
    "contact_card",
    "location",
    "unknown_media",
];

/// Gaps that are not values of slots.
const COMMON_GAPS: &[&str] = &[
    "name",
    "business",
    "address",
    "phone",
    "email",
    "website",
    "hours",
    "today",
    "day",
    "day_hours",
    "wish",
    "details",
    "answer",
];

/// Reads one language's file.
pub(super) fn read(
    root: &Section<'_>,
    language: &str,
    intents: &[Intent],
    slots: &[Slot],
    dialogue: &Dialogue,
) -> Replies {
    let gaps = known_gaps(slots);
    let reader = Reader { gaps: &gaps };
    let mut replies = Replies {
        language: language.to_owned(),
        ..Replies::default()
    };
    if let Some(section) = root.section("occasions") {
        for name in OCCASIONS {
            replies
                .occasions
                .insert((*name).to_owned(), reader.required(&section, name));
        }
        section.close();
    } else {
        root.problem(1, "the table [occasions] is missing");
    }
    if let Some(section) = root.section("questions") {
        for topic in &dialogue.topics {
            replies
                .questions
                .insert(topic.name.clone(), reader.required(&section, &topic.name));
        }
        section.close();
    }
    if let Some(section) = root.section("intents") {
        for key in section.keys() {
            super::intents::find(intents, &section, key);
            if let Some(table) = section.section(key.value) {
                let goal = dialogue.goal(key.value);
                let asks = goal.is_some_and(|goal| !goal.asks.is_empty());
                replies
                    .intents
                    .insert(key.value.to_owned(), reader.intent(table, asks));
            }
        }
        section.close();
    }
    for goal in &dialogue.goals {
        if !replies.intents.contains_key(&goal.intent) {
            root.problem(1, format!("the table [intents.{}] is missing", goal.intent));
        }
    }
    replies.wish = reader.variants(root, "wish");
    replies.own = reader.variants(root, "own");
    if replies.own.is_empty() {
        replies.own.clone_from(&replies.wish);
    }
    read_format(root, &mut replies);
    replies
}

fn read_format(root: &Section<'_>, replies: &mut Replies) {
    let Some(section) = root.section("format") else {
        root.problem(1, "the table [format] is missing");
        return;
    };
    let text = |key: &str| {
        section
            .text(key)
            .map_or_else(String::new, |text| text.value.to_owned())
    };
    let list = |key: &str| {
        section
            .texts(key)
            .iter()
            .map(|text| text.value.to_lowercase())
            .collect()
    };
    replies.thousands = text("thousands");
    replies.closed = text("closed");
    replies.weekdays = section
        .texts("weekdays")
        .iter()
        .map(|text| text.value.to_owned())
        .collect();
    if replies.weekdays.len() != 7 {
        section.problem(
            section.line(),
            "`format.weekdays` must name seven days, Monday first",
        );
    }
    replies.relative_days = [list("today"), list("tomorrow")];
    if let Some(values) = section.section("values") {
        for key in values.keys() {
            let Some(pattern) = values.text(key.value) else {
                continue;
            };
            match pattern.value.split_once("{}") {
                Some((before, after)) => {
                    replies
                        .formats
                        .insert(key.value.to_owned(), (before.to_owned(), after.to_owned()));
                }
                None => values.problem(pattern.line, "a format must hold {} for the value"),
            }
        }
        values.close();
    }
    if let Some(words) = section.section("words") {
        for key in words.keys() {
            if let Some(word) = words.text(key.value) {
                replies
                    .words
                    .insert(key.value.to_owned(), word.value.to_owned());
            }
        }
        words.close();
    }
    section.close();
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

/// Whether nothing has to be known for a text: a reply made of such a one is never empty.
fn is_bare(text: &Template) -> bool {
    text.required().iter().all(|gap| *gap == "business")
}

struct Reader<'a> {
    gaps: &'a [String],
}

impl Reader<'_> {
    fn required(&self, section: &Section<'_>, key: &str) -> Variants {
        let variants = self.variants(section, key);
        if variants.is_empty() {
            section.problem(section.line(), format!("`{key}` needs at least one text"));
        } else if !variants.iter().any(is_bare) {
            let message = format!("`{key}` needs a text whose gaps can always be filled");
            section.problem(section.line(), message);
        }
        variants
    }

    fn variants(&self, section: &Section<'_>, key: &str) -> Variants {
        section
            .texts(key)
            .into_iter()
            .filter_map(|text| self.template(section, text))
            .collect()
    }

    fn template(&self, section: &Section<'_>, text: Text<'_>) -> Option<Template> {
        match Template::parse(text.value) {
            Ok(template) => {
                for gap in template.gaps() {
                    if !self.gaps.iter().any(|known| known == gap) {
                        section.problem(text.line, format!("nothing fills the gap `{{{gap}}}`"));
                    }
                }
                Some(template)
            }
            Err(mistake) => {
                section.problem(text.line, mistake);
                None
            }
        }
    }

    /// `asks`: whether something is asked of who wants this.
    fn intent(&self, section: Section<'_>, asks: bool) -> IntentReplies {
        let facets = section.sections("facets").into_iter().map(|facet| {
            let read = Facet {
                words: facet
                    .texts("words")
                    .iter()
                    .map(|text| text.value.to_lowercase())
                    .collect(),
                texts: self.variants(&facet, "texts"),
            };
            facet.close();
            read
        });
        let replies = IntentReplies {
            facets: facets.collect(),
            opening: self.required(&section, "opening"),
            more: if asks {
                self.required(&section, "more")
            } else {
                Vec::new()
            },
            done: if asks {
                self.required(&section, "done")
            } else {
                Vec::new()
            },
        };
        section.close();
        replies
    }
}
