//! A number that corrects another one: "186, not 168".

use shared_types::SlotValue;

use super::{Clause, SURE, Talk};
use crate::dialogue::act::{Act, Correct, Does, Feeling, Thing, Told};
use crate::domain::{ActCue, Negation, SlotKind};

/// What an amount may be said in.
const SCALES: [i64; 2] = [1, 1000];

impl Talk<'_> {
    /// Two numbers, one of which is an amount that is known, whole or in thousands: the other is right.
    pub(super) fn corrects_amount(&self, clause: &Clause, acts: &mut Vec<Act>) -> bool {
        let correct = self.corrected(clause);
        let found = correct.is_some();
        acts.extend(correct.map(|correct| {
            let does = Does::Correct(correct);
            self.act(does, SURE, clause.span, clause.place)
        }));
        found
    }

    fn corrected(&self, clause: &Clause) -> Option<Correct> {
        let inside = |span| clause.span.covers(span);
        let numbers = self.reading.quantities.iter();
        let numbers = numbers.filter(|one| inside(one.span));
        let numbers: Vec<i64> = numbers.filter_map(|one| one.whole()).collect();
        let &[first, second] = numbers.as_slice() else {
            return None;
        };
        let denials = self.reading.surroundings.negations(Negation::Before);
        let sorry = [ActCue::Instead, ActCue::Feels(Feeling::Regret)];
        let corrects = denials.into_iter().any(inside)
            || sorry.iter().any(|cue| self.mark(*cue, clause).is_some());
        let alike = first.checked_ilog10() == second.checked_ilog10() && first != second;
        if !(corrects && alike) || self.is_dated(clause) {
            return None;
        }
        let own = self.context.own.iter().map(|known| (Thing::Own, known));
        let wanted = self.context.wanted.iter();
        let wanted = wanted.map(|known| (Thing::Wanted, known));
        let mut known = own
            .chain(wanted)
            .filter(|(_, (slot, _))| self.is_amount(slot));
        known.find_map(|(thing, (slot, value))| {
            let SlotValue::Integer(value) = value else {
                return None;
            };
            let right = [(first, second), (second, first)];
            let right = right.into_iter().find_map(|(wrong, right)| {
                let mut scales = SCALES.into_iter();
                let scale = scales.find(|scale| wrong * scale == *value)?;
                Some(right * scale)
            })?;
            Some(Correct {
                thing,
                not: Vec::new(),
                instead: vec![Told {
                    slot: slot.clone(),
                    any_of: vec![SlotValue::Integer(right)],
                    came_with: None,
                    rather: false,
                    also: false,
                }],
                indifferent: Vec::new(),
            })
        })
    }

    fn is_amount(&self, name: &str) -> bool {
        let mut slots = self.understander.slots.iter();
        slots.any(|slot| match &slot.kind {
            SlotKind::Amount(names) => names.min.iter().chain(&names.max).any(|one| one == name),
            _ => false,
        })
    }
}
