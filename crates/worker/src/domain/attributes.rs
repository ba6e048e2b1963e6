//! What can be asked of a thing, and what is dangerous: `[[attributes]]` and `[[alarms]]`.

use std::collections::BTreeMap;

use super::pattern::Pattern;
use super::section::{Section, Text};
use super::template::Template;
use super::vocabulary::{Reference, patterns_of};
use super::wordings;

/// Something that can be asked of a thing: whether it has a towbar, how much it can pull.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// As acts and rehearsals call it.
    pub name: String,
    /// How it is asked for, by language.
    pub cues: BTreeMap<String, Vec<Pattern>>,
    /// It as a clause, to pass it on: "of {thing} een trekhaak heeft".
    pub clause: BTreeMap<String, Template>,
    /// What is best done until a colleague answers, by language; none where nothing is.
    pub advice: BTreeMap<String, String>,
    /// The slot whose values are its content: the fuel in "is die benzine?".
    pub slot: Option<String>,
    /// What `[prices]` knows answers it.
    pub prices: bool,
    /// Heard only while an alarm lasts, which answers it: "may I drive home?".
    pub danger: bool,
    /// Heard only where there is a stock, whose records answer it: "wat is het kenteken?".
    pub of_stock: bool,
    /// The goal of who asks it: what his car is worth asks who wants to trade it in.
    pub goal: Option<String>,
    /// The goal that who asks it of the own thing has in mind: when it can be collected asks who comes
    /// for it.
    pub in_mind: Option<String>,
    /// Which attribute is meant instead while a goal is pursued: the price of a car, or of its repair.
    pub meant_in: BTreeMap<String, String>,
}

/// A danger that the customer may be in.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// As acts and rehearsals call it.
    pub name: String,
    /// How it is told, by language.
    pub cues: BTreeMap<String, Vec<Pattern>>,
    /// Inside what the cues tell of no danger, by language: "squeaks when braking, not loud".
    pub unless: BTreeMap<String, Vec<Pattern>>,
    /// What is said first of all, by language; `{number}` is the number to call.
    pub safety: BTreeMap<String, Template>,
    /// What is said as long as it lasts, by language; none where it does not last.
    pub again: BTreeMap<String, Vec<Template>>,
    /// No danger at the moment: a colleague is told, but not at once.
    pub mild: bool,
    /// The number to call.
    pub number: Option<String>,
}

/// Reads the `[[attributes]]` of a file.
pub(super) fn read(
    root: &Section<'_>,
    languages: &[String],
    slots: &[String],
    references: &mut Vec<Reference>,
) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    for section in root.sections("attributes") {
        let slot = section.text("slot");
        if let Some(slot) = slot.filter(|slot| !slots.iter().any(|known| known == slot.value)) {
            section.problem(slot.line, format!("no slot gives a value `{}`", slot.value));
        }
        attributes.push(Attribute {
            name: name(&section),
            cues: cues(&section, references),
            clause: wordings::each(&section, "clause", languages, |at, text| {
                with_gaps(at, text, &["thing"])
            }),
            advice: wordings::some(&section, "advice", |_, text| Some(text.value.to_owned())),
            slot: slot.map(|slot| slot.value.to_owned()),
            prices: section.boolean("prices"),
            danger: section.boolean("danger"),
            of_stock: section.boolean("of_stock"),
            goal: section.text("goal").map(|goal| goal.value.to_owned()),
            in_mind: section.text("in_mind").map(|goal| goal.value.to_owned()),
            meant_in: section
                .section("meant_in")
                .map_or_else(BTreeMap::new, |table| {
                    let keys = table.keys().into_iter();
                    let texts = keys.filter_map(|goal| {
                        Some((
                            goal.value.to_owned(),
                            table.text(goal.value)?.value.to_owned(),
                        ))
                    });
                    texts.collect()
                }),
        });
        section.close();
    }
    attributes
}

/// Reads the `[[alarms]]` of a file.
pub(super) fn read_alarms(
    root: &Section<'_>,
    languages: &[String],
    references: &mut Vec<Reference>,
) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for section in root.sections("alarms") {
        let number = section.text("number");
        let gaps: &[&str] = if number.is_some() { &["number"] } else { &[] };
        alarms.push(Alarm {
            name: name(&section),
            cues: cues(&section, references),
            unless: patterns_in(&section, "unless", references),
            safety: wordings::each(&section, "safety", languages, |at, text| {
                with_gaps(at, text, gaps)
            }),
            again: again(&section, gaps),
            mild: section.boolean("mild"),
            number: number.map(|number| number.value.to_owned()),
        });
        section.close();
    }
    alarms
}

fn name(section: &Section<'_>) -> String {
    let name = section.required_text("name");
    name.map_or_else(String::new, |name| name.value.to_owned())
}

/// Lists of texts by language.
fn again(section: &Section<'_>, gaps: &[&str]) -> BTreeMap<String, Vec<Template>> {
    let Some(table) = section.section("again") else {
        return BTreeMap::new();
    };
    let languages = table.keys().into_iter();
    languages
        .map(|language| {
            let texts = table.texts(language.value).into_iter();
            let texts = texts.filter_map(|text| with_gaps(&table, text, gaps));
            (language.value.to_owned(), texts.collect())
        })
        .collect()
}

fn with_gaps(section: &Section<'_>, text: Text<'_>, gaps: &[&str]) -> Option<Template> {
    let template = wordings::template(section, text)?;
    for gap in template
        .gaps()
        .into_iter()
        .filter(|gap| !gaps.contains(gap))
    {
        section.problem(text.line, format!("nothing fills the gap `{{{gap}}}`"));
    }
    Some(template)
}

fn cues(section: &Section<'_>, references: &mut Vec<Reference>) -> BTreeMap<String, Vec<Pattern>> {
    if section.section("cues").is_none() {
        section.problem(section.line(), "`cues` is missing");
    }
    patterns_in(section, "cues", references)
}

/// Patterns by language.
fn patterns_in(
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
