//! Texts that stand under a key by language: `answer.nl`, `answer.en`.

use std::collections::BTreeMap;

use super::section::{Section, Text};
use super::template::Template;

/// What is read of the text in each language that there is.
pub(super) fn some<T>(
    section: &Section<'_>,
    key: &str,
    read: impl Fn(&Section<'_>, Text<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let Some(table) = section.section(key) else {
        return BTreeMap::new();
    };
    let languages = table.keys().into_iter().filter_map(|language| {
        let text = table.text(language.value)?;
        Some((language.value.to_owned(), read(&table, text)?))
    });
    languages.collect()
}

/// As [`some`]; a served language without a text is a problem.
pub(super) fn each<T>(
    section: &Section<'_>,
    key: &str,
    languages: &[String],
    read: impl Fn(&Section<'_>, Text<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let read = some(section, key, read);
    missing(section, key, languages, |language| {
        read.contains_key(language)
    });
    read
}

/// Lists of texts by language, where there are any: then a served language without is a problem.
pub(super) fn lists(
    section: &Section<'_>,
    key: &str,
    languages: &[String],
) -> BTreeMap<String, Vec<String>> {
    let mut read = BTreeMap::new();
    let Some(table) = section.section(key) else {
        return read;
    };
    for language in table.keys() {
        let texts = table.texts(language.value).into_iter();
        let texts: Vec<String> = texts.map(|text| text.value.to_owned()).collect();
        read.insert(language.value.to_owned(), texts);
    }
    missing(section, key, languages, |language| {
        read.get(language).is_some_and(|texts| !texts.is_empty())
    });
    read
}

fn missing(section: &Section<'_>, key: &str, languages: &[String], has: impl Fn(&str) -> bool) {
    for language in languages.iter().filter(|language| !has(language)) {
        section.problem(section.line(), format!("`{key}.{language}` is missing"));
    }
}

/// A text with gaps.
pub(super) fn template(section: &Section<'_>, text: Text<'_>) -> Option<Template> {
    Template::parse(text.value)
        .map_err(|mistake| section.problem(text.line, mistake))
        .ok()
}
