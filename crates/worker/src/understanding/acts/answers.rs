//! Short answers: they attach to our open question, or to nothing.

use super::{Clause, SURE, Talk};
use crate::dialogue::act::{Act, Answer, Does, Told};
use crate::domain::{ActCue, Topic};
use crate::understanding::fold::fold;
use crate::understanding::marks::Mark;

/// The longest text that is taken for an answer.
const LONGEST: usize = 200;
/// The most words of a no that is nothing but a no.
const LONGEST_NO: usize = 3;

impl Talk<'_> {
    /// Reads a clause as an answer; values that it told (the acts from `before` on) become part of it.
    pub(super) fn answers(&self, clause: &Clause, alone: bool, before: usize, acts: &mut Vec<Act>) {
        if clause.asking.asks() {
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
        let marks = self.signs.marks.within(clause.span);
        let mut nth = marks.filter_map(|(mark, _)| match mark {
            Mark::Act(ActCue::Nth(nth)) => Some(nth),
            Mark::Act(ActCue::Last) => Some(choices.len()),
            _ => None,
        });
        let number = || self.written(clause.span).trim().parse().ok();
        let said = fold(self.written(clause.span));
        let named = || {
            choices
                .iter()
                .position(|choice| said.contains(&fold(choice)))
        };
        let choice = nth
            .next()
            .or_else(number)
            .or_else(|| named().map(|at| at + 1))?;
        (1..=choices.len()).contains(&choice).then_some(choice)
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
        let mut taken = Vec::new();
        for act in acts.iter_mut().skip(before) {
            if let Does::Inform(inform) = &mut act.does {
                let brings = |told: &Told| told.came_with.as_ref().is_some_and(answers);
                let (of_topic, rest) = std::mem::take(&mut inform.values)
                    .into_iter()
                    .partition(|told| answers(&told.slot) || brings(told));
                inform.values = rest;
                taken.extend::<Vec<Told>>(of_topic);
            }
        }
        acts.retain(|act| !matches!(&act.does, Does::Inform(inform) if inform.is_empty()));
        if taken.is_empty() && alone && clause.said.is_empty() {
            taken = self.bare(topic);
        }
        (!taken.is_empty()).then_some(taken)
    }

    /// A bare answer with the topic's words around it: "15" after a question for the budget.
    fn bare(&self, topic: &Topic) -> Vec<Told> {
        let Some(prefix) = &topic.answer_prefix else {
            return Vec::new();
        };
        for suffix in ["", topic.answer_suffix.as_deref().unwrap_or_default()] {
            let text = format!("{prefix} {} {suffix}", self.text);
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
