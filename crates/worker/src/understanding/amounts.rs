//! Decides what the numbers of a message are: money, a distance, a year, or nothing of interest.

use super::lattice::Span;
use super::numbers::{Counts, Quantity, Shape};
use super::surroundings::{EndFact, Surroundings};
use crate::domain::{Amount, Slot, SlotKind, SlotRule};

/// What speaks for a number being one of a slot.
const UNIT: f64 = 10.0;
const SAID: f64 = 5.0;
const ENDS_OF_SLOT: f64 = 3.0;
const LOOKS_LIKE_A_YEAR: f64 = 3.0;
const BELIEVABLE: f64 = 1.5;
const POSSIBLE: f64 = 0.5;
/// Two ends of a price are nearer to each other.
const FAR_ABOVE: f64 = 5.0;
/// A year that is as often a price.
const ROUND_YEAR: f64 = 2000.0;
/// What it takes.
const ENOUGH: f64 = 0.5;
/// What a slot loses that the intent has no use for, unless something says that it is meant.
const CLOSED: f64 = 1.2;

/// A number that a slot takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AmountMention {
    /// Place of the slot.
    pub(super) slot: usize,
    pub(super) span: Span,
    pub(super) low: Option<i64>,
    pub(super) high: Option<i64>,
    /// It is such a number, but none that the slot wants, like a down payment.
    pub(super) ignored: bool,
}

/// All numbers of a message that slots take. What goes to a slot that is `closed` is ignored.
pub(super) fn resolve(
    slots: &[Slot],
    quantities: &[Quantity],
    surroundings: &Surroundings,
    closed: impl Fn(usize) -> bool,
) -> Vec<AmountMention> {
    let mut resolver = Resolver {
        slots,
        surroundings,
        closed,
        behind_units: Vec::new(),
    };
    let counted = |one: &&Quantity| {
        let is_year = one.shape == Shape::Digits(4) && resolver.may_be_year(one);
        one.span.end > one.digits.end && !is_year
    };
    let behind_units = quantities.iter().filter(counted);
    resolver.behind_units = behind_units.map(|one| one.span.end).collect();
    let mut quantities = quantities.to_vec();
    resolver.move_units(&mut quantities);
    for quantity in &mut quantities {
        resolver.in_thousands(quantity);
    }
    let mut mentions = Vec::new();
    for (end, pair) in ranges(surroundings) {
        let taken = mentions.iter().any(|mention: &AmountMention| {
            mention.span.overlaps(pair.0) || mention.span.overlaps(pair.1)
        });
        if !taken {
            mentions.extend(resolver.range(&mut quantities, end, pair));
        }
    }
    for quantity in &quantities {
        let known = mentions
            .iter()
            .any(|mention: &AmountMention| mention.span.covers(quantity.span));
        if !known {
            mentions.extend(resolver.single(quantity));
        }
    }
    mentions.sort_by_key(|mention| mention.span);
    mentions
}

/// Pairs of numbers that are the two ends of a range, the longest match first.
fn ranges(surroundings: &Surroundings) -> Vec<(&EndFact, (Span, Span))> {
    let ranges = surroundings
        .ends()
        .iter()
        .filter(|end| end.rule == SlotRule::Range);
    let mut pairs: Vec<(&EndFact, (Span, Span))> = ranges
        .filter_map(|end| match end.numbers.as_slice() {
            [first, second] => Some((end, (*first, *second))),
            _ => None,
        })
        .collect();
    pairs.sort_by_key(|(end, (first, _))| (std::cmp::Reverse(end.length), *first));
    pairs
}

struct Resolver<'a, F> {
    slots: &'a [Slot],
    surroundings: &'a Surroundings,
    closed: F,
    /// Where the unit of a number ends: "95000 km 9500" has no 9500 km.
    behind_units: Vec<usize>,
}

