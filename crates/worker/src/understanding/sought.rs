//! What a message asks of the stock: wishes that no slot has, what shall come first, and what it points
//! at of the things that were offered.

use shared_types::SlotValue;
use stock::Test;

use super::acts::Talk;
use super::lattice::Span;
use super::marks::{Mark, OfferCue};
use super::mentions::Mention;
use super::slots::value_of;
use crate::domain::{ActCue, Bound, Negation, OfferAttribute};

/// What a message asks of the stock.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sought {
    /// It looks for something, or asks whether it is there.
    pub looks: bool,
    /// It speaks of one certain thing: "hij", a name.
    pub of_thing: bool,
    /// Wishes by attribute of the record.
    pub needs: Vec<(String, Test)>,
    /// Attributes of the record that are named, and are there or not.
    pub flags: Vec<String>,
    /// Attributes of the record that are named with a word against them near by: "een trekhaak hoeft niet".
    pub against: Vec<String>,
    /// The place of the order that is asked for.
    pub order: Option<usize>,
    /// The places of the orders in which it wants something further than what was offered: cheaper, newer.
    pub than: Vec<usize>,
    /// Numbers that are meant about.
    pub near: Vec<i64>,
    /// What it points at.
    pub points: Vec<Pointed>,
    /// Words that nothing here knows, in lower case: "gte".
    pub unread: Vec<String>,
    /// What it says is not so.
    pub denied: Vec<(String, SlotValue)>,
    /// It has a "no" or a "not" somewhere.
    pub denies: bool,
}

/// Something that a message points at.
#[derive(Debug, Clone, PartialEq)]
pub enum Pointed {
    /// The n-th, from 1.
    Nth(usize),
    /// The last.
    Last,
    /// The one that is so: values by slot, and a number that may be of any of its attributes.
    Such {
        /// "Die witte".
        values: Vec<(String, SlotValue)>,
        /// "Die van 2019".
        number: Option<i64>,
    },
}

