use super::super::pattern::Pattern;
use super::super::section::Section;
use super::SlotRule;
use super::reader::{Reader, words};

/// How a language says numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Numbers {
    /// Words that are numbers: `twaalf` is 12.
    pub words: Vec<(String, f64)>,
    /// Words that multiply: `duizend` is 1000.
    pub factors: Vec<(String, f64)>,
    /// Words between the parts of a number: `en` in `vijfentwintig`.
    pub joiners: Vec<String>,
    /// What a number counts.
    pub units: Vec<Unit>,
    /// Which end of a range a number is, whatever it counts.
    pub ends: Vec<(SlotRule, Pattern)>,
}

/// A word that says what a number counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The word.
    pub word: String,
    /// The slot that takes such numbers; none for things that no slot takes, such as horsepower.
    pub slot: Option<usize>,
    /// What the number is multiplied by.
    pub factor: f64,
    /// Whether it also stands before the number, as `€` does.
    pub before: bool,
}

impl Reader<'_, '_> {
    pub(super) fn read_numbers(&mut self, section: Section<'_>) {
        let named = |key: &str| {
            let pairs = section.numbers(key);
            pairs
                .into_iter()
                .map(|(name, number)| (name.value.to_owned(), number))
        };
        self.into.numbers.words.extend(named("words"));
        self.into.numbers.factors.extend(named("factors"));
        self.into.numbers.joiners.extend(words(&section, "joiners"));
        for (key, rule) in [
            ("min", SlotRule::Min),
            ("max", SlotRule::Max),
            ("range", SlotRule::Range),
        ] {
            let found = self.patterns(&section, key);
            self.into
                .numbers
                .ends
                .extend(found.into_iter().map(|pattern| (rule, pattern)));
        }
        self.read_units(&section, None);
        section.close();
    }

    pub(super) fn read_units(&mut self, section: &Section<'_>, slot: Option<usize>) {
        let plain = words(section, "units")
            .into_iter()
            .map(|word| (word, 1.0, false));
        let before = words(section, "units_before")
            .into_iter()
            .map(|word| (word, 1.0, true));
        let scaled = section.numbers("scaled_units").into_iter();
        let scaled = scaled.map(|(name, factor)| (name.value.to_owned(), factor, false));
        for (word, factor, before) in plain.chain(before).chain(scaled) {
            self.into.numbers.units.push(Unit {
                word,
                slot,
                factor,
                before,
            });
        }
    }
}