impl<F: Fn(usize) -> bool> Resolver<'_, F> {
    fn amounts(&self) -> impl Iterator<Item = (usize, &Amount, bool)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(place, slot)| match &slot.kind {
                SlotKind::Amount(amount) => Some((place, amount, false)),
                SlotKind::Year(amount) => Some((place, amount, true)),
                _ => None,
            })
    }

    /// "2017 km 120000": the unit behind a year is of the number that follows.
    fn move_units(&self, quantities: &mut [Quantity]) {
        const LARGE: f64 = 1000.0;
        for at in 1..quantities.len() {
            let Some([year, number]) = quantities.get_mut(at - 1..=at) else {
                continue;
            };
            let has_unit =
                matches!(year.counts, Counts::Slot(_)) && year.span.end > year.digits.end;
            let follows = number.span.start == year.span.end && number.counts == Counts::Unknown;
            let dated = year.shape == Shape::Digits(4) && self.may_be_year(year);
            if has_unit && follows && dated && number.value > LARGE {
                number.counts = year.counts;
                (year.counts, year.span) = (Counts::Unknown, year.digits);
            }
        }
    }

    /// "rond de 13" and "budget is 9" leave out the thousands.
    fn in_thousands(&self, quantity: &mut Quantity) {
        const BELOW: f64 = 100.0;
        let bare = matches!(
            quantity.shape,
            Shape::Digits(1..=3) | Shape::Words | Shape::Decimal
        );
        // "It has done 150" is no distance as it stands.
        let small = |least: i64| quantity.value < BELOW || quantity.value < least as f64;
        let unknown = quantity.counts == Counts::Unknown;
        let mut slots = self
            .amounts()
            .filter(|(_, amount, _)| small(amount.bounds.0))
            .map(|(place, ..)| place);
        let said = slots.find(|place| self.is(*place, SlotRule::Thousands, quantity.span));
        if let Some(slot) = said.filter(|_| bare && unknown && !quantity.scaled) {
            quantity.value *= 1000.0;
            quantity.scaled = true;
            quantity.counts = Counts::Slot(slot);
        }
    }

    fn range(
        &self,
        quantities: &mut [Quantity],
        end: &EndFact,
        (first, second): (Span, Span),
    ) -> Option<AmountMention> {
        let find = |span: Span| {
            quantities
                .iter()
                .position(|quantity| quantity.span.start == span.start)
        };
        let (low_at, high_at) = (find(first)?, find(second)?);
        let (mut low, high) = (
            quantities.get(low_at)?.clone(),
            quantities.get(high_at)?.clone(),
        );
        // "From 2023 up to 25000": a year, and a price far above it.
        let apart = high.is_counted() || high.value > FAR_ABOVE * low.value;
        // "Between 2000 and 12000" are two prices.
        let dated = low.value > ROUND_YEAR && self.may_be_year(&low);
        if low.shape == Shape::Digits(4) && apart && dated {
            return None;
        }
        share_unit(&mut low, &high);
        let both = self
            .amounts()
            .filter(|(place, ..)| end.slot.is_none_or(|slot| slot == *place));
        let scored = both.filter_map(|(place, amount, is_year)| {
            let digits = |quantity: &Quantity| matches!(quantity.shape, Shape::Digits(1 | 2));
            let month = is_year && digits(&low) && !digits(&high);
            let vague = digits(&low) || digits(&high) || end.slot.is_none();
            let bonus = if vague { 0.0 } else { ENDS_OF_SLOT };
            let low_score = self
                .score(&low, place, amount, is_year)
                .filter(|_| !month)?;
            let high_score = self.score(&high, place, amount, is_year)?;
            let pair = (
                self.value(&low, amount, is_year)?,
                self.value(&high, amount, is_year)?,
            );
            let fits = pair.0 <= pair.1 && low_score.max(high_score) + bonus >= ENOUGH;
            fits.then_some((low_score.max(high_score), place, pair))
        });
        let (_, slot, (low_value, high_value)) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let span = Span::new(low.span.start, high.span.end);
        if let Some(quantity) = quantities.get_mut(low_at) {
            *quantity = low;
        }
        Some(AmountMention {
            slot,
            span,
            low: Some(low_value),
            high: Some(high_value),
            ignored: self.is_ignored(slot, first) || self.is_ignored(slot, second),
        })
    }

    fn single(&self, quantity: &Quantity) -> Option<AmountMention> {
        let scored = self.amounts().filter_map(|(place, amount, is_year)| {
            let score = self.score(quantity, place, amount, is_year)?;
            let value = self.value(quantity, amount, is_year)?;
            (score >= ENOUGH).then_some((score, place, value, is_year))
        });
        let (_, slot, value, is_year) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let end = self.end(slot, quantity.span);
        let one_sided = matches!(
            self.slots.get(slot).map(|slot| &slot.kind),
            Some(SlotKind::Amount(_))
        );
        let (low, high) = match end {
            Some(SlotRule::Min) => (Some(value), None),
            Some(SlotRule::Max) => (None, Some(value)),
            _ if is_year || !one_sided => (Some(value), Some(value)),
            _ => (None, Some(value)),
        };
        Some(AmountMention {
            slot,
            span: quantity.span,
            low,
            high,
            ignored: self.is_ignored(slot, quantity.span),
        })
    }

    /// Which end of a range the longest rule says; rules of the slot before general ones.
    fn end(&self, slot: usize, span: Span) -> Option<SlotRule> {
        let ends = self.surroundings.ends().iter().filter(|end| {
            end.rule != SlotRule::Range && end.slot.is_none_or(|of| of == slot) && end.names(span)
        });
        ends.max_by_key(|end| (end.length, end.slot.is_some()))
            .map(|end| end.rule)
    }

    fn is_ignored(&self, slot: usize, span: Span) -> bool {
        (self.closed)(slot) || self.is(slot, SlotRule::Never, span)
    }

    fn is(&self, slot: usize, rule: SlotRule, span: Span) -> bool {
        self.surroundings.is_captured_by(slot, rule, span)
    }

    /// What speaks for a number being one of a slot; none when it cannot be.
    fn score(
        &self,
        quantity: &Quantity,
        slot: usize,
        amount: &Amount,
        is_year: bool,
    ) -> Option<f64> {
        self.value(quantity, amount, is_year)?;
        let behind_unit = self.behind_units.contains(&quantity.span.start);
        let said = !behind_unit && self.is(slot, SlotRule::Mention, quantity.span)
            || self.is(slot, SlotRule::Never, quantity.span);
        let like_a_year = quantity.shape == Shape::Digits(4) && self.may_be_year(quantity);
        let unit = match quantity.counts {
            Counts::Slot(counted) if counted == slot => UNIT,
            Counts::Unknown => 0.0,
            // "bj 2018 km onder 100.000": the unit is of what follows.
            Counts::Slot(_) if is_year && said && like_a_year => UNIT,
            Counts::Slot(_) | Counts::Other => return None,
        };
        let weight_of_said = if like_a_year && !is_year && unit == 0.0 {
            SAID / 2.0
        } else {
            SAID
        };
        let ends = self.surroundings.ends().iter();
        let ends_of_slot = ends
            .filter(|end| end.slot == Some(slot) && end.rule != SlotRule::Range)
            .any(|end| end.names(quantity.span));
        let shape = if is_year {
            self.year_shape(quantity)?
        } else {
            self.amount_shape(quantity, slot, amount)
        };
        let two_digits = matches!(quantity.shape, Shape::Digits(1 | 2)) && is_year;
        let certain = unit > 0.0 || said;
        Some(
            unit + shape
                + if said { weight_of_said } else { 0.0 }
                + if ends_of_slot && !two_digits {
                    ENDS_OF_SLOT
                } else {
                    0.0
                }
                - if (self.closed)(slot) && !certain {
                    CLOSED
                } else {
                    0.0
                },
        )
    }

    fn may_be_year(&self, quantity: &Quantity) -> bool {
        self.amounts()
            .any(|(_, amount, is_year)| is_year && self.value(quantity, amount, true).is_some())
    }

    fn year_shape(&self, quantity: &Quantity) -> Option<f64> {
        match quantity.shape {
            Shape::Digits(4) | Shape::Words if !self.is_round_limit(quantity) => {
                Some(LOOKS_LIKE_A_YEAR)
            }
            Shape::Digits(4) | Shape::Words => Some(POSSIBLE),
            Shape::Apostrophe => Some(LOOKS_LIKE_A_YEAR + POSSIBLE),
            Shape::Digits(2) | Shape::Date => Some(0.0),
            Shape::Digits(_) | Shape::Grouped | Shape::Decimal => None,
        }
    }

    /// "max 2000" is money rather than a year.
    fn is_round_limit(&self, quantity: &Quantity) -> bool {
        let limited =
            self.surroundings.ends().iter().any(|end| {
                end.rule == SlotRule::Max && end.slot.is_none() && end.names(quantity.span)
            });
        limited && quantity.value % 500.0 == 0.0
    }

    fn amount_shape(&self, quantity: &Quantity, slot: usize, amount: &Amount) -> f64 {
        let value = quantity.value;
        let inside = |(from, to): (i64, i64)| (from as f64..=to as f64).contains(&value);
        let priced = value % 50.0 == 0.0 || value % 100.0 >= 90.0;
        let limited = self.end(slot, quantity.span).is_some();
        let counted = quantity.scaled || quantity.shape == Shape::Grouped || limited || priced;
        match amount.bare {
            Some(bare) if inside(bare) && counted => BELIEVABLE,
            Some(_) if value >= 10_000.0 && counted => POSSIBLE,
            _ => 0.0,
        }
    }

    /// The number as the slot takes it; none out of its bounds.
    fn value(&self, quantity: &Quantity, amount: &Amount, is_year: bool) -> Option<i64> {
        let (from, to) = amount.bounds;
        let short = matches!(quantity.shape, Shape::Digits(2) | Shape::Apostrophe);
        let value = quantity.value.round() as i64;
        let value = match (is_year && short, 2000 + value <= to) {
            (true, true) => 2000 + value,
            (true, false) => 1900 + value,
            (false, _) => value,
        };
        (from..=to).contains(&value).then_some(value)
    }
}

/// "10 en 15k": the unit of the upper end goes for the lower one too.
fn share_unit(low: &mut Quantity, high: &Quantity) {
    if !low.scaled
        && high.scaled
        && low.counts == Counts::Unknown
        && low.value * 1000.0 <= high.value
    {
        low.value *= 1000.0;
        low.scaled = true;
    }
    if low.counts == Counts::Unknown {
        low.counts = high.counts;
    }
}
