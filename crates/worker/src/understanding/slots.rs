//! Puts together the slots of a message, once it is known what the customer wants.

use shared_types::{SlotValue, Slots};

use super::amounts::{AmountMention, resolve};
use super::lattice::Span;
use super::mentions::{Mention, Named, Role};
use super::reading::Reading;
use super::tokens::Boundary;
use crate::domain::{About, Amount, Intent, Slot, SlotKind, SlotRule};

/// The slots of a message with this intent.
pub(super) fn assemble(
    slots: &[Slot],
    intent_place: usize,
    intent: &Intent,
    reading: &Reading,
) -> Slots {
    let mut filled = Slots::new();
    if !intent.has_slots {
        return filled;
    }
    let is_closed = |place: usize| {
        slots
            .get(place)
            .is_some_and(|slot| slot.not_for.contains(&intent_place))
    };
    let scene = Scene::new(slots, intent.about, reading);
    for (place, slot) in slots
        .iter()
        .enumerate()
        .filter(|(place, _)| !is_closed(*place))
    {
        match &slot.kind {
            SlotKind::Catalogue(_) => scene.name_it(place, slot, &mut filled),
            SlotKind::Choice { .. } => {
                let mention = scene.relevant(place).next();
                filled.extend(mention.and_then(|mention| value_of(slot, mention)));
            }
            SlotKind::Plate { .. } => {
                let own = |mention: &&Mention| {
                    intent.about == About::Own
                        || reading
                            .surroundings
                            .is_captured_by(place, SlotRule::Own, mention.span)
                };
                let plate = reading
                    .mentions
                    .iter()
                    .filter(|mention| mention.slot == place)
                    .find(own);
                filled.extend(plate.and_then(|mention| value_of(slot, mention)));
            }
            SlotKind::Amount(_) | SlotKind::Year(_) => {}
        }
    }
    let amounts = resolve(slots, &reading.quantities, &reading.surroundings, is_closed);
    for mention in amounts.iter().filter(|mention| !mention.ignored) {
        fill_amount(slots, &scene, mention, &mut filled);
    }
    filled
}

/// What the message says it is not: slot names and values.
pub(super) fn negated(slots: &[Slot], reading: &Reading) -> Vec<(String, SlotValue)> {
    let negated = reading.mentions.iter().filter(|mention| mention.negated);
    let valued = negated.filter_map(|mention| value_of(slots.get(mention.slot)?, mention));
    valued.collect()
}

pub(super) fn value_of(slot: &Slot, mention: &Mention) -> Option<(String, SlotValue)> {
    let text = |value: &str| SlotValue::Text(value.to_owned());
    match (&slot.kind, &mention.named) {
        (SlotKind::Choice { values, .. }, Named::Value(place)) => {
            Some((slot.name.clone(), text(values.get(*place)?)))
        }
        (SlotKind::Catalogue(catalogue), Named::Name { make, model }) => {
            let make = catalogue.makes.get(*make)?;
            match model.and_then(|model| make.models.get(model)) {
                Some(model) => Some((catalogue.lower.clone(), text(&model.name))),
                None => Some((catalogue.upper.clone(), text(&make.name))),
            }
        }
        (_, Named::Text(value)) => Some((slot.name.clone(), text(value))),
        _ => None,
    }
}

/// A number goes into its slots unless it is of another car, or the slot has one.
fn fill_amount(slots: &[Slot], scene: &Scene<'_>, mention: &AmountMention, filled: &mut Slots) {
    let Some(slot) = slots.get(mention.slot) else {
        return;
    };
    let (amount, attached): (&Amount, bool) = match &slot.kind {
        SlotKind::Amount(amount) => (amount, amount.min.is_none()),
        SlotKind::Year(amount) => (amount, true),
        _ => return,
    };
    if attached && !scene.concerns(mention.span) {
        return;
    }
    let ends = [(&amount.min, mention.low), (&amount.max, mention.high)];
    let taken = ends.iter().any(|(name, value)| {
        value.is_some() && name.as_ref().is_some_and(|name| filled.contains_key(name))
    });
    if taken {
        return;
    }
    for (name, value) in ends {
        if let (Some(name), Some(value)) = (name, value) {
            filled.insert(name.clone(), SlotValue::Integer(value));
        }
    }
}

/// The things that a message is about, and which of them counts.
pub(super) struct Scene<'r> {
    reading: &'r Reading,
    things: Vec<Thing>,
    target: Option<Role>,
}

/// Something named by name (a Golf), or only as somebody's ("my car").
#[derive(Debug, Clone, Copy)]
struct Thing {
    span: Span,
    role: Role,
}

