//! What a message points at of the things that were offered.

use shared_types::SlotValue;
use stock::{Item, Test, Value};

use super::{BARE, Numbered};
use crate::dialogue::act::{Act, Answer, Asked, Does, Form, Inform, Thing, Told};
use crate::dialogue::offer::{Fit, Line, Listing, Offered};
use crate::dialogue::piece::{Piece, Question};
use crate::dialogue::update::Update;
use crate::domain::{Bound, Offers};
use crate::understanding::Pointed;

/// A longer message says more than that something should be cheaper.
const LONGEST_COMPARISON: usize = 8;

impl<'a> Update<'a> {
    /// Takes what the message points at, and drops the acts that do nothing else.
    pub(in crate::dialogue::update) fn point(&mut self, acts: &[Act]) -> Vec<Act> {
        if self.stock().is_none() {
            return acts.to_vec();
        }
        if !self.says_nothing(acts) {
            self.go_on_from_before();
        }
        if self.gives_up(acts) {
            self.search = true;
            return acts
                .iter()
                .filter(|act| is_courtesy(act))
                .cloned()
                .collect();
        }
        let vague = |act: &Act| {
            matches!(
                act.does,
                Does::Unclear { .. } | Does::Social(_) | Does::Inform(_)
            )
        };
        if !self.heard.sought.needs.is_empty() && acts.iter().all(vague) {
            // "Needs to pull at least 1800 kg" looks for something.
            self.search = true;
            let rest = acts
                .iter()
                .filter(|act| !matches!(act.does, Does::Unclear { .. }));
            return rest.cloned().collect();
        }
        let offered = self.offered();
        if self.compares(acts) {
            (self.search, self.compared) = (true, true);
            return acts
                .iter()
                .filter(|act| is_courtesy(act))
                .cloned()
                .collect();
        }
        let Some((pointed, values)) = self.pointed_at(&offered, acts) else {
            return acts.to_vec();
        };
        self.pointed = pointed.iter().map(|(_, item)| Offered::of(item)).collect();
        if let [(_, item)] = pointed.as_slice() {
            self.choose(item);
        }
        let mut rest = acts.to_vec();
        // "Nummer 3" asks for no telephone number.
        let bare = self.heard.text.split_whitespace().count() <= BARE && values.is_empty();
        rest.retain(|act| {
            let social = matches!(act.does, Does::Social(_) | Does::Answer(Answer::Yes));
            let more = matches!(&act.does, Does::Ask(_)) && !self.heard.sought.unread.is_empty();
            let takes = matches!(&act.does, Does::Ask(ask) if ask.form == Form::Check);
            takes || (social || !bare) && (more || !only_points(act, &values))
        });
        if rest.iter().all(|act| matches!(act.does, Does::Social(_))) {
            match pointed.as_slice() {
                [(number, item)] => self.owe(Piece::Picked(Box::new(Line::alone(*number, item)))),
                several => {
                    let lines = several.iter().map(|(at, item)| Line::alone(*at, item));
                    self.owe(Piece::Stock(Box::new(Listing {
                        lines: lines.collect(),
                        fit: Fit::Exact,
                        total: several.len(),
                        ..Listing::default()
                    })));
                    self.must_ask(Question::WhichOffer);
                }
            }
        }
        rest
    }

