//! Reads numbers as people write them: `12.500`, `15k`, `zes mille`, `vijfentwintigduizend`, `1 ton`.

use rustc_hash::FxHashMap;

mod digits;
mod spoken;

use digits::Cursor;
pub(super) use spoken::NUMBER_BY_ITSELF;

use super::fold::{fold, umlauts_spelled_out};
use super::lattice::Span;
use super::tokens::{Boundary, Kind, Token};
use crate::domain::{Numbers, Vocabulary};

/// A number of the message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    /// With its unit.
    pub(super) span: Span,
    /// Without.
    pub(super) digits: Span,
    /// With the unit before it, as in `€ 15.000`.
    pub(super) with_unit_before: Span,
    pub(super) value: f64,
    /// What it counts, where a unit says so.
    pub(super) counts: Counts,
    /// A word such as `duizend` or `k` was in it.
    pub(super) scaled: bool,
    pub(super) shape: Shape,
}

impl Quantity {
    /// The number itself, where it is a whole one of believable size.
    pub(super) fn whole(&self) -> Option<i64> {
        const MOST: f64 = 1e12;
        let whole = self.value.fract() == 0.0 && (0.0..MOST).contains(&self.value);
        #[expect(clippy::cast_possible_truncation, reason = "checked before")]
        whole.then_some(self.value as i64)
    }

    /// Whether anything says that this is an amount: a unit, a factor, a separator.
    pub(super) fn is_counted(&self) -> bool {
        self.counts != Counts::Unknown || self.scaled || !matches!(self.shape, Shape::Digits(_))
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// Nothing says.
    Unknown,
    /// What the slot at this place takes.
    Slot(usize),
    /// Something that no slot takes.
    Other,
}

/// How a number was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// This many digits and nothing else.
    Digits(usize),
    /// Two digits after an apostrophe.
    Apostrophe,
    /// Day, month and year; the value is the year.
    Date,
    /// With separators between thousands.
    Grouped,
    /// With a decimal part.
    Decimal,
    /// In words.
    Words,
}

/// Number words and units of all languages.
#[derive(Debug, Default)]
pub(super) struct NumberReader {
    words: FxHashMap<String, f64>,
    factors: FxHashMap<String, f64>,
    joiners: Vec<String>,
    units: FxHashMap<String, (Counts, f64)>,
    units_before: FxHashMap<String, Counts>,
}

