//! The look-up: which things fit a wish, and which come nearest.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashMap;

use crate::item::{Interner, Item, PRICE, Status, Value};
use crate::schema::{Attribute, Schema, Weight};
use crate::wish::{Condition, Found, Match, Miss, Test, Wish};
use crate::words::squash;

/// What a value that the record does not tell counts of a whole miss.
const UNKNOWN: f32 = 0.6;
/// What a number counts at least when it is beside.
const BESIDE: f32 = 0.25;
/// What a number counts at most.
const FAR: f32 = 3.0;
/// What one of the same group counts.
const ALIKE: f32 = 0.4;

/// All that is for sale, ready to be asked. Values stand in columns, so that a question reads only what
/// it is about.
#[derive(Debug)]
pub struct Stock {
    schema: Arc<Schema>,
    items: Vec<Item>,
    places: FxHashMap<(Arc<str>, Box<str>), usize>,
    columns: FxHashMap<Arc<str>, Column>,
}

/// One attribute of all items.
#[derive(Debug)]
enum Column {
    /// Places in `words`; 0 is unknown.
    Words {
        words: FxHashMap<String, u32>,
        cells: Vec<u32>,
    },
    Numbers(Vec<Option<i64>>),
    Flags(Vec<Option<bool>>),
}

impl Stock {
    /// Makes items ready. Of two with the same source and id the later stays.
    #[must_use]
    pub fn new(schema: Arc<Schema>, items: Vec<Item>) -> Self {
        let mut interner = Interner::default();
        let mut places = FxHashMap::default();
        let mut kept: Vec<Item> = Vec::with_capacity(items.len());
        for mut item in items {
            interner.share(&mut item);
            let key = (Arc::clone(&item.source), item.id.clone());
            match places.get(&key).and_then(|at: &usize| kept.get_mut(*at)) {
                Some(before) => *before = item,
                None => {
                    places.insert(key, kept.len());
                    kept.push(item);
                }
            }
        }
        let names = schema.attributes.keys().cloned().chain([PRICE.into()]);
        let columns = names.map(|name| {
            let column = Column::new(&kept, &name);
            (name, column)
        });
        Self {
            columns: columns.collect(),
            schema,
            items: kept,
            places,
        }
    }

