//! What a clause asks, and what its question tells in passing.

use shared_types::SlotValue;

use super::{Clause, Talk};
use crate::dialogue::act::{Act, Ask, Asked, Does, Form};
use crate::domain::{ActCue, IntentAct};
use crate::understanding::marks::Mark;
use crate::understanding::topics::{CERTAIN, FLOOR};

impl Talk<'_> {
    /// A question. Whether a thing is there also tells that it is wished for; numbers never do.
    pub(super) fn asks(&self, clause: &Clause, acts: &mut Vec<Act>) {
        let topic = self.topic(clause);
        if topic == Asked::Existence {
            self.seeks(clause, acts);
            self.tells(clause, |said| !said.number, acts);
        }
        let content = clause.said.iter();
        let content = content.map(|said| (said.slot.clone(), said.value.clone()));
        let content: Vec<(String, SlotValue)> = content.collect();
        let ask = Ask {
            topic,
            form: clause.asking.form,
            thing: self.thing(clause),
            content,
            when: None,
        };
        acts.push(self.act(
            Does::Ask(ask),
            clause.asking.sure,
            clause.span,
            clause.place,
        ));
    }

    /// Whether what is asked has a name; with `loosely` a likely fact will do.
    pub(super) fn known_topic(&self, clause: &Clause, loosely: bool) -> bool {
        let floor = if loosely { FLOOR } else { CERTAIN };
        let fact = self
            .fact(clause)
            .is_some_and(|(_, likeness)| likeness >= floor);
        fact || loosely
            && (self.attribute(clause).is_some() || self.mark(ActCue::Hours, clause).is_some())
    }

    fn topic(&self, clause: &Clause) -> Asked {
        let has = |cue| self.mark(cue, clause).is_some();
        if clause.asking.form == Form::Check {
            return Asked::Other;
        }
        if has(ActCue::Us) {
            return Asked::Us;
        }
        let fact = self.fact(clause);
        let attribute = self.attribute(clause);
        let of_slot = attribute.is_some_and(|(_, of_slot)| of_slot);
        if let Some((name, false)) = attribute
            && has(ActCue::OfThing)
        {
            return Asked::Attribute(name.to_owned());
        }
        if let Some((name, likeness)) = &fact
            && *likeness >= CERTAIN
        {
            return Asked::Fact(name.clone());
        }
        if has(ActCue::Hours) || self.is_day_alone(clause) {
            return Asked::Hours;
        }
        let named = clause.said.iter().any(|said| !said.number);
        if has(ActCue::Existence) && named && (attribute.is_none() || of_slot) {
            return Asked::Existence;
        }
        let likely = fact.filter(|(_, likeness)| *likeness >= FLOOR);
        match (attribute, likely) {
            // "Hoeveel kost een apk": a price of the house, not of the thing.
            (Some((name, _)), Some((fact, _))) if self.is_price(name) => Asked::Fact(fact),
            (Some((name, _)), _) => Asked::Attribute(name.to_owned()),
            (None, Some((fact, _))) if clause.act != IntentAct::Status => Asked::Fact(fact),
            _ if has(ActCue::Status) || clause.act == IntentAct::Status => Asked::Status,
            (None, Some((fact, _))) => Asked::Fact(fact),
            (None, None) => Asked::Other,
        }
    }

    fn fact(&self, clause: &Clause) -> Option<(String, f64)> {
        let (tokens, names) = self.reading.part(clause.span);
        let (fact, likeness) = self.understander.topics.rank(tokens, &names)?;
        Some((self.understander.facts.get(fact)?.clone(), likeness))
    }

    /// The attribute with the longest wording, and whether a slot answers it.
    fn attribute(&self, clause: &Clause) -> Option<(&str, bool)> {
        let marks = self.signs.marks.within(clause.span);
        let attributes = marks.filter_map(|(mark, span)| match mark {
            Mark::Attribute(place) => Some((self.understander.attributes.get(place)?, span)),
            _ => None,
        });
        let (attribute, _) = attributes.min_by_key(|(attribute, span)| {
            (attribute.slot.is_some(), std::cmp::Reverse(span.len()))
        })?;
        Some((&attribute.name, attribute.slot.is_some()))
    }

    fn is_price(&self, name: &str) -> bool {
        let mut attributes = self.understander.attributes.iter();
        attributes.any(|attribute| attribute.name == name && attribute.prices)
    }

    /// "En zondag?": nothing but a day.
    fn is_day_alone(&self, clause: &Clause) -> bool {
        const WORDS: usize = 4;
        clause.span.len() <= WORDS
            && clause.said.is_empty()
            && self.mark(ActCue::Day, clause).is_some()
            && self.context.ours.is_none()
    }
}
