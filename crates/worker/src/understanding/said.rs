//! The values that a message names, each with the thing that it is said of.

use shared_types::SlotValue;

use super::Understander;
use super::amounts::resolve;
use super::lattice::Span;
use super::mentions::{Mention, Named, Role};
use super::reading::Reading;
use super::slots::{Scene, value_of};
use crate::dialogue::act::{Context, Thing, Told};
use crate::domain::{About, Slot, SlotKind};

/// A value that is said.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) slot: String,
    pub(super) value: SlotValue,
    pub(super) thing: Thing,
    pub(super) span: Span,
    pub(super) negated: bool,
    /// The slot that brought it, as a model brings its make.
    pub(super) came_with: Option<String>,
    /// A number, which a question never tells.
    pub(super) number: bool,
}

/// What decides of which thing something is said, where the words do not.
pub(super) struct Sides<'a> {
    pub(super) understander: &'a Understander,
    pub(super) reading: &'a Reading,
    pub(super) context: &'a Context<'a>,
    /// Which thing the goal of the clause is about; none when it pursues none.
    pub(super) about: Option<About>,
    /// The clause looks for something, or asks whether it is there.
    pub(super) seeks: bool,
}

impl Sides<'_> {
    /// Everything said in a clause. `closed`: the intent whose messages leave some slots empty.
    pub(super) fn said(&self, clause: Span, intent: usize) -> Vec<Said> {
        let about = self.about.unwrap_or(About::Wanted);
        let slots = &self.understander.slots;
        let scene = Scene::new(slots, about, self.reading);
        let inside = |span: Span| clause.start <= span.start && span.start < clause.end;
        let mut said = Vec::new();
        let mentions = self.reading.mentions.iter();
        let mut plates = mentions.filter(|mention| matches!(mention.named, Named::Text(_)));
        let has_plate = plates.any(|plate| inside(plate.span));
        for mention in self
            .reading
            .mentions
            .iter()
            .filter(|mention| inside(mention.span))
        {
            let thing = match (scene.role_at(mention.span), &mention.named) {
                // Who writes a plate writes that of the own thing, and names it.
                (Role::Open, _) if has_plate => Thing::Own,
                (role, _) => self.thing(role, mention.span),
            };
            said.extend(self.named(slots, mention, thing));
        }
        let quantities: Vec<_> = self
            .reading
            .quantities
            .iter()
            .filter(|quantity| inside(quantity.span))
            .cloned()
            .collect();
        let is_closed = |place: usize| {
            let slot = slots.get(place);
            slot.is_some_and(|slot| slot.not_for.contains(&intent))
        };
        let amounts = resolve(slots, &quantities, &self.reading.surroundings, is_closed);
        let no_price = |place: usize| self.is_of_own_talk(place);
        let told = amounts
            .iter()
            .filter(|amount| !amount.ignored && !no_price(amount.slot));
        for amount in told {
            let Some(SlotKind::Amount(names) | SlotKind::Year(names)) =
                slots.get(amount.slot).map(|slot| &slot.kind)
            else {
                continue;
            };
            let thing = match self.is_of_wanted(amount.slot) {
                true => Thing::Wanted,
                false if self.is_known_of_own(amount.slot, amount.span) => Thing::Own,
                false => self.thing(scene.role_at(amount.span), amount.span),
            };
            for (name, value) in [(&names.min, amount.low), (&names.max, amount.high)] {
                if let (Some(name), Some(value)) = (name, value) {
                    said.push(Said {
                        slot: name.clone(),
                        value: SlotValue::Integer(value),
                        thing,
                        span: amount.span,
                        negated: false,
                        came_with: None,
                        number: true,
                    });
                }
            }
        }
        said.sort_by_key(|said| said.span);
        said
    }

    /// The values of a mention: a model brings its make.
    fn named(&self, slots: &[Slot], mention: &Mention, thing: Thing) -> Vec<Said> {
        let Some(slot) = slots.get(mention.slot) else {
            return Vec::new();
        };
        let said = |name: String, value: SlotValue, came_with: Option<String>| Said {
            slot: name,
            value,
            thing,
            span: mention.span,
            negated: mention.negated,
            came_with,
            number: false,
        };
        let mut all = Vec::new();
        if let (
            SlotKind::Catalogue(catalogue),
            Named::Name {
                make,
                model: Some(_),
            },
        ) = (&slot.kind, &mention.named)
            && !mention.negated
            && let Some(make) = catalogue.makes.get(*make)
        {
            let value = SlotValue::Text(make.name.clone());
            all.push(said(
                catalogue.upper.clone(),
                value,
                Some(catalogue.lower.clone()),
            ));
        }
        all.extend(value_of(slot, mention).map(|(name, value)| said(name, value, None)));
        all
    }

    /// Whether an amount is known of the own thing alone, so that another one without a bound corrects it.
    fn is_known_of_own(&self, slot: usize, span: Span) -> bool {
        let slot = self.understander.slots.get(slot);
        let Some(SlotKind::Amount(names)) = slot.map(|slot| &slot.kind) else {
            return false;
        };
        let knows = |known: &[(String, SlotValue)]| {
            let mut names = names.min.iter().chain(&names.max);
            names.any(|name| known.iter().any(|(slot, _)| slot == name))
        };
        let mut ends = self.reading.surroundings.ends().iter();
        let bounded = ends.any(|end| end.numbers.contains(&span));
        !bounded && knows(self.context.own) && !knows(self.context.wanted)
    }

    /// Whether money that is named belongs to what is done with the own thing: a bill is no budget.
    fn is_of_own_talk(&self, slot: usize) -> bool {
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

    /// Whether a slot is told of nothing that the customer has: a budget.
    fn is_of_wanted(&self, slot: usize) -> bool {
        let not_for = self.understander.slots.get(slot).map(|slot| &slot.not_for);
        let intents = &self.understander.intents;
        let mut closed = not_for.into_iter().flatten();
        closed.any(|intent| {
            let intent = intents.get(*intent);
            intent.is_some_and(|intent| intent.about == About::Own)
        })
    }

    /// Of which thing something is said: as the words around tell; else a name that is known keeps
    /// its side; else the side of the goal that is pursued.
    fn thing(&self, role: Role, span: Span) -> Thing {
        match role {
            Role::Own => Thing::Own,
            Role::Wanted => Thing::Wanted,
            Role::Open => self.known(span).unwrap_or_else(|| self.pursued()),
        }
    }

    fn known(&self, span: Span) -> Option<Thing> {
        let slots = &self.understander.slots;
        let named = self
            .reading
            .mentions
            .iter()
            .filter(|mention| mention.make().is_some());
        let nearest = named.min_by_key(|mention| mention.span.start.abs_diff(span.start))?;
        let (name, value) = value_of(slots.get(nearest.slot)?, nearest)?;
        let holds = |known: &[(String, SlotValue)]| {
            known
                .iter()
                .any(|(slot, known)| *slot == name && *known == value)
        };
        if holds(self.context.own) && !holds(self.context.wanted) {
            return Some(Thing::Own);
        }
        holds(self.context.wanted).then_some(Thing::Wanted)
    }

    pub(super) fn pursued(&self) -> Thing {
        let of_talk = || {
            let goal = self.context.goal?;
            let mut intents = self.understander.intents.iter();
            intents
                .find(|intent| intent.name == goal)
                .map(|intent| intent.about)
        };
        match self.about.or_else(of_talk) {
            Some(About::Own) => Thing::Own,
            // Who complains speaks of what he bought.
            None if self.context.complains => Thing::Own,
            _ => Thing::Wanted,
        }
    }
}

/// Values by slot: those of one slot are its alternatives.
pub(super) fn told<'s>(
    said: impl Iterator<Item = &'s Said>,
    rather: bool,
    also: bool,
) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for said in said {
        let known = all.iter_mut().find(|told| told.slot == said.slot);
        match known {
            Some(told) if told.any_of.contains(&said.value) => {}
            Some(told) => {
                told.any_of.push(said.value.clone());
                told.came_with = told.came_with.take().filter(|_| said.came_with.is_some());
            }
            None => all.push(Told {
                slot: said.slot.clone(),
                any_of: vec![said.value.clone()],
                came_with: said.came_with.clone(),
                rather,
                also,
            }),
        }
    }
    all
}
