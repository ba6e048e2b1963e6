//! Questions of the customer's: answered, or passed on by name.

use super::{Update, about};
use crate::dialogue::act::{Act, Ask, Asked, Dates, Does, Form, Thing, Times, Told};
use crate::dialogue::piece::{Hours, Passed, Piece, Status};
use crate::dialogue::state::{LastAsk, Theirs};
use crate::dialogue::{filling, topics, wish};
use crate::domain::{About, Fact};

/// Days of a span that are told one by one.
const MOST_DAYS: usize = 3;
/// A longer question goes on with none before.
const LONGEST_ELLIPSIS: usize = 30;

impl Update<'_> {
    pub(super) fn ask(&mut self, act: &Act, ask: &Ask) {
        if self.is_help(&ask.topic) || self.is_complaint(act, ask) {
            return;
        }
        let ask = &self.completed_ask(ask);
        self.state.last_ask = Some(LastAsk {
            topic: ask.topic.clone(),
            days: ask.when.and_then(|when| when.date),
            turns: 0,
        });
        if ask.form == Form::Check {
            return self.takes(act);
        }
        if self.ask_stock(act, ask) {
            return;
        }
        match &ask.topic {
            Asked::Fact(name) => self.fact(act, name, ask.thing),
            Asked::Attribute(name) => self.attribute(act, ask, name),
            Asked::Hours => self.hours(ask),
            Asked::Visit => self.visit(ask),
            Asked::Existence => {
                self.existence_tells(ask);
                // "Do you have rims for my Leon" does not ask for the Leon.
                let passed = match ask.thing {
                    Thing::Wanted => Passed::Existence(About::Wanted),
                    Thing::Own | Thing::Third => Passed::Words(self.quote(act)),
                };
                self.pass_on_or_remind(act, ask, passed);
            }
            Asked::Status => self.status(act, ask),
            Asked::Us => {
                self.owe(Piece::Robot);
                let knows = !self.state.wanted.is_empty() || !self.state.own.is_empty();
                if ask.form == Form::Which && knows {
                    self.owe(Piece::AboutYou);
                }
            }
            // "What shall I do?" of who is in danger: what to do is said anyway.
            Asked::Other if self.is_in_danger() => self.pass_on_words(act, Asked::Other),
            Asked::Other => {
                let words = Passed::Words(self.quote(act));
                self.pass_on_or_remind(act, ask, words);
            }
        }
    }

    /// "En nu doet de verwarming het niet" of a complaint: it is repeated there, and asks nothing.
    fn is_complaint(&self, act: &Act, ask: &Ask) -> bool {
        let complains = |act: &Act| matches!(act.does, Does::Complain { .. });
        let marked = |text: &str| text.contains('?');
        let words = self.heard.text.get(act.words.start..);
        ask.topic == Asked::Other
            && self.heard.acts.iter().any(complains)
            && !words.is_some_and(marked)
    }

    /// "En met föhnen erbij?" goes on with the question before.
    fn completed_ask(&self, ask: &Ask) -> Ask {
        if let Some(topic) = self.priced_fact(ask) {
            return Ask {
                topic,
                ..ask.clone()
            };
        }
        let before = self.state.last_ask.as_ref();
        let short = self.heard.text.chars().count() <= LONGEST_ELLIPSIS;
        let goes_on = short && ask.topic == Asked::Other && !ask.content.is_empty();
        let before = before.filter(|_| goes_on);
        let topic = before.map(|last| last.topic.clone());
        let topic = topic.filter(|topic| matches!(topic, Asked::Attribute(_)));
        Ask {
            topic: topic.unwrap_or_else(|| ask.topic.clone()),
            ..ask.clone()
        }
    }

    /// "And what does that cost?" after a fact that tells a price, where no thing is looked for.
    fn priced_fact(&self, ask: &Ask) -> Option<Asked> {
        let Asked::Attribute(name) = &ask.topic else {
            return None;
        };
        let knowledge = &self.domain.knowledge;
        let asks_price = knowledge.attribute(name).is_some_and(|known| known.prices);
        let alone = ask.content.is_empty() && self.state.wanted.is_empty();
        let last = self.state.last_ask.as_ref().filter(|_| asks_price && alone);
        let Asked::Fact(fact) = &last?.topic else {
            return None;
        };
        let mut facts = knowledge.facts.iter();
        let tells_price = facts.any(|known| known.name == *fact && known.tells_price());
        tells_price.then(|| Asked::Fact(fact.clone()))
    }

    fn fact(&mut self, act: &Act, name: &str, thing: Thing) {
        let known = self.state.known(about(thing).unwrap_or(About::Wanted));
        let today = self.heard.local.date();
        let pursued = self.state.pursued().map(str::to_owned);
        let pursued = pursued.as_deref();
        let holds = |fact: &&Fact| fact.name == name && fact.holds(today, &known, pursued);
        if !self.domain.knowledge.facts.iter().any(|fact| holds(&fact)) {
            let words = Passed::Words(self.quote(act));
            self.pass_on_words(act, Asked::Fact(name.to_owned()));
            self.owe(Piece::PassOn(words));
            return;
        }
        let told =
            |piece: &Piece| matches!(piece, Piece::Fact { name: other, .. } if other == name);
        if self.dues.pieces.iter().any(told) {
            return;
        }
        let mut facts = self.domain.knowledge.facts.iter();
        if let Some(fact) = facts.find(holds).filter(|fact| fact.goal.is_some()) {
            self.state.in_mind.clone_from(&fact.goal);
        }
        if self
            .domain
            .knowledge
            .facts
            .iter()
            .any(|fact| holds(&fact) && fact.pass_on)
        {
            self.pass_on_words(act, Asked::Fact(name.to_owned()));
        }
        let given = self.state.facts.insert(name.to_owned(), self.heard.now);
        self.owe(Piece::Fact {
            name: name.to_owned(),
            again: given.is_some(),
        });
    }

    fn attribute(&mut self, act: &Act, ask: &Ask, name: &str) {
        let about = about(ask.thing).unwrap_or(About::Wanted);
        let attribute = self.domain.knowledge.attribute(name);
        let goal = self.state.in_light_of().filter(|_| about == About::Own);
        let meant = attribute
            .zip(goal)
            .and_then(|(known, goal)| known.meant_in.get(goal));
        let name = meant.map_or(name, String::as_str);
        let attribute = self.domain.knowledge.attribute(name);
        let in_mind = attribute.and_then(|attribute| attribute.in_mind.as_ref());
        // Who has one and looks for none asks of that one.
        let of_own =
            about == About::Own || self.state.wanted.is_empty() && !self.state.own.is_empty();
        if let Some(goal) = in_mind.filter(|_| of_own) {
            self.state.in_mind = Some(goal.clone());
        }
        if attribute.is_some_and(|attribute| attribute.prices) {
            let priced = self.priced(ask, about);
            if !priced.is_empty() {
                self.owe(Piece::Prices(priced));
                return;
            }
        }
        if attribute.is_some_and(|attribute| !attribute.advice.is_empty()) {
            self.owe(Piece::Advice(name.to_owned()));
        }
        let passed = match attribute {
            Some(attribute) => {
                // What is asked of a thing is asked of one that is there.
                let named = filling::thing_name(self.domain, &self.state.wanted).is_some();
                let named = named && !attribute.prices;
                self.state.definite |= about == About::Wanted && named;
                Passed::Attribute(name.to_owned(), about)
            }
            None => Passed::Words(self.quote(act)),
        };
        let ask = &Ask {
            topic: Asked::Attribute(name.to_owned()),
            ..ask.clone()
        };
        self.pass_on_or_remind(act, ask, passed);
    }

    /// The values that a question is about, or else those that are known, as far as they have a price.
    fn priced(&self, ask: &Ask, about: About) -> Vec<String> {
        let prices = &self.domain.knowledge.prices;
        let has_price = |value: &String| prices.contains_key(value);
        let named = ask.content.iter().map(|(_, value)| value.to_string());
        let named: Vec<String> = named.filter(has_price).collect();
        if !named.is_empty() {
            return named;
        }
        let wishes = self.state.wishes(about).values();
        let values = wishes.flat_map(|wish| wish.any_of.iter().map(ToString::to_string));
        values.filter(has_price).collect()
    }

    /// "Hebben jullie een zwarte Picanto?" asks for one and wants one.
    pub(super) fn existence_tells(&mut self, ask: &Ask) {
        let informs = |slot: &String| {
            let mut acts = self.heard.acts.iter();
            acts.any(|act| {
                matches!(&act.does, Does::Inform(inform)
                if inform.values.iter().any(|told| told.slot == *slot))
            })
        };
        let mut told: Vec<Told> = Vec::new();
        // "Anything but black?" wants no black one.
        let denied = &self.heard.sought.denied;
        let content = ask.content.iter().filter(|one| !denied.contains(one));
        for (slot, value) in content.filter(|(slot, _)| !informs(slot)) {
            match told.iter_mut().find(|told| told.slot == *slot) {
                Some(told) => told.any_of.push(value.clone()),
                None => told.push(Told {
                    slot: slot.clone(),
                    any_of: vec![value.clone()],
                    came_with: None,
                    rather: false,
                    also: false,
                }),
            }
        }
        if let Some(about) = about(ask.thing).filter(|_| !told.is_empty()) {
            let changes = wish::tell(self.state.wishes_mut(about), &told, &self.catalogues);
            if !changes.is_empty() {
                self.changed(about, changes);
            }
        }
    }

    pub(super) fn hours(&mut self, ask: &Ask) {
        let when = ask.when.as_ref();
        let time = when.and_then(|when| when.time);
        match when.and_then(|when| when.date) {
            Some(Dates::On(day)) => self.owe(Piece::Hours(match time {
                Some(Times::At(time)) => Hours::At(day.to_datetime(time)),
                _ => Hours::On(day),
            })),
            Some(Dates::Between(first, last)) => {
                let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
                let days = days.take_while(|day| *day <= last).take(MOST_DAYS + 1);
                let days: Vec<_> = days.collect();
                if days.len() > MOST_DAYS {
                    self.owe(Piece::Hours(Hours::Week));
                } else {
                    days.into_iter()
                        .for_each(|day| self.owe(Piece::Hours(Hours::On(day))));
                }
            }
            // "When do you open" while it is open asks for all hours.
            Some(Dates::From(_)) if !self.domain.business.hours.is_open(self.heard.local) => {
                self.owe(Piece::Hours(Hours::Next));
            }
            Some(Dates::From(_)) => self.owe(Piece::Hours(Hours::Week)),
            _ => self.owe(Piece::Hours(match (time, ask.form) {
                (Some(Times::At(time)), _) => Hours::At(self.heard.local.date().to_datetime(time)),
                (_, Form::YesNo) => Hours::Now,
                _ => Hours::Week,
            })),
        }
    }

    fn status(&mut self, act: &Act, ask: &Ask) {
        let waits = self.state.told.is_some()
            || self.state.theirs.iter().any(|asked| asked.passed_on)
            || self
                .state
                .goals
                .iter()
                .any(|open| open.ready && !topics::takes_appointment(self.domain, &open.goal));
        if waits {
            self.owe(Piece::Status(Status::Waiting));
        } else {
            let words = Passed::Words(self.quote(act));
            self.pass_on_or_remind(act, ask, words);
        }
    }

    /// Passes a question on, or says that a colleague has it already.
    pub(super) fn pass_on_or_remind(&mut self, act: &Act, ask: &Ask, passed: Passed) {
        let words = self.quote(act);
        let named = about(ask.thing)
            .and_then(|about| filling::thing_name(self.domain, self.state.wishes(about)));
        let same = |asked: &&mut Theirs| {
            asked.topic == ask.topic
                && asked.thing == ask.thing
                && asked.named == named
                && (asked.topic != Asked::Other || asked.words == words)
        };
        let now = self.heard.now;
        if let Some(asked) = self.state.theirs.iter_mut().find(same)
            && asked.at < now
        {
            asked.times += 1;
            self.owe(Piece::PassedAgain);
            return;
        }
        let passed = match passed {
            Passed::Attribute(name, _) if self.asks_of_another(ask, &name) => {
                Passed::Words(words.clone())
            }
            passed => passed,
        };
        self.remember(Theirs {
            words,
            topic: ask.topic.clone(),
            thing: ask.thing,
            named,
            passed_on: true,
            at: now,
            times: 1,
        });
        self.owe(Piece::PassOn(passed));
    }

    /// Whether a question asks what a record says, and of another thing than the one that is known.
    fn asks_of_another(&self, ask: &Ask, attribute: &str) -> bool {
        let offers = self.domain.knowledge.offers.as_ref();
        if offers
            .and_then(|offers| offers.answering(attribute))
            .is_none()
        {
            return false;
        }
        let known = about(ask.thing).map(|about| self.state.wishes(about));
        ask.content.iter().any(|(slot, value)| {
            let wish = known.and_then(|wishes| wishes.get(slot));
            self.is_name(slot) && wish.is_some_and(|wish| !wish.any_of.contains(value))
        })
    }

    /// Keeps what an act says for a colleague.
    pub(super) fn pass_on_words(&mut self, act: &Act, topic: Asked) {
        self.remember(Theirs {
            words: self.quote(act),
            topic,
            thing: Thing::Wanted,
            named: None,
            passed_on: true,
            at: self.heard.now,
            times: 1,
        });
    }

    /// Passes on what was asked before.
    pub(super) fn pass_on(&mut self, asked: Theirs) {
        let passed = match (&asked.topic, about(asked.thing)) {
            (Asked::Attribute(name), Some(about)) => Passed::Attribute(name.clone(), about),
            (Asked::Existence, Some(about)) => Passed::Existence(about),
            _ => Passed::Words(asked.words),
        };
        self.owe(Piece::PassOn(passed));
    }

    pub(super) fn remember(&mut self, asked: Theirs) {
        self.dues.passed_on.push(asked.clone());
        self.state.theirs.push(asked);
    }
}