impl<'r> Scene<'r> {
    pub(super) fn new(slots: &[Slot], about: About, reading: &'r Reading) -> Self {
        let catalogues = slots.iter().enumerate();
        let catalogue = catalogues.filter(|(_, slot)| matches!(slot.kind, SlotKind::Catalogue(_)));
        let mut things = Vec::new();
        for (place, _) in catalogue {
            let named = reading
                .mentions
                .iter()
                .filter(|mention| mention.slot == place && !mention.negated);
            things.extend(named.map(|mention| Thing {
                span: mention.span,
                role: mention.role,
            }));
            for (rule, role) in [(SlotRule::Own, Role::Own), (SlotRule::Wanted, Role::Wanted)] {
                for span in reading.surroundings.captured(place, rule) {
                    let known = reading
                        .mentions
                        .iter()
                        .any(|mention| mention.span.overlaps(span));
                    if !known {
                        things.push(Thing { span, role });
                    }
                }
            }
        }
        things.sort_by_key(|thing| thing.span);
        let has = |things: &[Thing], role: Role| things.iter().any(|thing| thing.role == role);
        let own_is_named = reading
            .mentions
            .iter()
            .any(|mention| mention.role == Role::Own && !mention.negated);
        let open = match (has(&things, Role::Own), has(&things, Role::Wanted), about) {
            (true, _, About::Own) if !own_is_named => Role::Own,
            (true, _, _) => Role::Wanted,
            (false, true, About::Own) => Role::Own,
            (false, true, About::Wanted) => Role::Wanted,
            (false, false, _) => Role::Open,
        };
        for thing in things.iter_mut().filter(|thing| thing.role == Role::Open) {
            thing.role = open;
        }
        let wished = match about {
            About::Wanted => Role::Wanted,
            About::Own => Role::Own,
        };
        let target = has(&things, wished).then_some(wished);
        Self {
            reading,
            things,
            target,
        }
    }

    /// Whether what stands here is said of the thing that counts.
    fn concerns(&self, span: Span) -> bool {
        let Some(target) = self.target else {
            return true;
        };
        self.thing_of(span).is_none_or(|thing| thing.role == target)
    }

    /// Whose the thing is that something is said of.
    pub(super) fn role_at(&self, span: Span) -> Role {
        self.thing_of(span).map_or(Role::Open, |thing| thing.role)
    }

    /// Whether what stands here is said of a thing in another sentence.
    pub(super) fn is_of_other_sentence(&self, span: Span) -> bool {
        self.thing_of(span).is_some_and(|thing| {
            let (from, to) = match thing.span.start < span.start {
                true => (thing.span.end, span.start),
                false => (span.end, thing.span.start),
            };
            self.is_cut(from, to, Boundary::Sentence)
        })
    }

    /// The thing that something is said of: right behind it, else before it in the sentence, else
    /// after it in the sentence, else before it.
    fn thing_of(&self, span: Span) -> Option<Thing> {
        const ADJECTIVE: usize = 2;
        let itself = |thing: &&Thing| thing.span.overlaps(span);
        let after = self
            .things
            .iter()
            .find(|thing| thing.span.start >= span.end)
            .copied();
        let before = self
            .things
            .iter()
            .rev()
            .find(|thing| thing.span.end <= span.start)
            .copied();
        let is_named = |thing: Thing| {
            let mut names = self.reading.mentions.iter();
            names.any(|name| name.make().is_some() && name.span.overlaps(thing.span))
        };
        // "My Juke 2016 for something bigger": the year of the Juke.
        let touches = before.filter(|thing| {
            thing.span.end == span.start
                && after.is_none_or(|after| after.span.start > span.end || !is_named(after))
                && !self.is_cut(thing.span.end, span.start, Boundary::Clause)
        });
        // "98000 km en iets anders": nothing is said of what has no name.
        let near = after.filter(|thing| {
            let gap = thing.span.start - span.end;
            (gap == 0 || gap < ADJECTIVE && is_named(*thing))
                && !self.is_cut(span.end, thing.span.start, Boundary::Clause)
        });
        let same_before =
            before.filter(|thing| !self.is_cut(thing.span.end, span.start, Boundary::Sentence));
        let same_after =
            after.filter(|thing| !self.is_cut(span.end, thing.span.start, Boundary::Sentence));
        let itself = self.things.iter().find(itself).copied();
        itself
            .or(touches)
            .or(near)
            .or(same_before)
            .or(same_after)
            .or(before)
            .or(after)
    }

    /// Whether such a boundary, or a stronger one, stands between two tokens.
    fn is_cut(&self, from: usize, to: usize, boundary: Boundary) -> bool {
        (from..=to).any(|at| self.reading.lattice.boundary_before(at) >= boundary)
    }

    /// What is named for a slot and not denied, of the thing that counts.
    fn relevant(&self, slot: usize) -> impl Iterator<Item = &'r Mention> {
        let named = self.reading.mentions.iter();
        named.filter(move |mention| {
            mention.slot == slot && !mention.negated && self.concerns(mention.span)
        })
    }

    /// The make and model: those named first; a make alone takes a model of it that follows.
    fn name_it(&self, place: usize, slot: &Slot, filled: &mut Slots) {
        let SlotKind::Catalogue(catalogue) = &slot.kind else {
            return;
        };
        let Some(first) = self.relevant(place).next() else {
            return;
        };
        let same_make = self
            .relevant(place)
            .filter(|mention| mention.make() == first.make());
        let mut models = same_make.filter_map(|mention| match mention.named {
            Named::Name { model, .. } => model,
            Named::Value(_) | Named::Text(_) => None,
        });
        let Some(make) = first.make().and_then(|make| catalogue.makes.get(make)) else {
            return;
        };
        filled.insert(catalogue.upper.clone(), SlotValue::Text(make.name.clone()));
        if let Some(model) = models.next().and_then(|model| make.models.get(model)) {
            filled.insert(catalogue.lower.clone(), SlotValue::Text(model.name.clone()));
        }
    }
}
