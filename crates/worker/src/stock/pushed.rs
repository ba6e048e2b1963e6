//! Single things that a dealer's system pushes, as they come.

use std::collections::HashMap;

use crm::Push;
use jiff::Timestamp;
use stock::{Limits, Pushed, Reading};
use streams::StockPush;

use crate::domain::Domain;

/// The feed that pushed things are of.
pub(super) const PUSHED: &str = "hexon";

/// What a push changes.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn pushed(domain: &Domain, text: &[u8]) -> Result<Vec<Push>, String> {
    let known = domain.stock.as_ref();
    let known = known.ok_or("the domain says nothing of a stock")?;
    let how = Reading {
        source: PUSHED,
        mapping: None,
        now: Timestamp::now(),
        limits: Limits::default(),
    };
    let pushed = known.feeds.pushed(text, &how);
    let pushed = pushed.map_err(|error| error.to_string())?;
    if pushed.is_empty() {
        return Err("it has nothing in it".into());
    }
    let pushes = pushed.into_iter().map(|one| match one {
        Pushed::Put(item) => Ok(Push::Put(item)),
        Pushed::Remove(id) => Ok(Push::Remove(id)),
        Pushed::Unread(reason) => Err(reason.to_string()),
    });
    pushes.collect()
}

/// The thing that a push is about.
pub(crate) fn id_of(push: &Push) -> String {
    match push {
        Push::Put(item) => item.id.to_string(),
        Push::Remove(id) => id.clone(),
    }
}

/// Something that was pushed, and read.
struct Came {
    at: Timestamp,
    /// It waited before, for somebody to look at it.
    waited: bool,
    push: Push,
}

/// Pushes that wait, as far as they can be read.
pub(super) struct Takeover {
    read: Vec<Came>,
    unread: Vec<StockPush>,
}

/// What becomes of them.
#[derive(Default)]
pub(super) struct Taken {
    /// Taken over, in this order.
    pub(super) pushes: Vec<Push>,
    /// Kept aside.
    pub(super) unread: Vec<StockPush>,
    /// So many came before something that was taken over of the same thing.
    pub(super) outdated: usize,
    /// The newest of each thing.
    pub(super) newest: Vec<(String, Timestamp)>,
}

impl Takeover {
    /// Each push has a moment of its own: `now`, and a microsecond for its place.
    pub(super) fn read(domain: &Domain, waiting: &[StockPush], now: Timestamp) -> Self {
        let mut all = Self {
            read: Vec::new(),
            unread: Vec::new(),
        };
        for (place, push) in (0..).zip(waiting) {
            let own = Timestamp::from_microsecond(now.as_microsecond() + place);
            let at = push.at.unwrap_or(own.unwrap_or(now));
            let waited = push.at.is_some();
            match pushed(domain, &push.text) {
                Ok(read) => all
                    .read
                    .extend(read.into_iter().map(|push| Came { at, waited, push })),
                Err(why) => {
                    tracing::error!(
                        why,
                        "something that was pushed cannot be read; it is kept aside"
                    );
                    let (at, text) = (Some(at), push.text.clone());
                    all.unread.push(StockPush { at, text });
                }
            }
        }
        all
    }

    /// The things of which something waited before.
    pub(super) fn replayed(&self) -> Vec<String> {
        let waited = self.read.iter().filter(|one| one.waited);
        waited.map(|one| id_of(&one.push)).collect()
    }

    /// Leaves out what is older than what is known of the same thing. `newest` is of [`Takeover::replayed`].
    pub(super) fn judge(self, newest: Vec<Option<Timestamp>>) -> Taken {
        let known = self.replayed().into_iter().zip(newest);
        let known = known.filter_map(|(id, newest)| Some((id, newest?)));
        let mut known: HashMap<String, Timestamp> = known.collect();
        let mut taken = Taken {
            unread: self.unread,
            ..Taken::default()
        };
        for Came { at, waited, push } in self.read {
            let id = id_of(&push);
            if waited && known.get(&id).is_some_and(|known| *known > at) {
                tracing::warn!(
                    id,
                    "a replayed push is left out: something newer was taken over"
                );
                taken.outdated += 1;
                continue;
            }
            known.insert(id.clone(), at);
            taken.newest.push((id, at));
            taken.pushes.push(push);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vehicle(price: u32) -> StockPush {
        let text = format!(
            "<voertuig actie=\"add\" voertuignr_hexon=\"1\"><merk>Opel</merk><model>Corsa</model>\
             <verkoopprijs_particulier>{price}</verkoopprijs_particulier></voertuig>"
        );
        StockPush {
            at: None,
            text: text.into_bytes(),
        }
    }

    #[test]
    fn of_two_that_waited_together_both_are_taken_over_in_their_order() {
        let domain = Domain::embedded().unwrap();
        let mut without = Domain::embedded().unwrap();
        without.stock = None;
        let waiting = [vehicle(9_000), vehicle(8_000)];
        let now = Timestamp::now();
        let unread = Takeover::read(&without, &waiting, now)
            .judge(Vec::new())
            .unread;
        assert!(unread[0].at < unread[1].at, "{unread:?}");
        let again = Takeover::read(&domain, &unread, now);
        assert_eq!(again.replayed(), ["1", "1"]);
        let taken = again.judge(vec![None, None]);
        assert_eq!((taken.pushes.len(), taken.outdated), (2, 0));
        // Once more it changes nothing, and the older one is outdated.
        let newest = Some(taken.newest[1].1);
        let taken = Takeover::read(&domain, &unread, now).judge(vec![newest, newest]);
        assert_eq!((taken.pushes.len(), taken.outdated), (1, 1));
    }
}
