//! An element of a feed becomes a record.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::item::{Attributes, Interner, Item, PRICE, Price, Status, Value};
use crate::limits::Limits;
use crate::mapping::{ACTION, Mapping, Rule};
use crate::names::Names;
use crate::node::Node;
use crate::numbers::{number, year_month};
use crate::report::Reason;
use crate::schema::{Attribute, Kind, Schema};
use crate::words::{plain, squash};

/// What turns elements of one feed into records.
pub(crate) struct Recorder<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) names: &'a [Names],
    pub(crate) mapping: &'a Mapping,
    pub(crate) source: Arc<str>,
    pub(crate) now: Timestamp,
    pub(crate) limits: &'a Limits,
    pub(crate) interner: Interner,
}

/// A value that was there and could not be read.
pub(crate) struct Unread {
    pub(crate) field: String,
    pub(crate) text: String,
}

impl Recorder<'_> {
    /// The record of an element, with what of it could not be read.
    pub(crate) fn record(&mut self, node: &Node, unread: &mut Vec<Unread>) -> Result<Item, Reason> {
        let id = self.id(node).ok_or(Reason::NoId)?;
        let attributes = self.attributes(node, unread);
        let title = self
            .text(node, "title", self.limits.title)
            .or_else(|| self.named(&attributes));
        let mut item = Item {
            source: Arc::clone(&self.source),
            id: id.into(),
            title: title.ok_or(Reason::NoTitle)?.into(),
            price: self.price(node, unread),
            status: self.status(node, unread),
            attributes,
            url: self.links(node, "url", 1).into_iter().next(),
            images: self.links(node, "images", self.limits.images).into(),
            options: self.options(node).into(),
            text: self.text(node, "text", self.limits.text).map(Into::into),
            updated_at: self
                .texts(node, "updated_at")
                .iter()
                .find_map(|text| text.trim().parse().ok()),
            seen_at: self.now,
        };
        self.flag_options(&mut item);
        self.interner.share(&mut item);
        Ok(item)
    }

    /// Whether an element asks for its thing to be gone.
    pub(crate) fn removes(&self, node: &Node) -> bool {
        let rules = self.rules(ACTION).iter();
        let words = rules.flat_map(|rule| {
            let texts = found(node, rule).into_iter();
            texts.filter_map(|text| rule.words.get(&squash(&text)))
        });
        words
            .into_iter()
            .next()
            .is_some_and(|word| word == "delete")
    }

    pub(crate) fn id(&self, node: &Node) -> Option<String> {
        self.text(node, "id", self.limits.id)
    }

    fn rules(&self, field: &str) -> &[Rule] {
        self.mapping
            .fields
            .get(field)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn texts(&self, node: &Node, field: &str) -> Vec<String> {
        self.rules(field)
            .iter()
            .map(|rule| found(node, rule))
            .find(|texts| !texts.is_empty())
            .unwrap_or_default()
    }

    fn text(&self, node: &Node, field: &str, longest: usize) -> Option<String> {
        self.texts(node, field)
            .iter()
            .find_map(|text| plain(text, longest))
    }

    /// The names of the catalogue are a title as well.
    fn named(&self, attributes: &Attributes) -> Option<String> {
        self.names.iter().find_map(|names| {
            let upper = attributes.get(&names.upper)?.as_str()?;
            let lower = attributes.get(&names.lower).and_then(Value::as_str);
            Some(lower.map_or_else(|| upper.to_owned(), |lower| format!("{upper} {lower}")))
        })
    }

    fn price(&self, node: &Node, unread: &mut Vec<Unread>) -> Option<Price> {
        for rule in self.rules(PRICE) {
            for text in found(node, rule) {
                let locale = rule.numbers.unwrap_or(self.mapping.numbers);
                match number(&text, locale).map(|(number, _)| (number * 100.0).round()) {
                    #[allow(clippy::cast_possible_truncation, reason = "bounded right here")]
                    Some(cents) if (1.0..=1e12).contains(&cents) => {
                        return Some(Price {
                            cents: cents as i64,
                        });
                    }
                    Some(0.0) => {}
                    _ => unread.push(Unread {
                        field: PRICE.into(),
                        text,
                    }),
                }
            }
        }
        None
    }

    fn status(&self, node: &Node, unread: &mut Vec<Unread>) -> Status {
        for rule in self.rules("status") {
            for text in found(node, rule) {
                let word = rule
                    .words
                    .get(&squash(&text))
                    .map_or(text.as_str(), String::as_str);
                // An address of schema.org ends in its word.
                let last = word.rsplit(['/', '#']).next().unwrap_or(word);
                match self
                    .schema
                    .status
                    .get(&squash(last))
                    .and_then(|name| Status::parse(name))
                {
                    Some(status) => return status,
                    None if word.is_empty() => {}
                    None => unread.push(Unread {
                        field: "status".into(),
                        text,
                    }),
                }
            }
        }
        Status::Available
    }

    fn links(&self, node: &Node, field: &str, most: usize) -> Vec<Box<str>> {
        let texts = self.texts(node, field);
        let links = texts
            .iter()
            .map(|text| text.trim())
            .filter(|text| is_link(text, self.limits.url));
        links.take(most).map(Into::into).collect()
    }

    fn options(&mut self, node: &Node) -> Vec<Arc<str>> {
        let texts = self.texts(node, "options");
        let options = texts
            .iter()
            .filter_map(|text| plain(text, self.limits.option));
        options
            .take(self.limits.options)
            .map(|option| self.interner.intern(&option))
            .collect()
    }

    fn attributes(&self, node: &Node, unread: &mut Vec<Unread>) -> Attributes {
        let mut values: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        // What a name lies under is read before it.
        let (lower, upper): (Vec<_>, Vec<_>) = self
            .schema
            .attributes
            .iter()
            .partition(|(_, one)| one.under.is_some());
        for (name, attribute) in upper.into_iter().chain(lower) {
            let above = attribute
                .under
                .as_ref()
                .and_then(|upper| values.get(upper))
                .and_then(Value::as_str);
            let value = self.value(node, name, attribute, above, unread);
            if let Some(value) = value {
                values.insert(Arc::clone(name), value);
            }
        }
        values.into_iter().collect()
    }

    fn value(
        &self,
        node: &Node,
        name: &str,
        attribute: &Attribute,
        above: Option<&str>,
        unread: &mut Vec<Unread>,
    ) -> Option<Value> {
        for rule in self.rules(name) {
            for text in found(node, rule) {
                let word = rule
                    .words
                    .get(&squash(&text))
                    .map_or(text.as_str(), String::as_str);
                if word.is_empty() || says_nothing(&attribute.kind, word) {
                    continue;
                }
                let value = match &attribute.kind {
                    Kind::Name => self.name(name, word, above, rule.known),
                    kind => self.plain_value(kind, word, node, rule),
                };
                if value.is_some() {
                    return value;
                }
                if !rule.known {
                    unread.push(Unread {
                        field: name.to_owned(),
                        text,
                    });
                }
            }
        }
        None
    }

    fn name(&self, attribute: &str, text: &str, above: Option<&str>, known: bool) -> Option<Value> {
        let found = self
            .names
            .iter()
            .find_map(|names| names.canonical(attribute, text, above));
        match found {
            Some(name) => Some(Value::Word(name)),
            None if known => None,
            None => plain(text, self.limits.value).map(|text| Value::Word(text.into())),
        }
    }

    fn plain_value(&self, kind: &Kind, text: &str, node: &Node, rule: &Rule) -> Option<Value> {
        match kind {
            Kind::Word(words) => {
                let last = text.rsplit(['/', '#']).next().unwrap_or(text);
                let found = words
                    .get(&squash(text))
                    .or_else(|| words.get(&squash(last)));
                found.map(|word| Value::Word(Arc::clone(word)))
            }
            Kind::Number { units, bounds, .. } => {
                let locale = rule.numbers.unwrap_or(self.mapping.numbers);
                let (number, behind) = number(text, locale)?;
                let said = rule
                    .unit_from
                    .as_ref()
                    .and_then(|path| node.at(path).first().map(|unit| unit.text.clone()));
                let behind = behind.split(['/', '(', ',']).next().unwrap_or(behind);
                let unit = said.as_deref().filter(|unit| !unit.trim().is_empty());
                let unit = unit
                    .or(Some(behind).filter(|unit| !squash(unit).is_empty()))
                    .or(rule.unit.as_deref());
                let factor = match unit {
                    None => 1.0,
                    Some(unit) if units.is_empty() => Some(unit).map(|_| 1.0)?,
                    Some(unit) => *units.get(&squash(unit))?,
                };
                whole(number * factor, *bounds).map(Value::Number)
            }
            Kind::Year { bounds } => {
                let (year, _) = year_month(text)?;
                (bounds.0..=bounds.1)
                    .contains(&year)
                    .then_some(Value::Number(year))
            }
            Kind::Month => match year_month(text)? {
                (year, Some(month)) => Some(Value::Text(format!("{year}-{month:02}").into())),
                (year, None) => Some(Value::Text(year.to_string().into())),
            },
            Kind::Flag => flag(text).map(Value::Flag),
            Kind::Text => plain(text, self.limits.value).map(|text| Value::Text(text.into())),
            Kind::Name => None,
        }
    }

    /// Flags that no field told, told by the options.
    fn flag_options(&self, item: &mut Item) {
        let options: Vec<String> = item.options.iter().map(|option| squash(option)).collect();
        let told = self.schema.attributes.iter().filter(|(name, attribute)| {
            let has = |option: &String| {
                attribute
                    .options
                    .iter()
                    .any(|word| option.contains(word.as_str()))
            };
            attribute.kind == Kind::Flag
                && item.attributes.get(name).is_none()
                && options.iter().any(has)
        });
        let told: Vec<Arc<str>> = told.map(|(name, _)| Arc::clone(name)).collect();
        if !told.is_empty() {
            let mut all = BTreeMap::from(std::mem::take(&mut item.attributes));
            all.extend(told.into_iter().map(|name| (name, Value::Flag(true))));
            item.attributes = Attributes::from(all);
        }
    }
}