    /// The things that fit a wish best, at most `limit`.
    #[must_use]
    pub fn find(&self, wish: &Wish, limit: usize) -> Found<'_> {
        let conditions = wish.conditions.iter();
        let mut tests: Vec<Prepared<'_>> = conditions
            .map(|condition| self.prepare(condition))
            .collect();
        tests.sort_by(by_weight);
        let mut exact = 0;
        let mut available = 0;
        let mut fits: Vec<(f32, Status, usize)> = Vec::new();
        let mut near: Vec<(f32, Status, usize)> = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            let distance = self.distance(&tests, at);
            if distance <= 0.0 {
                exact += 1;
                available += usize::from(item.status == Status::Available);
                fits.push((0.0, item.status, at));
            } else if available == 0 && distance.is_finite() && item.status != Status::Sold {
                near.push((distance, item.status, at));
            }
        }
        let order = |one: &(f32, Status, usize), other: &(f32, Status, usize)| {
            self.order(wish, &tests, one, other)
        };
        best(&mut fits, limit, order);
        let can_be_had = fits.iter().any(|(_, status, _)| *status != Status::Sold);
        if !can_be_had {
            best(&mut near, limit - fits.len().min(limit), order);
            fits.extend(near);
        }
        let matches = fits
            .into_iter()
            .filter_map(|(distance, _, at)| self.matched(&tests, distance, at));
        Found {
            matches: matches.collect(),
            exact,
            available,
            total: self.items.len(),
        }
    }

    /// The thing with this id of this source.
    #[must_use]
    pub fn get(&self, source: &str, id: &str) -> Option<&Item> {
        let at = self.places.get(&(source.into(), id.into()))?;
        self.items.get(*at)
    }

    /// All things.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What the domain says of its stock.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// When the oldest of the feeds was last read: no thing is older than this.
    #[must_use]
    pub fn seen_at(&self) -> Option<Timestamp> {
        self.items.iter().map(|item| item.seen_at).min()
    }

    /// Which misses a thing has for a wish; none when there is no such thing.
    #[must_use]
    pub fn misses(&self, wish: &Wish, source: &str, id: &str) -> Option<Vec<Miss>> {
        let at = *self.places.get(&(source.into(), id.into()))?;
        let tests: Vec<Prepared<'_>> = wish
            .conditions
            .iter()
            .map(|condition| self.prepare(condition))
            .collect();
        self.matched(&tests, 0.0, at).map(|found| found.misses)
    }

    fn prepare<'a>(&'a self, condition: &'a Condition) -> Prepared<'a> {
        let attribute = self.schema.attributes.get(&*condition.attribute);
        let column = self.columns.get(&*condition.attribute);
        let (words, alike) = match (&condition.test, column) {
            (Test::OneOf(wanted) | Test::NoneOf(wanted), Some(Column::Words { words, .. })) => {
                let wanted: Vec<String> = wanted.iter().map(|word| squash(word)).collect();
                let groups = attribute.into_iter().flat_map(|one| &one.alike);
                let groups = groups.filter(|group| wanted.iter().any(|word| group.contains(word)));
                let alike = groups.flatten().filter_map(|word| words.get(word).copied());
                (
                    wanted
                        .iter()
                        .filter_map(|word| words.get(word).copied())
                        .collect(),
                    alike.collect(),
                )
            }
            _ => (Vec::new(), Vec::new()),
        };
        Prepared {
            condition,
            column,
            weight: attribute.map_or(self.schema.price, |one| one.weight),
            under: attribute.and_then(|one| one.under.as_deref()),
            words,
            alike,
        }
    }

    /// How far an item is from a wish; infinite beyond what is offered. `tests` are as [`by_weight`] puts
    /// them, so that most items are done after one look.
    fn distance(&self, tests: &[Prepared<'_>], at: usize) -> f32 {
        let mut distance = 0.0;
        // What stands in for a model may be of another make.
        let mut excused = None;
        for test in tests {
            if excused == Some(test.condition.attribute.as_str()) {
                continue;
            }
            distance += test.distance(at);
            if distance > self.schema.furthest {
                return f32::INFINITY;
            }
            if distance > 0.0 && test.under.is_some() && test.is_alike(at) {
                excused = test.under;
            }
        }
        distance
    }

    fn order(
        &self,
        wish: &Wish,
        tests: &[Prepared<'_>],
        one: &(f32, Status, usize),
        other: &(f32, Status, usize),
    ) -> Ordering {
        let wanted = wish.order.as_ref().map_or(Ordering::Equal, |order| {
            let value = |at: usize| match self.columns.get(&*order.attribute) {
                Some(Column::Numbers(cells)) => cells.get(at).copied().flatten(),
                _ => None,
            };
            match (value(one.2), value(other.2)) {
                (Some(one), Some(other)) if order.descending => other.cmp(&one),
                (Some(one), Some(other)) => one.cmp(&other),
                (one, other) => one.is_none().cmp(&other.is_none()),
            }
        });
        let near = |at: usize| tests.iter().map(|test| test.beside(at)).sum::<f32>();
        let by_distance = one.0.total_cmp(&other.0);
        let by_price = || self.price(one.2).cmp(&self.price(other.2));
        by_distance
            .then(one.1.cmp(&other.1))
            .then(wanted)
            .then_with(|| near(one.2).total_cmp(&near(other.2)))
            .then_with(by_price)
            .then(one.2.cmp(&other.2))
    }

    /// For order: things without a price come last.
    fn price(&self, at: usize) -> i64 {
        let price = self.items.get(at).and_then(|item| item.price);
        price.map_or(i64::MAX, |price| price.cents)
    }

    fn matched(&self, tests: &[Prepared<'_>], distance: f32, at: usize) -> Option<Match<'_>> {
        let item = self.items.get(at)?;
        let mut misses: Vec<(f32, Miss)> = Vec::new();
        for test in tests {
            let distance = test.distance(at);
            if distance > 0.0 {
                let attribute = test.condition.attribute.clone();
                let has = item.get(&attribute);
                misses.push((
                    distance,
                    Miss {
                        attribute,
                        wanted: test.condition.test.clone(),
                        has,
                    },
                ));
            }
        }
        misses.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let misses = misses.into_iter().map(|(_, miss)| miss).collect();
        Some(Match {
            item,
            misses,
            distance,
        })
    }
}

/// What fixes another comes before it, then the weightiest.
fn by_weight(one: &Prepared<'_>, other: &Prepared<'_>) -> Ordering {
    let weight = other.weight.points.total_cmp(&one.weight.points);
    one.under.is_none().cmp(&other.under.is_none()).then(weight)
}

/// Sorts the first few and drops the rest.
fn best<T>(list: &mut Vec<T>, limit: usize, order: impl Fn(&T, &T) -> Ordering + Copy) {
    if list.len() > limit && limit > 0 {
        list.select_nth_unstable_by(limit - 1, order);
    }
    list.truncate(limit);
    list.sort_by(order);
}

impl Column {
    fn new(items: &[Item], name: &str) -> Self {
        let values: Vec<Option<Value>> = items.iter().map(|item| item.get(name)).collect();
        let first = values.iter().flatten().next();
        match first {
            Some(Value::Number(_)) => Self::Numbers(
                values
                    .iter()
                    .map(|value| value.as_ref().and_then(Value::number))
                    .collect(),
            ),
            Some(Value::Flag(_)) => Self::Flags(
                values
                    .iter()
                    .map(|value| match value {
                        Some(Value::Flag(has)) => Some(*has),
                        _ => None,
                    })
                    .collect(),
            ),
            _ => Self::words(&values),
        }
    }

    fn words(values: &[Option<Value>]) -> Self {
        let mut words: FxHashMap<String, u32> = FxHashMap::default();
        let mut squashed: FxHashMap<Arc<str>, u32> = FxHashMap::default();
        let cells = values.iter().map(|value| {
            let Some(Value::Word(text) | Value::Text(text)) = value else {
                return 0;
            };
            if let Some(known) = squashed.get(text) {
                return *known;
            }
            let next = u32::try_from(words.len() + 1).unwrap_or(0);
            let place = *words.entry(squash(text)).or_insert(next);
            squashed.insert(Arc::clone(text), place);
            place
        });
        let cells = cells.collect();
        Self::Words { words, cells }
    }
}

/// A condition with what is looked up once.
struct Prepared<'a> {
    condition: &'a Condition,
    column: Option<&'a Column>,
    weight: Weight,
    under: Option<&'a str>,
    words: Vec<u32>,
    alike: Vec<u32>,
}

impl Prepared<'_> {
    /// How far the item is from it; 0 fits.
    fn distance(&self, at: usize) -> f32 {
        let points = self.weight.points;
        let share = match (&self.condition.test, self.column) {
            (Test::OneOf(_), Some(Column::Words { cells, .. })) => match cells.get(at) {
                None | Some(0) => UNKNOWN,
                Some(word) if self.words.contains(word) => 0.0,
                Some(word) if self.alike.contains(word) => ALIKE,
                Some(_) => 1.0,
            },
            (Test::NoneOf(_), Some(Column::Words { cells, .. })) => f32::from(u8::from(
                cells.get(at).is_some_and(|word| self.words.contains(word)),
            )),
            (Test::Has(wanted), Some(Column::Flags(cells))) => {
                match cells.get(at).copied().flatten() {
                    None => UNKNOWN,
                    Some(has) => f32::from(u8::from(has != *wanted)),
                }
            }
            (Test::AtLeast(_) | Test::AtMost(_) | Test::Near(_), Some(Column::Numbers(cells))) => {
                match cells.get(at).copied().flatten() {
                    None => UNKNOWN,
                    Some(number) => self.number(number),
                }
            }
            // What no item tells, and what is asked of another kind of value.
            (Test::NoneOf(_), _) => 0.0,
            _ => UNKNOWN,
        };
        points * share
    }

    fn number(&self, number: i64) -> f32 {
        let beside = match self.condition.test {
            Test::AtLeast(least) => least.saturating_sub(number),
            Test::AtMost(most) => number.saturating_sub(most),
            Test::Near(wanted) => {
                let beside = slacks(number.abs_diff(wanted), self.weight);
                return if beside <= 0.5 {
                    0.0
                } else {
                    beside.clamp(BESIDE, FAR)
                };
            }
            Test::OneOf(_) | Test::NoneOf(_) | Test::Has(_) => return 1.0,
        };
        match u64::try_from(beside) {
            Ok(beside) if beside > 0 => slacks(beside, self.weight).clamp(BESIDE, FAR),
            _ => 0.0,
        }
    }

    /// For order among those that fit: how far a number is from the one that was asked for.
    fn beside(&self, at: usize) -> f32 {
        match (&self.condition.test, self.column) {
            (Test::Near(wanted), Some(Column::Numbers(cells))) => {
                let number = cells.get(at).copied().flatten();
                number.map_or(FAR, |number| slacks(number.abs_diff(*wanted), self.weight))
            }
            _ => 0.0,
        }
    }

    fn is_alike(&self, at: usize) -> bool {
        match (&self.condition.test, self.column) {
            (Test::OneOf(_), Some(Column::Words { cells, .. })) => cells
                .get(at)
                .is_some_and(|word| self.alike.contains(word) && !self.words.contains(word)),
            _ => false,
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a share, for order only")]
fn slacks(beside: u64, weight: Weight) -> f32 {
    beside as f32 / weight.slack
}

impl Attribute {
    /// Whether its values are numbers.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(
            self.kind,
            crate::schema::Kind::Number { .. } | crate::schema::Kind::Year { .. }
        )
    }
}

#[cfg(test)]
mod tests;