impl NumberReader {
    pub(super) fn new<'d>(vocabularies: impl Iterator<Item = &'d Vocabulary>) -> Self {
        let mut reader = Self::default();
        for vocabulary in vocabularies {
            reader.add(&vocabulary.numbers);
        }
        reader
    }

    fn add(&mut self, numbers: &Numbers) {
        let forms = |word: &str| {
            let spelled_out = umlauts_spelled_out(word).map(|word| fold(&word));
            std::iter::once(fold(word)).chain(spelled_out)
        };
        for (word, value) in &numbers.words {
            self.words.extend(forms(word).map(|form| (form, *value)));
        }
        for (word, factor) in &numbers.factors {
            self.factors.extend(forms(word).map(|form| (form, *factor)));
        }
        self.joiners
            .extend(numbers.joiners.iter().map(|word| fold(word)));
        for unit in &numbers.units {
            let counts = unit.slot.map_or(Counts::Other, Counts::Slot);
            self.units
                .extend(forms(&unit.word).map(|form| (form, (counts, unit.factor))));
            if unit.before {
                self.units_before
                    .extend(forms(&unit.word).map(|form| (form, counts)));
            }
        }
    }

    /// All words, so that typos of them are forgiven.
    pub(super) fn vocabulary(&self) -> impl Iterator<Item = &str> {
        let words = self.words.keys().chain(self.factors.keys());
        words.chain(self.units.keys()).map(String::as_str)
    }

    pub(super) fn is_unit(&self, text: &str) -> bool {
        self.units.contains_key(text) || self.factors.contains_key(text)
    }

    /// Whether a word is a number written out, such as `vijfentwintigduizend`.
    pub(super) fn is_number_word(&self, text: &str) -> bool {
        self.words.contains_key(text)
            || self.factors.contains_key(text)
            || self.compound(text).is_some()
    }

    /// The numbers of a message, outside tokens that are taken.
    pub(super) fn read(&self, tokens: &[Token], taken: impl Fn(usize) -> bool) -> Vec<Quantity> {
        let mut quantities = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let quantity = if taken(at) {
                None
            } else {
                self.quantity(tokens, at, &taken)
            };
            at = quantity
                .as_ref()
                .map_or(at + 1, |quantity| quantity.span.end.max(at + 1));
            quantities.extend(quantity);
        }
        quantities
    }

    fn quantity(
        &self,
        tokens: &[Token],
        at: usize,
        taken: &impl Fn(usize) -> bool,
    ) -> Option<Quantity> {
        let token = tokens.get(at)?;
        let mut cursor = Cursor {
            tokens,
            from: at,
            at,
            taken,
        };
        let (value, shape) = match token.kind {
            Kind::Number => cursor.digits()?,
            Kind::Word => (self.spoken(&mut cursor)?, Shape::Words),
            Kind::Sign => return None,
        };
        let (value, scaled) = match shape {
            Shape::Words | Shape::Date => (value, value >= 1000.0 && shape == Shape::Words),
            _ => {
                let value = value + self.half_after(&mut cursor);
                self.scale(&mut cursor, value)
            }
        };
        let digits = Span::new(at, cursor.at);
        let (counts, factor) = self.unit_after(&mut cursor);
        let before = at
            .checked_sub(1)
            .filter(|before| !taken(*before) && token.boundary == Boundary::None);
        let before = before.and_then(|before| self.units_before.get(&tokens.get(before)?.text));
        let start = at - usize::from(before.is_some());
        let trivial = shape == Shape::Words && value <= 1.0 && counts == Counts::Unknown;
        (!trivial).then(|| Quantity {
            span: Span::new(at, cursor.at),
            digits,
            with_unit_before: Span::new(start, cursor.at),
            value: value * factor,
            counts: match (counts, before) {
                (Counts::Unknown, Some(before)) => *before,
                _ => counts,
            },
            scaled: scaled || factor > 1.0,
            shape,
        })
    }

    /// "en een half" after digits, where a factor follows.
    fn half_after(&self, cursor: &mut Cursor<'_, impl Fn(usize) -> bool>) -> f64 {
        let word = |ahead: usize| {
            let token = cursor.tokens.get(cursor.at + ahead);
            token.map_or("", |token| token.text.as_str())
        };
        let joiners = (0..2)
            .take_while(|ahead| self.joiners.iter().any(|joiner| joiner == word(*ahead)))
            .count();
        let half = self.words.get(word(joiners)).filter(|half| **half < 1.0);
        let scaled = self.factors.contains_key(word(joiners + 1));
        match half.filter(|_| joiners > 0 && scaled) {
            Some(half) => {
                cursor.at += joiners + 1;
                *half
            }
            None => 0.0,
        }
    }

    /// A factor after digits, and what follows it: `12 duizend 500`, `1 ton 20`.
    fn scale(&self, cursor: &mut Cursor<'_, impl Fn(usize) -> bool>, value: f64) -> (f64, bool) {
        let Some(factor) = cursor.next_word().and_then(|word| self.factors.get(word)) else {
            return (value, false);
        };
        cursor.at += 1;
        let value = value * factor;
        let rest = cursor
            .peek()
            .filter(|token| token.kind == Kind::Number && !token.glued);
        let digits = rest.map_or(0, |token| token.text.len());
        let rest = rest.and_then(|token| token.text.parse::<f64>().ok());
        let share = match (digits, rest) {
            (3, Some(rest)) if *factor == 1e3 => rest,
            (2, Some(rest)) if *factor >= 1e5 => rest * factor / 100.0,
            _ => return (value, true),
        };
        cursor.at += 1;
        (value + share, true)
    }

    fn unit_after(&self, cursor: &mut Cursor<'_, impl Fn(usize) -> bool>) -> (Counts, f64) {
        let unit = cursor
            .peek()
            .filter(|token| token.boundary == Boundary::None);
        let Some((counts, factor)) = unit.and_then(|token| self.units.get(&token.text)) else {
            return (Counts::Unknown, 1.0);
        };
        cursor.at += 1;
        (*counts, *factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Domain;
    use crate::understanding::tokens::tokenize;

    fn read(message: &str) -> Vec<(f64, Shape, bool)> {
        let domain = Domain::embedded().expect("the embedded domain is valid");
        let vocabularies = domain.languages.iter().map(|language| &language.vocabulary);
        let reader = NumberReader::new(vocabularies.chain([&domain.shared]));
        let quantities = reader.read(&tokenize(message, |_| false), |_| false);
        let parts = quantities
            .iter()
            .map(|quantity| (quantity.value, quantity.shape, quantity.scaled));
        parts.collect()
    }

    #[test]
    fn digits_are_read_in_every_notation() {
        for (message, value, shape, scaled) in [
            ("12500", 12_500.0, Shape::Digits(5), false),
            ("12.500", 12_500.0, Shape::Grouped, false),
            ("12 500", 12_500.0, Shape::Grouped, false),
            ("12,500", 12_500.0, Shape::Grouped, false),
            ("1.234.567", 1_234_567.0, Shape::Grouped, false),
            ("12.500,50", 12_500.5, Shape::Grouped, false),
            ("12,5", 12.5, Shape::Decimal, false),
            ("12,5 mille", 12_500.0, Shape::Decimal, true),
            ("15k", 15_000.0, Shape::Digits(2), true),
            ("12 duizend 500", 12_500.0, Shape::Digits(2), true),
            ("1 ton 20", 120_000.0, Shape::Digits(1), true),
            ("'17", 17.0, Shape::Apostrophe, false),
            ("03/2019", 2019.0, Shape::Digits(4), false),
            ("12-05-19", 2019.0, Shape::Date, false),
        ] {
            assert_eq!(read(message), [(value, shape, scaled)], "{message}");
        }
    }

    #[test]
    fn numbers_in_words_add_up() {
        for (message, value) in [
            ("zes mille", 6000.0),
            ("vijfentwintigduizend", 25_000.0),
            ("twaalfduizendvijfhonderd", 12_500.0),
            ("anderhalve ton", 150_000.0),
            ("onder de ton", 100_000.0),
            ("fünfzehntausend", 15_000.0),
            ("fuenfzehntausend", 15_000.0),
            ("zweihundertdreißigtausend", 230_000.0),
            ("two and a half thousand", 2500.0),
            ("twenty five thousand", 25_000.0),
        ] {
            let values: Vec<f64> = read(message).into_iter().map(|(value, ..)| value).collect();
            assert_eq!(values, [value], "{message}");
        }
    }

    #[test]
    fn times_and_telephone_numbers_are_no_quantities() {
        for message in ["10:30", "0612345678", "1234567890123456"] {
            assert_eq!(read(message), [], "{message}");
        }
    }
}