impl Talk<'_> {
    pub(super) fn sought(&self) -> Sought {
        let deniers = self.reading.surroundings.negations(Negation::Before);
        let denies = !deniers.is_empty();
        let Some(offers) = &self.understander.offers else {
            return Sought {
                denies,
                ..Sought::default()
            };
        };
        let whole = Span::new(0, self.reading.tokens.len());
        let has = |cue| self.signs.marks.act(cue, whole).is_some();
        let mut sought = Sought {
            looks: has(ActCue::Existence) || has(ActCue::Seek),
            of_thing: has(ActCue::OfThing),
            denied: super::slots::negated(&self.understander.slots, self.reading),
            unread: self.unread(whole),
            denies,
            ..Sought::default()
        };
        for (mark, span) in self.signs.marks.within(whole) {
            match mark {
                Mark::Offer(OfferCue::Wish(at) | OfferCue::WishOf(at, _))
                    if self.is_against_number(offers.attributes.get(at), span) =>
                {
                    let attribute = offers.attributes.get(at);
                    sought.against.extend(attribute.map(|one| one.name.clone()));
                }
                Mark::Offer(OfferCue::Wish(at)) => {
                    let attribute = offers.attributes.get(at);
                    let need = attribute.and_then(|attribute| self.need(attribute, span));
                    sought.needs.extend(need);
                }
                Mark::Offer(OfferCue::WishOf(at, number)) => {
                    let attribute = offers.attributes.get(at);
                    sought
                        .needs
                        .extend(attribute.map(|attribute| bounded(attribute, number)));
                }
                Mark::Offer(OfferCue::Order(at)) => sought.order = sought.order.or(Some(at)),
                Mark::Offer(OfferCue::Than(at)) => sought.than.push(at),
                Mark::Offer(OfferCue::Near) => sought.near.extend(self.number_in(span)),
                Mark::Offer(OfferCue::Point) => sought.points.extend(self.such(span)),
                // "De eerste kerstdag" is a day.
                Mark::Act(ActCue::Nth(_) | ActCue::Last) if self.is_moment(span) => {}
                Mark::Act(ActCue::Nth(nth)) => sought.points.push(Pointed::Nth(nth)),
                Mark::Act(ActCue::Last) => sought.points.push(Pointed::Last),
                Mark::Attribute(at) => {
                    let asked = self.understander.attributes.get(at);
                    let attribute = asked.and_then(|asked| offers.answering(&asked.name));
                    let flag = attribute.filter(|attribute| attribute.flag);
                    let named = flag.map(|flag| flag.name.clone());
                    let against = named.clone().filter(|_| self.is_against(span));
                    sought.against.extend(against);
                    let wished = named.filter(|_| !self.is_denied(span));
                    sought.flags.extend(wished);
                }
                _ => {}
            }
        }
        // A number by itself is one of the list.
        if let Ok(nth) = self.text.trim().parse() {
            sought.points.push(Pointed::Nth(nth));
        }
        sought
    }

    /// The words that no pattern, name, number or list of words explains.
    fn unread(&self, whole: Span) -> Vec<String> {
        const LONG: usize = 3;
        let marks = self.signs.marks.within(whole).map(|(_, span)| span);
        let mentions = self.reading.mentions.iter().map(|one| one.span);
        let numbers = self.reading.quantities.iter().map(|one| one.span);
        let known: Vec<Span> = marks.chain(mentions).chain(numbers).collect();
        let unread = (whole.start..whole.end).filter(|at| {
            let here = Span::new(*at, at + 1);
            let frequent = self.reading.frequent.get(*at).copied().unwrap_or(true);
            !frequent
                && !self.reading.lattice.is_filler(*at)
                && !known.iter().any(|one| one.overlaps(here))
        });
        let tokens = unread.filter_map(|at| self.reading.tokens.get(at));
        let parts = tokens.flat_map(|token| token.text.split(|c: char| !c.is_alphanumeric()));
        let long = parts.filter(|part| part.chars().count() >= LONG);
        long.map(str::to_lowercase).collect()
    }

    fn need(&self, attribute: &OfferAttribute, span: Span) -> Option<(String, Test)> {
        if attribute.flag {
            return Some((attribute.name.clone(), Test::Has(!self.is_denied(span))));
        }
        Some(bounded(attribute, self.number_in(span)?))
    }

    fn such(&self, span: Span) -> Option<Pointed> {
        let inside = |one: &&Mention| span.overlaps(one.span);
        let mentions = self.reading.mentions.iter().filter(inside);
        let values = mentions.filter_map(|one| {
            let slot = self.understander.slots.get(one.slot)?;
            value_of(slot, one)
        });
        let values: Vec<(String, SlotValue)> = values.collect();
        let number = match values.is_empty() {
            true => self.number_in(span),
            false => None,
        };
        let says = !values.is_empty() || number.is_some();
        says.then_some(Pointed::Such { values, number })
    }

    fn number_in(&self, span: Span) -> Option<i64> {
        let mut numbers = self.reading.quantities.iter();
        numbers
            .find(|one| span.overlaps(one.span))
            .and_then(super::numbers::Quantity::whole)
    }

    /// "Den zweiten" by itself is a day only where we asked for one.
    fn is_moment(&self, span: Span) -> bool {
        let mut moments = self.reading.moments.spans();
        let moment = moments.any(|moment| moment.overlaps(span));
        let alone = self.reading.tokens.len() <= span.len() + 1;
        moment && !(alone && self.context.offered && !self.asked_for_moment())
    }

    /// "Geen zevenzitter": a number with a word against it. What is there or not is wished not to be there.
    fn is_against_number(&self, attribute: Option<&OfferAttribute>, span: Span) -> bool {
        attribute.is_some_and(|one| !one.flag) && self.is_denied(span)
    }

    /// "Een trekhaak hoeft toch niet", "I don't need the towbar": one word against it is near by, and is not about
    /// what follows it. Two insist on it: "zonder trekhaak hoeft het niet".
    fn is_against(&self, span: Span) -> bool {
        const BEFORE: usize = 2;
        const BEHIND: usize = 3;
        let is_near = |one: &Span| {
            let before = span.start.checked_sub(one.end);
            let behind = one.start.checked_sub(span.end);
            before.is_some_and(|gap| gap <= BEFORE) || behind.is_some_and(|gap| gap <= BEHIND)
        };
        let surroundings = &self.reading.surroundings;
        let needed = surroundings.negations(Negation::Needed);
        if needed.iter().any(|one| one.overlaps(span) || is_near(one)) {
            return false;
        }
        let mut near = surroundings.negations(Negation::Before);
        near.retain(|denier| {
            let mut mentions = self.reading.mentions.iter();
            is_near(denier) && !mentions.any(|one| one.span.start == denier.end)
        });
        // The longest of those that begin at one place, and of "maar geen" and "geen".
        near.sort_by_key(|one| (one.start, std::cmp::Reverse(one.end)));
        near.dedup_by(|next, one| next.overlaps(*one));
        let [denier] = near.as_slice() else {
            return false;
        };
        // "Trekhaak graag, maar geen haast" is against what follows.
        let stops = surroundings.negations(Negation::Stop);
        let of_next = stops.iter().any(|stop| stop.start == denier.start);
        denier.end <= span.start || !of_next
    }

    /// "Zonder trekhaak", "geen trekhaak".
    fn is_denied(&self, span: Span) -> bool {
        let deniers = self.reading.surroundings.negations(Negation::Before);
        deniers.iter().any(|denier| denier.end == span.start)
    }
}

fn bounded(attribute: &OfferAttribute, number: i64) -> (String, Test) {
    let test = match attribute.bound {
        Bound::AtMost => Test::AtMost(number),
        Bound::AtLeast | Bound::Is => Test::AtLeast(number),
    };
    (attribute.name.clone(), test)
}
