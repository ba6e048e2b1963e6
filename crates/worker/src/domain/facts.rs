//! What can be told of the business: the tables `[[facts]]` and `[prices]`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use shared_types::Slots;

use super::section::{Section, Text};
use super::template::Template;
use super::wordings;

/// An answer that the owner wrote. Several of one name may stand after each other, for other days or
/// conditions: the first that holds is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fact {
    /// As rehearsals and counts call it.
    pub name: String,
    /// Example questions, by language.
    pub ask: BTreeMap<String, Vec<String>>,
    /// The answer, by language. Every gap can be filled.
    pub answer: BTreeMap<String, Template>,
    /// A shorter answer for a second time, by language.
    pub short: BTreeMap<String, Template>,
    /// The first day on which it holds.
    pub from: Option<Date>,
    /// The last day on which it holds.
    pub until: Option<Date>,
    /// Values that must be known of the thing asked about: slot and value.
    pub only_if: Vec<(String, String)>,
    /// The goal that who asks it has in mind.
    pub goal: Option<String>,
    /// The goal that is pursued where it holds; elsewhere another fact of the name may.
    pub during: Option<String>,
    /// A colleague has to know that it was asked, although it is answered.
    pub pass_on: bool,
    /// Nobody asks it who calls for help: while an alarm lasts, it is answered alone once what to do was
    /// said again.
    pub calm: bool,
}

/// How the gaps begin that prices fill.
const PRICE_OF: &str = "price of ";

impl Fact {
    /// Whether its answer tells a price.
    #[must_use]
    pub fn tells_price(&self) -> bool {
        let tells = |text: &Template| text.required().iter().any(|gap| gap.starts_with(PRICE_OF));
        self.answer.values().any(tells)
    }

    /// Whether it holds on a day, of what is known, while a goal is pursued.
    #[must_use]
    pub fn holds(&self, today: Date, known: &Slots, pursued: Option<&str>) -> bool {
        let during = self.during.as_deref();
        during.is_none_or(|goal| pursued == Some(goal))
            && self.from.is_none_or(|from| from <= today)
            && self.until.is_none_or(|until| today <= until)
            && self.only_if.iter().all(|(slot, value)| {
                known
                    .get(slot)
                    .is_some_and(|known| known.to_string() == *value)
            })
    }
}

/// Prices by name; the text by language. A name may be a value of a choice slot: what it costs is
/// then asked by naming it.
pub type Prices = BTreeMap<String, BTreeMap<String, String>>;

/// What facts are checked against.
pub(super) struct Known<'a> {
    pub(super) languages: &'a [String],
    pub(super) slots: &'a [String],
    pub(super) goals: &'a [String],
    /// Gaps that can be filled whatever the conversation.
    pub(super) gaps: &'a [&'a str],
}

/// Reads `[prices]`.
pub(super) fn read_prices(root: &Section<'_>, languages: &[String]) -> Prices {
    let Some(section) = root.section("prices") else {
        return Prices::new();
    };
    let mut prices = Prices::new();
    for key in section.keys() {
        let price = if section.is_text(key.value) {
            let text = section.text(key.value).map_or("", |text| text.value);
            let same = |language: &String| (language.clone(), text.to_owned());
            languages.iter().map(same).collect()
        } else {
            wordings::each(&section, key.value, languages, |_, text| {
                Some(text.value.to_owned())
            })
        };
        prices.insert(key.value.to_owned(), price);
    }
    section.close();
    prices
}

/// Reads the `[[facts]]` of a file.
pub(super) fn read(root: &Section<'_>, known: &Known<'_>, prices: &Prices) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for section in root.sections("facts") {
        let fact = read_one(&section, known, prices);
        // Another answer to questions that are listed with the first.
        if fact.ask.is_empty() && !facts.iter().any(|other| other.name == fact.name) {
            section.problem(section.line(), "`ask` is missing");
        }
        section.close();
        facts.push(fact);
    }
    facts
}

fn read_one(section: &Section<'_>, known: &Known<'_>, prices: &Prices) -> Fact {
    let template = |at: &Section<'_>, text: Text<'_>| {
        let template = wordings::template(at, text)?;
        for gap in template.required() {
            let price = gap.strip_prefix("price of ").map(str::trim);
            let fills = match price {
                Some(name) => prices.contains_key(name),
                None => known.gaps.contains(&gap),
            };
            if !fills {
                let message = format!("nothing fills the gap `{{{gap}}}` in every conversation");
                at.problem(text.line, message);
            }
        }
        Some(template)
    };
    let goal = |key: &str| {
        section.text(key).map(|goal| {
            if !known.goals.iter().any(|name| name == goal.value) {
                section.problem(goal.line, format!("there is no goal `{}`", goal.value));
            }
            goal.value.to_owned()
        })
    };
    Fact {
        name: section
            .required_text("name")
            .map_or_else(String::new, |name| name.value.to_owned()),
        ask: wordings::lists(section, "ask", known.languages),
        answer: wordings::each(section, "answer", known.languages, template),
        short: wordings::some(section, "short", template),
        from: day(section, "from"),
        until: day(section, "until"),
        only_if: only_if(section, known.slots),
        goal: goal("goal"),
        during: goal("during"),
        pass_on: section.boolean("pass_on"),
        calm: section.boolean("calm"),
    }
}

fn day(section: &Section<'_>, key: &str) -> Option<Date> {
    let text = section.text(key)?;
    let day = text.value.parse().ok();
    if day.is_none() {
        let message = format!("`{key}` is a day such as \"2026-12-25\"");
        section.problem(text.line, message);
    }
    day
}

fn only_if(section: &Section<'_>, slots: &[String]) -> Vec<(String, String)> {
    let Some(table) = section.section("only_if") else {
        return Vec::new();
    };
    let mut conditions = Vec::new();
    for key in table.keys() {
        if !slots.iter().any(|slot| slot == key.value) {
            table.problem(key.line, format!("no slot gives a value `{}`", key.value));
        }
        let value = table.text(key.value);
        conditions.extend(value.map(|value| (key.value.to_owned(), value.value.to_owned())));
    }
    table.close();
    conditions
}
