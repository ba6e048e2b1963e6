//! Which fact of the business a clause asks for.

use super::asks::BARE;
use super::{Clause, SURE, Talk};
use crate::dialogue::act::{Act, Ask, Asked, Does};
use crate::domain::ActCue;
use crate::understanding::lattice::Span;
use crate::understanding::learned::Opinion;
use crate::understanding::marks::Mark;
use crate::understanding::tokens::Kind;
use crate::understanding::topics::{ALIKE, CERTAIN};

/// How like a fact the question must be with the statement before it, where it says nothing by itself.
const SAID_BEFORE: f64 = 0.48;

/// Whether a mark tells nothing of what a question is about.
const fn says_nothing(mark: Mark) -> bool {
    matches!(
        mark,
        Mark::Act(ActCue::Hello | ActCue::Thanks | ActCue::Nicety | ActCue::Hours)
    )
}

/// How likely a fact must be that no example of it names. From here on the messages of `tests/fixtures/facts/asked-*.txt`,
/// the three languages together, get no more wrong ones than without.
const LIKELY_FACT: f64 = 0.7;
/// How little likely a fact is that is not meant, although an example of it has the words.
const DOUBTED: f64 = 0.25;

impl Talk<'_> {
    /// "Can you fetch the car from my home for its service?" wants the service, and asks for a fact as well.
    pub(super) fn asks_beside(&self, clause: &Clause, before: usize, acts: &mut Vec<Act>) {
        let new = || acts.iter().skip(before).map(|act| &act.does);
        let requests = new().any(|does| matches!(does, Does::Request { when: None, .. }));
        let asks = new().any(|does| matches!(does, Does::Ask(_)));
        let comes = self.mark(ActCue::Come, clause).is_some() || self.is_dated(clause);
        if requests && !asks && !comes && clause.asking.asks() {
            acts.extend(self.ask_learned(clause));
        }
    }

    /// Whether words that are no question ask for a fact; what answers us, or says when, does not.
    pub(super) fn is_asked_for(&self, clause: &Clause) -> bool {
        let free = self.context.ours.is_none() && !self.is_dated(clause);
        free && self.fact_learned(clause, ALIKE).is_some()
    }

    /// The question for the fact that a clause is very like.
    pub(super) fn ask_learned(&self, clause: &Clause) -> Option<Act> {
        let topic = Asked::Fact(self.fact_learned(clause, ALIKE)?);
        let ask = Ask {
            topic,
            form: clause.asking.form,
            thing: self.thing(clause),
            content: Vec::new(),
            when: None,
        };
        Some(self.act(Does::Ask(ask), SURE, clause.span, clause.place))
    }

    pub(super) fn is_like_a_fact(&self, clause: &Clause, floor: f64) -> bool {
        let fact = self.fact(clause);
        fact.is_some_and(|(_, likeness)| likeness >= floor)
    }

    /// Whether a fact answers it, of the kind that is asked for.
    pub(super) fn is_answered_by_a_fact(&self, clause: &Clause) -> bool {
        let fact = self.fact(clause).filter(|fact| fact.1 >= CERTAIN);
        fact.is_some_and(|fact| self.is_of_kind(clause, &fact))
    }

    /// The fact that a question is about together with the statement before it, and whether it tells
    /// a price.
    pub(super) fn said_before(&self, clause: &Clause) -> Option<(String, bool)> {
        if clause.with_before == clause.span {
            return None;
        }
        let (fact, likeness) = self.fact_in(clause.with_before, clause)?;
        let prices = self.tells_price(&fact);
        (likeness >= SAID_BEFORE).then_some((fact, prices))
    }

    /// "When is it due for its first MOT" is not answered by what one costs: a fact that nobody asks
    /// for with when (or who, or why) does not say it.
    pub(super) fn is_of_kind(&self, clause: &Clause, (fact, likeness): &(String, f64)) -> bool {
        let tokens = self.reading.tokens.get(clause.span.start..clause.span.end);
        let spoken = self.reading.guess.spoken();
        let understander = self.understander;
        let asked = understander.kinds.asked(tokens.unwrap_or_default(), spoken);
        let mut named = (0..)
            .zip(&understander.facts)
            .filter(|(_, name)| *name == fact);
        let gives = |(fact, _)| understander.topics.gives(fact, asked);
        asked == 0 || *likeness >= ALIKE || named.any(gives)
    }

    pub(super) fn tells_price(&self, fact: &str) -> bool {
        let facts = self
            .understander
            .facts
            .iter()
            .zip(&self.understander.fact_prices);
        let mut named = facts.filter(|(name, _)| *name == fact);
        named.any(|(_, prices)| *prices)
    }

    pub(super) fn fact(&self, clause: &Clause) -> Option<(String, f64)> {
        self.fact_in(clause.span, clause)
    }

    fn fact_in(&self, span: Span, clause: &Clause) -> Option<(String, f64)> {
        let tokens = self.reading.tokens.get(span.start..span.end)?;
        let polite = self.signs.marks.within(clause.span);
        let polite = polite.filter(|(mark, _)| says_nothing(*mark));
        let polite = polite.map(|(_, span)| span);
        let aside: Vec<Span> = self.reading.certain.iter().copied().chain(polite).collect();
        let moments = self.reading.moments.spans();
        let moments: Vec<Span> = moments.filter(|moment| span.covers(*moment)).collect();
        let is_aside = |at: usize| {
            let at = span.start + at;
            aside.iter().any(|span| span.start <= at && at < span.end)
        };
        let is_moment = |at: usize| {
            let at = span.start + at;
            moments.iter().any(|span| span.start <= at && at < span.end)
        };
        let mentions = self.reading.mentions.iter();
        let named =
            mentions.filter_map(|one| self.reading.tokens.get(one.span.start..one.span.end));
        let named: Vec<&str> = named.flatten().map(|token| token.text.as_str()).collect();
        let lexicon = &self.understander.compiled.lexicon;
        let topics = &self.understander.topics;
        let spoken = self.reading.guess.spoken();
        let (fact, likeness) = topics.rank(tokens, lexicon, spoken, is_aside, is_moment, &named)?;
        Some((self.understander.facts.get(fact)?.clone(), likeness))
    }

    /// A topic once the questions of all facts were asked, too: what goes to a colleague may be for a fact, and what
    /// looks like a fact for a colleague.
    pub(super) fn reconsidered(&self, clause: &Clause, topic: Asked) -> Asked {
        let topic = match topic {
            Asked::Fact(name) if self.is_doubted(clause, &name) => Asked::Other,
            topic => topic,
        };
        let learned = match topic {
            Asked::Other => self.fact_learned(clause, LIKELY_FACT),
            Asked::Status => self.fact_learned(clause, ALIKE),
            _ => None,
        };
        learned.map_or(topic, Asked::Fact)
    }

    /// The fact whose questions a clause is most like in all that its words have, where it is as likely as that.
    fn fact_learned(&self, clause: &Clause, least: f64) -> Option<String> {
        let whole = clause.with_before;
        // "Who brings it?" tells too little. Who complains or calls for help asks a colleague.
        if whole.len() <= BARE || self.context.complains || self.context.in_alarm {
            return None;
        }
        let (place, likeness) = self.opinion_of_facts(clause).likeliest()?;
        let fact = (self.understander.facts.get(place)?.clone(), likeness);
        // "Can it come in today" asks for the day more than for what holds on every one, and "do I get it right
        // away" has no word of its own.
        let mut frequent = self
            .reading
            .frequent
            .iter()
            .take(whole.end)
            .skip(whole.start);
        let doubtful = self.is_dated(clause) || frequent.all(|frequent| *frequent);
        let least = if doubtful { least.max(ALIKE) } else { least };
        (likeness >= least && self.is_of_kind(clause, &fact)).then_some(fact.0)
    }

    /// Whether the questions of all facts speak against one of which an example has the words.
    pub(super) fn is_doubted(&self, clause: &Clause, fact: &str) -> bool {
        let spelled = self.fact(clause).map_or(0.0, |(_, likeness)| likeness);
        let mut facts = self.understander.facts.iter();
        let place = facts.position(|name| name == fact);
        let opinion = self.opinion_of_facts(clause);
        let learned = place.and_then(|place| opinion.likeness(place));
        spelled < ALIKE && learned.is_some_and(|likeness| likeness < DOUBTED)
    }

    fn opinion_of_facts(&self, clause: &Clause) -> Opinion {
        let polite = self.signs.marks.within(clause.with_before);
        let polite = polite.filter(|(mark, _)| says_nothing(*mark));
        let polite = polite.map(|(_, span)| span);
        let aside: Vec<Span> = self.reading.certain.iter().copied().chain(polite).collect();
        let is_aside = |at: usize| aside.iter().any(|span| span.start <= at && at < span.end);
        let words = |span: Span| -> Vec<&str> {
            let tokens = self.reading.tokens.iter().enumerate();
            let tokens = tokens.take(span.end).skip(span.start);
            let words = tokens.filter(|(at, token)| token.kind == Kind::Word && !is_aside(*at));
            words.map(|(_, token)| token.text.as_str()).collect()
        };
        let learned = &self.understander.learned;
        learned.opinion(&words(clause.span), &words(clause.with_before))
    }
}
