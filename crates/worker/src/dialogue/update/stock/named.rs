//! What is in stock under a name that is wished, whatever else the wish says.

use std::collections::BTreeMap;

use stock::{Item, Match, Status, Stock, Wish};

use super::OFFERED;
use super::listed::MANY;
use crate::dialogue::offer::{Line, wish_of};
use crate::dialogue::update::Update;
use crate::dialogue::wish::Wishes;
use crate::domain::Offers;

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
