//! What a clause wants: something done, a person, a bid considered.

use super::{Clause, FEELINGS, SURE, Talk};
use crate::dialogue::act::{Act, Does, Feeling, Form, Repair, Social, Thing};
use crate::domain::{About, ActCue, IntentAct, SlotKind, SlotRule};
use crate::understanding::lattice::Span;
use crate::understanding::marks::Mark;
use crate::understanding::said::Said;
use crate::understanding::topics::{ALIKE, FLOOR};

/// What it takes to open a goal for which no pattern speaks.
const LIKELY_BY_EXAMPLES: f64 = 0.8;
/// How sure a wish ("can I …") is of itself, with how like a fact it must be to ask for that fact.
const WISHES: [(f64, f64); 3] = [(0.85, 0.6), (0.95, 0.7), (1.01, 0.9)];
/// What examples alone must be worth for a value to begin a goal.
const BEYOND_DOUBT: f64 = 0.85;
/// From here on a pattern tells of dissatisfaction by itself; "not" and "bought" do not.
pub(super) const TELLING: f64 = 2.0;
/// The least that a pattern says.
const HINT: f64 = f64::MIN_POSITIVE;
/// From here on a pattern speaks for a goal whatever else stands in the clause.
pub(super) const STRONG: f64 = 4.0;

