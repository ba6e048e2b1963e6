//! What a customer wishes, and what was found for it.

use serde::{Deserialize, Serialize};

use crate::item::{Item, Value};

/// What a customer wishes of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// All of them should hold.
    pub conditions: Vec<Condition>,
    /// What comes first among those that fit alike: the cheapest, the newest.
    pub order: Option<Order>,
}

/// One thing that is wished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As the domain names it; [`PRICE`](crate::PRICE) is the price in whole units.
    pub attribute: String,
    /// What its value should be.
    pub test: Test,
}

/// What a value should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// One of these words.
    OneOf(Vec<String>),
    /// None of these words.
    NoneOf(Vec<String>),
    /// This number or more.
    AtLeast(i64),
    /// This number or less.
    AtMost(i64),
    /// About this number: within half of the attribute's `slack`.
    Near(i64),
    /// Whether it has it.
    Has(bool),
}

/// By which number things are put in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// As the domain names it; [`PRICE`](crate::PRICE) as well.
    pub attribute: String,
    /// The highest comes first.
    pub descending: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<'a> {
    /// Those that fit in everything: available ones, then reserved, then sold ones. When none of them
    /// can be had, the nearest follow, available or reserved. Empty: nothing comes near.
    pub matches: Vec<Match<'a>>,
    /// How many fit in everything, whatever the limit.
    pub exact: usize,
    /// How many of those can be had.
    pub available: usize,
    /// How many things there are at all.
    pub total: usize,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Match<'a> {
    /// The thing.
    pub item: &'a Item,
    /// What does not fit, the weightiest first; none of an exact match.
    pub misses: Vec<Miss>,
    /// How far it is from the wish: 0 fits in everything.
    pub distance: f32,
}

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// As the domain names it.
    pub attribute: String,
    /// What was wished.
    pub wanted: Test,
    /// What it is instead; none when the record does not say.
    pub has: Option<Value>,
}
