//! The values that a message names, each with the thing that it is said of.

use shared_types::SlotValue;

mod ages;
mod own;
mod wanted;

use super::Understander;
use super::amounts::{AmountMention, resolve};
use super::lattice::Span;
use super::mentions::{Mention, Named, Role};
use super::reading::Reading;
use super::slots::{Scene, value_of};
use super::tokens::Kind;
use crate::dialogue::act::{Context, Thing, Told};
use crate::domain::{About, Negation, Slot, SlotKind};

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
    /// It is an end of a range: a wish, however it is put.
    pub(super) bounded: bool,
}

/// What a clause is as a whole.
#[derive(Clone, Copy)]
struct Telling {
    /// It is nothing but the name of the own thing.
    names_own: bool,
    /// It tells of the own thing.
    of_own: bool,
    /// It says what is wanted.
    wishes: bool,
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
    /// The clause says what is wanted, or rather wanted.
    pub(super) wishes: bool,
}

impl Sides<'_> {
    /// Everything said in a clause. `closed`: the intent whose messages leave some slots empty.
    pub(super) fn said(&self, clause: Span, intent: usize) -> Vec<Said> {
        let about = self.about.unwrap_or(About::Wanted);
        let slots = &self.understander.slots;
        let scene = Scene::new(slots, about, self.reading);
        let inside = |span: Span| clause.start <= span.start && span.start < clause.end;
        let quantities = self.reading.quantities.iter();
        let quantities: Vec<_> = quantities
            .filter(|quantity| inside(quantity.span))
            .cloned()
            .collect();
        let mentions = self.reading.mentions.iter();
        let mut mentions: Vec<&Mention> = mentions.filter(|one| inside(one.span)).collect();
        mentions.sort_by_key(|mention| mention.span);
        let has_plate = mentions
            .iter()
            .any(|mention| matches!(mention.named, Named::Text(_)));
        let bounded = || quantities.iter().any(|number| self.is_bounded(number.span));
        let names_own = self.names_own(clause);
        let told = Telling {
            names_own,
            of_own: has_plate || names_own || self.tells_of_own(clause) || self.reads_off(clause),
            wishes: self.seeks || self.wishes || bounded(),
        };
        let mut said = Vec::new();
        for mention in mentions {
            let thing = self.thing_of_mention(mention, &scene, told);
            said.extend(self.named(slots, mention, thing));
        }
        // "15,000 at most, and we trade the Clio in": a bound is that of the wish that is known, or told.
        let tells_wish = || self.seeks || self.names_wanted();
        let of_wish = bounded() && (!self.context.wanted.is_empty() || tells_wish());
        let is_closed = |place: usize| {
            let slot = slots.get(place);
            slot.is_some_and(|slot| slot.not_for.contains(&intent) && !of_wish)
        };
        let amounts = resolve(slots, &quantities, &self.reading.surroundings, is_closed);
        let no_price = |place: usize| self.is_of_own_talk(place);
        let amounts = amounts
            .iter()
            .filter(|amount| !amount.ignored && !no_price(amount.slot));
        let amounts: Vec<&AmountMention> = amounts.collect();
        let surroundings = &self.reading.surroundings;
        let denials = surroundings.negations(Negation::Around);
        let deniers = surroundings.negations(Negation::Before);
        for amount in &amounts {
            // "2015 klopt niet, hij is van 2016" says another one; "niet boven 10.000" is a bound.
            let denied = denials.iter().any(|span| span.covers(amount.span))
                || deniers.iter().any(|span| span.end == amount.span.start);
            let negated = denied && self.has_another(amount.slot);
            let Some(SlotKind::Amount(names) | SlotKind::Year(names)) =
                slots.get(amount.slot).map(|slot| &slot.kind)
            else {
                continue;
            };
            let thing = self.thing_of_amount(amount, &scene, told);
            for (name, value) in [(&names.min, amount.low), (&names.max, amount.high)] {
                if let (Some(name), Some(value)) = (name, value) {
                    said.push(Said {
                        slot: name.clone(),
                        value: SlotValue::Integer(value),
                        thing,
                        span: amount.span,
                        negated,
                        came_with: None,
                        number: true,
                        bounded: self.is_bounded(amount.span),
                    });
                }
            }
        }
        said.extend(self.ages(clause));
        said.sort_by_key(|said| said.span);
        said
    }

    /// Whether the message says more than one amount for a slot.
    fn has_another(&self, slot: usize) -> bool {
        let all = &self.reading.quantities;
        let amounts = resolve(
            &self.understander.slots,
            all,
            &self.reading.surroundings,
            |_| false,
        );
        let others = amounts.iter().filter(|other| other.slot == slot);
        others.count() > 1
    }

    fn thing_of_mention(&self, mention: &Mention, scene: &Scene<'_>, told: Telling) -> Thing {
        let is_open = mention.role == Role::Open;
        // "A BMW 218 Active Tourer": the model behind its make is of the same one.
        let mut others = self.reading.mentions.iter();
        let number = mention.span.start.checked_sub(1).filter(|at| {
            let token = self.reading.tokens.get(*at);
            token.is_some_and(|token| token.kind == Kind::Number)
        });
        let make = others.find(|other| {
            (other.span.end == mention.span.start || Some(other.span.end) == number)
                && other.make().is_some()
                && other.make() == mention.make()
        });
        if let Some(make) = make.filter(|_| is_open) {
            return self.thing_of_mention(make, scene, told);
        }
        match (scene.role_at(mention.span), &mention.named) {
            // "I'd trade it in for something electric".
            (_, Named::Value(_)) if self.is_named_as_wanted(mention.span) => Thing::Wanted,
            // "No electric, we can't charge at our flat": the own one is not said to be none.
            (_, Named::Value(_)) if mention.negated && self.excludes(mention, told) => {
                Thing::Wanted
            }
            // Who writes a plate writes that of the own thing, and names it.
            (Role::Open, _) if told.of_own => Thing::Own,
            _ if told.names_own && is_open => Thing::Own,
            (Role::Open, Named::Value(_)) if self.wishes_for_known() => Thing::Wanted,
            // "Unser Golf ist zu klein. Irgendwas mit Automatik, bis 18000": the next one.
            (Role::Own, Named::Value(_))
                if told.wishes && is_open && scene.is_of_other_sentence(mention.span) =>
            {
                Thing::Wanted
            }
            (role, _) => self.thing(role, mention.span),
        }
    }

    fn thing_of_amount(&self, amount: &AmountMention, scene: &Scene<'_>, told: Telling) -> Thing {
        if self.is_of_wanted(amount.slot) {
            return Thing::Wanted;
        }
        if told.of_own || self.is_known_of_own(amount.slot, amount.span) {
            return Thing::Own;
        }
        let role = scene.role_at(amount.span);
        // "Bouwjaar 2020 of nieuwer": who bounds it wishes.
        let bounds = self.is_bounded(amount.span) && role == Role::Open;
        if bounds && !self.context.wanted.is_empty() {
            return Thing::Wanted;
        }
        self.thing(role, amount.span)
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
            bounded: false,
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

    /// "I'd want the estate": said of what is wanted, whatever is pursued, where that is known.
    fn wishes_for_known(&self) -> bool {
        self.wishes && self.about.is_none() && !self.context.wanted.is_empty()
    }

    fn is_bounded(&self, span: Span) -> bool {
        let mut ends = self.reading.surroundings.ends().iter();
        ends.any(|end| end.numbers.contains(&span))
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
        let of_own = holds(self.context.own) || self.completes_own(nearest);
        if of_own && !holds(self.context.wanted) {
            return Some(Thing::Own);
        }
        // Who has a Fiesta and names a Mokka does not speak of the Fiesta.
        (holds(self.context.wanted) || self.knows_name(self.context.own)).then_some(Thing::Wanted)
    }

    /// "I want to sell his Volvo. It is a V70": a model of the make of the own thing that had none.
    fn completes_own(&self, mention: &Mention) -> bool {
        let slot = self.understander.slots.get(mention.slot);
        let (
            Some(SlotKind::Catalogue(names)),
            Named::Name {
                make,
                model: Some(_),
            },
        ) = (slot.map(|slot| &slot.kind), &mention.named)
        else {
            return false;
        };
        let own = |name: &String| self.context.own.iter().find(|(slot, _)| slot == name);
        let make = names.makes.get(*make).map(|make| make.name.as_str());
        let of_make = own(&names.upper).is_some_and(|(_, known)| {
            make.is_some_and(|make| *known == SlotValue::Text(make.to_owned()))
        });
        of_make && own(&names.lower).is_none()
    }

    /// Whether it is known what a thing is called.
    fn knows_name(&self, known: &[(String, SlotValue)]) -> bool {
        let slots = self.understander.slots.iter();
        let mut names = slots.filter_map(|slot| match &slot.kind {
            SlotKind::Catalogue(names) => Some(names),
            _ => None,
        });
        names.any(|names| known.iter().any(|(slot, _)| *slot == names.upper))
    }

    pub(super) fn pursued(&self) -> Thing {
        let of_talk = || {
            let goal = self.context.goal?;
            let mut intents = self.understander.intents.iter();
            intents
                .find(|intent| intent.name == goal)
                .map(|intent| intent.about)
        };
        let looks_for_nothing = !self.seeks && !self.wishes && self.context.wanted.is_empty();
        match self.about.or_else(of_talk) {
            Some(About::Own) => Thing::Own,
            // Who complains and looks for nothing speaks of what he bought.
            None if self.context.complains => Thing::Own,
            _ if self.context.complains && looks_for_nothing => Thing::Own,
            _ => Thing::Wanted,
        }
    }
}

/// Values by slot: those of one slot are its alternatives.
pub(super) fn told<'s>(
    said: impl Iterator<Item = &'s Said>,
    rather: bool,
    also: impl Fn(&Said) -> bool,
) -> Vec<Told> {
    let said: Vec<&Said> = said.collect();
    // "Around 15k, 17 at most": the bound holds.
    let bounded = |one: &Said| {
        let mut others = said.iter();
        others.any(|other| other.number && other.bounded && other.slot == one.slot)
    };
    let mut all: Vec<Told> = Vec::new();
    for said in said
        .iter()
        .filter(|one| !one.number || one.bounded || !bounded(one))
    {
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
                also: also(said),
            }),
        }
    }
    all
}
