//! Numbers in words, joined or apart: `vijfentwintigduizend`, `two and a half thousand`.

use super::NumberReader;
use super::digits::Cursor;

const LONGEST: usize = 48;
/// "Onder de ton" says a number; "een paar duizend" does not.
const NUMBER_BY_ITSELF: f64 = 1e5;

impl NumberReader {
    /// A number in words, over several tokens where they go on.
    pub(super) fn spoken(&self, cursor: &mut Cursor<'_, impl Fn(usize) -> bool>) -> Option<f64> {
        let mut sum = Sum::default();
        let mut end = cursor.at;
        while let Some(word) = cursor.next_word() {
            let joins = self.joiners.iter().any(|joiner| joiner == word);
            if self.add_compound(word, &mut sum) {
                cursor.at += 1;
                end = cursor.at;
            } else if joins
                && sum.parts > 0
                && cursor.following().is_some_and(|next| self.goes_on(next))
            {
                cursor.at += 1;
            } else {
                break;
            }
        }
        cursor.at = end;
        (sum.parts > 0 && !sum.only_factor).then(|| sum.total())
    }

    /// A word that may go on a number after `and`, as in "two and a half".
    fn goes_on(&self, word: &str) -> bool {
        let fraction = self.words.get(word).is_some_and(|value| *value < 1.0);
        fraction || self.joiners.iter().any(|joiner| joiner == word)
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
        if let Some(value) = self.words.get(part) {
            return sum.add(*value);
        }
        if let Some(factor) = self.factors.get(part).filter(|_| part.len() > 1) {
            sum.multiply(*factor);
            return true;
        }
        sum.parts > 0 && !after.is_empty() && self.joiners.iter().any(|joiner| joiner == part)
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
        let fits = self.parts == 0
            || self.current == 0.0
            || value < 1.0
            || self.current % 100.0 == 0.0 && value < 100.0
            || value % 10.0 == 0.0 && self.current < 10.0 && value > 10.0 && value < 100.0
            || self.current % 10.0 == 0.0 && value < 10.0;
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
        ] {
            assert_eq!(spoken(text), Some((value, tokens)), "{text}");
        }
    }

    #[test]
    fn numbers_that_do_not_add_up_are_several() {
        assert_eq!(spoken("twee drie"), Some((2.0, 1)));
        assert_eq!(spoken("zes auto"), Some((6.0, 1)));
        assert_eq!(spoken("mooie auto"), None);
    }
}
