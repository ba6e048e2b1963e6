//! A certain thing that is for sale, and what tells it from others.

use super::Update;
use crate::dialogue::act::{Act, Does, Thing, Told};
use crate::dialogue::wish::{Wish, Wishes};
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
    fn turn_away(&mut self, names_given: &[String]) -> bool {
        let described = std::mem::take(&mut self.state.described);
        let left: Wishes = described
            .iter()
            .filter_map(|slot| self.state.wanted.remove_entry(slot))
            .collect();
        let names = self.catalogues.iter();
        let names = names.flat_map(|(upper, lower)| [lower, upper]);
        let called: Vec<(String, Wish)> = names
            .filter_map(|slot| Some((slot.clone(), self.state.wanted.get(slot)?.clone())))
            .collect();
        let first = called.first().and_then(|(_, wish)| wish.any_of.first());
        if let Some(name) = first.map(ToString::to_string)
            && self.state.definite
            && self.state.aside.len() < ASIDE
        {
            let left = left.into_iter().chain(called.clone()).collect();
            self.state.aside.insert(name, left);
        }
        // A make alone names the one of that make.
        let is_lower = |name: &&String| {
            let mut lower = self.catalogues.iter().map(|(_, lower)| lower);
            lower.any(|slot| gives(self.heard.acts, slot, name))
        };
        let lower: Vec<&String> = names_given.iter().filter(is_lower).collect();
        let meant = match lower.is_empty() {
            true => names_given.iter().collect(),
            false => lower,
        };
        let is_called = |known: &Wishes| {
            let slots = self.catalogues.iter();
            let mut slots = slots.flat_map(|(upper, lower)| [lower, upper]);
            slots.any(|slot| {
                let called = known.get(slot).and_then(|wish| wish.any_of.first());
                called.is_some_and(|called| meant.iter().any(|name| **name == called.to_string()))
            })
        };
        let aside = self.state.aside.iter();
        let back = aside.filter(|(_, known)| is_called(known));
        let back: Vec<String> = back.map(|(name, _)| name.clone()).collect();
        for name in &back {
            let known = self.state.aside.remove(name).unwrap_or_default();
            let of_names = |slot: &String| called.iter().any(|(name, _)| name == slot);
            let told = known.keys().filter(|slot| !of_names(slot));
            self.state.described.extend(told.cloned());
            self.state.wanted.extend(known);
        }
        !back.is_empty()
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

/// Whether a message gives a slot this value.
fn gives(acts: &[Act], slot: &str, value: &str) -> bool {
    let mut told = acts.iter().flat_map(told_of_wanted);
    told.any(|told| {
        let mut values = told.any_of.iter().map(ToString::to_string);
        told.slot == *slot && values.any(|one| one == value)
    })
}
