//! What is said of a thing that is looked for, whatever is done with the own one.

use super::{Sides, Telling};
use crate::domain::{About, SlotKind, SlotRule};
use crate::understanding::lattice::Span;
use crate::understanding::mentions::{Mention, Role};
use crate::understanding::slots::value_of;

impl Sides<'_> {
    /// Whether a value is denied of what is looked for, and no such thing of the own one is put right.
    pub(super) fn excludes(&self, mention: &Mention, told: Telling) -> bool {
        let slot = self.understander.slots.get(mention.slot);
        let said = slot.and_then(|slot| value_of(slot, mention));
        let known = said.is_some_and(|said| self.context.own.contains(&said));
        let mut intents = self.understander.intents.iter();
        let of_own = intents
            .any(|intent| intent.about == About::Own && self.context.goals.contains(&intent.name));
        let looks = told.wishes || !of_own && !self.context.wanted.is_empty();
        let names_own = |other: &Mention| other.role == Role::Own && other.make().is_some();
        looks && !known && !told.of_own && !self.reading.mentions.iter().any(names_own)
    }

    /// Whether the message names something as wanted.
    pub(super) fn names_wanted(&self) -> bool {
        let mut names = self.reading.mentions.iter();
        names.any(|one| one.make().is_some() && self.is_named_as_wanted(one.span))
    }

    /// Whether a rule for wanted things names just this.
    pub(super) fn is_named_as_wanted(&self, span: Span) -> bool {
        let slots = self.understander.slots.iter().enumerate();
        let mut names = slots.filter(|(_, slot)| matches!(slot.kind, SlotKind::Catalogue(_)));
        let surroundings = &self.reading.surroundings;
        names.any(|(place, _)| {
            let mut wanted = surroundings.captured(place, SlotRule::Wanted);
            wanted.any(|named| named.covers(span))
        })
    }
}