    /// "Goedkoper?": whether the message wants something further than what was offered, and says nothing else.
    /// What it wants is kept as a wish.
    fn compares(&mut self, acts: &[Act]) -> bool {
        let than = &self.heard.sought.than;
        // "The cheaper one" is one of those that were offered.
        let short = self.heard.text.split_whitespace().count() <= LONGEST_COMPARISON
            && self.heard.sought.order.is_none();
        let Some((offers, _)) = self.stock().filter(|_| short && !than.is_empty()) else {
            return false;
        };
        let only_compares = |act: &Act| match &act.does {
            Does::Ask(ask) => !matches!(ask.topic, Asked::Fact(_) | Asked::Hours),
            Does::Social(_) | Does::Unclear { .. } | Does::Answer(_) => true,
            Does::Inform(inform) => inform.values.is_empty() && inform.when.is_none(),
            // "Too expensive, got something cheaper?" turns away from the price, and names nothing.
            Does::Correct(correct) => {
                let named = |(_, value): &(String, SlotValue)| {
                    let value = value.to_string().to_lowercase();
                    self.heard.text.to_lowercase().contains(&value)
                };
                correct.instead.is_empty()
                    && correct.indifferent.is_empty()
                    && !correct.not.iter().any(named)
            }
            _ => false,
        };
        let meant = self.meant();
        let Some((_, first)) = meant.first().filter(|_| acts.iter().all(only_compares)) else {
            return false;
        };
        let orders = than.iter().filter_map(|at| offers.orders.get(*at));
        let wishes = orders.filter_map(|order| {
            let has = first.get(&order.attribute)?.number()?;
            let said = self.bound_of(offers, &order.attribute, order.descending);
            let test = match order.descending {
                true => Test::AtLeast(said.map_or(has + 1, |said| said.max(has + 1))),
                false => Test::AtMost(said.map_or(has - 1, |said| said.min(has - 1))),
            };
            Some((order.attribute.clone(), test))
        });
        let wishes: Vec<_> = wishes.collect();
        let talk = &mut self.state.stock;
        talk.was_met = !talk.unmet;
        for (attribute, test) in wishes {
            let before = talk.needs.insert(attribute.clone(), test);
            talk.vain.insert(attribute, before);
        }
        !talk.vain.is_empty()
    }

    /// The least, or the most, that was wished of an attribute before.
    fn bound_of(&self, offers: &Offers, attribute: &str, is_least: bool) -> Option<i64> {
        let bound = match is_least {
            true => Bound::AtLeast,
            false => Bound::AtMost,
        };
        match self.state.stock.needs.get(attribute) {
            Some(Test::AtLeast(least)) if is_least => return Some(*least),
            Some(Test::AtMost(most)) if !is_least => return Some(*most),
            _ => {}
        }
        let mut wishes = self.state.wanted.iter();
        wishes.find_map(|(slot, wish)| {
            let wished = offers.wishes.get(slot)?;
            let is_it = wished.attribute == attribute && wished.bound == bound;
            match wish.any_of.first().filter(|_| is_it)? {
                SlotValue::Integer(number) => Some(*number),
                SlotValue::Text(_) => None,
            }
        })
    }

    /// "Oké, bedankt!": whether the message says nothing of what is wished.
    fn says_nothing(&self, acts: &[Act]) -> bool {
        let sought = self.heard.sought;
        let seeks = sought.looks
            || sought.order.is_some()
            || !(sought.than.is_empty() && sought.needs.is_empty() && sought.points.is_empty())
            || !(sought.flags.is_empty() && sought.against.is_empty());
        let is_nothing = |act: &Act| {
            matches!(
                act.does,
                Does::Social(_) | Does::Unclear { .. } | Does::Answer(Answer::Yes)
            )
        };
        !seeks && acts.iter().all(is_nothing)
    }

    /// What was asked for in vain is asked for no more: what fitted before fits again.
    fn go_on_from_before(&mut self) {
        let talk = &mut self.state.stock;
        if talk.was_met && talk.unmet && !talk.vain.is_empty() {
            talk.unmet = false;
            self.dues.unmet = Some(false);
        }
        for (attribute, before) in std::mem::take(&mut talk.vain) {
            match before {
                Some(test) => talk.needs.insert(attribute, test),
                None => talk.needs.remove(&attribute),
            };
        }
    }

