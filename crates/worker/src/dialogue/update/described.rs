//! A certain thing that is for sale, and what tells it from others.

use super::Update;
use crate::dialogue::act::{Act, Does, Thing, Told};
use crate::dialogue::wish::Wishes;
use crate::domain::{About, SlotKind};

/// So many things that the customer turned away from are remembered.
const ASIDE: usize = 8;

impl Update<'_> {
    /// Whether the wanted thing is a certain one; naming another one begins anew.
    pub(super) fn mean_one(&mut self) {
        let catalogues = &self.catalogues;
        let of_catalogue = |slot: &String| {
            let mut names = catalogues.iter();
            names.any(|(upper, lower)| slot == upper || slot == lower)
        };
        let names_another = |told: &Told| {
            let known = self.state.wanted.get(&told.slot);
            of_catalogue(&told.slot) && known.is_none_or(|known| known.any_of != told.any_of)
        };
        let named = || self.heard.acts.iter().flat_map(told_of_wanted);
        let definite = |act: &Act| matches!(&act.does, Does::Request { definite: true, .. });
        let another = named().any(names_another);
        let definite = self.heard.acts.iter().any(definite);
        let mut returns = false;
        if another {
            let names = named().filter(|told| of_catalogue(&told.slot) && !told.also);
            let names: Vec<String> = names
                .flat_map(|told| told.any_of.iter().map(ToString::to_string))
                .collect();
            returns = self.turn_away(&names);
        }
        self.state.definite = definite || returns || self.state.definite && !another;
    }

    /// What described a certain thing is put aside with it, and holds again for who comes back to it;
    /// whether the customer does.
    fn turn_away(&mut self, names: &[String]) -> bool {
        let described = std::mem::take(&mut self.state.described);
        let left: Wishes = described
            .iter()
            .filter_map(|slot| self.state.wanted.remove_entry(slot))
            .collect();
        let catalogues = self.catalogues.iter();
        let lower = catalogues
            .filter_map(|(_, lower)| self.state.wanted.get(lower)?.any_of.first())
            .next()
            .map(ToString::to_string);
        if let Some(name) = lower.filter(|_| !left.is_empty() && self.state.aside.len() < ASIDE) {
            self.state.aside.insert(name, left);
        }
        let aside = &mut self.state.aside;
        let known: Vec<Wishes> = names.iter().filter_map(|name| aside.remove(name)).collect();
        let returns = !known.is_empty();
        for known in known {
            self.state.described.extend(known.keys().cloned());
            self.state.wanted.extend(known);
        }
        returns
    }

    /// Notes what a certain thing is described by as it is named: what it is like, and not what it may
    /// cost.
    pub(super) fn describe(&mut self) {
        let catalogues = self.catalogues.iter();
        let mut names = catalogues.flat_map(|(upper, lower)| [upper, lower]);
        let mut told = self.heard.acts.iter().flat_map(told_of_wanted);
        let is_named = names.any(|name| told.any(|told| told.slot == *name));
        if !self.state.definite || !is_named {
            return;
        }
        let describes = |slot: &String| {
            self.domain.slots.iter().any(|known| match &known.kind {
                SlotKind::Choice { .. } => known.name == *slot,
                SlotKind::Year(names) => [&names.min, &names.max].contains(&&Some(slot.clone())),
                _ => false,
            })
        };
        let wanted = self
            .dues
            .changes
            .iter()
            .filter(|(about, _)| *about == About::Wanted);
        let told = wanted.flat_map(|(_, changes)| changes.set.keys());
        let told: Vec<String> = told.filter(|slot| describes(slot)).cloned().collect();
        self.state.described.extend(told);
    }
}

/// What an act tells of the wanted thing.
fn told_of_wanted(act: &Act) -> &[Told] {
    match &act.does {
        Does::Inform(inform) if inform.thing == Thing::Wanted => &inform.values,
        Does::Correct(correct) if correct.thing == Thing::Wanted => &correct.instead,
        _ => &[],
    }
}
