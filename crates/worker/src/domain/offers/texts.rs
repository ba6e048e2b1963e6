//! What is said of the stock, in each language.

use std::collections::BTreeMap;

use crate::domain::replies::Variants;
use crate::domain::section::Section;
use crate::domain::wordings;

/// The words of an attribute.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttributeTexts {
    /// What it is called: "een trekhaak", "kilometerstand".
    pub label: String,
    /// What stands before and after its value: "€ ", " km".
    pub around: Option<(String, String)>,
    /// What its canonical words are called.
    pub words: BTreeMap<String, String>,
    /// What is answered: gaps `{thing}` and `{value}`.
    pub answer: Variants,
    /// What is said of a thing that has too much of it, or too little: gap `{difference}`.
    pub over: Variants,
    /// The same of too little.
    pub under: Variants,
    /// What is said of a thing that has another value: gap `{value}`.
    pub other: Variants,
    /// What is said of a thing that fits: gap `{value}`.
    pub fits: Variants,
}

/// What is said of the stock in one language.
pub type OfferTexts = BTreeMap<OfferText, Variants>;

/// Something that is said of the stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferText {
    /// Before one thing that fits.
    FoundOne,
    /// Before all that fit.
    Found,
    /// Before some of those that fit.
    FoundMore,
    /// Before what comes nearest.
    Nearest,
    /// Nothing comes near.
    Nothing,
    /// The one that was shown fits what is told now, too.
    StillOne,
    /// So do all that were shown.
    Still,
    /// What was shown still comes nearest.
    StillNearest,
    /// Some of those that were shown fit.
    Left,
    /// Nothing is further than what was offered: cheaper, newer.
    NoFurther,
    /// One thing, as a line of the list.
    Item,
    /// The thing in a sentence.
    Thing,
    /// What fits of a near thing, and what does not.
    Fits,
    /// What does not fit of a near thing.
    Misses,
    /// A value that the record does not have.
    Unknown,
    /// The customer takes one of those that were offered.
    Chosen,
    /// Something came in that the customer looked for in vain.
    Arrived,
    /// It can be had.
    Available,
    /// Somebody has it reserved.
    Reserved,
    /// It is sold.
    Sold,
    /// It is not in the stock any more.
    Gone,
    /// What is said beside the name of a reserved thing.
    MarkReserved,
    /// The same of a sold one.
    MarkSold,
    /// It has it.
    Has,
    /// It has it not.
    HasNot,
    /// One attribute of several things.
    Several,
    /// One thing's part of that.
    Each,
    /// Yes.
    Yes,
    /// No.
    No,
    /// The record does not say.
    NotSaid,
    /// How old the data are.
    Stale,
    /// An age of one hour.
    AgeHour,
    /// An age of hours.
    AgeHours,
    /// An age of days.
    AgeDays,
    /// Whether the one thing is what the customer wants to see.
    AskOne,
    /// The same of several.
    AskSeveral,
    /// Which of several is meant.
    AskWhich,
}

/// Each text with its key and the gaps of its own, beside those that attributes fill.
const TEXTS: [(OfferText, &str, &[&str]); 37] = [
    (OfferText::FoundOne, "found_one", &[]),
    (OfferText::Found, "found", &["count"]),
    (OfferText::FoundMore, "found_more", &["count", "total"]),
    (OfferText::Nearest, "nearest", &["thing"]),
    (OfferText::Nothing, "nothing", &["wish", "when"]),
    (OfferText::StillOne, "still_one", &["thing"]),
    (OfferText::Still, "still", &[]),
    (OfferText::StillNearest, "still_nearest", &[]),
    (OfferText::Left, "left", &["things"]),
    (OfferText::NoFurther, "no_further", &[]),
    (OfferText::Item, "item", ITEM),
    (OfferText::Thing, "thing", &["title"]),
    (OfferText::Fits, "fits", &["fits", "misses"]),
    (OfferText::Misses, "misses", &["misses"]),
    (OfferText::Unknown, "unknown", &["label"]),
    (
        OfferText::Chosen,
        "chosen",
        &["thing", "price", "status", "url"],
    ),
    (OfferText::Arrived, "arrived", &["title", "url"]),
    (OfferText::Available, "available", &["thing"]),
    (OfferText::Reserved, "reserved", &["thing"]),
    (OfferText::Sold, "sold", &["thing"]),
    (OfferText::Gone, "gone", &["thing"]),
    (OfferText::MarkReserved, "mark_reserved", &[]),
    (OfferText::MarkSold, "mark_sold", &[]),
    (OfferText::Has, "has", &["thing", "label"]),
    (OfferText::HasNot, "has_not", &["thing", "label"]),
    (OfferText::Several, "several", &["label", "answers"]),
    (OfferText::Each, "each", &["number", "thing", "answer"]),
    (OfferText::Yes, "yes", &[]),
    (OfferText::No, "no", &[]),
    (OfferText::NotSaid, "not_said", &[]),
    (OfferText::Stale, "stale", &["age", "hours"]),
    (OfferText::AgeHour, "age_hour", &["count"]),
    (OfferText::AgeHours, "age_hours", &["count"]),
    (OfferText::AgeDays, "age_days", &["count"]),
    (OfferText::AskOne, "ask_one", &["thing"]),
    (OfferText::AskSeveral, "ask_several", &[]),
    (OfferText::AskWhich, "ask_which", &[]),
];

