//! What a clause asks, and what its question tells in passing.

use super::{Clause, LIKELY, SURE, Talk};
use crate::dialogue::act::{Act, Ask, Asked, Does, Form, Social, Thing};
use crate::domain::{About, ActCue, IntentAct, SlotKind, Topic, TopicKind};
use crate::understanding::lattice::Span;
use crate::understanding::marks::{Mark, OfferCue};
use crate::understanding::said::Said;
use crate::understanding::topics::{ALIKE, FLOOR};

/// How like a fact's example the question for a price must be.
const LIKELY_PRICE: f64 = 0.45;

/// The most words of a question that only goes on with the one before.
const GOES_ON: usize = 2;
/// The most words of a question that says nothing of what it is about.
pub(super) const BARE: usize = 4;
/// No likeness is as high.
const NO_FACT: f64 = 1.1;
/// What our question is called that offers moments.
const MOMENT: &str = "moment";

/// From here on a fact is meant even where hours are asked, or whether a thing is there.
pub(super) const BEYOND_DOUBT: f64 = 0.8;

impl Talk<'_> {
    /// "It starts badly in the cold. Do you do that?" wants done what the statement before calls for,
    /// and asks nothing else.
    fn is_seen_to(&self, clause: &Clause, acts: &mut Vec<Act>) -> bool {
        if self.mark(ActCue::SeenTo, clause).is_none() {
            return false;
        }
        let requested = |act: &Act| matches!(act.does, Does::Request { .. });
        if acts.iter().any(requested) {
            return true;
        }
        let request = self.called_for(clause);
        let seen_to = request.is_some();
        acts.extend(request);
        seen_to
    }

    /// "My Astra makes a noise. Can you look at it?" looks at that one, and wants to see no other.
    pub(super) fn is_seen_to_own(&self, clause: &Clause, acts: &mut Vec<Act>) -> bool {
        let about_own = |act: &Act| match &act.does {
            Does::Request { goal, .. } => {
                let mut intents = self.understander.intents.iter();
                intents.any(|intent| intent.name == *goal && intent.about == About::Own)
            }
            _ => false,
        };
        let own =
            acts.iter().any(about_own) || self.called_for(clause).as_ref().is_some_and(about_own);
        own && self.is_seen_to(clause, acts)
    }

    /// What the statement before a question calls for.
    pub(super) fn called_for(&self, clause: &Clause) -> Option<Act> {
        let before = Span::new(clause.with_before.start, clause.span.start);
        let told = (before.len() > 0).then(|| self.decide(before, false))?;
        let wants = self.understander.act_of(told.intent) == IntentAct::Request;
        let goal = self.understander.intents.get(told.intent);
        let goal = goal.filter(|_| wants && told.confidence >= LIKELY)?;
        let does = Does::Request {
            goal: goal.name.clone(),
            thing: self.thing(clause),
            when: None,
            asks_whether: true,
            definite: false,
        };
        Some(self.act(does, told.confidence, clause.span, clause.place))
    }

    /// What a question names or bounds is told, what it asks is not.
    fn tells_in_passing(&self, clause: &Clause, topic: &Asked, acts: &mut Vec<Act>) {
        // "Heeft de Golf CarPlay": what is asked of it later is asked of the Golf.
        let named = matches!(topic, Asked::Attribute(_) | Asked::Other);
        // "And the other one, the grey Sportage?" turns to that one.
        let turns = [ActCue::Definite, ActCue::Instead];
        let turns = turns.iter().any(|cue| self.mark(*cue, clause).is_some());
        let fresh = turns || !self.knows_thing();
        let of_wanted = named && clause.asking.form != Form::Check && fresh;
        let counts = |thing| thing == Thing::Own || of_wanted;
        let marked = self.is_marked(clause);
        let is_told = |said: &Said| self.is_name(&said.slot) && counts(said.thing);
        let told = clause.said.iter().filter(|said| is_told(said));
        let told: Vec<Span> = told.map(|said| said.span).collect();
        // "Is the red i10 still there": red is that one.
        let beside =
            |said: &Said| !said.number && told.iter().any(|name| name.start == said.span.end);
        self.tells(
            clause,
            |said| is_told(said) || beside(said) || said.bounded && !marked,
            acts,
        );
    }

    /// A question. Whether a thing is there also tells that it is wished for; numbers never do.
    pub(super) fn asks(&self, clause: &Clause, acts: &mut Vec<Act>) {
        let topic = self.topic(clause);
        let is_other = topic == Asked::Other;
        if is_other && (self.goes_on_asking(clause, acts) || self.is_seen_to(clause, acts)) {
            return;
        }
        if topic == Asked::Other && self.is_begun(clause) {
            let prompt = Does::Social(Social::Prompt);
            acts.push(self.act(prompt, clause.asking.sure, clause.span, clause.place));
            return;
        }
        let topic = self.reconsidered(clause, topic);
        if topic == Asked::Existence {
            self.seeks(clause, acts);
            // "What do you have around 20k" tells the budget, "is the one for 20k still there" none.
            let which = clause.asking.form == Form::Which;
            self.tells(clause, |said| which || !said.number, acts);
        } else if let Some(goal) = self.goal_asked_for(clause.span).filter(|_| {
            let mut acts = acts.iter();
            !acts.any(|act| matches!(act.does, Does::Request { .. }))
        }) {
            let does = Does::Request {
                goal: goal.name.clone(),
                thing: self.thing(clause),
                when: None,
                asks_whether: false,
                definite: false,
            };
            if self.context.goal != Some(goal.name.as_str()) {
                acts.push(self.act(does, SURE, clause.span, clause.place));
            }
            self.tells(clause, |_| true, acts);
        } else {
            self.tells_in_passing(clause, &topic, acts);
        }
        let content = clause.said.iter().filter(|said| !said.negated);
        let content = content
            .map(|said| (said.slot.clone(), said.value.clone()))
            .collect();
        // "Zijn auto staat hier nog, wat moet ik daarmee": it goes on about that one.
        let of_own = topic == Asked::Other
            && clause.said.is_empty()
            && self.context.wanted.is_empty()
            && self.speaks_of_own(clause.with_before);
        let ask = Ask {
            topic,
            form: clause.asking.form,
            thing: if of_own {
                Thing::Own
            } else {
                self.thing(clause)
            },
            content,
            when: None,
        };
        // "I have one key only, is that bad": what it is about stands before.
        let short = clause.span.len() <= BARE && ask.content.is_empty();
        let bare = short && ask.topic == Asked::Other && !self.is_dated(clause);
        let whether = clause.asking.form != Form::Which;
        if bare && whether && self.is_settled_before(clause, acts) {
            return;
        }
        // "9.30 works. How long roughly": the moment is no part of the question.
        let mut moments = self.reading.moments.spans();
        let dated = moments.any(|moment| clause.with_before.covers(moment));
        let span = if bare && !dated {
            clause.with_before
        } else {
            clause.span
        };
        let more = match &ask.topic {
            Asked::Attribute(name) => self.more_attributes(clause, name),
            _ => Vec::new(),
        };
        let more = more.into_iter().map(|topic| Ask {
            topic,
            ..ask.clone()
        });
        let asks: Vec<Ask> = std::iter::once(ask.clone()).chain(more).collect();
        for ask in asks {
            acts.push(self.act(Does::Ask(ask), clause.asking.sure, span, clause.place));
        }
    }

    /// "I'd like to trade in my Polo, is that possible?" is answered as what is wanted is taken up, "he
    /// brings it at half ten, is that ok?" as the appointment is moved.
    fn is_settled_before(&self, clause: &Clause, acts: &[Act]) -> bool {
        let requests =
            |act: &Act| act.clause + 1 == clause.place && matches!(act.does, Does::Request { .. });
        let mut moments = self.reading.moments.spans();
        let moves =
            self.context.has_appointment && moments.any(|moment| clause.with_before.covers(moment));
        moves || acts.iter().any(requests)
    }

    /// "Who calls me then, and when?": a question word that goes on with the question before.
    fn goes_on_asking(&self, clause: &Clause, acts: &[Act]) -> bool {
        let words = clause.span.start..clause.span.end;
        let telling = words
            .filter(|at| !self.reading.lattice.is_filler(*at))
            .count();
        let asked = |act: &Act| act.clause + 1 == clause.place && matches!(act.does, Does::Ask(_));
        telling <= GOES_ON && clause.asking.form == Form::Which && acts.iter().any(asked)
    }

    /// Whether a slot is one of names.
    pub(super) fn is_name(&self, slot: &str) -> bool {
        let mut slots = self.understander.slots.iter();
        slots.any(|known| match &known.kind {
            SlotKind::Catalogue(names) => names.upper == slot || names.lower == slot,
            _ => false,
        })
    }

    /// Whether a question mark ends a clause.
    fn is_marked(&self, clause: &Clause) -> bool {
        let last = clause.span.end.checked_sub(1);
        let last = last.and_then(|at| self.reading.tokens.get(at));
        last.is_some_and(|token| token.asked)
    }

    /// What a clause asks that only an alarm answers.
    pub(super) fn asks_in_danger(&self, clause: &Clause) -> Option<Does> {
        if !self.context.in_alarm {
            return None;
        }
        let mut marks = self.signs.marks.within(clause.span);
        let attribute = marks.find_map(|(mark, _)| match mark {
            Mark::Attribute(place) => {
                let attribute = self.understander.attributes.get(place);
                attribute.filter(|attribute| attribute.danger)
            }
            _ => None,
        });
        let topic = Asked::Attribute(attribute?.name.clone());
        Some(Does::Ask(Ask {
            topic,
            form: clause.asking.form,
            thing: Thing::Own,
            content: Vec::new(),
            when: None,
        }))
    }

    /// Whether what is asked has a name.
    pub(super) fn known_topic(&self, clause: &Clause) -> bool {
        self.is_like_a_fact(clause, FLOOR)
            || self.attribute_in(clause.span).is_some()
            || self.mark(ActCue::Hours, clause).is_some()
    }

    fn topic(&self, clause: &Clause) -> Asked {
        let sought = || self.advice_sought(clause);
        if let Some(name) = self.attribute_of_stock(clause).or_else(sought) {
            return Asked::Attribute(name);
        }
        // "Can I still drive it" is answered before any test drive, "when can I come and collect it" by
        // when it is ready.
        let first = clause.asking.form != Form::Check && self.asks_for_advice(clause);
        let fetches = self.mark(ActCue::Fetch, clause).is_some();
        match self.attribute(clause) {
            Some((name, of_slot)) if first || fetches && !of_slot => {
                Asked::Attribute(name.to_owned())
            }
            _ => self.topic_but_advice(clause),
        }
    }

    fn topic_but_advice(&self, clause: &Clause) -> Asked {
        let has = |cue| self.mark(cue, clause).is_some();
        if clause.asking.form == Form::Check {
            return Asked::Other;
        }
        if has(ActCue::Us) {
            return Asked::Us;
        }
        if has(ActCue::Come) {
            return Asked::Visit;
        }
        // "Wat kost dat" has half of "wat kost afzeggen", and nothing of what it is about.
        let floor = match self.names_no_more(clause) {
            // "How long does that take" has nothing that tells which.
            true if has(ActCue::Status) => NO_FACT,
            true => ALIKE,
            false => 0.0,
        };
        let fact = self.fact(clause).filter(|(_, likeness)| *likeness >= floor);
        let more = |named: &(&str, bool)| self.asks_more_of_it(clause, *named);
        let attribute = self.attribute(clause).filter(|named| !more(named));
        let of_slot = attribute.is_some_and(|(_, of_slot)| of_slot);
        // "Was kostet ein neuer Schlüssel": where keys are left is no answer.
        let fact = fact.filter(|(name, likeness)| {
            let asks_price = attribute.is_some_and(|(name, _)| self.is_price(name));
            !asks_price || *likeness >= BEYOND_DOUBT || self.tells_price(name)
        });
        let fact = fact.filter(|fact| self.is_of_kind(clause, fact));
        let work = fact.as_ref();
        let work = work.is_some_and(|(name, _)| self.asks_for_work(clause, name));
        if let Some((name, of_slot)) = attribute
            && has(ActCue::OfThing)
            && (!of_slot || clause.asking.form == Form::Which && !has(ActCue::Existence))
            && !work
        {
            return Asked::Attribute(name.to_owned());
        }
        let named = clause.said.iter().any(|said| !said.number);
        // "Is it still there?" of what was named before.
        let wished = clause.wished_before || !self.context.wanted.is_empty();
        let known = has(ActCue::OfThing) && (clause.named_before.is_some() || wished);
        let names = !clause.said.is_empty() || known && self.thing(clause) == Thing::Wanted;
        let names = names || self.asks_what_there_is(clause);
        let there = has(ActCue::Existence) && names && (attribute.is_none() || of_slot);
        // "Has the service been done by now" asks how far it is, and not what one costs.
        let doubtful = there || has(ActCue::Hours) || has(ActCue::Status);
        if let Some(fact) = self.certain_fact(clause, fact.as_ref(), doubtful) {
            return fact;
        }
        if self.asks_hours(clause, there) || self.is_day_alone(clause) {
            return Asked::Hours;
        }
        if there {
            return Asked::Existence;
        }
        // Examples alone find a status in every short question.
        let status = has(ActCue::Status) || clause.act == IntentAct::Status && self.has_cue(clause);
        let likely = fact.filter(|(_, likeness)| *likeness >= FLOOR);
        match (attribute, likely) {
            // "Hoeveel kost een apk": a price of the house, not of the thing.
            (Some((name, _)), Some((fact, likeness)))
                if self.is_price(name) && likeness >= LIKELY_PRICE =>
            {
                Asked::Fact(fact)
            }
            (Some((name, _)), _)
                if self.is_price(name)
                    && (!named || self.thing(clause) == Thing::Own)
                    && self.has_unread_noun(clause) =>
            {
                Asked::Other
            }
            (Some((name, _)), _) => self
                .said_before(clause)
                .filter(|(_, prices)| *prices && self.asks_amount(name) && !named)
                .map_or_else(
                    || Asked::Attribute(name.to_owned()),
                    |(fact, _)| Asked::Fact(fact),
                ),
            (None, Some((fact, _))) if !status => Asked::Fact(fact),
            _ if status => Asked::Status,
            (None, Some((fact, _))) => Asked::Fact(fact),
            (None, None) => self
                .said_before(clause)
                .map_or(Asked::Other, |(fact, _)| Asked::Fact(fact)),
        }
    }

    /// "Habt ihr Kombis auf Lager" does not ask when it is open.
    fn asks_hours(&self, clause: &Clause, there: bool) -> bool {
        let of_stock = there && self.context.stock && !clause.said.is_empty();
        self.mark(ActCue::Hours, clause).is_some() && !of_stock
    }

    /// "What is the plate?" of a thing that was offered, "have you one with a towbar?": its record says
    /// it, and no fact of the house.
    pub(super) fn attribute_of_stock(&self, clause: &Clause) -> Option<String> {
        let has = |cue| self.mark(cue, clause).is_some();
        let mut marks = self.signs.marks.within(clause.span);
        let orders = marks.any(|(mark, _)| matches!(mark, Mark::Offer(OfferCue::Order(_))));
        let sought = has(ActCue::Existence) && !clause.said.is_empty() || orders;
        let goes_on = self.context.offered && clause.span.len() <= BARE && !has(ActCue::Modal);
        if self.context.stock
            && (sought || goes_on)
            && let Some((name, false)) = self.attribute(clause)
        {
            return Some(name.to_owned());
        }
        let mut marks = self.signs.marks.within(clause.span);
        let attribute = marks.find_map(|(mark, _)| match mark {
            Mark::Attribute(at) => {
                let attribute = self.understander.attributes.get(at);
                attribute.filter(|attribute| attribute.of_stock)
            }
            _ => None,
        });
        let attribute = attribute.filter(|_| self.context.offered)?;
        Some(attribute.name.clone())
    }

    /// Whether the name of an attribute or the question for a status is all that a clause has.
    fn names_no_more(&self, clause: &Clause) -> bool {
        let mut marks = self.signs.marks.within(clause.span);
        marks.any(|(mark, span)| {
            let names = matches!(mark, Mark::Attribute(_) | Mark::Act(ActCue::Status));
            names && span.len() + 1 >= clause.span.len()
        })
    }

    /// Whether our open question is for a day or a time.
    pub(in crate::understanding) fn asked_for_moment(&self) -> bool {
        let Some(ours) = &self.context.ours else {
            return false;
        };
        let mut topics = self.understander.topics_asked.iter();
        let timed = |topic: &Topic| matches!(topic.kind, TopicKind::Date | TopicKind::Time);
        ours.topic == MOMENT || topics.any(|topic| topic.name == ours.topic && timed(topic))
    }

    /// "En zondag?": nothing but a day.
    fn is_day_alone(&self, clause: &Clause) -> bool {
        const WORDS: usize = 4;
        clause.span.len() <= WORDS
            && clause.said.is_empty()
            && self.mark(ActCue::Day, clause).is_some()
            && (self.context.ours.is_none() || clause.asking.asks() && !self.asked_for_moment())
    }
}
