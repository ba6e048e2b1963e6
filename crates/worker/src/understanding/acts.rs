//! What a message does, clause by clause: from what is read to a list of acts.

mod answers;
mod asks;
mod attributes;
mod complaints;
mod corrections;
mod errands;
mod facts;
mod goals;
mod idle;
mod people;
mod plans;
mod tells;

use goals::STRONG;

use super::clauses::clauses;
use super::intents::{Decider, Decision};
use super::lattice::Span;
use super::marks::Mark;
use super::question::{Asking, asking};
use super::reading::Reading;
use super::said::{Said, Sides};
use super::topics::ALIKE;
use super::{Signs, Understander};
use crate::dialogue::act::{
    Act, Consent, Context, Does, Feeling, Inform, Origin, Repair, Social, Thing,
};
use crate::domain::{About, ActCue, Intent, IntentAct};

/// What tables and plain words say is as good as said.
pub(super) const SURE: f64 = 0.9;
/// What it takes for an intent to be an act, and for one that costs a colleague's time.
const LIKELY: f64 = 0.6;

/// What is said between people.
const COURTESIES: [(ActCue, Social); 11] = [
    (ActCue::Hello, Social::Hello),
    (ActCue::Thanks, Social::Thanks),
    (ActCue::Bye, Social::Bye),
    (ActCue::Nicety, Social::Nicety),
    (ActCue::SameHour, Social::SameHour),
    (ActCue::AtOpening, Social::AtOpening),
    (ActCue::Deadline, Social::Deadline),
    (ActCue::Safe, Social::Safe),
    (ActCue::Made, Social::Made),
    (ActCue::Calls, Social::Calls),
    (ActCue::Prompt, Social::Prompt),
];
const FEELINGS: [Feeling; 8] = [
    Feeling::Loss,
    Feeling::Joy,
    Feeling::Delight,
    Feeling::Illness,
    Feeling::Regret,
    Feeling::Worry,
    Feeling::Jest,
    Feeling::SmallTalk,
];

/// A message on its way to acts.
pub(super) struct Talk<'a> {
    pub(super) understander: &'a Understander,
    pub(super) text: &'a str,
    pub(super) reading: &'a Reading,
    pub(super) signs: &'a Signs,
    pub(super) context: &'a Context<'a>,
}

/// Who wants no messages may call something off with it, and who wants them again may say for what.
fn counts_beside(consent: Consent, does: &Does) -> bool {
    match consent {
        Consent::Stop | Consent::Erase => matches!(does, Does::Cancel { .. }),
        Consent::Start => !matches!(
            does,
            Does::Social(_) | Does::Unclear { .. } | Does::Handoff { .. } | Does::Repair(_)
        ),
        Consent::Doubtful => tells_values(does) || matches!(does, Does::Cancel { .. }),
    }
}

/// Whether it says what is wanted: "no need to unsubscribe me, just the right cars, Octavia or Focus".
fn tells_values(does: &Does) -> bool {
    matches!(does, Does::Inform(inform) if !inform.values.is_empty())
        || matches!(does, Does::Correct(correct) if !correct.instead.is_empty())
}

/// A clause, as far as it is read.
pub(super) struct Clause {
    /// From 0.
    place: usize,
    span: Span,
    /// The same from the statement on that it follows: "Mijn zoon zit in een rolstoel, kan hij …".
    with_before: Span,
    asking: Asking,
    decision: Decision,
    act: IntentAct,
    said: Vec<Said>,
    /// The side of what was named last before it in the message.
    named_before: Option<Thing>,
    /// Something of a wanted thing is said before it in the message.
    wished_before: bool,
}