/// Without these a list is shown once more.
const OPTIONAL: [OfferText; 4] = [
    OfferText::StillOne,
    OfferText::Still,
    OfferText::StillNearest,
    OfferText::Left,
];

const ITEM: &[&str] = &["number", "title", "status", "fit", "url"];

/// Gaps that are filled whatever the record says.
const ALWAYS: &[&str] = &[
    "count",
    "total",
    "number",
    "title",
    "thing",
    "things",
    "label",
    "answers",
    "answer",
    "fits",
    "misses",
    "age",
    "hours",
    "when",
    "value",
    "difference",
];

/// Reads `[offers.texts]`: each text in each language, in a wording that can always be filled.
pub(super) fn read(
    section: &Section<'_>,
    languages: &[String],
    attributes: &[&str],
) -> BTreeMap<String, OfferTexts> {
    let mut read: BTreeMap<String, OfferTexts> = BTreeMap::new();
    let Some(table) = section.section("texts") else {
        section.problem(section.line(), "the table [offers.texts] is missing");
        return read;
    };
    for (text, key, own) in TEXTS {
        for (language, variants) in variants(&table, key, own, attributes) {
            read.entry(language).or_default().insert(text, variants);
        }
        for language in languages.iter().filter(|_| !OPTIONAL.contains(&text)) {
            let variants = read.get(language).and_then(|texts| texts.get(&text));
            if !variants.is_some_and(|variants| variants.iter().any(is_bare)) {
                let message = format!("`{key}.{language}` needs a text that can always be filled");
                table.problem(table.line(), message);
            }
        }
    }
    table.close();
    read
}

fn is_bare(text: &crate::domain::Template) -> bool {
    text.required().iter().all(|gap| ALWAYS.contains(gap))
}

/// Reads the words of an attribute.
pub(super) fn of_attribute(
    section: &Section<'_>,
    languages: &[String],
    flag: bool,
    attributes: &[&str],
) -> BTreeMap<String, AttributeTexts> {
    let label = wordings::each(section, "label", languages, |_, text| {
        Some(text.value.to_owned())
    });
    let around = wordings::some(section, "value", |at, text| {
        let parts = text.value.split_once("{}");
        if parts.is_none() {
            at.problem(text.line, "`value` must hold {} for the value");
        }
        parts.map(|(before, after)| (before.to_owned(), after.to_owned()))
    });
    let of = |key: &str, own: &[&str]| variants(section, key, own, attributes);
    let words = section.section("words");
    let words = |language: &String| {
        let table = words.as_ref()?.section(language)?;
        let words = table.keys().into_iter().filter_map(|word| {
            Some((
                word.value.to_owned(),
                table.text(word.value)?.value.to_owned(),
            ))
        });
        Some(words.collect())
    };
    let mut answer = of("answer", &["thing", "value"]);
    let mut over = of("over", &["difference", "value"]);
    let mut under = of("under", &["difference", "value"]);
    let mut other = of("other", &["value"]);
    let mut fits = of("fits", &["value"]);
    let read = languages.iter().map(|language| {
        let texts = AttributeTexts {
            label: label.get(language).cloned().unwrap_or_default(),
            around: around.get(language).cloned(),
            words: words(language).unwrap_or_default(),
            answer: answer.remove(language).unwrap_or_default(),
            over: over.remove(language).unwrap_or_default(),
            under: under.remove(language).unwrap_or_default(),
            other: other.remove(language).unwrap_or_default(),
            fits: fits.remove(language).unwrap_or_default(),
        };
        if texts.answer.is_empty() && !flag {
            section.problem(section.line(), format!("`answer.{language}` is missing"));
        }
        (language.clone(), texts)
    });
    read.collect()
}

/// Texts by language under a key.
fn variants(
    section: &Section<'_>,
    key: &str,
    own: &[&str],
    attributes: &[&str],
) -> BTreeMap<String, Variants> {
    let Some(table) = section.section(key) else {
        return BTreeMap::new();
    };
    let read = table.keys().into_iter().map(|language| {
        let texts = table.texts(language.value).into_iter();
        let texts = texts.filter_map(|text| {
            let template = wordings::template(&table, text)?;
            for gap in template.gaps() {
                if !own.contains(&gap) && !attributes.contains(&gap) {
                    table.problem(text.line, format!("nothing fills the gap `{{{gap}}}`"));
                }
            }
            Some(template)
        });
        (language.value.to_owned(), texts.collect())
    });
    read.collect()
}
