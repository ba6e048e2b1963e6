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

/// Pushes that wait, as far as they can be read, with when those came that waited before.
pub(super) struct Takeover {
    read: Vec<(Option<Timestamp>, Push)>,
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
    pub(super) fn read(domain: &Domain, waiting: &[StockPush], now: Timestamp) -> Self {
        let mut all = Self {
            read: Vec::new(),
            unread: Vec::new(),
        };
        for push in waiting {
            match pushed(domain, &push.text) {
                Ok(read) => all.read.extend(read.into_iter().map(|one| (push.at, one))),
                Err(why) => {
                    tracing::error!(
                        why,
                        "something that was pushed cannot be read; it is kept aside"
                    );
                    let at = Some(push.at.unwrap_or(now));
                    let text = push.text.clone();
                    all.unread.push(StockPush { at, text });
                }
            }
        }
        all
    }

    /// The things of which something waited before.
    pub(super) fn replayed(&self) -> Vec<String> {
        let waited = self.read.iter().filter(|(at, _)| at.is_some());
        waited.map(|(_, push)| id_of(push)).collect()
    }

    /// Leaves out what is older than what is known of the same thing. `newest` is of [`Takeover::replayed`].
    pub(super) fn judge(self, newest: Vec<Option<Timestamp>>, now: Timestamp) -> Taken {
        let known = self.replayed().into_iter().zip(newest);
        let known = known.filter_map(|(id, newest)| Some((id, newest?)));
        let mut known: HashMap<String, Timestamp> = known.collect();
        let mut taken = Taken {
            unread: self.unread,
            ..Taken::default()
        };
        for (at, push) in self.read {
            let id = id_of(&push);
            if at.is_some_and(|at| known.get(&id).is_some_and(|known| *known >= at)) {
                tracing::warn!(
                    id,
                    "a replayed push is left out: something newer was taken over"
                );
                taken.outdated += 1;
                continue;
            }
            let at = at.unwrap_or(now);
            known.insert(id.clone(), at);
            taken.newest.push((id, at));
            taken.pushes.push(push);
        }
        taken
    }
}
