//! Leads whose wish nothing fitted, and that something in stock fits now.

use std::collections::BTreeMap;
use std::time::Duration;

use crm::{Crm, CrmError, KeptFeed, Matter, Row, What};
use jiff::Timestamp;
use serde_json::{Map, Value};
use shared_types::{SlotValue, StockArrival};
use stock::{Item, Status, Stock, Test, Wish};
use streams::{Ingest, Ingested, NewEntry, Queue, Redis};

use crate::dialogue::offer::{NEED, UNMET, wish_of};
use crate::dialogue::{Wish as Wanted, Wishes};
use crate::domain::{Bound, Offers};

/// Of so many things a lead is told at once.
const TOLD: usize = 3;

/// For how long it is known that a conversation was told to look at a thing.
const KNOWN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Tells of what came into stock.
pub(super) struct Teller<'a> {
    pub(super) crm: &'a Crm,
    pub(super) redis: &'a Redis,
    pub(super) offers: &'a Offers,
    pub(super) stock: &'a Stock,
    /// As they are since the stock was read, or later.
    pub(super) feeds: &'a [KeptFeed],
}

impl Teller<'_> {
    /// Tells colleagues of what fits the wish of an open lead now, once of each thing, and the lead's conversation,
    /// which knows whether the customer is to be told.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn tell(&self, now: Timestamp) -> Result<(), CrmError> {
        let mut after = None;
        loop {
            let page = self.crm.list(Matter::Lead, What::Open, after).await?;
            for lead in &page.rows {
                let Some(wish) = unmet(self.offers, lead) else {
                    continue;
                };
                for item in fitting(self.stock, &wish) {
                    if let Some(conversation) = self.crm.tell_of_match(lead, item, now).await? {
                        self.queue(&conversation, item, now).await;
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// What is not queued is not told to the customer; colleagues know it.
    async fn queue(&self, conversation: &str, item: &Item, at: Timestamp) {
        let Ok(conversation_id) = conversation.parse() else {
            return;
        };
        let mut feeds = self.feeds.iter();
        let feed = feeds.find(|feed| feed.name == *item.source);
        let arrival = StockArrival {
            conversation_id,
            feed: item.source.to_string(),
            item: item.id.to_string(),
            revision: feed.map_or(0, |feed| feed.revision),
            at,
        };
        let event = format!("stock:{}:{}:{conversation}", item.source, item.id);
        let Ok(entry) = NewEntry::new(&arrival, event, conversation) else {
            return;
        };
        let ingest = Ingest {
            dedup_for: KNOWN,
            ..Ingest::unlimited(Queue::Inbound, &entry)
        };
        match self.redis.ingest(&ingest).await {
            Ok(Ingested::Queued { .. } | Ingested::Duplicate { .. }) => {}
            other => tracing::warn!(?other, "a customer is not told of what came into stock"),
        }
    }
}

fn fitting<'s>(stock: &'s Stock, wish: &Wish) -> Vec<&'s Item> {
    let found = stock.find(wish, TOLD).matches.into_iter();
    let fits = found.filter(|one| one.misses.is_empty() && one.item.status == Status::Available);
    fits.map(|one| one.item).collect()
}

/// The wish of a lead that nothing fitted.
fn unmet(offers: &Offers, lead: &Row) -> Option<Wish> {
    let (_, fields) = lead.iter().find(|(name, _)| *name == "fields")?;
    let fields = fields.as_object()?;
    if fields.get(UNMET).and_then(Value::as_str) != Some("yes") {
        return None;
    }
    let wish = wish_of_fields(offers, fields);
    (!wish.conditions.is_empty()).then_some(wish)
}

/// The wish as the fields of a lead tell it: `car_model`, `car_model.2`, `not.color`.
fn wish_of_fields(offers: &Offers, fields: &Map<String, Value>) -> Wish {
    let mut wanted = Wishes::new();
    let mut needs = BTreeMap::new();
    for (name, value) in fields {
        let Some(value) = value.as_str() else {
            continue;
        };
        if let Some(attribute) = name.strip_prefix(NEED) {
            needs.insert(attribute.to_owned(), need(offers, attribute, value));
            continue;
        }
        let (denied, slot) = match name.strip_prefix("not.") {
            Some(slot) => (true, slot),
            None => (false, name.as_str()),
        };
        let slot = slot.split('.').next().unwrap_or(slot);
        let Some(wished) = offers.wishes.get(slot).filter(|_| value != "any") else {
            continue;
        };
        let number = value.parse().ok().filter(|_| wished.bound != Bound::Is);
        let value = number.map_or_else(|| SlotValue::Text(value.to_owned()), SlotValue::Integer);
        let wish: &mut Wanted = wanted.entry(slot.to_owned()).or_default();
        match denied {
            true => wish.not.push(value),
            false => wish.any_of.push(value),
        }
    }
    wish_of(offers, &wanted, &needs, None)
}

/// `<=9949`, `>=5`, `yes`; a bare number of 0.1.0 has the bound of its attribute.
fn need(offers: &Offers, attribute: &str, value: &str) -> Test {
    let number = |sign| value.strip_prefix(sign).and_then(|rest| rest.parse().ok());
    if let Some(most) = number("<=") {
        return Test::AtMost(most);
    }
    if let Some(least) = number(">=").or_else(|| value.parse().ok()) {
        let bound = offers.attribute(attribute).map(|known| known.bound);
        return match bound.filter(|_| !value.starts_with('>')) {
            Some(Bound::AtMost) => Test::AtMost(least),
            _ => Test::AtLeast(least),
        };
    }
    Test::Has(value == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Domain;

    #[test]
    fn a_need_says_which_way_it_is_bounded() {
        let domain = Domain::embedded().unwrap();
        let offers = domain.knowledge.offers.as_ref().unwrap();
        let of = |attribute, value| need(offers, attribute, value);
        assert_eq!(of("price", "<=9949"), Test::AtMost(9949));
        assert_eq!(of("seats", ">=7"), Test::AtLeast(7));
        assert_eq!(of("seats", "7"), Test::AtLeast(7));
        assert_eq!(of("towbar", "yes"), Test::Has(true));
    }
}
