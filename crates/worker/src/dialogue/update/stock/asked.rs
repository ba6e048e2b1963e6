//! Questions about things in stock: they look for some, or are answered from records.

use std::collections::BTreeMap;

use shared_types::SlotValue;
use stock::{Item, Stock};

use super::listed::MANY;
use super::{ENOUGH, Numbered, OFFERED};
use crate::dialogue::act::{Act, Ask, Asked, Does, Form, Thing};
use crate::dialogue::offer::{Line, value, wish_of};
use crate::dialogue::piece::{Passed, Piece};
use crate::dialogue::update::Update;
use crate::dialogue::wish::{self, Wish, Wishes};
use crate::domain::{About, OfferAttribute, Offers};
use crate::understanding::Pointed;

impl Update<'_> {
    /// Whether a question looks for things instead of asking about those that are spoken of.
    fn searches(&self, ask: &Ask) -> bool {
        let sought = self.heard.sought;
        let told = |value: &SlotValue| {
            let mut wanted = self.state.wanted.values();
            wanted.any(|wish| wish.any_of.contains(value))
        };
        let fresh = ask.content.iter().filter(|(_, value)| !told(value));
        let (names, details): (Vec<_>, Vec<_>) =
            ask.content.iter().partition(|(slot, _)| self.is_name(slot));
        let needs = !sought.needs.is_empty() || sought.looks && !sought.flags.is_empty();
        let adds = fresh.count() > 0 || needs || self.told_now();
        let meant = !self.meant().is_empty();
        let price = self.asks_price(ask);
        if sought.order.is_some() && self.pointed.is_empty() {
            return true;
        }
        if ask.form == Form::Check || !self.pointed.is_empty() {
            return false;
        }
        // "Is the red Polo an automatic?" asks of that one.
        let certain = sought
            .points
            .iter()
            .any(|one| matches!(one, Pointed::Such { .. }));
        if certain && !sought.looks && !price && matches!(ask.topic, Asked::Attribute(_)) {
            return false;
        }
        if meant {
            let asks_slot = self.asks_slot(ask);
            return sought.looks && adds
                || !sought.of_thing && adds && (asks_slot || ask.topic == Asked::Other)
                || price && fresh_name(self, &names);
        }
        let content = !ask.content.is_empty();
        let named = ask.topic == Asked::Other || !details.is_empty();
        needs
            || (sought.looks || price) && content
            || details.len() >= ENOUGH
            || !names.is_empty() && named
    }

    /// Whether the message says something new of what is wanted.
    pub(super) fn told_now(&self) -> bool {
        let of_wanted = |(about, changes): &(About, wish::Changes)| {
            *about == About::Wanted && !changes.is_empty()
        };
        self.dues.changes.iter().any(of_wanted)
    }

    pub(in crate::dialogue::update) fn is_name(&self, slot: &String) -> bool {
        let mut catalogues = self.catalogues.iter();
        catalogues.any(|(upper, lower)| slot == upper || slot == lower)
    }

    fn asks_price(&self, ask: &Ask) -> bool {
        let Asked::Attribute(name) = &ask.topic else {
            return false;
        };
        let attribute = self.domain.knowledge.attribute(name);
        attribute.is_some_and(|attribute| attribute.prices)
    }

    fn asks_slot(&self, ask: &Ask) -> bool {
        let Asked::Attribute(name) = &ask.topic else {
            return false;
        };
        let attribute = self.domain.knowledge.attribute(name);
        attribute.is_some_and(|attribute| attribute.slot.is_some())
    }

    /// Answers a question from the stock; whether that could be.
    pub(in crate::dialogue::update) fn ask_stock(&mut self, act: &Act, ask: &Ask) -> bool {
        let asks = matches!(
            ask.topic,
            Asked::Existence | Asked::Attribute(_) | Asked::Other
        );
        // Whether there is one asks for no thing that the customer has.
        let sought = self.heard.sought;
        let new = sought.looks && self.state.own.is_empty() && !sought.needs.is_empty();
        let of_wanted = ask.thing == Thing::Wanted || new;
        if self.stock().is_none() || !of_wanted || !asks {
            return false;
        }
        let told = |other: &Act| {
            let inside = act.words.start <= other.words.start && other.words.end <= act.words.end;
            inside && matches!(&other.does, Does::Inform(told) if told.thing == Thing::Wanted)
        };
        let aside = ask.topic == Asked::Other
            && ask.content.is_empty()
            && (sought.looks || sought.unread.is_empty());
        if aside && self.heard.acts.iter().any(told) {
            // "Hybrid SUV up to 30k, anything there?"
            self.search = true;
            return true;
        }
        let of_none = ask.content.is_empty() && !sought.of_thing && self.pointed.is_empty();
        if ask.topic == Asked::Existence && ask.form == Form::Which && of_none {
            // "What do you have?"
            self.search = true;
            return true;
        }
        if self.searches(ask) {
            self.existence_tells(ask);
            // "Heeft de Polo een reservewiel?" asks more than whether there is one.
            let is_new = self.told_now();
            let more =
                !sought.looks && !sought.unread.is_empty() || !is_new && sought.order.is_none();
            let more = ask.topic == Asked::Other && more;
            self.search |= !more || is_new;
            return !more;
        }
        if self.is_gone() {
            return true;
        }
        match &ask.topic {
            Asked::Existence => self.standing(),
            Asked::Attribute(name) => self.asks_record(act, ask, name),
            // "The Up looks nice. Any scratches?" is for a colleague.
            _ if !self.pointed.is_empty() && sought.unread.is_empty() => self.standing(),
            _ => false,
        }
    }

    /// Says that the thing which is spoken of is not there any more, where that is so.
    pub(super) fn is_gone(&mut self) -> bool {
        let Some((_, stock)) = self.stock() else {
            return false;
        };
        let chosen = self.state.stock.chosen.as_ref();
        let gone = chosen.filter(|one| stock.get(&one.source, &one.id).is_none());
        let Some(title) = gone.map(|one| one.title.clone()) else {
            return false;
        };
        self.state.stock.chosen = None;
        self.owe(Piece::Gone(title));
        true
    }

    /// "Is die er nog?"
    fn standing(&mut self) -> bool {
        let meant = self.meant();
        if meant.is_empty() {
            self.search = true;
            return true;
        }
        let lines = meant.iter().map(|(at, item)| Line::alone(*at, item));
        let lines: Vec<Line> = lines.collect();
        let stale = self
            .stock()
            .and_then(|(offers, _)| self.stale_hours(offers, &lines));
        self.owe(Piece::Standing(lines, stale));
        true
    }

    /// What is wanted, where that or the question names a thing: a name of a catalogue, or where the domain has
    /// none, any value by which things are looked for.
    fn named_by(&self, offers: &Offers, ask: &Ask) -> Option<Wishes> {
        let wanted = self.state.wanted.clone();
        if self.names_one() {
            return Some(wanted);
        }
        let wished = |slot: &String| offers.wishes.contains_key(slot);
        let named = ask.content.iter().filter(|(slot, _)| wished(slot));
        let named: Vec<_> = named.filter(|_| self.catalogues.is_empty()).collect();
        let of_question = named
            .into_iter()
            .fold(Wishes::new(), |mut all, (slot, value)| {
                all.entry(slot.clone())
                    .or_default()
                    .any_of
                    .push(value.clone());
                all
            });
        (!of_question.is_empty()).then(|| wanted.into_iter().chain(of_question).collect())
    }

    /// "The Polo of 2019, how far has it run?": of several the one that is as this message says.
    fn described_now<'s>(
        &self,
        offers: &Offers,
        stock: &Stock,
        meant: Numbered<'s>,
    ) -> Numbered<'s> {
        let told = self.heard.acts.iter().filter_map(|act| match &act.does {
            Does::Inform(inform) if inform.thing == Thing::Wanted => Some(&inform.values),
            _ => None,
        });
        let told = told.flatten().filter(|told| !told.any_of.is_empty());
        let told = told.map(|told| {
            let wish = Wish {
                any_of: told.any_of.clone(),
                ..Wish::default()
            };
            (told.slot.clone(), wish)
        });
        let told: Wishes = told.collect();
        let wish = wish_of(offers, &told, &BTreeMap::new(), None);
        let found = all_that_fit(stock, &wish);
        let fits = |item: &Item| {
            let mut found = found.iter();
            found.any(|one| one.id == item.id && one.source == item.source)
        };
        let fitting = meant.iter().filter(|(_, item)| fits(item)).copied();
        let fitting: Numbered<'s> = fitting.collect();
        if told.is_empty() || fitting.is_empty() {
            meant
        } else {
            fitting
        }
    }

    /// "Does the Yaris run on petrol?": what has the name that a question names.
    fn of_name<'s>(&self, offers: &Offers, stock: &'s Stock, ask: &Ask) -> Vec<&'s Item> {
        let mut named = Wishes::new();
        for (slot, value) in ask.content.iter().filter(|(slot, _)| self.is_name(slot)) {
            named
                .entry(slot.clone())
                .or_default()
                .any_of
                .push(value.clone());
        }
        if named.is_empty() {
            return Vec::new();
        }
        all_that_fit(stock, &wish_of(offers, &named, &BTreeMap::new(), None))
    }

    /// What the records say of an attribute; what they do not say is passed on.
    fn asks_record(&mut self, act: &Act, ask: &Ask, name: &str) -> bool {
        let Some((offers, stock)) = self.stock() else {
            return false;
        };
        if offers.standing.as_deref() == Some(name) {
            return self.standing();
        }
        let Some(attribute) = offers.answering(name) else {
            return false;
        };
        let mut meant = self.described_now(offers, stock, self.meant());
        let mut found = self.of_name(offers, stock, ask);
        if !found.is_empty() {
            meant.retain(|(_, item)| {
                found
                    .iter()
                    .any(|one| one.id == item.id && one.source == item.source)
            });
        }
        if meant.is_empty()
            && let Some(wanted) = self.named_by(offers, ask)
        {
            if found.is_empty() {
                let wish = wish_of(offers, &wanted, &self.state.stock.needs, None);
                found = all_that_fit(stock, &wish);
            }
            self.keep_called(&mut found, |item| item);
            meant = (1..).zip(found.into_iter().take(OFFERED)).collect();
            self.remember_offered(meant.iter().map(|(_, item)| *item));
            if let [(_, item)] = meant.as_slice() {
                self.choose(item);
            }
        }
        if meant.is_empty() {
            return false;
        }
        let known = |item: &Item| is_known(item, attribute);
        let missing = meant.iter().any(|(_, item)| !known(item));
        if meant.iter().any(|(_, item)| known(item)) {
            let lines = meant.iter().map(|(at, item)| Line::alone(*at, item));
            self.owe(Piece::Record(attribute.name.clone(), lines.collect()));
        }
        if missing {
            let ask = &Ask {
                topic: Asked::Attribute(name.to_owned()),
                ..ask.clone()
            };
            let passed = Passed::Attribute(name.to_owned(), About::Wanted);
            self.pass_on_or_remind(act, ask, passed);
        }
        true
    }
}

/// Whether a question names something that was not spoken of.
fn fresh_name(update: &Update<'_>, names: &[&(String, SlotValue)]) -> bool {
    names.iter().any(|(slot, value)| {
        let known = update.state.wanted.get(slot);
        known.is_none_or(|wish| !wish.any_of.contains(value))
    })
}

fn all_that_fit<'s>(stock: &'s Stock, wish: &stock::Wish) -> Vec<&'s Item> {
    let found = stock.find(wish, MANY).matches.into_iter();
    let found = found.filter(|one| one.misses.is_empty());
    found.map(|one| one.item).collect()
}

fn is_known(item: &Item, attribute: &OfferAttribute) -> bool {
    value(item, &attribute.name).is_some()
}
