//! Short answers: they attach to our open question, or to nothing.

use super::{Clause, SURE, Talk};
use crate::dialogue::act::{Act, Answer, Correct, Does, Inform, Thing, Told};
use crate::domain::{ActCue, SlotKind, SlotRule, Topic};
use crate::understanding::fold::fold;
use crate::understanding::lattice::Span;
use crate::understanding::marks::Mark;
use crate::understanding::numbers::Counts;

/// The longest text that is taken for an answer.
const LONGEST: usize = 200;
/// What a number is at most that may be an hour.
const HOURS: f64 = 24.0;
/// The most words of a clause that picks one of several, where other clauses stand beside it.
const PICKS: usize = 6;
/// The most words of a no that is nothing but a no.
const LONGEST_NO: usize = 3;

impl Talk<'_> {
    /// Reads a clause as an answer; values that it told (the acts from `before` on) become part of it.
    pub(super) fn answers(&self, clause: &Clause, alone: bool, before: usize, acts: &mut Vec<Act>) {
        if clause.asking.asks() {
            return;
        }
        let whole = alone || clause.span.len() <= PICKS;
        if whole && self.picks(clause, acts) || self.bids(clause, before, acts) {
            return;
        }
        let answer = match self.context.ours {
            Some(_) => self.answer(clause, alone, before, acts),
            // "Maakt niet uit hoe laat", although nobody asked.
            None if acts.len() == before => self.unasked(clause),
            None => None,
        };
        let Some(answer) = answer else {
            return;
        };
        acts.push(self.act(Does::Answer(answer), SURE, clause.span, clause.place));
    }

    /// "De tweede dan", where several are wanted: the others are not any more.
    fn picks(&self, clause: &Clause, acts: &mut Vec<Act>) -> bool {
        let offered = self.context.ours.as_ref();
        if offered.is_some_and(|ours| !ours.choices.is_empty()) || !clause.said.is_empty() {
            return false;
        }
        let mut slots = self.understander.slots.iter();
        let Some(names) = slots.find_map(|slot| match &slot.kind {
            SlotKind::Catalogue(names) => Some(names),
            _ => None,
        }) else {
            return false;
        };
        let of = |name: &str| {
            let wanted = self.context.wanted.iter();
            let values = wanted.filter(|(slot, _)| slot == name);
            values.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let (slot, mut values) = [&names.lower, &names.upper]
            .map(|name| (name, of(name)))
            .into_iter()
            .find(|(_, values)| values.len() > 1)
            .unwrap_or((&names.lower, Vec::new()));
        let Some(nth) = self.nth(clause, values.len()) else {
            return false;
        };
        if nth == 0 || nth > values.len() {
            return false;
        }
        values.remove(nth - 1);
        let correct = Correct {
            thing: Thing::Wanted,
            not: values
                .into_iter()
                .map(|value| (slot.clone(), value))
                .collect(),
            instead: Vec::new(),
            indifferent: Vec::new(),
        };
        acts.push(self.act(Does::Correct(correct), SURE, clause.span, clause.place));
        true
    }

    /// "Ach, doe maar 25", "ik heb er max 23 voor over": a number by itself that corrects an amount, or
    /// bounds it, is read in the words of the topic that asks for it.
    fn bids(&self, clause: &Clause, before: usize, acts: &mut Vec<Act>) -> bool {
        let quiet = |act: &Act| {
            matches!(
                act.does,
                Does::Social(_) | Does::Inform(_) | Does::Correct(_)
            )
        };
        let told = |span: Span| clause.said.iter().any(|said| said.span.overlaps(span));
        let numbers = self.reading.quantities.iter();
        let mut numbers = numbers.filter(|one| {
            clause.span.covers(one.span)
                && !told(one.span)
                && one.counts == Counts::Unknown
                && !self.is_never(one.span)
        });
        let (Some(number), None) = (numbers.next(), numbers.next()) else {
            return false;
        };
        if !acts.iter().skip(before).all(quiet) {
            return false;
        }
        let corrects = [ActCue::Instead, ActCue::No, ActCue::Also];
        // "Actually 5 would be better" of an appointment is an hour.
        let hour = self.context.has_appointment && number.value <= HOURS;
        let corrects = !hour && corrects.iter().any(|cue| self.mark(*cue, clause).is_some());
        let bounds = self.reading.surroundings.ends().iter().any(|end| {
            end.slot.is_none() && end.rule == SlotRule::Max && end.numbers.contains(&number.span)
        });
        let known = |slot: &String| {
            let mut wanted = self.context.wanted.iter();
            wanted.any(|(known, _)| known == slot)
        };
        let topics = self.understander.topics_asked.iter();
        let mut topics = topics.filter(|topic| {
            let opens = bounds && !self.asked_for_moment();
            corrects && topic.values.iter().any(known) || opens
        });
        let written = self.written(number.span);
        let values = topics.find_map(|topic| {
            let values = self.bare(topic, written);
            (!values.is_empty()).then_some(values)
        });
        let Some(values) = values else { return false };
        let inform = Inform {
            thing: Thing::Wanted,
            values,
            when: None,
            attachment: None,
            remark: None,
        };
        acts.push(self.act(Does::Inform(inform), SURE, clause.span, clause.place));
        true
    }

    /// "300 a month": whether a number is none that a slot takes.
    fn is_never(&self, number: Span) -> bool {
        let mut slots = 0..self.understander.slots.len();
        let surroundings = &self.reading.surroundings;
        slots.any(|slot| {
            let mut never = surroundings.captured(slot, SlotRule::Never);
            never.any(|span| span.overlaps(number))
        })
    }

    fn unasked(&self, clause: &Clause) -> Option<Answer> {
        let begins = |cue| {
            let span = self.mark(cue, clause);
            span.is_some_and(|span| span.start == clause.span.start)
        };
        if self.mark(ActCue::Any, clause).is_some() {
            Some(Answer::Any)
        } else if begins(ActCue::No) && clause.span.len() <= LONGEST_NO {
            Some(Answer::No)
        } else {
            None
        }
    }

    fn answer(
        &self,
        clause: &Clause,
        alone: bool,
        before: usize,
        acts: &mut Vec<Act>,
    ) -> Option<Answer> {
        let ours = self.context.ours.as_ref()?;
        if let Some(choice) = self.choice(clause, ours.choices) {
            return Some(Answer::Choice(choice));
        }
        let topic = self
            .understander
            .topics_asked
            .iter()
            .find(|topic| topic.name == ours.topic);
        if let Some(topic) = topic
            && let Some(values) = self.values(clause, alone, topic, before, acts)
        {
            return Some(Answer::Values(values));
        }
        let has = |cue| self.mark(cue, clause).is_some();
        let tells = acts.len() > before
            && acts
                .iter()
                .skip(before)
                .any(|act| matches!(act.does, Does::Inform(_)));
        if tells {
            return None;
        }
        if has(ActCue::Unknown) {
            return Some(Answer::Unknown);
        }
        if has(ActCue::Any) {
            return Some(Answer::Any);
        }
        let at_start = |cue| {
            self.mark(cue, clause)
                .is_some_and(|span| span.start == clause.span.start)
        };
        // "Nee die wil ik niet kopen die heb ik" says more than no.
        if at_start(ActCue::No) && clause.span.len() <= LONGEST_NO {
            return Some(Answer::No);
        }
        if at_start(ActCue::Yes) {
            return Some(Answer::Yes);
        }
        let takes_text = topic.is_some_and(|topic| topic.values.is_empty()) && alone;
        let text = self.text.trim();
        let short = text.chars().count() <= LONGEST && !text.contains('?');
        let social = acts
            .iter()
            .skip(before)
            .any(|act| matches!(act.does, Does::Social(_)));
        (takes_text && short && !social && !text.is_empty()).then(|| Answer::Text(text.to_owned()))
    }

    /// "De tweede", "2", or the choice itself.
    fn choice(&self, clause: &Clause, choices: &[String]) -> Option<usize> {
        if choices.is_empty() {
            return None;
        }
        let number = || self.written(clause.span).trim().parse().ok();
        let said = fold(self.written(clause.span));
        let named = || {
            choices
                .iter()
                .position(|choice| said.contains(&fold(choice)))
        };
        let choice = self
            .nth(clause, choices.len())
            .or_else(number)
            .or_else(|| named().map(|at| at + 1))?;
        (1..=choices.len()).contains(&choice).then_some(choice)
    }

    /// "The second", "the last" of so many.
    fn nth(&self, clause: &Clause, many: usize) -> Option<usize> {
        let mut marks = self.signs.marks.within(clause.span);
        marks.find_map(|(mark, _)| match mark {
            Mark::Act(ActCue::Nth(nth)) => Some(nth),
            Mark::Act(ActCue::Last) => Some(many),
            _ => None,
        })
    }

    /// The values that answer a topic: told ones, or what a bare answer says in the question's light.
    fn values(
        &self,
        clause: &Clause,
        alone: bool,
        topic: &Topic,
        before: usize,
        acts: &mut Vec<Act>,
    ) -> Option<Vec<Told>> {
        let answers = |slot: &String| topic.values.contains(slot);
        let asked_of = self.sides(None).pursued();
        let mut taken = Vec::new();
        for act in acts.iter_mut().skip(before) {
            if let Does::Inform(inform) = &mut act.does
                // "The current one is a Focus" does not say which one is looked for.
                && !(inform.thing == Thing::Own && asked_of == Thing::Wanted)
            {
                let brings = |told: &Told| told.came_with.as_ref().is_some_and(answers);
                let (of_topic, rest) = std::mem::take(&mut inform.values)
                    .into_iter()
                    .partition(|told| answers(&told.slot) || brings(told));
                inform.values = rest;
                taken.extend::<Vec<Told>>(of_topic);
            }
        }
        acts.retain(|act| !matches!(&act.does, Does::Inform(inform) if inform.is_empty()));
        // "Um 11" answers no question for a plate.
        let mut moments = self.reading.moments.spans();
        let moment = moments.any(|span| clause.span.covers(span)) && topic.answer_suffix.is_none();
        if taken.is_empty() && alone && clause.said.is_empty() && !moment {
            taken = self.bare(topic, self.text);
        }
        (!taken.is_empty()).then_some(taken)
    }

    /// A bare answer with the topic's words around it: "15" after a question for the budget.
    pub(super) fn bare(&self, topic: &Topic, said: &str) -> Vec<Told> {
        let Some(prefix) = &topic.answer_prefix else {
            return Vec::new();
        };
        for suffix in ["", topic.answer_suffix.as_deref().unwrap_or_default()] {
            let text = format!("{prefix} {said} {suffix}");
            let slots = self.understander.understand(&text).slots;
            let found = slots
                .into_iter()
                .filter(|(name, _)| topic.values.contains(name));
            let found: Vec<Told> = found
                .map(|(slot, value)| Told {
                    slot,
                    any_of: vec![value],
                    came_with: None,
                    rather: false,
                    also: false,
                })
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}
