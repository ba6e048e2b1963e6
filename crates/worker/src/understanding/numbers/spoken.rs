//! Numbers in words, joined or apart: `vijfentwintigduizend`, `two and a half thousand`.

use super::NumberReader;
use super::digits::Cursor;

const LONGEST: usize = 48;
/// "Onder de ton" says a number; "een paar duizend" does not.
pub(in crate::understanding) const NUMBER_BY_ITSELF: f64 = 1e5;

impl NumberReader {
    /// A number in words, over several tokens where they go on.
    pub(super) fn spoken(&self, cursor: &mut Cursor<'_, impl Fn(usize) -> bool>) -> Option<f64> {
        let mut sum = Sum::default();
        let mut end = cursor.at;
        while let Some(word) = cursor.next_word() {
            let joins = sum.parts > 0 && self.is_joiner(word);
            if self.add_compound(word, &mut sum) {
                cursor.at += 1;
                end = cursor.at;
            } else if joins && self.goes_on(cursor, &sum) {
                cursor.at += 1;
            } else if let Some(year) = self.year(word, &sum) {
                cursor.at += 1;
                return Some(year);
            } else if sum.parts > 0 && self.begins_number(word) {
                // Whole or not at all: what is left would be another number than the one said.
                cursor.at += 1;
                return None;
            } else {
                break;
            }
        }
        cursor.at = end;
        (sum.parts > 0 && !sum.only_factor).then(|| sum.total())
    }

    fn is_joiner(&self, word: &str) -> bool {
        self.joiners.iter().any(|joiner| joiner == word)
    }

    /// Whether a number goes on after `and`: "two and a half", "nine hundred and five".
    fn goes_on(&self, cursor: &Cursor<'_, impl Fn(usize) -> bool>, sum: &Sum) -> bool {
        let Some(next) = cursor.following() else {
            return false;
        };
        let fraction = self.words.get(next).is_some_and(|value| *value < 1.0);
        let below_hundred = self.compound(next).is_some_and(|value| value < 100.0);
        let multiplied = cursor
            .tokens
            .get(cursor.at + 2)
            .is_some_and(|after| self.factors.contains_key(&after.text));
        let hundreds = sum.current >= 100.0 && sum.current % 100.0 == 0.0;
        fraction || self.is_joiner(next) || hundreds && below_hundred && !multiplied
    }

    /// "twenty eighteen", "nineteen ninety-nine".
    fn year(&self, word: &str, sum: &Sum) -> Option<f64> {
        let century = (sum.parts == 1).then(|| sum.total())?;
        let rest = self.compound(word)?;
        let fits = match century {
            19.0 => (10.0..100.0).contains(&rest),
            20.0 => (10.0..40.0).contains(&rest),
            _ => false,
        };
        fits.then_some(century * 100.0 + rest)
    }

    /// A long word that begins as a number and cannot be read to its end.
    fn begins_number(&self, word: &str) -> bool {
        const LONG: usize = 10;
        let factor = |(text, factor): (&String, &f64)| {
            *factor >= 100.0 && text.len() > 4 && word.contains(text.as_str())
        };
        let number = self
            .words
            .keys()
            .any(|text| text.len() > 2 && word.starts_with(text.as_str()));
        word.len() >= LONG
            && number
            && self.factors.iter().any(factor)
            && self.compound(word).is_none()
    }

    pub(in crate::understanding) fn compound(&self, text: &str) -> Option<f64> {
        let mut sum = Sum::default();
        (self.add_compound(text, &mut sum) && !sum.only_factor).then(|| sum.total())
    }

    /// Adds a word that is made of number words alone; false leaves the sum as it was.
    fn add_compound(&self, text: &str, sum: &mut Sum) -> bool {
        if text.len() > LONGEST {
            return false;
        }
        let mut attempt = sum.clone();
        let mut rest = text;
        while !rest.is_empty() {
            let longest = (1..=rest.len()).rev().find_map(|length| {
                let part = rest.get(..length)?;
                let after = rest.get(length..)?;
                self.add_part(part, after, &mut attempt).then_some(after)
            });
            let Some(after) = longest else {
                return false;
            };
            rest = after;
        }
        *sum = attempt;
        true
    }