impl Talk<'_> {
    /// Complaints, wishes for a person, bids, goals and questions, with the values that go with them.
    pub(super) fn goals(&self, clause: &Clause, acts: &mut Vec<Act>) {
        let confidence = clause.decision.confidence;
        let here = |does: fn(&Does) -> bool| {
            let mut here = acts.iter().filter(|act| act.clause == clause.place);
            here.any(|act| does(&act.does))
        };
        let supplies = here(|does| matches!(does, Does::Identify { supplier: true, .. }));
        let repairs = here(|does| matches!(does, Does::Repair(_)));
        let waits = here(|does| matches!(does, Does::Repair(Repair::Unheard)));
        // "Nobody called yet??" asks nothing else.
        let waits = waits && clause.asking.asks() && !self.known_topic(clause);
        // Who sells to us wants none of our goals; whom we took wrong is no complainer yet.
        if supplies || waits || self.set_aside(clause, acts) {
            return;
        }
        let asks_who = clause.asking.asks() && self.mark(ActCue::Us, clause).is_some();
        let complains = !repairs && self.complaint(clause, acts);
        // "Rather after two" of an appointment is about the hour, as is "tomorrow 9 please" without a cue.
        let of_visit = self.context.has_appointment || !self.has_cue(clause);
        let of_moment = of_visit && self.is_dated(clause);
        let unsaid = !self.has_cue_of(clause, TELLING);
        let about_time = unsaid && (of_moment || clause.asking.asks());
        // "I'd rather have the Mini" wants the Mini, whatever examples say.
        let names = |said: &Said| said.thing == Thing::Wanted && self.is_name(&said.slot);
        let wants = |said: &Said| said.thing == Thing::Wanted && (names(said) || !said.number);
        let wants_thing = unsaid && clause.said.iter().any(wants);
        let by_the_way = asks_who || self.asks_how_far(clause) || about_time || wants_thing;
        // "But rather 12" looks like a wish for a person to examples alone.
        let compares = self.mark(ActCue::Rather, clause).is_some();
        let meant = self.has_cue(clause) || !compares;
        if clause.act == IntentAct::Handoff && meant && !complains && !by_the_way {
            acts.extend((!repairs).then(|| self.handoff(clause)));
            self.tells(clause, names, acts);
            return;
        }
        if let Some(span) = self.mark(ActCue::Offer, clause) {
            let does = self.offer(clause, span);
            acts.push(self.act(does, SURE, span, clause.place));
            self.tells(
                clause,
                |said| said.thing == Thing::Own && self.is_name(&said.slot),
                acts,
            );
            return;
        }
        if self.fetches(clause, acts) {
            return;
        }
        let asks = clause.asking.asks();
        let sees = clause.act == IntentAct::Request && !self.is_about_own(clause);
        if asks && sees && self.is_seen_to_own(clause, acts) {
            return;
        }
        // What examples alone take for a wish may be a value that is told.
        let tells = !asks && !clause.said.is_empty();
        let cued = match self.is_plate_alone(clause) {
            true => self.has_cue_of(clause, STRONG),
            false => self.has_cue(clause) || confidence >= BEYOND_DOUBT,
        };
        let certain = !tells || cued;
        let meant = certain && self.is_meant(clause) && self.begins(clause);
        // What is said to a goal that is pursued answers or adds, and begins nothing.
        let pursued = self.is_pursued(clause) && !asks;
        let comes = asks && self.mark(ActCue::Come, clause).is_some();
        if comes || asks && self.asks_for_advice(clause) {
            // "When can I bring it in for a service?" wants the service, and is answered.
            if comes && clause.act == IntentAct::Request && meant && self.is_about_own(clause) {
                let does = self.request(clause, false);
                acts.push(self.act(does, confidence, clause.span, clause.place));
                self.tells(clause, |_| true, acts);
            }
            self.asks(clause, acts);
        } else if clause.act == IntentAct::Request && meant && !pursued && !self.only_asks(clause) {
            let does = self.request(clause, asks && clause.asking.whether);
            acts.push(self.act(does, confidence, clause.span, clause.place));
            self.tells(clause, |_| true, acts);
        } else if asks && !complains && !self.is_courtesy(clause) {
            self.asks(clause, acts);
        } else if self.waits(clause) && meant && !pursued && !complains {
            // "I'm still waiting for the papers" wants to know where they are.
            let does = self.request(clause, false);
            acts.push(self.act(does, confidence, clause.span, clause.place));
            self.tells(clause, |_| true, acts);
        } else {
            self.seeks(clause, acts);
            self.tells(clause, |said| !asks || !said.number, acts);
        }
    }

    /// What is no goal and comes before one: danger, fear, how the customer can be reached.
    fn set_aside(&self, clause: &Clause, acts: &mut Vec<Act>) -> bool {
        if self.says_own_is_gone(clause) {
            let gone = Does::Social(Social::Gone);
            acts.push(self.act(gone, SURE, clause.span, clause.place));
            return true;
        }
        let recalls = self.mark(ActCue::Recalls, clause);
        if recalls.is_some() && self.context.has_appointment && clause.asking.asks() {
            let recalls = Does::Social(Social::Recalls);
            acts.push(self.act(recalls, SURE, clause.span, clause.place));
            return true;
        }
        if self.tells_of_visit(clause) {
            self.tells(clause, |said| self.is_name(&said.slot), acts);
            return true;
        }
        if let Some(does) = self.asks_in_danger(clause) {
            acts.push(self.act(does, SURE, clause.span, clause.place));
            return true;
        }
        let mut moves = [Feeling::Worry, Feeling::Delight].into_iter();
        let moves = moves.any(|of| self.mark(ActCue::Feels(of), clause).is_some());
        if moves && !self.wishes(clause) && !self.is_dated(clause) {
            // What one is afraid of is not what one wants, nor what one has and likes.
            self.tells(clause, |said| said.thing == Thing::Own, acts);
            return true;
        }
        if let Some(span) = self.mark(ActCue::NoCalls, clause) {
            acts.push(self.act(Does::NoCalls, SURE, span, clause.place));
            self.tells(clause, |_| true, acts);
            return true;
        }
        let which = clause.asking.form == Form::Which;
        if clause.asking.asks() && !which && self.mark(ActCue::Calls, clause).is_some() {
            return true; // "Can I let you know next week when" asks nothing.
        }
        // "From when is somebody reachable tomorrow" asks for hours.
        let tells = self.is_dated(clause) && (!which || !clause.asking.asks());
        if let Some(span) = self.mark(ActCue::Reachable, clause).filter(|_| tells) {
            let does = Does::Handoff {
                by_phone: false,
                whom: false,
                when: None,
            };
            let span = Span::new(clause.span.start, clause.span.end.max(span.end));
            acts.push(self.act(does, SURE, span, clause.place));
            return true;
        }
        false
    }

    fn handoff(&self, clause: &Clause) -> Act {
        let does = Does::Handoff {
            by_phone: self.mark(ActCue::ByPhone, clause).is_some(),
            whom: self.mark(ActCue::Whom, clause).is_some(),
            when: None,
        };
        self.act(does, clause.decision.confidence, clause.span, clause.place)
    }

    /// A question about the goal that wants nothing done yet: "what do I bring to a test drive?"
    fn only_asks(&self, clause: &Clause) -> bool {
        if !clause.asking.asks() {
            return false;
        }
        let modal = self.mark(ActCue::Modal, clause).is_some() || clause.asking.whether;
        // "What is it worth?" or "can you tow it?" while that is being done.
        // "Can I come on Thursday to have it valued?" comes.
        let comes = self.is_dated(clause) && self.mark(ActCue::Modal, clause).is_some();
        if self.is_pursued(clause) || self.is_open(clause) && !self.is_dated(clause) {
            // "Can I drive it, too?" of who comes to see it wants that.
            let names = clause.asking.form == Form::YesNo && self.has_cue_of(clause, STRONG);
            return !(comes || modal && names && !self.is_like_a_fact(clause, ALIKE));
        }
        // "May my dad come along?" wants nothing done.
        if self.mark(ActCue::Companion, clause).is_some() && !self.is_dated(clause) {
            return true;
        }
        if !modal || clause.asking.form == Form::Choice && self.is_like_a_fact(clause, FLOOR) {
            // "Is it insured from the moment I drive off" asks of the thing.
            let subject = self.mark(ActCue::OfThing, clause);
            let of_thing = subject.is_some_and(|span| span.start <= clause.span.start + 1);
            let wants = self.mark(ActCue::Wants, clause).is_some() || self.is_dated(clause);
            // "What could come off that price" asks, whatever it has the words of.
            let which = clause.asking.form == Form::Which;
            return which || self.known_topic(clause) || of_thing && !wants;
        }
        let confidence = clause.decision.confidence;
        let sure = if self.has_cue(clause) {
            1.0
        } else {
            confidence
        };
        if comes && self.has_cue_of(clause, TELLING) {
            // "Can I bring it in for an MOT on Saturday" wants that, whatever facts there are of it.
            return false;
        }
        // "From what age can you take a test drive" asks, and takes none.
        if clause.asking.form == Form::Which && self.is_answered_by_a_fact(clause) {
            return true;
        }
        if self.wants_just_that(clause) {
            return false;
        }
        let floor = WISHES.iter().find(|(most, _)| sure < *most);
        floor.is_some_and(|(_, floor)| self.is_like_a_fact(clause, *floor))
    }

    /// Asks what is best left alone until a colleague answers: "can I still drive it?"
    pub(super) fn asks_for_advice(&self, clause: &Clause) -> bool {
        let mut marks = self.signs.marks.within(clause.span);
        marks.any(|(mark, _)| match mark {
            Mark::Attribute(place) => {
                let attribute = self.understander.attributes.get(place);
                attribute.is_some_and(|attribute| !attribute.advice.is_empty())
            }
            _ => false,
        })
    }

    /// "I'm still waiting for the papers": more than a plate, and in words that say so.
    fn waits(&self, clause: &Clause) -> bool {
        clause.act == IntentAct::Status
            && self.has_cue_of(clause, STRONG)
            && !self.is_plate_alone(clause)
    }

    /// A plate goes with whatever is pursued, and begins nothing.
    fn is_plate_alone(&self, clause: &Clause) -> bool {
        let plate = |said: &Said| {
            let mut slots = self.understander.slots.iter();
            slots.any(|slot| slot.name == said.slot && matches!(slot.kind, SlotKind::Plate { .. }))
        };
        !clause.said.is_empty() && clause.said.iter().all(plate)
    }

    pub(super) fn is_about_own(&self, clause: &Clause) -> bool {
        let intent = self.understander.intents.get(clause.decision.intent);
        intent.is_some_and(|intent| intent.about == About::Own)
    }

    pub(super) fn is_dated(&self, clause: &Clause) -> bool {
        let mut moments = self.reading.moments.spans();
        moments.any(|span| clause.span.covers(span))
    }

    /// Whether the goal of a clause is pursued, be it the last or an earlier one.
    fn is_open(&self, clause: &Clause) -> bool {
        let goal = self.goal_of(clause);
        self.context
            .goals
            .iter()
            .any(|open| Some(open.as_str()) == goal)
    }

    fn is_pursued(&self, clause: &Clause) -> bool {
        self.context.is_pursued && self.goal_of(clause) == self.context.goal
    }

    fn goal_of(&self, clause: &Clause) -> Option<&str> {
        let intent = self.understander.intents.get(clause.decision.intent)?;
        Some(&intent.name)
    }

    /// Whether a goal is wanted: examples alone may err where there are words that speak for it.
    fn is_meant(&self, clause: &Clause) -> bool {
        let intent = clause.decision.intent;
        let named = self.understander.intents.get(intent);
        let pursued = named.is_some_and(|intent| Some(intent.name.as_str()) == self.context.goal);
        let cued = self.understander.cued.get(intent).copied();
        pursued
            || self.context.is_pursued && self.is_dated(clause)
            || self.asks_leave(clause) && clause.decision.confidence >= LIKELY_BY_EXAMPLES
            || !cued.unwrap_or(false)
            || self.has_cue_of(clause, self.telling(clause))
    }

    /// What a pattern must be worth that a goal is meant: little of who asks to be allowed something,
    /// much where nothing says that it is wanted.
    fn telling(&self, clause: &Clause) -> f64 {
        if self.asks_leave(clause) {
            HINT
        } else if self.wishes(clause) || self.mark(ActCue::Deadline, clause).is_some() {
            TELLING
        } else {
            STRONG
        }
    }

    /// "Can I", "could you", "is that possible".
    fn asks_leave(&self, clause: &Clause) -> bool {
        let modal = self.mark(ActCue::Modal, clause).is_some();
        clause.asking.asks() && (modal || clause.asking.whether)
    }

    /// Whether a clause may begin something beside what is pursued. What is told of the thing at hand
    /// ("there's a dent in the door" of a trade-in) begins nothing: it takes a wish or a moment.
    fn begins(&self, clause: &Clause) -> bool {
        let mut feelings = FEELINGS.iter();
        let feels = feelings.any(|of| self.mark(ActCue::Feels(*of), clause).is_some());
        let tells = self.context.is_pursued || feels;
        !tells || self.wishes(clause) || self.is_dated(clause)
    }

    /// Whether a clause asks, or says that something is wanted.
    pub(super) fn wishes(&self, clause: &Clause) -> bool {
        clause.asking.asks() || self.mark(ActCue::Wants, clause).is_some()
    }

    fn request(&self, clause: &Clause, asks_whether: bool) -> Does {
        Does::Request {
            goal: self.goal_of(clause).unwrap_or_default().to_owned(),
            thing: self.thing(clause),
            when: None,
            asks_whether,
            // "Something like the Fiat 500" is none in particular.
            definite: self.mark(ActCue::Definite, clause).is_some()
                && self.mark(ActCue::Seek, clause).is_none(),
        }
    }

    /// Somebody who looks for something opens the goal of wishes.
    pub(super) fn seeks(&self, clause: &Clause, acts: &mut Vec<Act>) {
        let wants = |said: &&Said| said.thing == Thing::Wanted && !said.negated;
        let names_some = clause.said.iter().find(wants).is_some();
        // "My mother has a red Aygo, it needs a service" looks for none.
        let names_some = names_some && !self.is_brought_for_another(clause);
        let new = self.context.goal.is_none() && clause.act == IntentAct::Wish && names_some;
        let seeks = self.mark(ActCue::Seek, clause).is_some() && clause.act == IntentAct::Wish;
        let open = |act: &Act| matches!(act.does, Does::Request { .. });
        if (seeks || new) && !acts.iter().any(open) {
            let does = self.request(clause, false);
            acts.push(self.act(does, clause.decision.confidence, clause.span, clause.place));
        }
    }

    /// Whether a pattern speaks for the intent of the clause, and not only examples.
    pub(super) fn has_cue(&self, clause: &Clause) -> bool {
        self.has_cue_of(clause, HINT)
    }

    /// The same with a pattern of some weight.
    pub(super) fn has_cue_of(&self, clause: &Clause, least: f64) -> bool {
        let mut cues = self.signs.cues.iter();
        let inside = |at: usize| clause.span.start <= at && at < clause.span.end;
        cues.any(|cue| {
            cue.intent == clause.decision.intent && cue.weight >= least && inside(cue.first)
        })
    }

    /// The thing that a clause is about.
    pub(super) fn thing(&self, clause: &Clause) -> Thing {
        if self.is_brought_for_another(clause) {
            return Thing::Own;
        }
        if self.is_of_third(clause) {
            return Thing::Third;
        }
        if let Some(said) = clause.said.first() {
            return said.thing;
        }
        // "Has the Niro heated seats? And how far has it run": it is the Niro.
        let pronoun = clause.asking.asks() && self.mark(ActCue::OfThing, clause).is_some();
        if let Some(thing) = clause.named_before.filter(|_| pronoun) {
            return thing;
        }
        let about = self.understander.intents.get(clause.decision.intent);
        // What is asked with "it" is asked of what the talk is about.
        let of_talk = clause.asking.asks() && !self.context.wanted.is_empty();
        let about = about.filter(|_| clause.act == IntentAct::Request && !of_talk);
        if self.speaks_of_own(clause.span) {
            return Thing::Own;
        }
        if self.asks_of_offered(clause) {
            return Thing::Wanted;
        }
        self.sides(about.map(|intent| intent.about)).pursued()
    }

    /// "Mijn auto", where nothing is named.
    pub(super) fn speaks_of_own(&self, clause: Span) -> bool {
        let slots = self.understander.slots.iter().enumerate();
        let catalogues = slots.filter(|(_, slot)| matches!(slot.kind, SlotKind::Catalogue(_)));
        let mut own = catalogues.flat_map(|(place, _)| {
            let surroundings = &self.reading.surroundings;
            surroundings.captured(place, SlotRule::Own)
        });
        own.any(|span| clause.start <= span.start && span.start < clause.end)
    }
}
