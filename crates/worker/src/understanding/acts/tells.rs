//! What a clause tells, denies, replaces or leaves open.

use shared_types::SlotValue;

use super::goals::STRONG;
use super::{Clause, SURE, Talk};
use crate::dialogue::act::{Act, Correct, Does, Inform, Thing, Told};
use crate::domain::{About, ActCue, IntentAct, SlotKind};
use crate::understanding::lattice::Span;
use crate::understanding::marks::Mark;
use crate::understanding::said::{Said, told};
use crate::understanding::tokens::Boundary;

/// How many words "also" may stand away from what it adds: "liever hybride, mag dan ook 17 kosten" adds
/// no fuel.
const BESIDE: usize = 1;

/// A model that replaces another one brings its make, also where that was known.
fn bring_makes(values: &mut Vec<Told>, instead: &mut Vec<Told>) {
    let brought = |told: &Told| {
        let of = told.came_with.as_ref();
        of.is_some_and(|of| instead.iter().any(|one| one.slot == *of))
    };
    let (brought, rest): (Vec<Told>, Vec<Told>) = values.drain(..).partition(brought);
    *values = rest;
    instead.extend(brought);
}

impl Talk<'_> {
    /// The values of a clause that `count`, of each thing.
    pub(super) fn tells(
        &self,
        clause: &Clause,
        count: impl Fn(&Said) -> bool,
        acts: &mut Vec<Act>,
    ) {
        if self.is_of_third(clause) {
            return;
        }
        self.remarks(clause, acts);
        let brought = self.is_brought_for_another(clause);
        let side = |said: &Said| if brought { Thing::Own } else { said.thing };
        for thing in [Thing::Wanted, Thing::Own] {
            let of_thing = |said: &&Said| count(said) && side(said) == thing;
            let said: Vec<&Said> = clause.said.iter().filter(of_thing).collect();
            self.told_of(clause, thing, &said, acts);
        }
    }

    /// What somebody else has, unless the customer wants such a one: "my sister has a RAV4, one of them
    /// would be great".
    pub(super) fn is_of_third(&self, clause: &Clause) -> bool {
        let whole = Span::new(0, self.reading.tokens.len());
        let such = self.signs.marks.act(ActCue::Such, whole).is_some();
        self.mark(ActCue::Third, clause).is_some() && !such && !self.is_brought_for_another(clause)
    }

    /// "My father drives an i20, it has to be serviced": who brings somebody else's stands for them.
    pub(super) fn is_brought_for_another(&self, clause: &Clause) -> bool {
        let brings = |place: usize| {
            let intent = self.understander.intents.get(place);
            intent.is_some_and(|intent| intent.about == About::Own)
                && self.understander.act_of(place) == IntentAct::Request
        };
        let mut cues = self.signs.cues.iter();
        self.mark(ActCue::Third, clause).is_some()
            && cues.any(|cue| cue.weight >= STRONG && brings(cue.intent))
    }

    /// "Moet wel een trekhaak hebben": what no slot has is told in the customer's words.
    fn remarks(&self, clause: &Clause, acts: &mut Vec<Act>) {
        let marks = self.signs.marks.within(clause.span);
        let is_one = |place: usize| {
            let attribute = self.understander.attributes.get(place);
            attribute.is_some_and(|attribute| attribute.slot.is_none() && !attribute.danger)
        };
        let named =
            marks.filter(|(mark, _)| matches!(mark, Mark::Attribute(place) if is_one(*place)));
        let mut named: Vec<Span> = named.map(|(_, span)| span).collect();
        let all = named.clone();
        let inside = |span: Span| all.iter().any(|other| *other != span && other.covers(span));
        named.retain(|span| !inside(*span));
        let Some(first) = named.first().filter(|_| !clause.asking.asks()) else {
            return;
        };
        // Beside values or a wish only what they leave out is told.
        let alone =
            clause.said.is_empty() && !matches!(clause.act, IntentAct::Request | IntentAct::Wish);
        if !alone && self.thing(clause) != Thing::Wanted {
            return;
        }
        let (words, remark) = match alone {
            true => (clause.span, self.written(clause.span).to_owned()),
            false => {
                let named: Vec<&str> = named.iter().map(|span| self.written(*span)).collect();
                (*first, named.join(", "))
            }
        };
        let inform = Inform {
            thing: self.thing(clause),
            values: Vec::new(),
            when: None,
            attachment: None,
            remark: Some(remark),
        };
        acts.push(self.act(Does::Inform(inform), SURE, words, clause.place));
    }

    fn told_of(&self, clause: &Clause, thing: Thing, said: &[&Said], acts: &mut Vec<Act>) {
        let rather = self.mark(ActCue::Rather, clause).is_some();
        let also = self.mark(ActCue::Also, clause);
        let mut not = self.denied(clause, thing, said);
        let is_denied = |said: &Said| {
            not.iter()
                .any(|(slot, value)| *slot == said.slot && *value == said.value)
        };
        let denied = said.iter().filter(|said| is_denied(said));
        let denied: Vec<Span> = denied.map(|said| said.span).collect();
        let came_with_denied =
            |said: &Said| said.came_with.is_some() && denied.contains(&said.span);
        let excluded = |said: &&&Said| came_with_denied(said) || said.negated || is_denied(said);
        let (_, held): (Vec<&Said>, Vec<&Said>) = said.iter().partition(excluded);
        let mut values = told(held.iter().copied(), rather, |said| {
            also.is_some_and(|also| also.is_near(said.span, BESIDE))
        });
        let mut instead = Vec::new();
        let replaces = self.mark(ActCue::Instead, clause).is_some() && also.is_none();
        if replaces {
            self.keep_right_plate(&mut values);
        }
        values.retain(|told| {
            let corrects = not.iter().any(|(slot, _)| *slot == told.slot)
                || replaces && self.differs(thing, told);
            if corrects {
                instead.push(told.clone());
            }
            !corrects
        });
        bring_makes(&mut values, &mut instead);
        not.dedup();
        let indifferent = match thing {
            Thing::Wanted => self.indifferent(clause),
            _ => Vec::new(),
        };
        // "Automatik ist egal" tells no gearbox, "any brand is fine" no model.
        let is_open = |slot: &String| {
            let mut slots = self.understander.slots.iter();
            indifferent.contains(slot)
                || slots.any(|known| match &known.kind {
                    SlotKind::Catalogue(names) => {
                        names.lower == *slot && indifferent.contains(&names.upper)
                    }
                    _ => false,
                })
        };
        values.retain(|told| !is_open(&told.slot));
        let (known, unknown): (Vec<String>, Vec<String>) = indifferent
            .into_iter()
            .partition(|slot| self.value(thing, slot).is_some());
        values.extend(unknown.into_iter().map(|slot| Told {
            slot,
            any_of: Vec::new(),
            came_with: None,
            rather: false,
            also: false,
        }));
        if !(not.is_empty() && instead.is_empty() && known.is_empty()) {
            let correct = Correct {
                thing,
                not,
                instead,
                indifferent: known,
            };
            acts.push(self.act(Does::Correct(correct), SURE, clause.span, clause.place));
        }
        if !values.is_empty() {
            let inform = Inform {
                thing,
                values,
                when: None,
                attachment: None,
                remark: None,
            };
            acts.push(self.act(Does::Inform(inform), SURE, clause.span, clause.place));
        }
    }

    /// "They say TZ-554-G and it should be TZ-545-G": the last one is right.
    fn keep_right_plate(&self, values: &mut [Told]) {
        let is_plate = |name: &str| {
            let mut slots = self.understander.slots.iter();
            slots.any(|slot| slot.name == name && matches!(slot.kind, SlotKind::Plate { .. }))
        };
        for told in values.iter_mut().filter(|told| is_plate(&told.slot)) {
            let last = told.any_of.len().saturating_sub(1);
            told.any_of.drain(..last);
        }
    }

    /// What is said not to be so: denied by words, or by a verdict on the thing that is named or, where
    /// none is, on the one that is known.
    fn denied(&self, clause: &Clause, thing: Thing, said: &[&Said]) -> Vec<(String, SlotValue)> {
        let negated = said.iter().filter(|said| said.negated);
        let mut not: Vec<_> = negated
            .map(|said| (said.slot.clone(), said.value.clone()))
            .collect();
        if thing != Thing::Wanted {
            return not;
        }
        if let Some(span) = self.mark(ActCue::Cancel, clause) {
            let alone = |said: &&&Said| said.came_with.is_none();
            let dropped = said
                .iter()
                .filter(|said| span.overlaps(said.span))
                .filter(alone);
            let before = not.len();
            not.extend(dropped.map(|said| (said.slot.clone(), said.value.clone())));
            if not.len() > before {
                return not;
            }
        }
        let Some(verdict) = self.mark(ActCue::Verdict, clause) else {
            return not;
        };
        // "18,000 is too much" judges that amount.
        let mut amounts = self.reading.quantities.iter();
        let of_amount = amounts.any(|amount| clause.span.covers(amount.span));
        let slots = self.understander.slots.iter();
        let catalogues = slots.filter_map(|slot| match &slot.kind {
            SlotKind::Catalogue(names) => Some(names),
            _ => None,
        });
        for names in catalogues {
            // A make that brings no model stands for what is known of it: "der Fiat ist zu teuer".
            let of_names = |said: &&&Said| {
                said.slot == names.lower || said.slot == names.upper && said.came_with.is_none()
            };
            let named = said.iter().filter(of_names);
            let named = named.min_by_key(|said| self.distance(verdict, said.span));
            let lower = named.filter(|said| said.slot == names.lower);
            let make = named.filter(|said| said.slot == names.upper);
            let known_make = self.value(thing, &names.upper);
            let stands = make.is_none_or(|make| known_make == Some(&make.value));
            // "Die vind ik lelijk" tells nothing of which, where several are known.
            let known = self.context.wanted.iter();
            let known = known.filter(|(slot, _)| *slot == names.lower).count();
            let of_talk = self.value(thing, &names.lower);
            let of_talk = of_talk.filter(|_| known == 1 && stands && !of_amount);
            let value = lower.map(|said| &said.value).or(of_talk);
            let judged = value.map(|value| (names.lower.clone(), value.clone()));
            not.extend(judged.filter(|judged| {
                !said
                    .iter()
                    .any(|said| said.negated && said.value == judged.1)
            }));
            not.extend(make.map(|make| (make.slot.clone(), make.value.clone())));
        }
        not
    }

    /// How far a name stands from a verdict; beyond a comma it is further: "liever de Yaris, de Corolla
    /// is te groot".
    fn distance(&self, verdict: Span, name: Span) -> (usize, usize) {
        let (from, to) = match name.start < verdict.start {
            true => (name.end, verdict.start),
            false => (verdict.end, name.start),
        };
        let lattice = &self.reading.lattice;
        let cuts = (from..=to).filter(|at| lattice.boundary_before(*at) > Boundary::None);
        (cuts.count(), to.saturating_sub(from))
    }

    /// The slots that do not matter: those that the clause names.
    fn indifferent(&self, clause: &Clause) -> Vec<String> {
        let Some(any) = self.mark(ActCue::Any, clause) else {
            return Vec::new();
        };
        let marks = self.signs.marks.within(clause.span);
        let slots = marks.filter_map(|(mark, span)| match mark {
            Mark::Attribute(place) => {
                Some((self.understander.attributes.get(place)?.slot.clone()?, span))
            }
            _ => None,
        });
        let of_value = |span: Span| clause.said.iter().any(|said| said.span.overlaps(span));
        let (values, names): (Vec<_>, Vec<_>) = slots.partition(|(_, span)| of_value(*span));
        // "Egal welche Marke, Benzin" leaves the make open; "Benzin oder Diesel ist egal" the fuel;
        // "Diesel ist egal, aber Automatik" no gearbox.
        let mut meant = if names.is_empty() { values } else { names };
        let beside = |one: &(String, Span)| {
            let (from, to) = match one.1.end <= any.start {
                true => (one.1.end, any.start),
                false => (any.end, one.1.start),
            };
            (from..=to).all(|at| self.reading.lattice.boundary_before(at) == Boundary::None)
        };
        // "Diesel, white or grey I don't mind" leaves open what stands right before it.
        let mut said = clause
            .said
            .iter()
            .map(|said| (said.slot.clone(), said.span));
        let of_other = said.any(|one| beside(&one) && !meant.contains(&one));
        if of_other || meant.iter().any(beside) {
            meant.retain(beside);
        }
        let mut slots: Vec<String> = meant.into_iter().map(|(slot, _)| slot).collect();
        // "Benzin oder Hybrid, egal" wants one of the two, where there are more.
        slots.retain(|slot| !self.are_alternatives(clause, slot));
        slots.sort();
        slots.dedup();
        slots
    }

    /// Whether some of a slot's values are named, but not as many as there are.
    fn are_alternatives(&self, clause: &Clause, name: &str) -> bool {
        let mut slots = self.understander.slots.iter();
        let slot = slots.find(|slot| slot.name == name);
        let all = slot.and_then(|slot| match &slot.kind {
            SlotKind::Choice { values, .. } => Some(values.len()),
            _ => None,
        });
        let said = clause.said.iter().filter(|said| said.slot == name);
        let named = said.filter(|said| !said.negated).count();
        all.is_some_and(|all| named > 1 && named + 1 < all)
    }

    fn differs(&self, thing: Thing, told: &Told) -> bool {
        let known = self.value(thing, &told.slot);
        known.is_some_and(|known| !told.any_of.contains(known))
    }

    /// What is known of a thing.
    fn value(&self, thing: Thing, slot: &str) -> Option<&SlotValue> {
        let known = match thing {
            Thing::Own => self.context.own,
            Thing::Wanted | Thing::Third => self.context.wanted,
        };
        let found = known.iter().find(|(name, _)| name == slot);
        found.map(|(_, value)| value)
    }
}
