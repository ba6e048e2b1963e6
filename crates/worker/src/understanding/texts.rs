//! Many different texts in one piece of memory, each with a number and found by what it says.

use std::hash::Hasher as _;

use rustc_hash::FxHasher;

/// Different texts. A map of strings would take three times the memory.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: Box<str>,
    /// Where each ends.
    ends: Box<[u32]>,
    /// Numbers by hash, at twice as many places as there are texts; a text whose place is taken stands
    /// behind.
    table: Box<[u32]>,
}

const FREE: u32 = u32::MAX;

impl Texts {
    /// Texts that are all different, numbered in this order.
    pub(super) fn new<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut all = String::new();
        let mut ends = Vec::new();
        for text in texts {
            all.push_str(text);
            ends.push(u32::try_from(all.len()).unwrap_or(FREE));
        }
        let places = (ends.len() * 2).next_power_of_two();
        let mut texts = Self {
            all: all.into(),
            ends: ends.into(),
            table: Box::default(),
        };
        let mut table = vec![FREE; places];
        for number in 0..texts.len() {
            let taken = |place: &usize| table.get(*place).is_some_and(|other| *other != FREE);
            let place = probes(texts.get(number), places).find(|place| !taken(place));
            if let Some(free) = place.and_then(|place| table.get_mut(place)) {
                *free = number;
            }
        }
        texts.table = table.into();
        texts
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(FREE)
    }

    /// The text with a number; of others nothing.
    pub(super) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let end = |number: usize| self.ends.get(number).map_or(0, |end| *end as usize);
        let start = number.checked_sub(1).map_or(0, end);
        self.all.get(start..end(number)).unwrap_or_default()
    }

    /// The number of a text.
    pub(super) fn number(&self, text: &str) -> Option<u32> {
        let numbers = probes(text, self.table.len()).map_while(|place| self.table.get(place));
        let mut numbers = numbers.take_while(|number| **number != FREE);
        numbers.find(|number| self.get(**number) == text).copied()
    }
}

/// The places of a table where a text may stand, in the order in which they are looked at.
fn probes(text: &str, places: usize) -> impl Iterator<Item = usize> {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    let last = places.saturating_sub(1);
    let hash = usize::try_from(hasher.finish()).unwrap_or_default();
    (0..places).map(move |step| hash.wrapping_add(step) & last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_its_number_and_others_have_none() {
        let words: Vec<String> = (0..1000).map(|number| format!("word{number}é")).collect();
        let texts = Texts::new(words.iter().map(String::as_str));
        assert_eq!(texts.len(), 1000);
        for (number, word) in (0..).zip(&words) {
            assert_eq!(texts.number(word), Some(number));
            assert_eq!(texts.get(number), word);
        }
        assert_eq!(texts.number("word1000é"), None);
        assert_eq!(texts.number(""), None);
        assert_eq!(Texts::new(std::iter::empty()).number("word"), None);
    }
}
