//! What is offered from the stock, and how it is asked about: the table `[offers]`.

mod texts;

use std::collections::BTreeMap;

use super::pattern::Pattern;
use super::section::{Section, Text};
use super::vocabulary::{Reference, patterns_of};
pub use texts::{AttributeTexts, OfferText, OfferTexts};

/// Everything that a domain says of its stock.
#[derive(Debug, Clone, PartialEq)]
pub struct Offers {
    /// What is offered to do next with a thing that the customer likes: a goal.
    pub goal: String,
    /// The one of `[[attributes]]` that asks whether a thing can be had.
    pub standing: Option<String>,
    /// From how many hours on the age of the data is said; none: never.
    pub stale_hours: Option<u32>,
    /// Which attribute of the record each slot wishes.
    pub wishes: BTreeMap<String, Wished>,
    /// What can be wished and asked of a thing in the stock.
    pub attributes: Vec<OfferAttribute>,
    /// What can be asked to come first: the cheapest, the newest.
    pub orders: Vec<OfferOrder>,
    /// How something that was offered is pointed at, by language: "die witte".
    pub points: BTreeMap<String, Vec<Pattern>>,
    /// How a number is meant that need not be met exactly, by language: "rond de 10.000".
    pub near: BTreeMap<String, Vec<Pattern>>,
    /// What is said, by language.
    pub texts: BTreeMap<String, OfferTexts>,
}

/// What the value of a slot asks of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wished {
    /// The attribute of the record.
    pub attribute: String,
    /// How the value bounds it.
    pub bound: Bound,
}

/// How a value bounds an attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bound {
    /// It is the value.
    #[default]
    Is,
    /// It is the value or more.
    AtLeast,
    /// It is the value or less.
    AtMost,
}

/// An attribute of the record.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferAttribute {
    /// As the record calls it.
    pub name: String,
    /// The `[[attributes]]` whose questions it answers.
    pub asked_by: Vec<String>,
    /// The record says of it only whether it is there.
    pub flag: bool,
    /// How a bound of it is wished that no slot has, by language: a number, or that it is there.
    pub wish: BTreeMap<String, Vec<Pattern>>,
    /// The same with the number in the word: "zevenzitter".
    pub wish_words: BTreeMap<String, Vec<(i64, Vec<Pattern>)>>,
    /// Which bound a number in such a wish is.
    pub bound: Bound,
    /// Its words, by language.
    pub texts: BTreeMap<String, AttributeTexts>,
}

/// What comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferOrder {
    /// The attribute that decides.
    pub attribute: String,
    /// The highest comes first.
    pub descending: bool,
    /// How it is asked for, by language.
    pub cues: BTreeMap<String, Vec<Pattern>>,
    /// How more of it is asked for than what was offered has: "cheaper", by language.
    pub than: BTreeMap<String, Vec<Pattern>>,
}

impl Offers {
    /// The attribute of the record with this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&OfferAttribute> {
        let mut attributes = self.attributes.iter();
        attributes.find(|attribute| attribute.name == name)
    }

    /// The attribute of the record that answers a question.
    #[must_use]
    pub fn answering(&self, asked: &str) -> Option<&OfferAttribute> {
        let mut attributes = self.attributes.iter();
        attributes.find(|attribute| attribute.asked_by.iter().any(|name| name == asked))
    }

    /// The same without its patterns and texts.
    #[must_use]
    pub(crate) fn without_words(mut self) -> Self {
        self.forget_words();
        self.texts.clear();
        self
    }

    /// Drops the patterns, once they are compiled.
    pub(super) fn forget_words(&mut self) {
        self.points.clear();
        self.near.clear();
        self.orders.iter_mut().for_each(|order| {
            order.cues.clear();
            order.than.clear();
        });
        let attributes = self.attributes.iter_mut();
        attributes.for_each(|attribute| {
            attribute.wish.clear();
            attribute.wish_words.clear();
        });
    }
}

/// What the rest of the domain knows, to be checked against.
pub(super) struct Around<'a> {
    pub(super) languages: &'a [String],
    pub(super) goals: &'a [String],
    pub(super) slots: &'a [String],
}

/// Reads the table `[offers]` of a file, where it has one.
pub(super) fn read(
    root: &Section<'_>,
    around: &Around<'_>,
    references: &mut Vec<Reference>,
) -> Option<Offers> {
    let section = root.section("offers")?;
    let goal = section.required_text("goal");
    if let Some(goal) = goal.filter(|goal| !around.goals.iter().any(|known| known == goal.value)) {
        section.problem(goal.line, format!("there is no goal `{}`", goal.value));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates"
    )]
    let stale_hours = section.number("stale_hours").map(|hours| hours as u32);
    let attributes = attributes(&section, around.languages, references);
    let names: Vec<&str> = attributes.iter().map(|one| one.name.as_str()).collect();
    let offers = Offers {
        goal: goal.map_or_else(String::new, |goal| goal.value.to_owned()),
        standing: section.text("standing").map(|name| name.value.to_owned()),
        stale_hours,
        wishes: wishes(&section, around.slots, &names),
        orders: orders(&section, &names, references),
        points: patterns(&section, "points", references),
        near: patterns(&section, "near", references),
        texts: texts::read(&section, around.languages, &names),
        attributes,
    };
    section.close();
    Some(offers)
}

