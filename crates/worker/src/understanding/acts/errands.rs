//! What a customer comes to collect or bids, what is named by its number, and what only looks like a question.

use shared_types::SlotValue;

use super::goals::STRONG;
use super::{Clause, SURE, Talk};
use crate::dialogue::act::{Act, Answer, Does, Form, Social, Thing};
use crate::domain::{About, ActCue, IntentAct, QuestionCue};
use crate::understanding::clauses::first_word;
use crate::understanding::intents::CueMatch;
use crate::understanding::lattice::Span;
use crate::understanding::marks::Mark;
use crate::understanding::numbers::Quantity;
use crate::understanding::said::Said;
use crate::understanding::topics::{CERTAIN, FLOOR};

/// The furthest that an appointment is shifted, in minutes: ten weeks.
const FURTHEST: f64 = 10.0 * 7.0 * 24.0 * 60.0;

/// The most words of a question that only begins.
const BEGUN: usize = 2;

impl Talk<'_> {
    /// "Two days later": a shift as often as the number in its words says.
    pub(super) fn times_said(&self, minutes: i32, span: Span) -> i32 {
        let mut numbers = self.reading.quantities.iter();
        // Half an hour has a cue of its own.
        let number = numbers.find(|one| span.covers(one.span) && one.value >= 1.0);
        let often = number.map_or(1.0, |one| one.value);
        #[allow(clippy::cast_possible_truncation, reason = "bounded")]
        let shift = (f64::from(minutes) * often).clamp(-FURTHEST, FURTHEST) as i32;
        shift
    }

    /// "Can I pick it up tomorrow at 5?", "I'm picking up my Polo on Friday": who says so comes for it then.
    pub(super) fn fetches(&self, clause: &Clause, acts: &mut Vec<Act>) -> bool {
        let bids = |act: &Act| matches!(act.does, Does::Offer { .. });
        if acts.iter().any(bids) && self.mark(ActCue::Fetch, clause).is_some() {
            // "9500 and I'll pick it up today" only bids.
            return true;
        }
        let asks = clause.asking.asks();
        let which = asks && clause.asking.form == Form::Which;
        let fetch = self
            .mark(ActCue::Fetch, clause)
            .filter(|_| !which && self.is_dated(clause));
        let free = match asks {
            true => clause.act != IntentAct::Request,
            false => !self.has_cue_of(clause, STRONG) || clause.act != IntentAct::Request,
        };
        let Some((goal, fetch)) = self.status_goal().zip(fetch).filter(|_| free) else {
            return false;
        };
        if !asks && self.is_for_another(clause, goal) {
            // "I bring it at nine and collect it at five" is one visit, for what is done between.
            let fetch = Span::new(fetch.start, clause.span.end);
            let does = Does::Social(Social::Deadline);
            acts.push(self.act(does, SURE, fetch, clause.place));
            let mut moments = self.reading.moments.spans();
            return !moments.any(|moment| clause.span.covers(moment) && !fetch.covers(moment));
        }
        let does = Does::Request {
            goal: goal.to_owned(),
            thing: self.thing(clause),
            when: None,
            asks_whether: false,
            definite: false,
        };
        acts.push(self.act(does, SURE, clause.span, clause.place));
        self.tells(clause, |said| self.is_name(&said.slot), acts);
        // "Can my wife collect it on Friday?" asks more than whether that day can be.
        let companion = self.mark(ActCue::Companion, clause).is_some();
        let floor = if companion { FLOOR } else { CERTAIN };
        if asks && self.is_like_a_fact(clause, floor) {
            self.asks(clause, acts);
        }
        true
    }

    /// The last number in the words that bid, or of the clause: "I'll give you 9,500 if you give me 5 for mine".
    pub(super) fn offer(&self, clause: &Clause, bids: Span) -> Does {
        let less = self.mark(ActCue::Less, clause).is_some();
        let last_in = |words: Span| {
            let mut quantities = self.reading.quantities.iter().rev();
            quantities.find(|quantity| words.covers(quantity.span))
        };
        let bid = last_in(bids).or_else(|| last_in(clause.span));
        let amount = bid.and_then(|quantity| self.in_full(quantity));
        Does::Offer {
            amount: amount.map(|amount| if less { -amount } else { amount }),
            thing: self.thing(clause),
        }
    }

    /// "12" of a bid is 12.000 where an answer of 12 to our question would be.
    fn in_full(&self, quantity: &Quantity) -> Option<i64> {
        const SMALL: i64 = 100;
        let whole = quantity.whole()?;
        let mut topics = self.understander.topics_asked.iter();
        let written = self.written(quantity.span);
        let mut full = || {
            topics.find_map(
                |topic| match self.bare(topic, written).first()?.any_of.first()? {
                    SlotValue::Integer(value) => Some(*value),
                    SlotValue::Text(_) => None,
                },
            )
        };
        Some(if whole < SMALL {
            full().unwrap_or(whole)
        } else {
            whole
        })
    }

    /// "I can't collect it today after all" comes for it on another day.
    pub(super) fn cannot_fetch(&self, clause: &Clause) -> bool {
        !self.context.has_appointment && self.mark(ActCue::Fetch, clause).is_some()
    }

    /// "Who calls me, and when" asks how far it is; "when can I speak to somebody" wants to.
    pub(super) fn asks_how_far(&self, clause: &Clause) -> bool {
        let rings = self.mark(ActCue::ByPhone, clause).is_some();
        let speaks = self.mark(ActCue::Modal, clause).is_some() && !rings;
        clause.asking.asks()
            && clause.asking.form == Form::Which
            && (!speaks || self.known_topic(clause))
    }

    /// The words of a deadline: its clause, or of a clause with several moments those up to the first one.
    /// "I work till 5, so between 5 and 6" can be reached then.
    pub(super) fn due(&self, clause: &Clause, mark: Span) -> Span {
        let moments = self.reading.moments.spans();
        let ends = moments.filter(|moment| clause.span.covers(*moment));
        let ends: Vec<usize> = ends.map(|moment| moment.end).collect();
        match ends.iter().find(|end| mark.start < **end) {
            Some(end) if ends.len() > 1 => Span::new(mark.start, mark.end.max(*end)),
            _ => clause.span,
        }
    }

    /// "My MOT runs out on the 14th": what is to be done with the own thing, though no wish is said.
    pub(super) fn is_due(&self, clause: &Clause) -> bool {
        self.mark(ActCue::Deadline, clause).is_some()
            && clause.act == IntentAct::Request
            && self.is_about_own(clause)
    }

    /// Whether another appointment stands, or one is made in the same words for the own thing.
    fn is_for_another(&self, clause: &Clause, goal: &str) -> bool {
        if self.context.goals.iter().any(|open| open == goal) {
            return false;
        }
        let mut intents = self.understander.intents.iter();
        let own = |name| intents.any(|one| one.name == name && one.about == About::Own);
        let pursued = self.context.goal.filter(|_| self.context.is_pursued);
        let moments = self.reading.moments.spans();
        let several = moments.filter(|moment| clause.span.covers(*moment)).count() > 1;
        self.context.has_appointment || several && pursued.is_some_and(own)
    }

    /// "I have an appointment tomorrow at 9" tells of one that was made, and wants none.
    pub(super) fn tells_of_visit(&self, clause: &Clause) -> bool {
        let Some(made) = self.mark(ActCue::Made, clause) else {
            return false;
        };
        let mut marks = self.signs.marks.within(clause.span);
        let wants =
            marks.any(|(mark, span)| mark == Mark::Act(ActCue::Wants) && !made.covers(span));
        let names_goal = clause.act == IntentAct::Request && self.has_cue_of(clause, STRONG);
        !wants && !names_goal && !clause.asking.asks()
    }

    /// "The Golf is sold already": the one that we were to take, and none that is looked for.
    pub(super) fn says_own_is_gone(&self, clause: &Clause) -> bool {
        let mut said = clause.said.iter().filter(|said| self.is_name(&said.slot));
        let of_own = |said: &Said| {
            let mut own = self.context.own.iter();
            own.any(|(slot, value)| *slot == said.slot && *value == said.value)
        };
        self.mark(ActCue::Gone, clause).is_some()
            && !clause.asking.asks()
            && !self.context.own.is_empty()
            && said.all(of_own)
    }

    /// "Forget the quote" of who has an appointment drops that, and no appointment.
    pub(super) fn drops_aside(&self, clause: &Clause, drop: Span) -> bool {
        const NEAR: usize = 2;
        let aside = self.mark(ActCue::Aside, clause);
        let object =
            aside.is_some_and(|aside| drop.start <= aside.start && aside.start < drop.end + NEAR);
        self.context.has_appointment
            && object
            && !self.is_dated(clause)
            && self.mark(ActCue::Visit, clause).is_none()
    }

    /// "Can I test drive the Touran?": the goal and one thing, and nothing that a fact could be about.
    pub(super) fn wants_just_that(&self, clause: &Clause) -> bool {
        let wanted = |said: &&Said| said.thing == Thing::Wanted && self.is_name(&said.slot);
        let names: Vec<Span> = clause
            .said
            .iter()
            .filter(wanted)
            .map(|said| said.span)
            .collect();
        let goal = |cue: &&CueMatch| cue.intent == clause.decision.intent && cue.weight > 0.0;
        let cues: Vec<&CueMatch> = self.signs.cues.iter().filter(goal).collect();
        let plain = |at: usize| {
            self.reading.lattice.is_filler(at) || self.reading.frequent.get(at) == Some(&true)
        };
        let of_goal = |at: usize| cues.iter().any(|cue| cue.tokens.contains(at));
        let named = |at: usize| names.iter().any(|span| span.start <= at && at < span.end);
        let mut words = clause.span.start..clause.span.end;
        clause.asking.form == Form::YesNo
            && !names.is_empty()
            && self.has_cue_of(clause, STRONG)
            && words.all(|at| plain(at) || of_goal(at) || named(at))
    }

    /// "Do you have": a question that only begins, and goes on in the next message.
    pub(super) fn is_begun(&self, clause: &Clause) -> bool {
        let whole = clause.span.len() == self.reading.tokens.len();
        let mut tokens = self.reading.tokens.iter();
        whole && clause.span.len() <= BEGUN && !tokens.any(|token| token.asked)
    }

    /// "What do you have?" of who has said what is looked for.
    pub(super) fn asks_what_there_is(&self, clause: &Clause) -> bool {
        let there = self.mark(ActCue::Existence, clause);
        let which = clause.asking.form == Form::Which && self.context.stock;
        let all = |span: Span| {
            let mut words = clause.span.start..clause.span.end;
            let inside = |at: usize| span.start <= at && at < span.end;
            words.all(|at| inside(at) || self.reading.lattice.is_filler(at))
        };
        which && there.is_some_and(all)
    }

    /// The goal of who asks how far something is.
    fn status_goal(&self) -> Option<&str> {
        let mut intents = (0..).zip(&self.understander.intents);
        let (_, intent) =
            intents.find(|(place, _)| self.understander.act_of(*place) == IntentAct::Status)?;
        Some(&intent.name)
    }

    /// "My order 20331": the number is not asked for again.
    pub(super) fn references(&self, clause: &Clause, acts: &mut Vec<Act>) {
        let Some(span) = self.mark(ActCue::Reference, clause) else {
            return;
        };
        let text = self.written(span).trim().to_owned();
        let does = Does::Answer(Answer::Reference(text));
        acts.push(self.act(does, SURE, span, clause.place));
    }

    /// "Ich stehe auf dem Parkplatz": who begins like one who tells, and wants nothing, asks for no fact.
    pub(super) fn only_states(&self, clause: &Clause) -> bool {
        let marks = &self.signs.marks;
        let first = first_word(self.reading, marks, clause.span);
        let opens = marks.starts(first, |cue| cue == QuestionCue::Opener);
        let more = |span: Span| span.end < clause.span.end;
        opens.is_some_and(more)
            && !clause.asking.asks()
            && self.mark(ActCue::Wants, clause).is_none()
            && self.mark(ActCue::Seek, clause).is_none()
    }
}

/// "Stop looking, I found one at my brother-in-law's": who has one looks for none.
pub(super) fn drop_what_is_over(acts: &mut Vec<Act>) {
    let over = |act: &Act| matches!(act.does, Does::Cancel { over: true, .. });
    let tells = |act: &Act| matches!(&act.does, Does::Inform(inform) if !inform.values.is_empty());
    if acts.iter().any(over) && !acts.iter().any(tells) {
        let looks = |act: &Act| {
            matches!(
                &act.does,
                Does::Request {
                    thing: Thing::Wanted,
                    when: None,
                    asks_whether: false,
                    ..
                }
            )
        };
        acts.retain(|act| !looks(act));
    }
}
