//! What is in stock: found for the customer's wish, pointed at, and asked about.

mod asked;
mod given_up;
mod listed;
mod named;
mod pointed;

use shared_types::SlotValue;
use stock::{Item, Stock, Value};

use super::Update;
use crate::dialogue::act::{Act, Asked, Told};
use crate::dialogue::offer::{Line, Offered};
use crate::dialogue::piece::{Piece, Question};
use crate::dialogue::{filling, topics, wish};
use crate::domain::{About, Bound, Offers};

/// So many are offered at once.
const OFFERED: usize = 3;
/// Whoever names so many conditions has said what is looked for.
const ENOUGH: usize = 2;
/// A message of so few words that points at something says nothing else.
const BARE: usize = 4;

/// Records with their places in what was offered.
type Numbered<'s> = Vec<(usize, &'s Item)>;

impl<'a> Update<'a> {
    fn stock(&self) -> Option<(&'a Offers, &'a Stock)> {
        let offers = self.domain.knowledge.offers.as_ref();
        offers.zip(self.heard.stock)
    }

    /// The records of what was offered, as far as they are there still.
    fn offered(&self) -> Numbered<'a> {
        let Some((_, stock)) = self.stock() else {
            return Vec::new();
        };
        let offered = (1..).zip(&self.state.stock.offered);
        let found = offered.filter_map(|(number, one)| Some((number, record(stock, one)?)));
        found.collect()
    }
    /// "The Golf GTE": of several those remain whose title has a word of the message that the others
    /// have not.
    fn keep_called<T>(&self, found: &mut Vec<T>, item: impl Fn(&T) -> &Item) {
        for word in &self.heard.sought.unread {
            let has = |one: &T| {
                let title = item(one).title.to_lowercase();
                let mut words = title.split(|c: char| !c.is_alphanumeric());
                words.any(|other| other == word)
            };
            let many = found.iter().filter(|one| has(one)).count();
            if 0 < many && many < found.len() {
                found.retain(|one| has(one));
            }
        }
    }

    /// The one that the customer speaks of from now on.
    fn choose(&mut self, item: &Item) {
        let offered = Offered::of(item);
        if self.state.stock.chosen.as_ref() != Some(&offered) {
            self.state.stock.chosen = Some(offered);
            self.dues.chosen = true;
        }
        let Some((offers, _)) = self.stock() else {
            return;
        };
        let mut told = Vec::new();
        for (upper, lower) in &self.catalogues {
            for slot in [upper, lower] {
                let wished = offers.wishes.get(slot).filter(|one| one.bound == Bound::Is);
                let value = wished.and_then(|wished| item.get(&wished.attribute));
                told.extend(value.as_ref().and_then(Value::as_str).map(|name| Told {
                    slot: slot.clone(),
                    any_of: vec![SlotValue::Text(name.to_owned())],
                    came_with: (slot == upper).then(|| lower.clone()),
                    rather: false,
                    also: false,
                }));
            }
        }
        wish::tell(
            self.state.wishes_mut(About::Wanted),
            &told,
            &self.catalogues,
        );
        let pursued = self.state.goal().map(str::to_owned);
        let pursued = pursued.filter(|goal| topics::side(self.domain, goal) == About::Wanted);
        let first = || topics::first_goal(self.domain, About::Wanted).map(str::to_owned);
        if let Some(goal) = pursued.or_else(first) {
            self.touch(&goal);
        }
    }

    /// The things that a question is about: those pointed at, the one that is spoken of, or all that
    /// were offered.
    fn meant(&self) -> Numbered<'a> {
        let offered = self.offered();
        let is = |item: &Item, one: &Offered| *item.id == *one.id && *item.source == *one.source;
        let pointed = &self.pointed;
        if !pointed.is_empty() {
            let found = offered.into_iter();
            return found
                .filter(|(_, item)| pointed.iter().any(|one| is(item, one)))
                .collect();
        }
        let Some(chosen) = &self.state.stock.chosen else {
            return offered;
        };
        let listed = offered.into_iter().find(|(_, item)| is(item, chosen));
        let (_, stock) = self.stock().unzip();
        let found = listed.or_else(|| Some((1, record(stock?, chosen)?)));
        found.into_iter().collect()
    }
    /// Whether a thing is named that may be in stock.
    fn names_one(&self) -> bool {
        filling::thing_name(self.domain, &self.state.wanted).is_some()
    }

    fn remember_offered<'i>(&mut self, items: impl Iterator<Item = &'i Item>) {
        self.state.stock.offered = items.map(Offered::of).collect();
        self.state.stock.at = Some(self.heard.now);
    }
    fn knows_lower(&self) -> bool {
        let mut names = self.catalogues.iter();
        names.any(|(_, lower)| {
            let wish = self.state.wanted.get(lower);
            wish.is_some_and(|wish| !wish.any_of.is_empty())
        })
    }

    /// What the thing is called that the customer chose.
    pub(super) fn chosen_title(&self, side: About) -> Option<String> {
        let chosen = self.state.stock.chosen.as_ref();
        let chosen = chosen.filter(|_| side == About::Wanted);
        chosen.map(|one| one.title.clone())
    }

    /// "Die neem ik": a colleague agrees on it; which one it is, is said, or asked.
    pub(super) fn takes(&mut self, act: &Act) {
        if self.is_gone() {
            return;
        }
        self.pass_on_words(act, Asked::Other);
        match self.meant().as_slice() {
            [] => {}
            [(number, item)] => {
                self.choose(item);
                self.owe(Piece::Picked(Box::new(Line::alone(*number, item))));
            }
            _ => self.must_ask(Question::WhichOffer),
        }
        self.owe(Piece::Deal);
    }

    /// "Ja graag" to an offer.
    pub(super) fn accepts_offer(&mut self) {
        let goal = self.domain.knowledge.offers.as_ref();
        let Some(goal) = goal.map(|offers| offers.goal.clone()) else {
            return;
        };
        if self.state.stock.chosen.is_none()
            && let [(_, only)] = self.offered().as_slice()
        {
            self.choose(only);
        }
        let is_open = self.state.goals.iter().any(|open| open.goal == goal);
        match (self.state.stock.chosen.is_some(), is_open) {
            (true, false) => self.request(&goal, None, false),
            // Where looking for a thing begins its goal, that goes on.
            (true, true) => {
                self.touch(&goal);
                self.owe(Piece::TakeUp(goal));
            }
            (false, _) => self.must_ask(Question::WhichOffer),
        }
    }
}

/// The record of what was offered.
fn record<'s>(stock: &'s Stock, offered: &Offered) -> Option<&'s Item> {
    stock.get(&offered.source, &offered.id)
}
