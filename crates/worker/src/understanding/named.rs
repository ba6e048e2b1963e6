//! What a text names, whatever it does: for checks on what is said.

use std::collections::BTreeSet;

use super::lattice::Span;
use super::marks::Mark;
use super::{Understander, mentions, slots};

impl Understander {
    /// The names of the catalogue in a text: "Kia Ceed".
    #[must_use]
    pub fn names(&self, text: &str) -> Vec<String> {
        let reading = self.read(text, None);
        let certain = |one: &&mentions::Mention| one.make().is_some() && one.is_certain();
        let named = reading.mentions.iter().filter(certain);
        let values = named.filter_map(|one| slots::value_of(self.slots.get(one.slot)?, one));
        values.map(|(_, value)| value.to_string()).collect()
    }

    /// What a text says of a thing: values of its slots, and attributes that it names.
    #[must_use]
    pub fn features(&self, text: &str) -> BTreeSet<String> {
        let reading = self.read(text, None);
        let marks = self.signs(&reading, None).marks;
        let whole = Span::new(0, reading.tokens.len());
        let attributes = marks.within(whole).filter_map(|(mark, _)| match mark {
            Mark::Attribute(at) => Some(self.attributes.get(at)?),
            _ => None,
        });
        let attributes = attributes.filter(|one| one.slot.is_none() && !one.prices && !one.danger);
        let valued = reading.mentions.iter().filter(|one| one.make().is_none());
        let values = valued.filter_map(|one| slots::value_of(self.slots.get(one.slot)?, one));
        let values = values.map(|(slot, value)| format!("{slot} {value}"));
        values
            .chain(attributes.map(|one| one.name.clone()))
            .collect()
    }
}
