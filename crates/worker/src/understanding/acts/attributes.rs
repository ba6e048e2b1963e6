//! Which attributes of a thing a clause asks for.

use super::asks::{BARE, BEYOND_DOUBT};
use super::{Clause, Talk};
use crate::dialogue::act::{Asked, Does, Form, Thing};
use crate::domain::{ActCue, QuestionCue};
use crate::understanding::lattice::Span;
use crate::understanding::marks::Mark;
use crate::understanding::tokens::Boundary;
use crate::understanding::topics::{ALIKE, CERTAIN};

/// The letters of a word that may name what has a price.
const NOUN: usize = 5;
/// So many words more may ask for a value of what was offered.
const OFFERED: usize = 2;

impl Talk<'_> {
    /// "Does it have heated seats and a towbar": the attributes that are asked beside the first.
    pub(super) fn more_attributes(&self, clause: &Clause, first: &str) -> Vec<Asked> {
        let marks = self.signs.marks.within(clause.span);
        let named: Vec<(&str, bool, Span)> = marks
            .filter_map(|(mark, span)| {
                let Mark::Attribute(place) = mark else {
                    return None;
                };
                let attribute = self.understander.attributes.get(place)?;
                let plain = attribute.slot.is_none() && !attribute.danger && !attribute.prices;
                Some((attribute.name.as_str(), plain, span))
            })
            .collect();
        let of_first = named.iter().filter(|(name, ..)| *name == first);
        let spans: Vec<Span> = of_first.map(|(.., span)| *span).collect();
        let joined = |span: Span| spans.iter().any(|other| self.is_joined(*other, span));
        let mut more: Vec<&str> = Vec::new();
        for (name, plain, span) in &named {
            if *plain && *name != first && joined(*span) && !more.contains(name) {
                more.push(name);
            }
        }
        let more = more.into_iter();
        more.map(|name| Asked::Attribute(name.to_owned())).collect()
    }

    /// Whether an "and" or a comma stands between.
    pub(super) fn is_joined(&self, one: Span, other: Span) -> bool {
        let (from, to) = match one.start < other.start {
            true => (one.end, other.start),
            false => (other.end, one.start),
        };
        let joins = |at| {
            let joiner = |cue| cue == QuestionCue::Joiner;
            self.signs.marks.starts(at, joiner).is_some()
        };
        (from..=to).any(|at| {
            self.reading.lattice.boundary_before(at) > Boundary::None || at < to && joins(at)
        })
    }

    /// "Whether the Tiguan is still there": asked of what is for sale.
    pub(super) fn asks_standing(&self, span: Span) -> bool {
        let offers = self.understander.offers.as_ref();
        let standing = offers.and_then(|offers| offers.standing.as_deref());
        let names = |mark: Mark| match mark {
            Mark::Attribute(place) => self.understander.attributes.get(place),
            _ => None,
        };
        let mut marks = self.signs.marks.within(span);
        marks.any(|(mark, _)| names(mark).is_some_and(|one| Some(one.name.as_str()) == standing))
    }

    /// "Can you fit a towbar to my Duster" asks for work, whatever the Duster has, and "how much is a
    /// service for my Golf" for its price.
    pub(super) fn asks_for_work(&self, clause: &Clause, fact: &str) -> bool {
        let mut marks = self.signs.marks.within(clause.span);
        let priced = marks.any(|(mark, _)| match mark {
            Mark::Attribute(at) => {
                let asked = self.understander.attributes.get(at);
                asked.is_some_and(|asked| asked.prices)
            }
            _ => false,
        });
        // "How long is its MOT" asks no price.
        let priced = priced || clause.asking.form != Form::Which;
        let modal = self.mark(ActCue::Modal, clause).is_some();
        let asks = modal || priced && self.tells_price(fact);
        asks && self.thing(clause) == Thing::Own
    }

    /// "What do new brake pads cost" asks the price of what has no name here, and not of the thing that
    /// is talked about.
    pub(super) fn has_unread_noun(&self, clause: &Clause) -> bool {
        let marks = self.signs.marks.within(clause.span);
        let marked: Vec<Span> = marks.map(|(_, span)| span).collect();
        let moments = self.reading.moments.spans();
        let known: Vec<Span> = (moments.chain(clause.said.iter().map(|said| said.span)))
            .chain(self.reading.quantities.iter().map(|one| one.span))
            .chain(marked)
            .collect();
        let mut words = clause.span.start..clause.span.end;
        words.any(|at| {
            let here = Span::new(at, at + 1);
            let frequent = self.reading.frequent.get(at).copied().unwrap_or(true);
            let word = self.reading.tokens.get(at);
            let long = word.is_some_and(|word| {
                let common = self.understander.topics.is_common(&word.text);
                word.text.chars().count() >= NOUN && !common
            });
            let told = known.iter().any(|span| span.overlaps(here));
            long && !frequent && !told && !self.reading.lattice.is_filler(at)
        })
    }

    /// "What does a new battery cost" and "can you update the satnav" name what can be asked of a thing,
    /// and ask something else of it.
    pub(super) fn asks_more_of_it(&self, clause: &Clause, (name, of_slot): (&str, bool)) -> bool {
        let mut attributes = self.understander.attributes.iter();
        let Some(attribute) = attributes.find(|attribute| attribute.name == name) else {
            return false;
        };
        let leads = attribute.goal.is_some() || attribute.prices || !attribute.advice.is_empty();
        if leads || attribute.in_mind.is_some() || attribute.of_stock {
            return false;
        }
        let marks = self.signs.marks.within(clause.span);
        let (mut prices, mut own) = (Vec::new(), Vec::new());
        for (mark, span) in marks {
            let Mark::Attribute(place) = mark else {
                continue;
            };
            match self.understander.attributes.get(place) {
                Some(one) if one.prices => prices.push(span),
                Some(one) if one.name == name => own.push(span),
                _ => {}
            }
        }
        let apart = |price: &Span| !own.iter().any(|span| span.overlaps(*price));
        let of_part = !of_slot && prices.iter().any(apart);
        let modal = self.mark(ActCue::Modal, clause).is_some();
        of_part || modal && self.has_unread_noun(clause)
    }

    /// The fact that is meant whatever attribute is named.
    pub(super) fn certain_fact(
        &self,
        clause: &Clause,
        fact: Option<&(String, f64)>,
        doubtful: bool,
    ) -> Option<Asked> {
        let (name, likeness) = fact?;
        let certain = if doubtful { BEYOND_DOUBT } else { CERTAIN };
        let meant = *likeness >= ALIKE || !self.names_foreign(clause, name);
        (*likeness >= certain && meant).then(|| Asked::Fact(name.clone()))
    }

    /// "Will my wheelchair fit in the boot": what the boot is asked of has nothing to do with ramps.
    fn names_foreign(&self, clause: &Clause, fact: &str) -> bool {
        let mut facts = self.understander.facts.iter();
        let fact = facts.position(|name| name == fact);
        let knows = |at: usize| {
            let word = self.reading.tokens.get(at).map_or("", |token| &token.text);
            fact.is_some_and(|fact| self.understander.topics.is_of(word, fact))
        };
        let plain = |place: usize| {
            let attribute = self.understander.attributes.get(place);
            attribute.is_some_and(|one| one.slot.is_none() && !one.prices && one.goal.is_none())
        };
        let mut marks = self.signs.marks.within(clause.span);
        marks.any(|(mark, span)| {
            matches!(mark, Mark::Attribute(place) if plain(place))
                && !(span.start..span.end).any(knows)
        })
    }

    /// Whether it is known which thing the customer wants.
    pub(super) fn knows_thing(&self) -> bool {
        let mut wanted = self.context.wanted.iter();
        wanted.any(|(slot, _)| self.is_name(slot))
    }

    /// The attribute that a clause asks for; "I really need CarPlay, is that in it?": of the statement
    /// before.
    pub(super) fn attribute(&self, clause: &Clause) -> Option<(&str, bool)> {
        let has = |cue| self.mark(cue, clause).is_some();
        let bare = clause.span.len() <= BARE && has(ActCue::OfThing) && !has(ActCue::Existence);
        let before = Some(clause.with_before).filter(|_| bare);
        let here = self.attribute_of_value(clause);
        let here = here.or_else(|| self.attribute_in(clause.span));
        here.or_else(|| self.attribute_in(before?).filter(|(_, of_slot)| !of_slot))
    }

    /// "Is that electric?": what a value of the thing at hand is a value of.
    pub(super) fn attribute_of_value(&self, clause: &Clause) -> Option<(&str, bool)> {
        let most = BARE + usize::from(self.context.offered) * OFFERED;
        let asks = clause.asking.form == Form::YesNo && clause.span.len() <= most;
        let of_thing = self.mark(ActCue::OfThing, clause).is_some();
        let said = clause
            .said
            .iter()
            .find(|said| !said.number && !self.is_name(&said.slot));
        let said = said.filter(|_| asks && of_thing)?;
        // "Ook een foto van die blauwe?" asks for no colour.
        let slot = |place: usize| Some(self.understander.attributes.get(place)?.slot.as_ref());
        let mut marks = self.signs.marks.within(clause.span);
        let asks_else = clause.span.len() > BARE
            && marks.any(|(mark, _)| match mark {
                Mark::Attribute(place) => slot(place) != Some(Some(&said.slot)),
                _ => false,
            });
        if asks_else {
            return None;
        }
        let mut attributes = self.understander.attributes.iter();
        let attribute = attributes.find(|known| known.slot.as_ref() == Some(&said.slot))?;
        Some((&attribute.name, false))
    }

    /// The attribute with the longest wording, and whether a slot answers it.
    pub(super) fn attribute_in(&self, span: Span) -> Option<(&str, bool)> {
        let marks = self.signs.marks.within(span);
        let attributes = marks.filter_map(|(mark, span)| match mark {
            Mark::Attribute(place) => Some((self.understander.attributes.get(place)?, span)),
            _ => None,
        });
        let attributes = attributes.filter(|(attribute, _)| !attribute.danger);
        let (attribute, _) = attributes.min_by_key(|(attribute, span)| {
            // "What does it cost a month" asks for more than the price.
            let common = (attribute.slot.is_some(), attribute.prices);
            // "How big is the boot" is answered by a record, "how big is it" is not.
            let common = (common, !self.is_in_records(&attribute.name));
            (common, std::cmp::Reverse(span.len()))
        })?;
        Some((&attribute.name, attribute.slot.is_some()))
    }

    /// "A lamp came on. Is that bad?": the attribute that has advice for it until a colleague answers.
    pub(super) fn advice_sought(&self, clause: &Clause) -> Option<String> {
        self.mark(ActCue::Serious, clause)?;
        // "My MOT is overdue, is that bad?" is about what it names.
        let whole = Span::new(0, self.reading.tokens.len());
        let named = self.attribute_in(whole).map(|(name, _)| name);
        let alone = clause.with_before == clause.span && !self.context.has_appointment;
        let goal = match self.called_for(clause).map(|act| act.does) {
            Some(Does::Request { goal, .. }) => goal,
            _ => self.context.goal.filter(|_| alone)?.to_owned(),
        };
        let mut attributes = self.understander.attributes.iter();
        let advised = attributes
            .find(|one| !one.advice.is_empty() && one.meant_in.contains_key(goal.as_str()))?;
        let other = named.is_some_and(|named| named != advised.name);
        (!other).then(|| advised.name.clone())
    }

    /// Whether the records of a stock answer a question.
    fn is_in_records(&self, asked: &str) -> bool {
        let offers = self.understander.offers.as_ref();
        let offers = offers.filter(|_| self.context.stock);
        offers.is_some_and(|offers| offers.answering(asked).is_some())
    }

    /// A price, or what something is worth: "was nehmt ihr dafür".
    pub(super) fn asks_amount(&self, name: &str) -> bool {
        let mut attributes = self.understander.attributes.iter();
        let opens = attributes.any(|attribute| attribute.name == name && attribute.goal.is_some());
        opens || self.is_price(name)
    }

    pub(super) fn is_price(&self, name: &str) -> bool {
        let mut attributes = self.understander.attributes.iter();
        attributes.any(|attribute| attribute.name == name && attribute.prices)
    }

    /// "Hat der Sitzheizung?", "was kostet das im Monat?": what a record tells is asked of the thing that is
    /// for sale, though the own one was spoken of last.
    pub(super) fn asks_of_offered(&self, clause: &Clause) -> bool {
        let Some(offers) = self.understander.offers.as_ref() else {
            return false;
        };
        let recorded = |(mark, _): (Mark, Span)| match mark {
            Mark::Attribute(at) => self.understander.attributes.get(at).is_some_and(|asked| {
                asked.meant_in.is_empty() && offers.answering(&asked.name).is_some()
            }),
            _ => false,
        };
        let mut marks = self.signs.marks.within(clause.span);
        clause.asking.asks() && self.knows_thing() && marks.any(recorded)
    }
}