fn attributes(
    section: &Section<'_>,
    languages: &[String],
    references: &mut Vec<Reference>,
) -> Vec<OfferAttribute> {
    let sections = section.sections("attributes");
    let names = sections.iter().filter_map(|one| one.text("name"));
    let names: Vec<&str> = names.map(|name| name.value).collect();
    let read = sections.into_iter().map(|section| {
        let flag = section.boolean("flag");
        let bound = section.text("bound");
        let attribute = OfferAttribute {
            name: owned(section.required_text("name")),
            asked_by: section
                .texts("asked_by")
                .into_iter()
                .map(|name| name.value.to_owned())
                .collect(),
            flag,
            wish: patterns(&section, "wish", references),
            wish_words: wish_words(&section, references),
            bound: bound.map_or(Bound::Is, |bound| bound_of(&section, bound)),
            texts: texts::of_attribute(&section, languages, flag, &names),
        };
        section.close();
        attribute
    });
    read.collect()
}

/// `price_max = "price <="`.
fn wishes(
    section: &Section<'_>,
    slots: &[String],
    attributes: &[&str],
) -> BTreeMap<String, Wished> {
    let Some(table) = section.section("wishes") else {
        section.problem(section.line(), "the table [offers.wishes] is missing");
        return BTreeMap::new();
    };
    let keys = table.keys().into_iter();
    let read = keys.filter_map(|slot| {
        if !slots.iter().any(|known| known == slot.value) {
            table.problem(slot.line, format!("no slot gives a value `{}`", slot.value));
        }
        let text = table.text(slot.value)?;
        let (attribute, bound) = text.value.split_once(' ').unwrap_or((text.value, ""));
        known(&table, text, attribute, attributes);
        let bound = Text {
            value: bound,
            ..text
        };
        let wished = Wished {
            attribute: attribute.to_owned(),
            bound: bound_of(&table, bound),
        };
        Some((slot.value.to_owned(), wished))
    });
    read.collect()
}

fn bound_of(section: &Section<'_>, text: Text<'_>) -> Bound {
    match text.value {
        "" => Bound::Is,
        ">=" => Bound::AtLeast,
        "<=" => Bound::AtMost,
        other => {
            let message = format!("`{other}` is no bound; there are >= and <=");
            section.problem(text.line, message);
            Bound::Is
        }
    }
}

fn orders(
    section: &Section<'_>,
    attributes: &[&str],
    references: &mut Vec<Reference>,
) -> Vec<OfferOrder> {
    let sections = section.sections("orders").into_iter();
    let read = sections.map(|section| {
        let attribute = section.required_text("attribute");
        if let Some(attribute) = attribute {
            known(&section, attribute, attribute.value, attributes);
        }
        let order = OfferOrder {
            attribute: owned(attribute),
            descending: section.boolean("descending"),
            cues: patterns(&section, "cues", references),
            than: patterns(&section, "than", references),
        };
        section.close();
        order
    });
    read.collect()
}

fn known(section: &Section<'_>, at: Text<'_>, attribute: &str, attributes: &[&str]) {
    if !attributes.contains(&attribute) {
        let message = format!("[[offers.attributes]] has no `{attribute}`");
        section.problem(at.line, message);
    }
}

/// Patterns by language and number: `wish_words.nl = { "7" = ["zevenzitter*"] }`.
fn wish_words(
    section: &Section<'_>,
    references: &mut Vec<Reference>,
) -> BTreeMap<String, Vec<(i64, Vec<Pattern>)>> {
    let mut read = BTreeMap::new();
    let Some(languages) = section.section("wish_words") else {
        return read;
    };
    for language in languages.keys() {
        let Some(table) = languages.section(language.value) else {
            continue;
        };
        let mut words = Vec::new();
        for key in table.keys() {
            match key.value.parse() {
                Ok(number) => words.push((number, patterns_of(&table, key.value, references))),
                Err(_) => table.problem(key.line, format!("`{}` is no number", key.value)),
            }
        }
        read.insert(language.value.to_owned(), words);
    }
    read
}

/// Patterns by language.
fn patterns(
    section: &Section<'_>,
    key: &str,
    references: &mut Vec<Reference>,
) -> BTreeMap<String, Vec<Pattern>> {
    let Some(table) = section.section(key) else {
        return BTreeMap::new();
    };
    let languages = table.keys().into_iter();
    languages
        .map(|language| {
            let patterns = patterns_of(&table, language.value, references);
            (language.value.to_owned(), patterns)
        })
        .collect()
}

fn owned(text: Option<Text<'_>>) -> String {
    text.map_or_else(String::new, |text| text.value.to_owned())
}
