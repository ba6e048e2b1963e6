//! One mailbox: its entries, and what it waits for.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use crate::consumer::item::{Content, Item, Waiting};

/// The most entries that are handled as one.
const MOST_MERGED: usize = 32;

#[derive(Debug)]
pub(super) struct Mailbox<P> {
    pub(super) waiting: VecDeque<Item<P>>,
    pub(super) state: State,
}

impl<P> Default for Mailbox<P> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            state: State::default(),
        }
    }
}

impl<P> Mailbox<P> {
    /// In stream order. New entries come in that order; one that Redis gave back after it had lost a
    /// commit goes before those that are waiting, also before one that is tried again.
    pub(super) fn insert(&mut self, item: Item<P>) {
        let place = self.waiting.partition_point(|waiting| waiting.id < item.id);
        self.waiting.insert(place, item);
    }

    /// The first entries that may be handled as one.
    pub(super) fn mergeable(&self, now: Instant, now_ms: u64) -> Vec<Waiting<'_, P>> {
        let mut events = HashSet::new();
        let mut found = Vec::new();
        for item in self.waiting.iter().take(MOST_MERGED) {
            let Content::Whole(entry, payload) = &item.content else {
                break;
            };
            // A repetition of an event is found out by itself.
            if !events.insert(entry.event.as_str()) {
                break;
            }
            found.push(Waiting {
                entry: entry.as_ref(),
                payload: payload.as_ref(),
                age: item.age(now, now_ms),
            });
        }
        found
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// In the ready queue, or empty and about to be dropped.
    #[default]
    Ready,
    Running,
    /// Its head is tried again at this time.
    Delayed(Instant),
    /// More may come that belongs to it; looked at again at this time.
    Gathering(Instant),
}
