//! What is offered from the stock, and when.

use jiff::SignedDuration;
use shared_types::SlotValue;
use stock::{Miss, PRICE, Status, Stock, Test, Value};

use super::named::lines_of;
use super::{ENOUGH, OFFERED};
use crate::dialogue::act::{Act, Asked, Does};
use crate::dialogue::offer::{Fit, Line, Listing, Offered, Seen, wish_of};
use crate::dialogue::piece::{Passed, Piece, Question};
use crate::dialogue::topics;
use crate::dialogue::update::{REMARKS, Update, WISHES};
use crate::dialogue::wish::Changes;
use crate::domain::{About, Bound, Offers};

/// Among so many those are looked for that the customer calls by a word of their title.
pub(super) const MANY: usize = 60;
/// So many hundredths of the budget come near it, and so many of what was named.
const NEAR_BUDGET: i64 = 130;
const NEAR_BUDGET_NAMED: i64 = 150;
/// For so long what was shown is in mind.
const A_TALK: SignedDuration = SignedDuration::from_hours(12);
/// Beyond so many misses nothing comes near.
const MOST_MISSES: usize = 2;

impl Update<'_> {
    /// Keeps the wishes of a message that no slot has.
    fn note_needs(&mut self) -> bool {
        let Some((offers, _)) = self.stock() else {
            return false;
        };
        let sought = self.heard.sought;
        let before = self.state.stock.needs.clone();
        let asks = |act: &Act| matches!(&act.does, Does::Ask(ask) if matches!(ask.topic, Asked::Attribute(_)));
        let tells_of = |side: About| self.dues.changes.iter().any(|(about, _)| *about == side);
        // "My Astra of 2012, the air conditioning is broken" wants none with air conditioning.
        let of_own = tells_of(About::Own) && !tells_of(About::Wanted) && !sought.looks;
        let about_one = (of_own || self.heard.acts.iter().any(asks)) && !self.search;
        let needs = &mut self.state.stock.needs;
        if !about_one {
            for (attribute, test) in &sought.needs {
                needs.insert(attribute.clone(), test.clone());
            }
            for flag in &sought.flags {
                needs.insert(flag.clone(), Test::Has(true));
            }
            for given_up in &self.given_up {
                needs.remove(given_up);
            }
        }
        let changes = self.dues.changes.iter();
        let changes = changes.filter(|(about, _)| *about == About::Wanted);
        for (slot, values) in changes.flat_map(|(_, changes)| &changes.set) {
            let Some(wished) = offers.wishes.get(slot).filter(|one| one.bound != Bound::Is) else {
                continue;
            };
            needs.remove(&wished.attribute);
            let near = values.iter().find_map(|value| match value {
                SlotValue::Integer(number) if sought.near.contains(number) => Some(*number),
                _ => None,
            });
            if let Some(number) = near {
                needs.insert(wished.attribute.clone(), Test::Near(number));
            }
        }
        *needs != before
    }

    /// Offers what is in stock, where the message asks for it or says enough.
    pub(in crate::dialogue::update) fn offer(&mut self) {
        let Some((offers, stock)) = self.stock() else {
            return;
        };
        if self.dues.chosen {
            self.settle_search();
        }
        let needs = self.note_needs();
        self.welcome_without_a_name(offers, stock);
        let grave = |piece: &Piece| {
            matches!(
                piece,
                Piece::Safety(_) | Piece::StaySafe(_) | Piece::Apology(_) | Piece::Consent(_)
            )
        };
        if self.dues.pieces.iter().any(grave) || self.state.complains() {
            return;
        }
        let off = |piece: &Piece| matches!(piece, Piece::Cancelled(..) | Piece::CalledOff(..));
        if self.dues.pieces.iter().any(off) && !self.search && !self.requests_search() {
            // Who calls off a visit to a thing looks for none.
            return;
        }
        let of_wanted = |(about, _): &&(About, _)| *about == About::Wanted;
        let told = self.dues.changes.iter().find(of_wanted);
        let changed = needs || told.is_some_and(|(_, changes)| !changes.is_empty());
        let order = self.heard.sought.order.filter(|_| self.pointed.is_empty());
        let wish = wish_of(offers, &self.state.wanted, &self.state.stock.needs, order);
        let comes = self.comes_for_one();
        let enough = wish.conditions.len() >= ENOUGH || self.knows_lower();
        let bounds = !self.heard.sought.needs.is_empty() || order.is_some();
        let visits = self.is_visited_first();
        if visits && !bounds && told.is_some() && !self.search {
            return self.books(offers, stock, &wish);
        }
        let looks = self.heard.sought.looks || enough || self.requests_search();
        let looks = looks || visits && bounds;
        // Everything that is there helps nobody who has said nothing of it yet.
        let looks = looks && !(wish.conditions.is_empty() && wish.order.is_none());
        let tells = changed && looks && self.pointed.is_empty();
        if !self.search && !tells {
            return;
        }
        let mut listing = self.look_up(offers, stock, &wish);
        if self.outgrows_name(&listing) {
            let names = self.name_slots();
            self.state.wanted.retain(|slot, _| !names.contains(slot));
            let wish = wish_of(offers, &self.state.wanted, &self.state.stock.needs, order);
            listing = self.look_up(offers, stock, &wish);
        }
        if listing.compared && !self.keep_further(&mut listing) {
            return self.replace_by(listing);
        }
        listing.seen = self.seen(offers, &listing);
        let is_met = |line: &Line| line.misses.is_empty() && line.item.status != Status::Sold;
        let unmet = listing.fit != Fit::Exact || !listing.lines.iter().any(is_met);
        // What was met all along is not worth a word.
        let told = Some(unmet).filter(|unmet| *unmet || self.state.stock.unmet);
        self.dues.unmet = told.or(self.dues.unmet);
        self.state.stock.unmet = unmet;
        self.state.stock.chosen = None;
        self.remember_offered(listing.lines.iter().map(|line| &line.item));
        if let Some(visits) = comes.filter(|_| listing.fit == Fit::Exact) {
            match listing.lines.as_slice() {
                // Who comes for one needs no list.
                [line] => return self.choose(&line.item),
                _ if visits => self.must_ask(Question::WhichOffer),
                _ => return,
            }
        }
        if let [line] = listing.lines.as_slice()
            && listing.fit == Fit::Exact
        {
            // The only one is spoken of; the wish stays as wide as it was told.
            self.state.stock.chosen = Some(Offered::of(&line.item));
        }
        self.replace_by(listing);
    }

    /// "Rather a seven-seater" after a Golf: what is wished now no such thing has, so that another is meant.
    fn outgrows_name(&self, listing: &Listing) -> bool {
        let needs = &self.heard.sought.needs;
        let mut needed = needs
            .iter()
            .filter(|(_, test)| matches!(test, Test::AtLeast(_)));
        let names = self.name_slots();
        let mut told = self.dues.changes.iter();
        let named = told.any(|(_, changes)| changes.set.keys().any(|slot| names.contains(slot)));
        let misses = |attribute: &String| {
            let of = |line: &Line| {
                let mut misses = line.misses.iter();
                misses.any(|miss| miss.attribute == *attribute && miss.has.is_some())
            };
            !listing.lines.is_empty() && listing.lines.iter().all(of)
        };
        self.names_one() && !named && needed.any(|(attribute, _)| misses(attribute))
    }

    fn name_slots(&self) -> Vec<String> {
        let names = self.catalogues.iter();
        names
            .flat_map(|(upper, lower)| [upper.clone(), lower.clone()])
            .collect()
    }

    /// Who wants an appointment for a thing is shown no list, but hears when none of those can be had.
    fn books(&mut self, offers: &Offers, stock: &Stock, wish: &stock::Wish) {
        let listing = self.look_up(offers, stock, wish);
        let can_be_had = |line: &Line| line.item.status == Status::Available;
        match listing.lines.as_slice() {
            _ if listing.fit != Fit::Exact => {}
            lines if !lines.iter().any(can_be_had) => {
                self.settle_search();
                self.dues
                    .pieces
                    .retain(|piece| !matches!(piece, Piece::TakeUp(_) | Piece::Possible));
                self.owe(Piece::Standing(listing.lines, listing.stale_hours));
            }
            [line] => {
                let item = line.item.clone();
                self.choose(&item);
            }
            _ => {}
        }
    }

    /// Of what is further than what was offered, keeps what can be had; whether there is any. Without, what was offered
    /// stands.
    fn keep_further(&mut self, listing: &mut Listing) -> bool {
        let can_be_had = |line: &Line| line.item.status != Status::Sold;
        let further = |line: &Line| line.misses.is_empty() && can_be_had(line);
        listing.lines.retain(further);
        if listing.lines.is_empty() {
            listing.fit = Fit::None;
            self.dues.unmet = Some(true);
            self.state.stock.unmet = true;
            return false;
        }
        self.state.stock.vain.clear();
        true
    }

    /// Who has chosen one needs nobody who looks for one.
    fn settle_search(&mut self) {
        let first = topics::first_goal(self.domain, About::Wanted).map(str::to_owned);
        let searches = |piece: &Piece| match piece {
            Piece::Next(goal) => Some(goal) == first.as_ref(),
            Piece::Noted { about, .. } => *about == About::Wanted,
            _ => false,
        };
        self.dues.pieces.retain(|piece| !searches(piece));
    }

    /// The goal of who looks for something, where the first goal is that: who wants an appointment for it
    /// looks for nothing.
    fn search_goal(&self) -> Option<&str> {
        let first = topics::first_goal(self.domain, About::Wanted);
        first.filter(|goal| !topics::takes_appointment(self.domain, goal))
    }

    /// Whether the first goal is an appointment.
    fn is_visited_first(&self) -> bool {
        topics::first_goal(self.domain, About::Wanted)
            .is_some_and(|goal| topics::takes_appointment(self.domain, goal))
    }

    /// Whether the message asks for something to be found.
    fn requests_search(&self) -> bool {
        let first = self.search_goal();
        let mut acts = self.heard.acts.iter();
        acts.any(
            |act| matches!(&act.does, Does::Request { goal, .. } if first == Some(goal.as_str())),
        )
    }

    /// Whether a moment ago the customer was shown what was found now, or that there is nothing, and only tells more
    /// of the same wish: who asks is shown it again.
    fn seen(&self, offers: &Offers, listing: &Listing) -> Seen {
        let talk = &self.state.stock;
        let since = talk.at.map(|at| self.heard.now.duration_since(at));
        let recent = since.is_some_and(|since| since < A_TALK);
        let told = self.dues.changes.iter();
        let told = told.filter(|(about, _)| *about == About::Wanted);
        let told: Vec<&Changes> = told.map(|(_, changes)| changes).collect();
        let excludes = |changes: &&&Changes| changes.not.iter().any(|(slot, _)| self.is_name(slot));
        let names_new = |changes: &&Changes| changes.set.keys().any(|slot| self.is_name(slot));
        let named = told.iter().filter(|one| !excludes(one)).any(names_new);
        let asks = self.search || listing.compared || self.heard.sought.order.is_some();
        if !recent || asks || named {
            return Seen::No;
        }
        if listing.fit == Fit::None {
            let was_none = talk.offered.is_empty() && talk.unmet;
            return if was_none { Seen::Same } else { Seen::No };
        }
        let told = told.iter().flat_map(|changes| changes.set.keys());
        let wished = told.filter_map(|slot| offers.wishes.get(slot));
        let news: Vec<&str> = wished
            .map(|wished| wished.attribute.as_str())
            .chain(
                self.heard
                    .sought
                    .needs
                    .iter()
                    .map(|(attribute, _)| attribute.as_str()),
            )
            .chain(self.heard.sought.flags.iter().map(String::as_str))
            .collect();
        let mut lines = listing.lines.iter();
        let misses = |line: &Line| {
            line.misses
                .iter()
                .any(|miss| news.contains(&miss.attribute.as_str()))
        };
        if lines.clone().any(misses) {
            return Seen::No;
        }
        let was_shown = |line: &Line| talk.offered.contains(&Offered::of(&line.item));
        match (
            lines.all(was_shown),
            listing.lines.len() == talk.offered.len(),
        ) {
            (true, true) => Seen::Same,
            (true, false) if listing.fit == Fit::Exact && !talk.unmet => Seen::Some,
            _ => Seen::No,
        }
    }

    /// What the list says need not be said.
    fn replace_by(&mut self, listing: Listing) {
        let first = topics::first_goal(self.domain, About::Wanted).map(str::to_owned);
        let asks = self.dues.question == Some(Question::WhichOffer);
        let said = |piece: &Piece| match piece {
            Piece::TakeUp(goal) | Piece::Next(goal) => Some(goal) == first.as_ref() || asks,
            Piece::Noted { about, .. } => *about == About::Wanted && listing.seen == Seen::No,
            Piece::PassOn(Passed::Existence(about)) => *about == About::Wanted,
            Piece::Possible => true,
            Piece::Answered(topic, _) => topic == WISHES || topic == REMARKS,
            _ => false,
        };
        self.dues.pieces.retain(|piece| !said(piece));
        if let Some(goal) = first
            && !self.state.goals.iter().any(|open| open.goal == goal)
            && self.state.goals.is_empty()
        {
            self.touch(&goal);
        }
        let noted = |piece: &Piece| {
            matches!(
                piece,
                Piece::Noted {
                    about: About::Wanted,
                    ..
                }
            )
        };
        if listing.fit == Fit::None
            && listing.seen == Seen::Same
            && self.dues.pieces.iter().any(noted)
        {
            return;
        }
        self.dues
            .pieces
            .retain(|piece| !matches!(piece, Piece::Stock(_)));
        self.owe(Piece::Stock(Box::new(listing)));
    }

    fn look_up(&self, offers: &Offers, stock: &Stock, wish: &stock::Wish) -> Listing {
        let found = stock.find(wish, MANY);
        let lower = self.name_attributes(offers);
        let names = |attribute: &String| lower.contains(&attribute);
        let is_named = wish.conditions.iter().any(|one| names(&one.attribute));
        let misses_name = |one: &stock::Match<'_>| {
            !is_named || one.misses.iter().any(|miss| names(&miss.attribute))
        };
        let too_dear = |misses: &[Miss], unnamed: bool| {
            let bound = if unnamed {
                NEAR_BUDGET
            } else {
                NEAR_BUDGET_NAMED
            };
            misses.iter().any(|miss| is_far_too_dear(miss, bound))
        };
        let near = |one: &&stock::Match<'_>| {
            one.misses.len() <= MOST_MISSES
                && one.misses.len() < wish.conditions.len().max(1)
                && !too_dear(&one.misses, misses_name(one))
                || one.misses.is_empty()
        };
        // Sold ones are of interest only where nothing else fits.
        let had = found.available > 0;
        let wanted = |one: &&stock::Match<'_>| !had || one.item.status != Status::Sold;
        let matches = found.matches.iter().filter(near).filter(wanted);
        let mut matches: Vec<_> = matches.collect();
        let all = matches.len();
        self.keep_called(&mut matches, |found| found.item);
        let fewer = matches.len() < all;
        let called = matches.len();
        matches.truncate(OFFERED);
        let mut fit = match (found.exact, matches.is_empty()) {
            (_, true) => Fit::None,
            (0, _) => Fit::Near,
            _ => Fit::Exact,
        };
        let lines = (1..).zip(&matches);
        let mut lines: Vec<Line> = lines
            .map(|(number, found)| Line::found(number, found, wish))
            .collect();
        let asks_name = is_named && !self.compared && fit != Fit::Exact;
        let with_name = asks_name.then(|| self.with_name(offers, stock));
        let with_name = with_name.unwrap_or_default();
        if fit == Fit::None {
            // Another colour, or dearer: who named it hears of it.
            lines = lines_of(&with_name, stock, wish);
            lines.retain(|line| !too_dear(&line.misses, false));
            if !lines.is_empty() {
                fit = Fit::Near;
            }
        }
        let needs = &self.state.stock.needs;
        for miss in lines.iter_mut().flat_map(|line| &mut line.misses) {
            // Over the budget by so much is counted from what was said.
            if let Some(near @ Test::Near(_)) = needs.get(&miss.attribute) {
                miss.wanted = near.clone();
            }
        }
        let stale_hours = self.stale_hours(offers, &lines);
        Listing {
            lines,
            fit,
            total: match (fewer, had) {
                (true, _) => called,
                (false, true) => found.available,
                (false, false) => found.exact,
            },
            compared: self.compared,
            stale_hours,
            seen: Seen::No,
            named_is_missing: asks_name && with_name.is_empty(),
        }
    }

    /// How many hours ago the oldest of these was seen, where the domain wants that said.
    pub(super) fn stale_hours(&self, offers: &Offers, lines: &[Line]) -> Option<i64> {
        let oldest = lines.iter().map(|line| line.item.seen_at).min()?;
        let hours = self.heard.now.duration_since(oldest).as_hours();
        let bound = offers.stale_hours.map(i64::from)?;
        (hours >= bound).then_some(hours)
    }

    /// Whether the message is about coming for a thing (and says no day), or about paying it, and not
    /// about which.
    fn comes_for_one(&self) -> Option<bool> {
        let first = self.search_goal();
        let mut acts = self.heard.acts.iter();
        let visits = acts.find_map(|act| match &act.does {
            Does::Request { goal, when, .. } if Some(goal.as_str()) != first => {
                Some(topics::takes_appointment(self.domain, goal) && when.is_none())
            }
            _ => None,
        });
        visits.filter(|_| !self.search)
    }
}

/// Whether a price is beyond so many hundredths of the budget.
fn is_far_too_dear(miss: &Miss, hundredths: i64) -> bool {
    let has = miss.has.as_ref().and_then(Value::number);
    match (&miss.wanted, has) {
        (Test::AtMost(most), Some(has)) if miss.attribute == PRICE => {
            has.saturating_mul(100) > most.saturating_mul(hundredths)
        }
        _ => false,
    }
}
