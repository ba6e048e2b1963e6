//! One bound on the bytes of all bodies that are in memory, over all connections.
//!
//! Whoever sends slowly pays: when the bodies need more than the bound, the oldest that is still
//! arriving is given up. A genuine webhook arrives within milliseconds and is never the oldest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The memory for bodies. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Bodies(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    most: usize,
    held: usize,
    next: u64,
    arriving: BTreeMap<u64, Arriving>,
}

#[derive(Debug)]
struct Arriving {
    bytes: usize,
    give_up: Arc<Notify>,
}

impl Bodies {
    /// Bodies of at most `most` bytes together.
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            most,
            held: 0,
            next: 0,
            arriving: BTreeMap::new(),
        })))
    }

    /// A place for a body that begins to arrive.
    pub(crate) fn begin(&self) -> Share {
        let give_up = Arc::new(Notify::new());
        let mut state = self.lock();
        let place = state.next;
        state.next += 1;
        let arriving = Arriving {
            bytes: 0,
            give_up: give_up.clone(),
        };
        state.arriving.insert(place, arriving);
        Share {
            bodies: self.clone(),
            place,
            bytes: 0,
            give_up,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one body takes up. Given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    bodies: Bodies,
    place: u64,
    bytes: usize,
    give_up: Arc<Notify>,
}

impl Share {
    /// The body needs this much more.
    pub(crate) fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        let mut state = self.bodies.lock();
        state.held += bytes;
        if let Some(own) = state.arriving.get_mut(&self.place) {
            own.bytes += bytes;
        }
        let mut excess = state.held.saturating_sub(state.most);
        while excess > 0 {
            let Some((_, oldest)) = state.arriving.pop_first() else {
                break;
            };
            excess = excess.saturating_sub(oldest.bytes);
            oldest.give_up.notify_one();
        }
    }

    /// Completes when the memory is needed for others.
    pub(crate) async fn must_give_up(&self) {
        self.give_up.notified().await;
    }

    /// All of the body is there: it will be gone soon, and is not given up any more.
    pub(crate) fn has_arrived(&self) {
        self.bodies.lock().arriving.remove(&self.place);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.bodies.lock();
        state.held -= self.bytes;
        state.arriving.remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn given_up(share: &Share) -> bool {
        share.must_give_up().now_or_never().is_some()
    }

    #[test]
    fn the_oldest_that_still_arrives_makes_room() {
        let bodies = Bodies::new(100);
        let mut shares: Vec<_> = (0..3).map(|_| bodies.begin()).collect();
        shares[0].grow(40);
        shares[0].has_arrived();
        shares[1].grow(30);
        shares[2].grow(30);
        assert!(!shares.iter().any(given_up), "all of it fits");
        shares[2].grow(10);
        assert_eq!(
            [&shares[0], &shares[1], &shares[2]].map(given_up),
            [false, true, false]
        );
        drop(shares);
        assert_eq!(bodies.lock().held, 0);
    }

    #[test]
    fn a_single_body_beyond_the_bound_gives_itself_up() {
        let bodies = Bodies::new(10);
        let mut share = bodies.begin();
        share.grow(11);
        assert!(given_up(&share));
    }
}
