//! The table `[format]`: how values, days and times are shown.

use std::collections::BTreeMap;

use crate::domain::section::Section;
use crate::domain::template::Template;
use crate::domain::wordings;

/// How values are shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Format {
    /// What stands around a value: `price_max = "€ {}"`.
    pub values: BTreeMap<String, (String, String)>,
    /// Words for canonical values: `automatic = "automaat"`.
    pub words: BTreeMap<String, String>,
    /// What slots are called: `color = "kleur"`.
    pub slots: BTreeMap<String, String>,
    /// What stands between thousands.
    pub thousands: String,
    /// Names of the days, Monday first.
    pub weekdays: Vec<String>,
    /// Names of the months.
    pub months: Vec<String>,
    /// What is said of a day on which it is closed.
    pub closed: String,
    /// What stands before the last of several things.
    pub and: String,
    /// What stands before the last of several choices.
    pub or: String,
    /// What is excluded: "geen {}".
    pub not: (String, String),
    /// What does not matter: "{} maakt niet uit".
    pub indifferent: (String, String),
    /// What leads into a question, lower case: it is not said back with it.
    pub lead_ins: Vec<String>,
    /// How days and times are said.
    pub moments: Moments,
}

/// How days and times are said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Today and tomorrow.
    pub today: String,
    /// The day after.
    pub tomorrow: String,
    texts: BTreeMap<String, Template>,
}

/// Each text with its gaps.
const MOMENTS: &[(&str, &[&str])] = &[
    ("date", &["weekday", "day", "month"]),
    ("on", &["date"]),
    ("days", &["from", "to"]),
    ("from_day", &["date"]),
    ("until_day", &["date"]),
    ("at", &["time"]),
    ("between", &["from", "to"]),
    ("after", &["time"]),
    ("before", &["time"]),
    ("span", &["from", "to"]),
    ("morning", &[]),
    ("noon", &[]),
    ("afternoon", &[]),
    ("late_afternoon", &[]),
    ("evening", &[]),
    ("soon", &[]),
    ("soon_today", &[]),
    ("opening", &["date", "time"]),
];

impl Moments {
    /// A text of `[format.moments]`, filled.
    pub(crate) fn text(&self, name: &str, gaps: &[(&str, &str)]) -> String {
        let filling = gaps
            .iter()
            .map(|(gap, value)| ((*gap).to_owned(), (*value).to_owned()));
        let filling = filling.collect();
        let template = self.texts.get(name);
        template
            .and_then(|template| template.fill(&filling))
            .unwrap_or_default()
    }
}

pub(super) fn read(root: &Section<'_>) -> Format {
    let Some(section) = root.section("format") else {
        root.problem(1, "the table [format] is missing");
        return Format::default();
    };
    let text = |key: &str| {
        let text = section.required_text(key);
        text.map_or_else(String::new, |text| text.value.to_owned())
    };
    let names = |key: &str, count: usize| {
        let names = section.texts(key);
        if names.len() != count {
            let message = format!("`format.{key}` must have {count} names");
            section.problem(section.line(), message);
        }
        names.iter().map(|name| name.value.to_owned()).collect()
    };
    let format = Format {
        thousands: text("thousands"),
        closed: text("closed"),
        and: text("and"),
        or: text("or"),
        not: around(&section, "not"),
        indifferent: around(&section, "indifferent"),
        weekdays: names("weekdays", 7),
        months: names("months", 12),
        values: table(&section, "values", around),
        words: table(&section, "words", owned),
        slots: table(&section, "slots", owned),
        lead_ins: lead_ins(&section),
        moments: moments(&section),
    };
    section.close();
    format
}

/// The longer ones first: "guten tag" before "guten".
fn lead_ins(section: &Section<'_>) -> Vec<String> {
    let texts = section.texts("lead_ins").into_iter();
    let mut texts: Vec<String> = texts.map(|text| text.value.to_lowercase()).collect();
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    texts
}

fn table<T>(
    parent: &Section<'_>,
    key: &str,
    read: impl Fn(&Section<'_>, &str) -> T,
) -> BTreeMap<String, T> {
    let Some(section) = parent.section(key) else {
        return BTreeMap::new();
    };
    let keys = section.keys().into_iter();
    let read = keys.map(|key| (key.value.to_owned(), read(&section, key.value)));
    let read = read.collect();
    section.close();
    read
}

fn owned(section: &Section<'_>, key: &str) -> String {
    let text = section.text(key);
    text.map_or_else(String::new, |text| text.value.to_owned())
}

/// What stands before and after `{}`.
fn around(section: &Section<'_>, key: &str) -> (String, String) {
    let Some(text) = section.required_text(key) else {
        return Default::default();
    };
    let Some((before, after)) = text.value.split_once("{}") else {
        section.problem(text.line, format!("`{key}` must hold {{}} for the value"));
        return Default::default();
    };
    (before.to_owned(), after.to_owned())
}

fn moments(format: &Section<'_>) -> Moments {
    let Some(section) = format.section("moments") else {
        format.problem(format.line(), "the table [format.moments] is missing");
        return Moments::default();
    };
    let mut moments = Moments {
        today: owned(&section, "today"),
        tomorrow: owned(&section, "tomorrow"),
        ..Moments::default()
    };
    for (name, gaps) in MOMENTS {
        let Some(text) = section.required_text(name) else {
            continue;
        };
        let Some(template) = wordings::template(&section, text) else {
            continue;
        };
        for gap in template
            .gaps()
            .into_iter()
            .filter(|gap| !gaps.contains(gap))
        {
            section.problem(text.line, format!("nothing fills the gap `{{{gap}}}`"));
        }
        moments.texts.insert((*name).to_owned(), template);
    }
    section.close();
    moments
}