    fn add_part(&self, part: &str, after: &str, sum: &mut Sum) -> bool {
        if self.words.get(part).is_some_and(|value| sum.add(*value)) {
            return true;
        }
        if let Some(factor) = self.factors.get(part).filter(|_| part.len() > 1) {
            sum.multiply(*factor);
            return true;
        }
        sum.parts > 0 && !after.is_empty() && self.is_joiner(part)
    }
}

/// A number in words as it adds up.
#[derive(Debug, Default, Clone)]
struct Sum {
    done: f64,
    current: f64,
    parts: usize,
    only_factor: bool,
}

impl Sum {
    /// False when the value cannot follow what is there: "twee drie" is two numbers.
    fn add(&mut self, value: f64) -> bool {
        let low = self.current % 100.0;
        let fits = self.parts == 0
            || self.current == 0.0
            || value < 1.0 && self.current.fract() == 0.0
            || low == 0.0 && value < 100.0
            // "vijf en negentig"
            || value % 10.0 == 0.0 && low < 10.0 && value > 10.0 && value < 100.0
            || low % 10.0 == 0.0 && low > 10.0 && value < 10.0;
        if fits {
            self.current += value;
            self.parts += 1;
            self.only_factor = false;
        }
        fits
    }

    fn multiply(&mut self, factor: f64) {
        self.only_factor = self.parts == 0 && factor < NUMBER_BY_ITSELF;
        let counted = if self.current == 0.0 {
            1.0
        } else {
            self.current
        };
        if factor < 1000.0 {
            self.current = counted * factor;
        } else {
            self.done += counted * factor;
            self.current = 0.0;
        }
        self.parts += 1;
    }

    fn total(&self) -> f64 {
        self.done + self.current
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Domain;
    use crate::understanding::numbers::NumberReader;
    use crate::understanding::tokens::tokenize;

    /// What a number in words is, and how many tokens it takes.
    fn spoken(text: &str) -> Option<(f64, usize)> {
        let domain = Domain::embedded().expect("the embedded domain is valid");
        let languages = domain.languages.iter().map(|language| &language.vocabulary);
        let reader = NumberReader::new(languages);
        let tokens = tokenize(text, |_| false);
        let quantity = reader.read(&tokens, |_| false).into_iter().next()?;
        Some((quantity.value, quantity.digits.len()))
    }

    #[test]
    fn words_add_up_over_several_tokens() {
        for (text, value, tokens) in [
            ("twaalf", 12.0, 1),
            ("vijfentwintig", 25.0, 1),
            ("vijfentwintigduizend", 25_000.0, 1),
            ("twaalf en een half", 12.5, 4),
            ("anderhalf", 1.5, 1),
            ("drie honderd", 300.0, 2),
            ("twenty five", 25.0, 2),
            ("two and a half", 2.5, 4),
            ("zweiundzwanzig", 22.0, 1),
            ("fünfzehn", 15.0, 1),
            ("fuenfzehn", 15.0, 1),
            ("zwölftausendfünfhundert", 12_500.0, 1),
            ("zevenduizend negenhonderdvijfennegentig", 7995.0, 2),
            ("siebentausendneunhundertfünfundneunzig", 7995.0, 1),
            ("nine hundred and ninety five", 995.0, 5),
            ("twaalfeneenhalf", 12.5, 1),
            ("twaalfeneenhalfduizend", 12_500.0, 1),
            ("vijftienhonderd", 1500.0, 1),
            ("tweeduizend achttien", 2018.0, 2),
            ("twenty eighteen", 2018.0, 2),
        ] {
            assert_eq!(spoken(text), Some((value, tokens)), "{text}");
        }
    }

    #[test]
    fn a_number_that_cannot_be_read_whole_is_none() {
        assert_eq!(spoken("zevenduizend negenhonderdvijfenqegentig"), None);
    }

    #[test]
    fn numbers_that_do_not_add_up_are_several() {
        assert_eq!(spoken("twee drie"), Some((2.0, 1)));
        assert_eq!(spoken("zes auto"), Some((6.0, 1)));
        assert_eq!(spoken("zevenhonderd en achthonderd"), Some((700.0, 1)));
        assert_eq!(spoken("mooie auto"), None);
    }
}
