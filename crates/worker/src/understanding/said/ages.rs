//! How old something may be.

use shared_types::SlotValue;

use super::{Said, Sides};
use crate::dialogue::act::{Thing, age_as_year};
use crate::domain::{SlotKind, SlotRule};
use crate::understanding::lattice::Span;
use crate::understanding::numbers::Quantity;

/// What is older is told by its year.
const OLDEST: i64 = 50;

impl Sides<'_> {
    /// "At most five years old": a year from which on, whatever year it is now.
    pub(super) fn ages(&self, clause: Span) -> Vec<Said> {
        let slots = (0..).zip(&self.understander.slots);
        let years = slots.filter_map(|(place, slot)| match &slot.kind {
            SlotKind::Year(names) => Some((place, names.min.as_ref()?)),
            _ => None,
        });
        let numbers = self.reading.quantities.iter();
        let numbers: Vec<&Quantity> = numbers.filter(|one| clause.covers(one.span)).collect();
        let of_slot = |(place, name): (usize, &String)| {
            let aged = |one: &&&Quantity| {
                let surroundings = &self.reading.surroundings;
                surroundings.is_captured_by(place, SlotRule::Age, one.span)
            };
            let number = numbers.iter().find(aged)?;
            let age = number.whole().filter(|age| (1..=OLDEST).contains(age))?;
            Some(Said {
                slot: name.clone(),
                value: SlotValue::Integer(age_as_year(age)),
                thing: Thing::Wanted,
                span: number.span,
                negated: false,
                came_with: None,
                number: true,
                bounded: true,
            })
        };
        years.filter_map(of_slot).collect()
    }
}
