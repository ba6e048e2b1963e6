use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problems;

/// One file of the domain while it is read: knows lines, and where problems go.
pub(super) struct DomainFile<'a> {
    name: &'a str,
    line_starts: Vec<usize>,
    problems: &'a Problems,
}

impl<'a> DomainFile<'a> {
    pub(super) fn new(name: &'a str, text: &str, problems: &'a Problems) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            name,
            line_starts,
            problems,
        }
    }

    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.line_starts
            .partition_point(|&start| start <= span.start)
    }

    pub(super) fn problem(&self, line: usize, message: impl Into<String>) {
        self.problems.add(self.name, line, message);
    }

    /// A problem in a file that this one names.
    pub(super) fn problem_in(&self, file: &str, line: usize, message: impl Into<String>) {
        self.problems.add(file, line, message);
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// The file as a table. Syntax errors are noted as problems; what could be read is returned.
    pub(super) fn parse<'t>(&self, text: &'t str) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map_or(1, |span| self.line(&span));
            self.problem(line, error.message().to_owned());
        }
        table
    }
}

/// A text with the line that it stands on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) value: &'a str,
    pub(super) line: usize,
}

/// A table of a domain file. Every reader notes the key as known; [`Section::close`] reports the rest.
pub(super) struct Section<'a> {
    file: &'a DomainFile<'a>,
    table: &'a DeTable<'a>,
    path: String,
    line: usize,
    known: RefCell<BTreeSet<String>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(file: &'a DomainFile<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self::new(file, table.get_ref(), String::new(), 1)
    }

    fn new(file: &'a DomainFile<'a>, table: &'a DeTable<'a>, path: String, line: usize) -> Self {
        Self {
            file,
            table,
            path,
            line,
            known: RefCell::default(),
        }
    }

    pub(super) fn file(&self) -> &'a DomainFile<'a> {
        self.file
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn problem(&self, line: usize, message: impl Into<String>) {
        self.file.problem(line, message);
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key.to_owned());
        self.table.get(key)
    }

    fn expect<T>(
        &self,
        key: &str,
        what: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<(T, usize)> {
        let value = self.value(key)?;
        let line = self.file.line(&value.span());
        let read = read(value.get_ref());
        if read.is_none() {
            let found = value.get_ref().type_str();
            self.problem(
                line,
                format!("`{}` must be {what}, not {found}", self.name(key)),
            );
        }
        Some((read?, line))
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<Text<'a>> {
        self.expect(key, "a text", DeValue::as_str)
            .map(|(value, line)| Text { value, line })
    }

    /// Whether a text stands under a key.
    pub(super) fn is_text(&self, key: &str) -> bool {
        let value = self.table.get(key);
        value.is_some_and(|value| value.get_ref().as_str().is_some())
    }

    /// As [`Section::text`]; a missing key is a problem.
    pub(super) fn required_text(&self, key: &str) -> Option<Text<'a>> {
        self.require(key);
        self.text(key)
    }

    fn require(&self, key: &str) {
        if !self.table.contains_key(key) {
            self.problem(self.line, format!("`{}` is missing", self.name(key)));
        }
    }

    pub(super) fn boolean(&self, key: &str) -> bool {
        self.expect(key, "true or false", DeValue::as_bool)
            .is_some_and(|(value, _)| value)
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.expect(key, "a number", number).map(|(value, _)| value)
    }

    /// As [`Section::number`]; a missing key is a problem.
    pub(super) fn required_number(&self, key: &str) -> Option<f64> {
        self.require(key);
        self.number(key)
    }

    /// Two whole numbers `[from, to]`, the first not above the second.
    pub(super) fn bounds(&self, key: &str) -> Option<(i64, i64)> {
        let (pair, line) = self.expect(key, "a pair of numbers [from, to]", pair)?;
        if pair.0 > pair.1 {
            self.problem(
                line,
                format!("`{}` has its lower bound above the upper", self.name(key)),
            );
        }
        Some(pair)
    }

    /// The texts of a list, or of one text alone. Missing gives none.
    pub(super) fn texts(&self, key: &str) -> Vec<Text<'a>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let line = self.file.line(&value.span());
        match value.get_ref() {
            DeValue::String(text) => vec![Text { value: text, line }],
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| self.item(key, item))
                .collect(),
            other => {
                let found = other.type_str();
                self.problem(
                    line,
                    format!("`{}` must be a list of texts, not {found}", self.name(key)),
                );
                Vec::new()
            }
        }
    }

    fn item(&self, key: &str, item: &'a Spanned<DeValue<'a>>) -> Option<Text<'a>> {
        let line = self.file.line(&item.span());
        let text = item.get_ref().as_str();
        if text.is_none() {
            let found = item.get_ref().type_str();
            self.problem(
                line,
                format!("`{}` must hold texts only, not {found}", self.name(key)),
            );
        }
        Some(Text { value: text?, line })
    }

    /// The numbers of a table `{ name = number }`, with the line of each.
    pub(super) fn numbers(&self, key: &str) -> Vec<(Text<'a>, f64)> {
        let Some(section) = self.section(key) else {
            return Vec::new();
        };
        section
            .keys()
            .into_iter()
            .filter_map(|name| Some((name, section.number(name.value)?)))
            .collect()
    }

    /// The table under a key.
    pub(super) fn section(&self, key: &str) -> Option<Self> {
        let (table, line) = self.expect(key, "a table", DeValue::as_table)?;
        Some(Self::new(self.file, table, self.name(key), line))
    }

    /// The tables of a `[[key]]` list.
    pub(super) fn sections(&self, key: &str) -> Vec<Self> {
        let list = self.expect(key, "a list of tables ([[…]])", DeValue::as_array);
        let mut sections = Vec::new();
        for item in list.into_iter().flat_map(|(items, _)| items.iter()) {
            let line = self.file.line(&item.span());
            match item.get_ref().as_table() {
                Some(table) => sections.push(Self::new(self.file, table, self.name(key), line)),
                None => self.problem(line, format!("`{}` must hold tables only", self.name(key))),
            }
        }
        sections
    }

    /// The keys in this table, with their lines.
    pub(super) fn keys(&self) -> Vec<Text<'a>> {
        self.table
            .iter()
            .map(|(key, _)| Text {
                value: key.get_ref().as_ref(),
                line: self.file.line(&key.span()),
            })
            .collect()
    }

    /// Reports every key that nobody asked for; the first one with the keys that are.
    pub(super) fn close(self) {
        let known = self.known.borrow();
        let list: Vec<&str> = known.iter().map(String::as_str).collect();
        let mut told = format!("; known here: {}", list.join(", "));
        for key in self.keys() {
            if !known.contains(key.value) {
                let message = format!("unknown key `{}`{told}", self.name(key.value));
                self.problem(key.line, message);
                told.clear();
            }
        }
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => integer.as_str().replace('_', "").parse().ok(),
        DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
        _ => None,
    }
}

fn pair(value: &DeValue<'_>) -> Option<(i64, i64)> {
    let whole = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
        DeValue::Integer(integer) => integer.as_str().replace('_', "").parse().ok(),
        _ => None,
    };
    let items = value.as_array()?;
    let mut items = items.iter();
    match (items.next(), items.next(), items.next()) {
        (Some(from), Some(to), None) => Some((whole(from)?, whole(to)?)),
        _ => None,
    }
}
