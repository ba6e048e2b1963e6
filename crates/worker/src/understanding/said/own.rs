//! What is said of the thing that the customer has, where no word beside it tells.

use shared_types::SlotValue;

use super::Sides;
use crate::domain::{About, Amount, SlotKind, SlotRule};
use crate::understanding::amounts::{AmountMention, resolve};
use crate::understanding::lattice::Span;
use crate::understanding::mentions::{Mention, Named, Role};

impl Sides<'_> {
    /// "Er hat 87.000 km, Benzin": an amount without a bound tells of the own thing that is named and
    /// whose amount is not known, while something is done with it. A wish has bounds.
    pub(super) fn tells_of_own(&self, clause: Span) -> bool {
        let slots = &self.understander.slots;
        let mut names = self.reading.mentions.iter();
        let names_one = names.any(|name| clause.covers(name.span) && name.make().is_some());
        let spoken = self.context.spoke_of_own;
        if self.seeks
            || self.wishes
            || names_one
            || !self.knows_name(self.context.own)
            || !(spoken
                || self.context.complains
                || self.context.goals.iter().any(|goal| self.is_of_own(goal)))
        {
            return false;
        }
        let quantities = self.reading.quantities.iter();
        let inside = quantities.filter(|quantity| clause.covers(quantity.span));
        let inside: Vec<_> = inside.cloned().collect();
        if inside.iter().any(|quantity| self.is_bounded(quantity.span)) {
            return false;
        }
        // "Benzine, en een automaat", behind "ik rij nu een Astra".
        let mut mentions = self.reading.mentions.iter();
        let wanted = |one: &Mention| {
            let slot = slots.get(one.slot).map(|slot| &slot.name);
            let mut wanted = self.context.wanted.iter();
            wanted.any(|(known, _)| Some(known) == slot)
        };
        let describes = mentions.any(|one| {
            clause.covers(one.span) && matches!(one.named, Named::Value(_)) && !wanted(one)
        });
        if describes && spoken && self.about != Some(About::Wanted) {
            return true;
        }
        let amounts = resolve(slots, &inside, &self.reading.surroundings, |_| false);
        let mut amounts = amounts.iter().filter(|amount| !amount.ignored);
        amounts.any(|amount| {
            let knows = |known: &[(String, SlotValue)], name: &Option<String>| {
                let mut known = known.iter();
                known.any(|(slot, _)| name.as_ref() == Some(slot))
            };
            match slots.get(amount.slot).map(|slot| &slot.kind) {
                Some(SlotKind::Amount(names)) => {
                    names.min.is_none() && (spoken || !knows(self.context.wanted, &names.max))
                }
                Some(SlotKind::Year(_)) => spoken,
                _ => false,
            }
        })
    }

    /// "Mijn auto maakt een raar geluid. Seat Ibiza 2016": a name that stands by itself is that of the
    /// own thing that had none.
    pub(super) fn names_own(&self, clause: Span) -> bool {
        let slots = self.understander.slots.iter().enumerate();
        let mut catalogues = slots.filter(|(_, slot)| matches!(slot.kind, SlotKind::Catalogue(_)));
        let named = |span: Span| {
            let mut mentions = self.reading.mentions.iter();
            mentions.any(|mention| mention.span.overlaps(span))
        };
        let unnamed = catalogues.any(|(place, _)| {
            let surroundings = &self.reading.surroundings;
            let mut own = surroundings.captured(place, SlotRule::Own);
            own.any(|span| !named(span)) && !surroundings.any(place, SlotRule::Wanted)
        });
        let has_none = !self.knows_name(self.context.own) && !self.knows_name(self.context.wanted);
        let spoken = self.context.spoke_of_own && has_none;
        let unnamed = unnamed || spoken;
        let told = |at: usize| {
            let at = Span::new(at, at + 1);
            let mut quantities = self.reading.quantities.iter();
            named(at) || quantities.any(|quantity| quantity.span.overlaps(at))
        };
        let words = clause.start..clause.end;
        let mut rest = words.filter(|at| !told(*at) && !self.reading.lattice.is_filler(*at));
        // "Mazda 3 uit 2013": a word between the two says nothing else.
        let inside = |at: usize| clause.start < at && at + 1 < clause.end;
        // "It is a Volvo V50", of the one that was spoken of.
        let plain = |at: usize| self.reading.frequent.get(at) == Some(&true);
        let plain = spoken && !self.wishes && rest.clone().all(plain);
        let one = rest.next();
        let alone = plain || one.is_none_or(inside) && rest.next().is_none();
        unnamed && !self.seeks && alone
    }

    /// "Got a Polo, 2015, 121k km" of who trades one in and has not said which: an amount that is read off
    /// something. A wish is a round number, and an advertisement has a price.
    pub(super) fn reads_off(&self, clause: Span) -> bool {
        let slots = &self.understander.slots;
        let names = |name: &Mention| clause.covers(name.span) && name.make().is_some();
        let mut mentions = self.reading.mentions.iter();
        let mut goals = self.context.goals.iter();
        let of_own = self.about == Some(About::Own) || goals.any(|goal| self.is_of_own(goal));
        let known = self.knows_name(self.context.own);
        if self.seeks
            || self.wishes
            || known
            || !of_own
            || !mentions.any(|name| names(name) && name.role != Role::Wanted)
        {
            return false;
        }
        let quantities = self.reading.quantities.iter();
        let inside = quantities.filter(|quantity| clause.covers(quantity.span));
        let inside: Vec<_> = inside.cloned().collect();
        let mut amounts = resolve(slots, &inside, &self.reading.surroundings, |_| false);
        amounts.retain(|amount| !amount.ignored);
        let exact = |amount: &AmountMention| {
            let kind = slots.get(amount.slot).map(|slot| &slot.kind);
            let Some(SlotKind::Amount(Amount {
                round: Some(round), ..
            })) = kind
            else {
                return false;
            };
            amount.high.is_some_and(|value| value % round != 0)
        };
        let wished = |one: &AmountMention| self.is_of_wanted(one.slot) || self.is_bounded(one.span);
        !amounts.iter().any(wished) && amounts.iter().any(exact)
    }

    /// Whether a goal is about what the customer has.
    fn is_of_own(&self, goal: &str) -> bool {
        let mut intents = self.understander.intents.iter();
        intents.any(|intent| intent.name == *goal && intent.about == About::Own)
    }

    /// Whether an amount is known of the own thing alone, so that another one without a bound corrects it.
    pub(super) fn is_known_of_own(&self, slot: usize, span: Span) -> bool {
        let slot = self.understander.slots.get(slot);
        let Some(SlotKind::Amount(names)) = slot.map(|slot| &slot.kind) else {
            return false;
        };
        let knows = |known: &[(String, SlotValue)]| {
            let mut names = names.min.iter().chain(&names.max);
            names.any(|name| known.iter().any(|(slot, _)| slot == name))
        };
        !self.is_bounded(span) && knows(self.context.own) && !knows(self.context.wanted)
    }

    /// Whether money that is named belongs to what is done with the own thing: a bill is no budget.
    pub(super) fn is_of_own_talk(&self, slot: usize) -> bool {
        let slot = self.understander.slots.get(slot);
        let intents = &self.understander.intents;
        let goal = intents
            .iter()
            .position(|intent| Some(intent.name.as_str()) == self.context.goal);
        let closed = goal
            .zip(slot)
            .is_some_and(|(goal, slot)| slot.not_for.contains(&goal));
        (closed || self.context.complains)
            && self.context.wanted.is_empty()
            && self.about != Some(About::Wanted)
            && !self.seeks
            && slot.is_some_and(|slot| !slot.not_for.is_empty())
    }
}