impl Talk<'_> {
    /// The acts of a message, in the order of their words.
    pub(super) fn acts(&self, consent: Option<(Consent, Span)>) -> Vec<Act> {
        let consent =
            consent.filter(|(consent, _)| *consent != Consent::Start || self.context.opted_out);
        let Some((consent, span)) = consent else {
            return self.acts_of_clauses();
        };
        let mut acts = vec![self.act(Does::Consent(consent), SURE, span, 0)];
        let command = acts.first().map_or(0..0, |act| act.words.clone());
        let mut others = self.acts_of_clauses();
        others.retain(|act| {
            let apart = act.words.end <= command.start || command.end <= act.words.start;
            (apart || consent == Consent::Start && tells_values(&act.does))
                && counts_beside(consent, &act.does)
        });
        acts.extend(others);
        acts
    }

    fn acts_of_clauses(&self) -> Vec<Act> {
        let whole = Span::new(0, self.reading.tokens.len());
        let mut acts = Vec::new();
        if whole.len() == 0 && self.text.contains('?') {
            acts.push(self.act(Does::Repair(Repair::Unheard), SURE, whole, 0));
        }
        let spans = clauses(self.reading, &self.signs.marks);
        let alone = spans.len() == 1;
        let (mut statement, mut named, mut wished) = (None, None, false);
        let mut wishes = Vec::new();
        for (place, span) in spans.into_iter().enumerate() {
            let mut clause = self.clause(place, span, alone);
            (clause.named_before, clause.wished_before) = (named, wished);
            if let Some(start) = statement {
                clause.with_before = Span::new(start, span.end);
            }
            self.read_clause(&clause, alone, &mut acts);
            statement = (!clause.asking.asks()).then_some(span.start);
            wishes.extend((self.wishes(&clause) || self.is_due(&clause)).then_some(place));
            let mut names = clause.said.iter().rev();
            let name = names.find(|said| self.is_name(&said.slot));
            let wishes = clause.said.iter().any(|said| said.thing == Thing::Wanted);
            let name = name.map(|said| said.thing);
            named = name.or(wishes.then_some(Thing::Wanted)).or(named);
            wished |= wishes;
        }
        drop_by_the_way(&mut acts, &wishes);
        errands::drop_what_is_over(&mut acts);
        if acts.is_empty() {
            self.names_or_unclear(whole, &mut acts);
        }
        acts
    }

    fn clause(&self, place: usize, span: Span, alone: bool) -> Clause {
        let understander = self.understander;
        let decision = self.decide(span, alone);
        let act = match decision.confidence >= LIKELY {
            true => understander.act_of(decision.intent),
            false => IntentAct::Nothing,
        };
        let intent = understander.intents.get(decision.intent);
        let pursues = matches!(
            act,
            IntentAct::Request | IntentAct::Complain | IntentAct::Status
        );
        let seeks = self.signs.marks.act(ActCue::Seek, span).is_some();
        let wishes = act == IntentAct::Wish && seeks;
        let about = intent.filter(|_| pursues || wishes);
        let about = about.or_else(|| self.goal_asked_for(span));
        // Who looks for something speaks of that, whatever else is pursued.
        let judges = self.signs.marks.act(ActCue::Verdict, span).is_some();
        let judges = judges || self.asks_standing(span);
        let about = about.filter(|_| !judges);
        let sought = Some(About::Wanted).filter(|_| seeks || judges);
        let there = self.signs.marks.act(ActCue::Existence, span).is_some();
        let wants = |cue| self.signs.marks.act(cue, span).is_some();
        let of_own = !wants(ActCue::Wants) && self.is_of_own(alone);
        let of_own = Some(About::Own).filter(|_| of_own);
        let sides = Sides {
            seeks: seeks || there,
            wishes: wants(ActCue::Wants) || wants(ActCue::Rather),
            ..self.sides(about.map(|intent| intent.about).or(sought).or(of_own))
        };
        let is_attribute = |place: usize| {
            let attribute = understander.attributes.get(place);
            // "Kids in the car" is a call for help and asks nothing of us.
            attribute.is_some_and(|attribute| attribute.slot.is_none() && !attribute.danger)
        };
        Clause {
            place,
            span,
            with_before: span,
            asking: asking(self.reading, &self.signs.marks, span, is_attribute),
            said: self.such_ones(span, sides.said(span, decision.intent)),
            decision,
            act,
            named_before: None,
            wished_before: false,
        }
    }

    /// "Can I trade my car in? It is a 208 from 2014": whether a message of several clauses is about the
    /// own thing as a whole, and looks for nothing.
    fn is_of_own(&self, alone: bool) -> bool {
        let whole = Span::new(0, self.reading.tokens.len());
        let has = |cue| self.signs.marks.act(cue, whole).is_some();
        let looks = [ActCue::Seek, ActCue::Existence, ActCue::Rather];
        if alone || looks.into_iter().any(has) {
            return false;
        }
        let decision = self.decide(whole, true);
        let intent = self.understander.intents.get(decision.intent);
        let pursued = matches!(
            self.understander.act_of(decision.intent),
            IntentAct::Request | IntentAct::Complain
        );
        decision.confidence >= LIKELY
            && pursued
            && intent.is_some_and(|intent| intent.about == About::Own)
    }

    /// "My sister has a RAV4, one of them would be great": what somebody else has is wanted.
    fn such_ones(&self, clause: Span, mut said: Vec<Said>) -> Vec<Said> {
        let whole = Span::new(0, self.reading.tokens.len());
        let third = self.signs.marks.act(ActCue::Third, clause).is_some();
        if third && self.signs.marks.act(ActCue::Such, whole).is_some() {
            for said in &mut said {
                said.thing = Thing::Wanted;
            }
        }
        said
    }

    /// The goal of who asks what is asked here.
    fn goal_asked_for(&self, clause: Span) -> Option<&Intent> {
        let mut marks = self.signs.marks.within(clause);
        let goal = marks.find_map(|(mark, _)| match mark {
            Mark::Attribute(place) => self.understander.attributes.get(place)?.goal.as_ref(),
            _ => None,
        })?;
        let mut intents = self.understander.intents.iter();
        intents.find(|intent| intent.name == *goal)
    }

    fn sides(&self, about: Option<About>) -> Sides<'_> {
        Sides {
            understander: self.understander,
            reading: self.reading,
            context: self.context,
            about,
            seeks: false,
            wishes: false,
        }
    }

    /// What the customer wants in a clause, by the cues that begin in it.
    fn decide(&self, clause: Span, alone: bool) -> Decision {
        let understander = self.understander;
        let inside = |first: usize| clause.start <= first && first < clause.end;
        let cues = self
            .signs
            .cues
            .iter()
            .filter(|cue| alone || inside(cue.first));
        let mut cues: Vec<_> = cues.cloned().collect();
        let decider = Decider {
            settings: &understander.settings,
            intents: &understander.intents,
            closed: understander.opt_out,
        };
        let opinion = understander.opinion(self.reading, clause);
        decider.decide(self.reading, clause, &mut cues, &opinion, false)
    }

    fn read_clause(&self, clause: &Clause, alone: bool, acts: &mut Vec<Act>) {
        let before = acts.len();
        self.alarms(clause, acts);
        self.people(clause, acts);
        self.repairs(clause, acts);
        if !self.corrects_amount(clause, acts) && !self.changes_of_plan(clause, acts) {
            self.goals(clause, acts);
            self.references(clause, acts);
        }
        self.asks_beside(clause, before, acts);
        self.courtesies(clause, alone, acts);
        // A short answer is one only where nothing else is said.
        let busy = acts.iter().skip(before).any(|act| {
            !matches!(act.does, Does::Social(_) | Does::Inform(_)) && act.confidence >= LIKELY
        });
        if !busy {
            self.answers(clause, alone, before, acts);
        }
        if acts.len() == before && !alone {
            self.aside(clause, acts);
        }
    }

    /// What is said beside the rest and has no name here goes to a colleague as it was written.
    fn aside(&self, clause: &Clause, acts: &mut Vec<Act>) {
        const LEAST: usize = 3;
        let words = clause.span.start..clause.span.end;
        let telling = words
            .filter(|at| !self.reading.lattice.is_filler(*at))
            .count();
        let dated = self
            .reading
            .moments
            .spans()
            .any(|span| clause.span.covers(span));
        let judged = self.mark(ActCue::Verdict, clause).is_some();
        if self.is_asked_for(clause) {
            acts.extend(self.ask_learned(clause));
        } else if telling >= LEAST && !dated && !judged {
            let inform = Inform {
                thing: self.thing(clause),
                values: Vec::new(),
                when: None,
                attachment: None,
                remark: Some(self.written(clause.span).to_owned()),
            };
            acts.push(self.act(Does::Inform(inform), LIKELY, clause.span, clause.place));
        }
    }

    fn alarms(&self, clause: &Clause, acts: &mut Vec<Act>) {
        let safe = self.mark(ActCue::Safe, clause);
        for (mark, span) in self.signs.marks.within(clause.span) {
            let Mark::Alarm(place) = mark else { continue };
            // "Nobody is hurt."
            let denied = safe.is_some_and(|safe| safe.covers(span));
            if denied || self.signs.marks.is_harmless(place, span) {
                continue;
            }
            let name = self
                .understander
                .alarms
                .get(place)
                .cloned()
                .unwrap_or_default();
            let known =
                |act: &Act| matches!(&act.does, Does::Alarm { name: other } if *other == name);
            if !acts.iter().any(known) {
                acts.push(self.act(Does::Alarm { name }, SURE, span, clause.place));
            }
        }
    }

    fn repairs(&self, clause: &Clause, acts: &mut Vec<Act>) {
        for (cue, repair) in [
            (ActCue::Misread, Repair::Misread),
            (ActCue::Unheard, Repair::Unheard),
            (ActCue::Unclear, Repair::Unclear),
        ] {
            // "Is the Niro still there" asks for the Niro.
            let of_thing = clause.named_before.is_some() && clause.asking.asks();
            let of_thing = of_thing || self.attribute_of_stock(clause).is_some();
            if cue == ActCue::Unheard && (of_thing || !clause.said.is_empty()) {
                continue;
            }
            let waits = cue == ActCue::Unheard && self.is_greeting_that_asks(clause);
            if let Some(span) = self.mark(cue, clause).or(waits.then_some(clause.span)) {
                acts.push(self.act(Does::Repair(repair), SURE, span, clause.place));
            }
        }
    }

    /// "Hallo??": nothing but a greeting, with a question mark.
    fn is_greeting_that_asks(&self, clause: &Clause) -> bool {
        let words = clause.span.start..clause.span.end;
        let asked = self
            .reading
            .tokens
            .iter()
            .skip(clause.span.start)
            .take(clause.span.len());
        self.mark(ActCue::Hello, clause).is_some()
            && asked.clone().any(|token| token.asked)
            && words.clone().all(|at| self.reading.lattice.is_filler(at))
    }

    fn courtesies(&self, clause: &Clause, alone: bool, acts: &mut Vec<Act>) {
        let by_intent = match clause.act {
            // Short texts look like thanks to examples alone.
            IntentAct::Hello if alone && self.has_cue(clause) => Some(Social::Hello),
            IntentAct::Thanks if alone && self.has_cue_of(clause, STRONG) => Some(Social::Thanks),
            IntentAct::Thanks if alone && self.has_cue(clause) => Some(Social::Nicety),
            _ => None,
        };
        let felt = FEELINGS.map(|of| (ActCue::Feels(of), Social::Feels { of }));
        let marked = COURTESIES.into_iter().chain(felt);
        let marked = marked.filter_map(|(cue, social)| Some((self.mark(cue, clause)?, social)));
        let made = self.tells_of_visit(clause);
        let marked = marked.filter(|(_, social)| *social != Social::Made || made);
        let marked: Vec<(Span, Social)> = marked.collect();
        let waits = acts
            .iter()
            .any(|act| matches!(act.does, Does::Repair(Repair::Unheard)));
        for (span, social) in &marked {
            let span = match social {
                Social::Deadline => self.due(clause, *span),
                Social::Made | Social::Calls => clause.span,
                _ => *span,
            };
            if !(waits && *social == Social::Hello) {
                acts.push(self.act(Does::Social(*social), SURE, span, clause.place));
            }
        }
        let silent = acts.iter().all(|act| act.clause != clause.place);
        if let Some(social) = by_intent.filter(|_| silent) {
            let confidence = clause.decision.confidence;
            acts.push(self.act(Does::Social(social), confidence, clause.span, clause.place));
        }
    }

    /// "En telefoonnummer": the bare name of a fact asks for it.
    fn names_or_unclear(&self, whole: Span, acts: &mut Vec<Act>) {
        let clause = self.clause(0, whole, true);
        let info = clause.act == IntentAct::Info && self.known_topic(&clause);
        let asks = info || self.is_like_a_fact(&clause, ALIKE) || self.is_asked_for(&clause);
        if asks && !self.only_states(&clause) {
            self.asks(&clause, acts);
        } else {
            acts.push(self.unclear(whole));
        }
    }

    /// Nothing was read: what comes near.
    fn unclear(&self, whole: Span) -> Act {
        const NEAR: f64 = 0.35;
        let decision = self.decide(whole, true);
        let name = |place: usize| Some(self.understander.intents.get(place)?.name.clone());
        let worth = |place: &usize| self.understander.act_of(*place) != IntentAct::Nothing;
        let first = Some(decision.intent).filter(|_| decision.confidence >= NEAR);
        let candidates = first.into_iter().chain(decision.second).filter(worth);
        let does = Does::Unclear {
            candidates: candidates.filter_map(name).collect(),
        };
        self.act(does, 1.0 - decision.confidence, whole, 0)
    }

    fn mark(&self, cue: ActCue, clause: &Clause) -> Option<Span> {
        self.signs.marks.act(cue, clause.span)
    }

    fn act(&self, does: Does, confidence: f64, span: Span, clause: usize) -> Act {
        let start = self
            .reading
            .tokens
            .get(span.start)
            .map_or(0, |token| token.start);
        let last = span
            .end
            .checked_sub(1)
            .and_then(|at| self.reading.tokens.get(at));
        Act {
            does,
            confidence: (confidence * 1000.0).round() / 1000.0,
            words: start..last.map_or(start, |token| token.end).max(start),
            clause,
            origin: Origin::Rules,
        }
    }
}

/// "There's a dent in the door, would you take it in part exchange?" wants the second alone: beside a
/// goal that is wished for in some clause, what only looks like another goal is none.
fn drop_by_the_way(acts: &mut Vec<Act>, wishes: &[usize]) {
    let goal = |act: &Act| match &act.does {
        Does::Request { goal, .. } => Some(goal.clone()),
        _ => None,
    };
    let wished = acts.iter().filter(|act| wishes.contains(&act.clause));
    let wished: Vec<String> = wished.filter_map(goal).collect();
    if !wished.is_empty() {
        acts.retain(|act| {
            goal(act).is_none_or(|goal| wishes.contains(&act.clause) || wished.contains(&goal))
        });
    }
}
