//! Things of the stock in a conversation: what is wished of them, what was offered, which was chosen.
//! Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared_types::{ChannelAddress, Endpoint, InboundMessage, MessageId, SlotValue, Source};
use stock::{Condition, Item, Match, Miss, Order, Test, Value, Wish};

use super::wish::Wishes;
use crate::domain::{Bound, Offers};

/// The field of a lead that says whether nothing fits its wish: `yes`, `no`.
pub const UNMET: &str = "stock_unmet";
/// How fields of a lead begin that are wishes which no slot has: `wish.seats`.
pub const NEED: &str = "wish.";

/// What is remembered of the stock between turns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StockTalk {
    /// Wishes that no slot has, by attribute of the record.
    pub needs: BTreeMap<String, Test>,
    /// What was offered last, in its order.
    pub offered: Vec<Offered>,
    /// When.
    pub at: Option<Timestamp>,
    /// The one that the customer speaks of.
    pub chosen: Option<Offered>,
    /// Nothing fitted in everything when it was last looked for.
    pub unmet: bool,
    /// What the wishes were before something further was asked for that there is not, by attribute: the next message
    /// goes on from there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vain: BTreeMap<String, Option<Test>>,
    /// Whether something fitted what the wishes were before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub was_met: bool,
    /// How the customer is reached who looked for something in vain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// When the customer was last told of something that came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The things whose picture was sent, the newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pictured: Vec<String>,
}

/// How a customer is reached without a message to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Over which provider.
    pub source: Source,
    /// Where.
    pub to: ChannelAddress,
    /// From where.
    pub endpoint: Endpoint,
    /// The message that looked for it.
    pub message: MessageId,
}

impl Reach {
    /// As a message came.
    pub(crate) fn of(message: &InboundMessage) -> Self {
        Self {
            source: message.source,
            to: message.sender.id.clone(),
            endpoint: message.endpoint.clone().unwrap_or_default(),
            message: message.id.clone(),
        }
    }
}

/// A thing that was offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// The feed that it came from.
    pub source: String,
    /// What the feed calls it.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Offered {
    pub(crate) fn of(item: &Item) -> Self {
        Self {
            source: item.source.to_string(),
            id: item.id.to_string(),
            title: item.title.to_string(),
            url: item.url.as_ref().map(ToString::to_string),
        }
    }
}

impl StockTalk {
    /// The wishes that no slot has, as fields of a lead.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        let needs = self.needs.iter().filter_map(|(attribute, test)| {
            let value = match test {
                Test::Has(true) => "yes".to_owned(),
                Test::AtLeast(number) => format!(">={number}"),
                Test::AtMost(number) => format!("<={number}"),
                _ => return None,
            };
            Some((format!("{NEED}{attribute}"), value))
        });
        needs.collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a record says of an attribute; its page is one.
#[must_use]
pub fn value(item: &Item, attribute: &str) -> Option<Value> {
    match attribute {
        PAGE => item.url.as_deref().map(|url| Value::Text(url.into())),
        attribute => item.get(attribute),
    }
}

/// The attribute under which a domain speaks of a thing's page.
pub(super) const PAGE: &str = "url";

/// What was found for a wish; nothing, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The best of it, in order.
    pub lines: Vec<Line>,
    /// How well it fits.
    pub fit: Fit,
    /// How many fit in everything.
    pub total: usize,
    /// It was asked for something further than what was offered before: cheaper, newer.
    pub compared: bool,
    /// How many hours ago the stock was read, where that is worth a word.
    pub stale_hours: Option<i64>,
    /// Whether the customer has seen it before.
    pub seen: Seen,
    /// Whether nothing in stock has a name that is wished.
    pub named_is_missing: bool,
}

/// Whether what was found was shown before, a moment ago.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seen {
    /// Not all of it.
    #[default]
    No,
    /// It is the same.
    Same,
    /// It is some of it.
    Some,
}

/// How well what was found fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fit {
    /// In everything.
    Exact,
    /// Not in everything.
    Near,
    /// Nothing comes near.
    #[default]
    None,
}

impl Fit {
    /// As rehearsals call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Near => "near",
            Self::None => "none",
        }
    }
}

/// A thing as it is spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place in what was offered, from 1.
    pub number: usize,
    /// Its record.
    pub item: Item,
    /// What of the wish it fits, by attribute.
    pub fits: Vec<String>,
    /// What does not fit.
    pub misses: Vec<Miss>,
}

impl Line {
    /// A thing by itself.
    #[must_use]
    pub fn alone(number: usize, item: &Item) -> Self {
        Self {
            number,
            item: item.clone(),
            fits: Vec::new(),
            misses: Vec::new(),
        }
    }

    /// A thing that was found for a wish.
    #[must_use]
    pub fn found(number: usize, found: &Match<'_>, wish: &Wish) -> Self {
        let missed = |attribute: &String| {
            let mut misses = found.misses.iter();
            misses.any(|miss| miss.attribute == *attribute)
        };
        let conditions = wish.conditions.iter().map(|one| &one.attribute);
        let mut fits: Vec<String> = conditions.filter(|one| !missed(one)).cloned().collect();
        // "Petrol, no electric" are two conditions, and it fits in one.
        fits.dedup();
        Self {
            fits,
            misses: found.misses.clone(),
            ..Self::alone(number, found.item)
        }
    }
}

/// What is meant about may be off by one part in so many.
const NEAR: i64 = 10;

/// What the customer wants, in the terms of the stock.
#[must_use]
pub fn wish_of(
    offers: &Offers,
    wanted: &Wishes,
    needs: &BTreeMap<String, Test>,
    order: Option<usize>,
) -> Wish {
    let mut conditions = Vec::new();
    for (slot, wish) in wanted {
        let Some(wished) = offers.wishes.get(slot) else {
            continue;
        };
        let attribute = &wished.attribute;
        let is_other_end = |need: &Test| {
            matches!(
                (need, wished.bound),
                (Test::AtMost(_), Bound::AtLeast) | (Test::AtLeast(_), Bound::AtMost)
            )
        };
        if needs.get(attribute).is_some_and(|need| !is_other_end(need)) {
            continue;
        }
        let mut add = |test| {
            conditions.push(Condition {
                attribute: attribute.clone(),
                test,
            });
        };
        let numbers = wish.any_of.iter().filter_map(|value| match value {
            SlotValue::Integer(number) => Some(*number),
            SlotValue::Text(_) => None,
        });
        match wished.bound {
            Bound::AtLeast => numbers
                .min()
                .into_iter()
                .for_each(|n| add(Test::AtLeast(n))),
            Bound::AtMost => numbers.max().into_iter().for_each(|n| add(Test::AtMost(n))),
            Bound::Is => {
                let words = |values: &[SlotValue]| values.iter().map(ToString::to_string).collect();
                if !wish.any_of.is_empty() {
                    add(Test::OneOf(words(&wish.any_of)));
                }
                if !wish.not.is_empty() {
                    add(Test::NoneOf(words(&wish.not)));
                }
            }
        }
    }
    for (attribute, test) in needs {
        let tests = match test {
            Test::Near(about) => vec![
                Test::AtLeast(about - about / NEAR),
                Test::AtMost(about + about / NEAR),
            ],
            other => vec![other.clone()],
        };
        conditions.extend(tests.into_iter().map(|test| Condition {
            attribute: attribute.clone(),
            test,
        }));
    }
    let order = order.and_then(|at| offers.orders.get(at));
    Wish {
        conditions,
        order: order.map(|order| Order {
            attribute: order.attribute.clone(),
            descending: order.descending,
        }),
    }
}
