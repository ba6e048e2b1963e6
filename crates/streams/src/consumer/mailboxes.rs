//! The mailboxes of a partition: the entries of one after the other, the mailboxes side by side. Pure.

mod mailbox;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use std::{iter, mem};

use super::item::{Content, Gather, Item, MailboxKey, Waiting};
use crate::StreamId;
use mailbox::{Mailbox, State};

/// The running entries of one lane, and the mailboxes that wait for one of its places.
#[derive(Debug, Default)]
struct Lane {
    running: usize,
    full_for: VecDeque<MailboxKey>,
}

/// The mailboxes of one partition.
#[derive(Debug)]
pub(crate) struct Mailboxes<P> {
    by_key: HashMap<MailboxKey, Mailbox<P>>,
    ready: VecDeque<MailboxKey>,
    delayed: HashSet<MailboxKey>,
    lanes: HashMap<Arc<str>, Lane>,
    /// How many waiting entries are held whole, and how many may be.
    loaded: usize,
    most_loaded: usize,
    most_in_lane: usize,
    /// Everything that is waiting or running, so that a second reading of the pending entries adds
    /// nothing twice.
    ids: HashSet<StreamId>,
}

impl<P> Mailboxes<P> {
    /// At most `most_loaded` waiting entries are held whole; at most `most_in_lane` of one lane run.
    pub(crate) fn new(most_loaded: usize, most_in_lane: usize) -> Self {
        Self {
            by_key: HashMap::new(),
            ready: VecDeque::new(),
            delayed: HashSet::new(),
            lanes: HashMap::new(),
            loaded: 0,
            most_loaded,
            most_in_lane,
            ids: HashSet::new(),
        }
    }

    /// How many entries are waiting or running.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// About how many mailboxes have an entry that only waits for a place.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Adds an entry to its mailbox, in stream order.
    pub(crate) fn push(&mut self, mut item: Item<P>) {
        if !self.ids.insert(item.id) {
            return;
        }
        let key = item.mailbox();
        if item.is_whole() {
            if self.loaded < self.most_loaded {
                self.loaded += 1;
            } else {
                item.content = Content::Unloaded;
            }
        }
        let mailbox = self.by_key.entry(key.clone()).or_default();
        mailbox.insert(item);
        if matches!(mailbox.state, State::Gathering(_)) {
            mailbox.state = State::Ready;
            self.ready.push_back(key);
        } else if mailbox.state == State::Ready && mailbox.waiting.len() == 1 {
            self.ready.push_back(key);
        }
    }

