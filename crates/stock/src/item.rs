//! The record of one thing that is for sale.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that is for sale. Its attributes are named by the domain; nothing here knows cars.
/// What a feed did not tell is missing, never zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The feed that it came from.
    #[serde(with = "crate::shared")]
    pub source: Arc<str>,
    /// What the feed calls it; unique within the feed.
    pub id: Box<str>,
    /// Its name in one line.
    pub title: Box<str>,
    /// What a customer pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Whether it can still be had.
    #[serde(default)]
    pub status: Status,
    /// What else is known, by the domain's names.
    #[serde(default)]
    pub attributes: Attributes,
    /// Its page; `http` or `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Box<str>>,
    /// The first few pictures; `http` or `https`.
    #[serde(default)]
    pub images: Box<[Box<str>]>,
    /// What it has, in the feed's words.
    #[serde(default, with = "crate::shared::list")]
    pub options: Box<[Arc<str>]>,
    /// What the seller writes about it: foreign text without markup, cut to a length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Box<str>>,
    /// When the feed says that it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When the feed last had it; who keeps items as JSON keeps this once a feed.
    #[serde(default, skip_serializing)]
    pub seen_at: Timestamp,
}

impl Item {
    /// What is known of an attribute; [`PRICE`] is one as well.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<Value> {
        if attribute == PRICE {
            return self.price.map(|price| Value::Number(price.whole()));
        }
        self.attributes.get(attribute).cloned()
    }
}

/// The attribute under which conditions find [`Item::price`], in whole units of the currency.
pub const PRICE: &str = "price";

/// An amount of the domain's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price {
    /// In hundredths.
    pub cents: i64,
}

impl Price {
    /// In whole units; cents round up, so that nothing costs more than it seems to.
    #[must_use]
    pub const fn whole(self) -> i64 {
        (self.cents + 99).div_euclid(100)
    }
}

/// Whether a thing can still be had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can.
    #[default]
    Available,
    /// Somebody has it reserved.
    Reserved,
    /// It is sold, and still in the feed.
    Sold,
}

impl Status {
    /// As feeds' words are mapped onto it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Sold => "sold",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Available, Self::Reserved, Self::Sold];
        all.into_iter().find(|status| status.as_str() == name)
    }
}

/// What is known of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A canonical word of the domain.
    Word(#[serde(with = "crate::shared")] Arc<str>),
    /// A whole number in the attribute's unit.
    Number(i64),
    /// It has it, or has it not.
    Flag(bool),
    /// Any text.
    Text(#[serde(with = "crate::shared")] Arc<str>),
}

impl Value {
    /// The word or text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Word(text) | Self::Text(text) => Some(text),
            Self::Number(_) | Self::Flag(_) => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Word(_) | Self::Flag(_) | Self::Text(_) => None,
        }
    }
}

/// Attributes with their values: a small map, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Value>", into = "BTreeMap<String, Value>")]
pub struct Attributes(Box<[(Arc<str>, Value)]>);

impl Attributes {
    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(name));
        at.ok()
            .and_then(|at| self.0.get(at))
            .map(|(_, value)| value)
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl From<BTreeMap<Arc<str>, Value>> for Attributes {
    fn from(map: BTreeMap<Arc<str>, Value>) -> Self {
        Self(map.into_iter().collect())
    }
}

impl From<BTreeMap<String, Value>> for Attributes {
    fn from(map: BTreeMap<String, Value>) -> Self {
        map.into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect()
    }
}

impl From<Attributes> for BTreeMap<String, Value> {
    fn from(attributes: Attributes) -> Self {
        let pairs = attributes.0.into_vec().into_iter();
        pairs
            .map(|(name, value)| (String::from(&*name), value))
            .collect()
    }
}

impl From<Attributes> for BTreeMap<Arc<str>, Value> {
    fn from(attributes: Attributes) -> Self {
        attributes.0.into_vec().into_iter().collect()
    }
}

impl FromIterator<(Arc<str>, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(pairs: I) -> Self {
        Self::from(pairs.into_iter().collect::<BTreeMap<_, _>>())
    }
}

/// Gives equal texts one place in memory: makes, options and names of attributes come back in
/// thousands of items.
#[derive(Debug, Default)]
pub(crate) struct Interner(rustc_hash::FxHashSet<Arc<str>>);

impl Interner {
    pub(crate) fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&text));
        text
    }

    /// The item with its texts shared.
    pub(crate) fn share(&mut self, item: &mut Item) {
        item.source = self.intern(&item.source);
        for option in &mut item.options {
            *option = self.intern(option);
        }
        for (name, value) in &mut item.attributes.0 {
            *name = self.intern(name);
            if let Value::Word(text) | Value::Text(text) = value {
                *text = self.intern(text);
            }
        }
    }
}
