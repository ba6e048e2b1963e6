//! What is in stock under a name that is wished, whatever else the wish says.

use std::collections::BTreeMap;

use stock::{Item, Match, Status, Stock, Wish};

use super::OFFERED;
use super::listed::MANY;
use crate::dialogue::offer::{Line, wish_of};
use crate::dialogue::piece::Piece;
use crate::dialogue::topics;
use crate::dialogue::update::Update;
use crate::dialogue::wish::Wishes;
use crate::domain::{About, Offers};

impl Update<'_> {
    /// The attributes that are names: the model of a make.
    pub(super) fn name_attributes<'o>(&self, offers: &'o Offers) -> Vec<&'o String> {
        let lower = self.catalogues.iter().map(|(_, lower)| lower);
        let wished = lower.filter_map(|lower| offers.wishes.get(lower));
        wished.map(|wished| &wished.attribute).collect()
    }

    /// What can be had and has a name that is wished; "Transit Custom" for "Transit", too.
    pub(super) fn with_name<'s>(&self, offers: &Offers, stock: &'s Stock) -> Vec<&'s Item> {
        let names = self
            .state
            .wanted
            .iter()
            .filter(|(slot, _)| self.is_name(slot));
        let names: Wishes = names
            .map(|(slot, wish)| (slot.clone(), wish.clone()))
            .collect();
        let lower = self
            .catalogues
            .iter()
            .filter_map(|(_, lower)| names.get(lower));
        let called: Vec<String> = lower
            .flat_map(|wish| wish.any_of.iter().map(ToString::to_string))
            .collect();
        let is_called = |title: &str| called.iter().any(|name| title.contains(name.as_str()));
        let found = stock.find(&wish_of(offers, &names, &BTreeMap::new(), None), MANY);
        let found = found.matches.into_iter();
        let named = found.filter(|one| one.misses.is_empty() || is_called(&one.item.title));
        let items = named.map(|one| one.item);
        items.filter(|item| item.status != Status::Sold).collect()
    }

    /// Who comes for something by its name is not promised what is not there.
    pub(super) fn welcome_without_a_name(&mut self, offers: &Offers, stock: &Stock) {
        let visits = |piece: &Piece| match piece {
            Piece::TakeUp(goal) => {
                topics::takes_appointment(self.domain, goal)
                    && topics::side(self.domain, goal) == About::Wanted
            }
            _ => false,
        };
        let is_named = self.names_one() && self.knows_lower();
        if !is_named || !self.dues.pieces.iter().any(visits) {
            return;
        }
        if self.state.stock.chosen.is_none() && self.with_name(offers, stock).is_empty() {
            self.dues.pieces.retain(|piece| !visits(piece));
            self.owe(Piece::Stock(Box::default()));
        }
    }
}

/// Some things as lines of a list, with what they miss of a wish.
pub(super) fn lines_of(items: &[&Item], stock: &Stock, wish: &Wish) -> Vec<Line> {
    let of = |(number, item): (usize, &&Item)| {
        let misses = stock.misses(wish, &item.source, &item.id)?;
        let found = Match {
            item,
            misses,
            distance: 0.0,
        };
        Some(Line::found(number, &found, wish))
    };
    (1..)
        .zip(items.iter().take(OFFERED))
        .filter_map(of)
        .collect()
}