    /// Takes the head of a mailbox that has nothing running and whose lane has a place, with the
    /// entries that `gather` wants to handle together with it.
    pub(crate) fn start_next(
        &mut self,
        now: Instant,
        now_ms: u64,
        gather: impl Fn(&[Waiting<'_, P>]) -> Gather,
    ) -> Option<(MailboxKey, Item<P>)> {
        while let Some(key) = self.ready.pop_front() {
            let Some(mailbox) = self.by_key.get_mut(&key) else {
                continue;
            };
            let Some(head) = mailbox.waiting.front() else {
                continue;
            };
            let waiting = mailbox.mergeable(now, now_ms);
            let take = match waiting.as_slice() {
                [] => 1,
                waiting => match gather(waiting) {
                    Gather::Take(count) => count.clamp(1, waiting.len()),
                    Gather::Wait(how_long) => {
                        mailbox.state = State::Gathering(now + how_long);
                        self.delayed.insert(key);
                        continue;
                    }
                },
            };
            if let Some(name) = &head.lane {
                let lane = self.lanes.entry(name.clone()).or_default();
                if lane.running >= self.most_in_lane {
                    lane.full_for.push_back(key);
                    continue;
                }
                lane.running += 1;
            }
            let mut taken = mailbox.waiting.drain(..take);
            if let Some(mut item) = taken.next() {
                item.merged = taken.collect();
                mailbox.state = State::Running;
                let whole = item.merged.len() + usize::from(item.is_whole());
                self.loaded = self.loaded.saturating_sub(whole);
                return Some((key, item));
            }
        }
        None
    }

    /// A running entry has given its place up; who waits for one may start.
    fn leave_lane(&mut self, item: &Item<P>) {
        let Some(name) = &item.lane else {
            return;
        };
        if let Some(lane) = self.lanes.get_mut(name) {
            lane.running = lane.running.saturating_sub(1);
            self.ready.extend(lane.full_for.pop_front());
            if lane.running == 0 && lane.full_for.is_empty() {
                self.lanes.remove(name);
            }
        }
    }

    /// The running entry has ended; the next of its mailbox may start.
    pub(crate) fn finish(&mut self, key: MailboxKey, item: &Item<P>) {
        for ended in iter::once(item).chain(&item.merged) {
            self.ids.remove(&ended.id);
        }
        self.leave_lane(item);
        let Some(mailbox) = self.by_key.get_mut(&key) else {
            return;
        };
        if mailbox.waiting.is_empty() {
            self.by_key.remove(&key);
        } else {
            mailbox.state = State::Ready;
            self.ready.push_back(key);
        }
    }

    /// The running entry goes back to its place in its mailbox and is tried again at `when`.
    pub(crate) fn retry(&mut self, key: &MailboxKey, mut item: Item<P>, when: Instant) {
        self.leave_lane(&item);
        self.put_back(key, mem::take(&mut item.merged));
        if let Some(mailbox) = self.by_key.get_mut(key) {
            self.loaded += usize::from(item.is_whole());
            mailbox.insert(item);
            mailbox.state = State::Delayed(when);
            self.delayed.insert(key.clone());
        }
    }

    /// Entries go back to the mailbox whose running entry was to be handled together with them.
    pub(crate) fn put_back(&mut self, key: &MailboxKey, items: Vec<Item<P>>) {
        if let Some(mailbox) = self.by_key.get_mut(key) {
            for item in items {
                self.loaded += usize::from(item.is_whole());
                mailbox.insert(item);
            }
        }
    }

    /// Makes the mailboxes ready whose time has come; answers when the next one's will.
    pub(crate) fn wake_delayed(&mut self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let (by_key, ready) = (&mut self.by_key, &mut self.ready);
        self.delayed.retain(|key| {
            let Some(mailbox) = by_key.get_mut(key) else {
                return false;
            };
            let (State::Delayed(when) | State::Gathering(when)) = mailbox.state else {
                return false;
            };
            if when > now {
                next = Some(next.map_or(when, |other| other.min(when)));
                return true;
            }
            mailbox.state = State::Ready;
            ready.push_back(key.clone());
            false
        });
        next
    }

    /// Drops everything that is not running. It stays pending in Redis for the next owner.
    pub(crate) fn drop_waiting(&mut self) {
        self.ready.clear();
        self.delayed.clear();
        self.loaded = 0;
        for lane in self.lanes.values_mut() {
            lane.full_for.clear();
        }
        self.by_key.retain(|_, mailbox| {
            for item in mailbox.waiting.drain(..) {
                self.ids.remove(&item.id);
            }
            mailbox.state == State::Running
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::Entry;

    fn item(n: u64, mailbox: &str) -> Item<()> {
        let entry = Entry {
            id: format!("{n}-0").parse().unwrap(),
            kind: "message".into(),
            event: format!("e{n}"),
            conversation: mailbox.into(),
            mailbox: mailbox.into(),
            trace: None,
            gap: None,
            replayed: false,
        };
        Item {
            id: entry.id,
            content: Content::Whole(Arc::new(entry), Arc::new(())),
            lane: None,
            last_error: None,
            seen: Instant::now(),
            merged: Vec::new(),
        }
    }

    fn start(boxes: &mut Mailboxes<()>) -> Option<(MailboxKey, Item<()>)> {
        boxes.start_next(Instant::now(), 0, |_| Gather::Take(1))
    }

    #[test]
    fn a_mailbox_runs_one_entry_at_a_time_and_others_run_beside_it() {
        let mut boxes = Mailboxes::new(1_000, 1_000);
        for (n, mailbox) in [(1, "a"), (2, "a"), (3, "b")] {
            boxes.push(item(n, mailbox));
        }
        let (a, first) = start(&mut boxes).unwrap();
        let (_, other) = start(&mut boxes).unwrap();
        assert_eq!((first.id.added_at_ms(), other.id.added_at_ms()), (1, 3));
        assert!(
            start(&mut boxes).is_none(),
            "a's second entry must wait for its first"
        );
        boxes.finish(a, &first);
        assert_eq!(start(&mut boxes).unwrap().1.id.added_at_ms(), 2);
    }

    #[test]
    fn a_retry_keeps_its_place_and_holds_up_only_its_own_mailbox() {
        let now = Instant::now();
        let mut boxes = Mailboxes::new(1_000, 1_000);
        for (n, mailbox) in [(1, "a"), (2, "a"), (3, "b")] {
            boxes.push(item(n, mailbox));
        }
        let (a, first) = start(&mut boxes).unwrap();
        boxes.retry(&a, first, now + Duration::from_secs(1));
        assert_eq!(boxes.wake_delayed(now), Some(now + Duration::from_secs(1)));
        assert_eq!(start(&mut boxes).unwrap().1.id.added_at_ms(), 3);
        assert!(start(&mut boxes).is_none());
        assert_eq!(boxes.wake_delayed(now + Duration::from_secs(1)), None);
        assert_eq!(start(&mut boxes).unwrap().1.id.added_at_ms(), 1);
    }

    #[test]
    fn reading_the_pending_entries_again_adds_nothing_twice() {
        let mut boxes = Mailboxes::new(1_000, 1_000);
        boxes.push(item(1, "a"));
        let (key, running) = start(&mut boxes).unwrap();
        boxes.push(item(1, "a"));
        assert_eq!(boxes.len(), 1);
        boxes.finish(key, &running);
        assert_eq!(boxes.len(), 0);
    }

    #[test]
    fn what_is_dropped_may_come_again() {
        let mut boxes = Mailboxes::new(1_000, 1_000);
        boxes.push(item(1, "a"));
        boxes.push(item(2, "a"));
        let (key, first) = start(&mut boxes).unwrap();
        boxes.drop_waiting();
        assert_eq!(boxes.len(), 1);
        boxes.finish(key, &first);
        boxes.push(item(2, "a"));
        assert_eq!(start(&mut boxes).unwrap().1.id.added_at_ms(), 2);
    }

    #[test]
    fn what_finds_no_room_is_known_by_its_id_and_keeps_its_place() {
        let mut boxes = Mailboxes::new(2, 1_000);
        for n in 1..=4 {
            boxes.push(item(n, "a"));
        }
        let mut loaded = Vec::new();
        while let Some((key, item)) = start(&mut boxes) {
            loaded.push((item.id.added_at_ms(), item.is_whole()));
            boxes.finish(key, &item);
        }
        assert_eq!(loaded, [(1, true), (2, true), (3, false), (4, false)]);
    }

    #[test]
    fn a_full_lane_leaves_places_to_the_others_and_misses_none_of_its_own() {
        let in_lane = |n: u64, lane: &str| Item {
            lane: Some(lane.into()),
            ..item(n, &n.to_string())
        };
        let mut boxes = Mailboxes::new(1_000, 2);
        for (n, lane) in [(1, "x"), (2, "x"), (3, "x"), (4, "x"), (5, "y")] {
            boxes.push(in_lane(n, lane));
        }
        let mut running = Vec::new();
        while let Some(started) = start(&mut boxes) {
            running.push(started);
        }
        let ids = |running: &[(MailboxKey, Item<()>)]| {
            let ids = running.iter().map(|(_, item)| item.id.added_at_ms());
            ids.collect::<Vec<_>>()
        };
        assert_eq!(ids(&running), [1, 2, 5]);
        let (key, first) = running.remove(0);
        boxes.finish(key, &first);
        let (key, second) = running.remove(0);
        boxes.retry(&key, second, Instant::now() + Duration::from_secs(60));
        while let Some(started) = start(&mut boxes) {
            running.push(started);
        }
        assert_eq!(ids(&running), [5, 3, 4]);
    }

    #[test]
    fn an_entry_that_redis_gave_back_goes_before_later_ones() {
        let now = Instant::now();
        let mut boxes = Mailboxes::new(1_000, 1_000);
        boxes.push(item(2, "a"));
        boxes.push(item(3, "a"));
        let (key, running) = start(&mut boxes).unwrap();
        boxes.push(item(1, "a"));
        boxes.retry(&key, running, now);
        boxes.wake_delayed(now);
        let mut order = Vec::new();
        while let Some((key, next)) = start(&mut boxes) {
            order.push(next.id.added_at_ms());
            boxes.finish(key, &next);
        }
        assert_eq!(order, [1, 2, 3]);
    }

    proptest! {
        /// Whatever the order of starts, ends and retries: each mailbox in order, nothing lost.
        #[test]
        fn every_mailbox_is_handled_in_order(
            mailboxes in proptest::collection::vec(0_u8..5, 1..60),
            (room, places) in (1_usize..20, 1_usize..4),
            choices in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 400),
        ) {
            let mut boxes = Mailboxes::new(room, places);
            for (n, mailbox) in mailboxes.iter().enumerate() {
                let lane = Some(format!("lane {}", mailbox % 2).into());
                boxes.push(Item { lane, ..item(n as u64 + 1, &mailbox.to_string()) });
            }
            let now = Instant::now();
            let mut running: Vec<(MailboxKey, Item<()>)> = Vec::new();
            let mut done: HashMap<MailboxKey, Vec<StreamId>> = HashMap::new();
            for (retry, pick) in choices {
                boxes.wake_delayed(now);
                while let Some(started) = start(&mut boxes) {
                    prop_assert!(running.iter().all(|(key, _)| *key != started.0));
                    running.push(started);
                }
                if running.is_empty() {
                    break;
                }
                let (key, item) = running.swap_remove(pick.index(running.len()));
                if retry {
                    boxes.retry(&key, item, now);
                } else {
                    done.entry(key.clone()).or_default().push(item.id);
                    boxes.finish(key, &item);
                }
            }
            let finished: usize = done.values().map(Vec::len).sum();
            prop_assert_eq!(finished + boxes.len(), mailboxes.len());
            prop_assert!(done.values().all(|ids| ids.is_sorted()));
        }
    }
}