    /// Those of what was offered that the message points at, and the values by which it does.
    fn pointed_at(
        &self,
        offered: &[(usize, &'a Item)],
        acts: &[Act],
    ) -> Option<(Numbered<'a>, Vec<SlotValue>)> {
        let (offers, _) = self.stock()?;
        let sought = self.heard.sought;
        let mut left = offered.to_vec();
        let mut values = Vec::new();
        // "Not the Focus" does not pick the Focus.
        let denied = |such: &(String, SlotValue)| {
            let mut acts = acts.iter();
            acts.any(
                |act| matches!(&act.does, Does::Correct(correct) if correct.not.contains(such)),
            )
        };
        for pointed in &sought.points {
            let before = left.clone();
            match pointed {
                Pointed::Nth(nth) => left.retain(|(number, _)| number == nth),
                Pointed::Last => left = before.last().copied().into_iter().collect(),
                Pointed::Such { values: such, .. } if such.iter().any(denied) => {}
                Pointed::Such {
                    values: such,
                    number,
                } => {
                    left.retain(|(_, item)| is_such(offers, item, such, *number));
                    if !left.is_empty() {
                        values.extend(such.iter().map(|(_, value)| value.clone()));
                        values.extend(number.map(SlotValue::Integer));
                    }
                }
            }
            if left.is_empty() {
                left = before;
            }
        }
        if let Some(order) = sought.order.filter(|_| !sought.looks)
            && let Some(order) = offers.orders.get(order)
        {
            let value = |item: &Item| item.get(&order.attribute).and_then(|one| one.number());
            let known = left.iter().filter(|(_, item)| value(item).is_some());
            let first = match order.descending {
                true => known.max_by_key(|(_, item)| value(item)),
                false => known.min_by_key(|(_, item)| value(item)),
            };
            left = first.copied().into_iter().collect();
        }
        // "Forget the Golf" points at nothing.
        let none = |pointed: &Pointed| matches!(pointed, Pointed::Such { values, .. } if values.iter().any(denied));
        let turned_away = !sought.points.is_empty() && sought.points.iter().all(none);
        let points = !sought.points.is_empty() || sought.order.is_some();
        if !points || turned_away || self.names_another(offers, &left, acts) {
            return None;
        }
        (!left.is_empty() && left.len() < offered.len().max(2)).then_some((left, values))
    }
}

impl Update<'_> {
    /// "The white Polo on your page" is none of what was offered, where no Polo was.
    fn names_another(&self, offers: &Offers, left: &[(usize, &Item)], acts: &[Act]) -> bool {
        let told = acts.iter().filter_map(|act| match &act.does {
            Does::Inform(inform) if inform.thing == Thing::Wanted => Some(&inform.values),
            _ => None,
        });
        let named = told.flatten().filter(|told| {
            let mut catalogues = self.catalogues.iter();
            catalogues.any(|(_, lower)| *lower == told.slot)
        });
        let named: Vec<(String, SlotValue)> = named
            .flat_map(|told| {
                told.any_of
                    .iter()
                    .map(|value| (told.slot.clone(), value.clone()))
            })
            .collect();
        let is_one = |item: &Item| {
            let mut named = named.iter();
            named.any(|name| is_such(offers, item, std::slice::from_ref(name), None))
        };
        !named.is_empty() && !left.iter().any(|(_, item)| is_one(item))
    }
}

fn is_courtesy(act: &Act) -> bool {
    matches!(act.does, Does::Social(_))
}

/// Whether a thing is as it is pointed at.
fn is_such(
    offers: &Offers,
    item: &Item,
    values: &[(String, SlotValue)],
    number: Option<i64>,
) -> bool {
    let holds = |(slot, value): &(String, SlotValue)| {
        let wished = offers.wishes.get(slot);
        let has = wished.and_then(|wished| item.get(&wished.attribute));
        has.as_ref().and_then(Value::as_str) == Some(value.to_string().as_str())
    };
    let numbers = || {
        offers
            .attributes
            .iter()
            .filter_map(|one| item.get(&one.name)?.number())
    };
    values.iter().all(holds) && number.is_none_or(|number| numbers().any(|one| one == number))
}

/// Whether an act does nothing but point at what was offered.
fn only_points(act: &Act, values: &[SlotValue]) -> bool {
    let pointing = |told: &Told| told.any_of.iter().all(|value| values.contains(value));
    match &act.does {
        Does::Unclear { .. } => true,
        Does::Answer(Answer::Choice(_)) => true,
        Does::Answer(Answer::Values(told)) => told.iter().all(pointing),
        Does::Inform(Inform {
            thing: Thing::Wanted,
            values: told,
            when: None,
            attachment: None,
            remark: None,
        }) => told.iter().all(pointing),
        Does::Correct(correct) => {
            correct.instead.iter().all(pointing) && correct.indifferent.is_empty()
        }
        Does::Ask(ask) => ask.topic == Asked::Other,
        _ => false,
    }
}