/// The texts that a rule finds, none of them empty.
fn found(node: &Node, rule: &Rule) -> Vec<String> {
    let texts = rule
        .from
        .iter()
        .flat_map(|path| node.at(path))
        .map(|node| node.text.trim())
        .filter(|text| !text.is_empty());
    if rule.join {
        let joined = texts.collect::<Vec<_>>().join(" ");
        return if joined.is_empty() {
            Vec::new()
        } else {
            vec![joined]
        };
    }
    match &rule.split {
        Some(sign) => texts
            .flat_map(|text| text.split(sign.as_str()))
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect(),
        None => texts.map(str::to_owned).collect(),
    }
}

/// How programs write that they do not know: no number is zero, no date of the first of all years.
fn says_nothing(kind: &Kind, text: &str) -> bool {
    let digits = text.trim_matches(|c: char| c == '0' || !c.is_alphanumeric());
    match kind {
        Kind::Number { .. } => digits.is_empty(),
        Kind::Year { .. } | Kind::Month => {
            digits.is_empty() || text.trim_start().starts_with("0001-")
        }
        Kind::Word(_) | Kind::Name | Kind::Flag | Kind::Text => false,
    }
}

fn is_link(text: &str, longest: usize) -> bool {
    let scheme = text.starts_with("https://") || text.starts_with("http://");
    scheme
        && text.len() <= longest
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c))
}

fn flag(text: &str) -> Option<bool> {
    match squash(text).as_str() {
        "j" | "ja" | "y" | "yes" | "true" | "1" | "x" | "oui" => Some(true),
        "n" | "nee" | "no" | "nein" | "false" | "0" | "non" => Some(false),
        _ => None,
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "bounded right here"
)]
fn whole(number: f64, bounds: (i64, i64)) -> Option<i64> {
    let number = number.round();
    (bounds.0 as f64..=bounds.1 as f64)
        .contains(&number)
        .then_some(number as i64)
}
