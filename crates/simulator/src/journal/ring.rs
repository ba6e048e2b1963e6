use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::entry::{Call, Entry, Progress, Record, Verdict};
use super::query::Query;
use crate::clock::Moment;
use crate::provider::{Endpoint, Provider};

/// The newest entries in order of arrival, and where to find those of one customer or one message.
#[derive(Debug)]
pub(super) struct Ring {
    slots: VecDeque<Slot>,
    /// Number of the next entry.
    next: u64,
    weight: usize,
    dropped: u64,
    max_entries: usize,
    max_weight: usize,
    threads: HashMap<Conversation, Thread>,
    /// Newest entry of a message, sent or received, by the provider's id.
    by_id: HashMap<String, u64>,
}

#[derive(Debug)]
struct Slot {
    entry: Arc<Entry>,
    progress: Progress,
    weight: usize,
}

/// One customer on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Conversation {
    pub(super) provider: Provider,
    pub(super) customer: String,
}

#[derive(Debug, Default)]
struct Thread {
    name: Option<String>,
    seqs: VecDeque<u64>,
}

impl Ring {
    pub(super) fn new(max_entries: usize, max_weight: usize) -> Self {
        Self {
            slots: VecDeque::new(),
            next: 1,
            weight: 0,
            dropped: 0,
            max_entries,
            max_weight,
            threads: HashMap::new(),
            by_id: HashMap::new(),
        }
    }

    /// Appends; gives back the entry and those that had to make room for it.
    pub(super) fn push(
        &mut self,
        call: Call,
        verdict: Verdict,
        now: Moment,
    ) -> (Arc<Entry>, Vec<Arc<Entry>>) {
        let progress = Progress::of(verdict.status);
        let (entry, weight) = call.into_entry(self.next, now, verdict);
        let entry = Arc::new(entry);
        self.next += 1;
        if !entry.customer.is_empty() {
            let thread = self.threads.entry(Conversation::of(&entry)).or_default();
            thread.seqs.push_back(entry.seq);
        }
        if is_message(&entry) {
            self.by_id.insert(entry.id.clone(), entry.seq);
        }
        self.weight += weight;
        self.slots.push_back(Slot {
            entry: Arc::clone(&entry),
            progress,
            weight,
        });
        (entry, self.make_room())
    }

    fn make_room(&mut self) -> Vec<Arc<Entry>> {
        let mut gone = Vec::new();
        while self.slots.len() > 1
            && (self.slots.len() > self.max_entries || self.weight > self.max_weight)
        {
            let Some(slot) = self.slots.pop_front() else {
                break;
            };
            self.weight -= slot.weight;
            self.dropped += 1;
            if self.by_id.get(&slot.entry.id) == Some(&slot.entry.seq) {
                self.by_id.remove(&slot.entry.id);
            }
            self.forget_in_thread(&slot.entry);
            gone.push(slot.entry);
        }
        gone
    }

    fn forget_in_thread(&mut self, entry: &Entry) {
        let key = Conversation::of(entry);
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.seqs.pop_front();
            if thread.seqs.is_empty() {
                self.threads.remove(&key);
            }
        }
    }

    /// Changes the progress of an entry; `false` when it is gone or `change` leaves it as it was.
    pub(super) fn update(&mut self, seq: u64, change: impl FnOnce(&mut Progress)) -> bool {
        let Some(index) = self.index(seq) else {
            return false;
        };
        let Some(slot) = self.slots.get_mut(index) else {
            return false;
        };
        let before = slot.progress.clone();
        change(&mut slot.progress);
        slot.progress != before
    }

    pub(super) fn name(&mut self, provider: Provider, customer: &str, name: &str) {
        let key = Conversation {
            provider,
            customer: customer.to_owned(),
        };
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.name = Some(name.to_owned());
        }
    }

    pub(super) fn get(&self, seq: u64) -> Option<Record> {
        self.slots.get(self.index(seq)?).map(Slot::record)
    }

    /// The message with this id of its provider, sent by a service or written by a customer.
    pub(super) fn message(&self, id: &str) -> Option<Record> {
        self.get(*self.by_id.get(id)?)
    }

    /// What the query asks for, oldest first.
    pub(super) fn oldest(&self, query: &Query) -> Vec<Record> {
        match &query.to {
            Some(customer) => self
                .of_customer(query.provider, customer)
                .into_iter()
                .filter_map(|seq| self.get(seq))
                .filter(|record| query.matches(record))
                .take(query.limit)
                .collect(),
            None => {
                let start = query.since.saturating_sub(self.first().saturating_sub(1));
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                self.slots
                    .range(start.min(self.slots.len())..)
                    .map(Slot::record)
                    .filter(|record| query.matches(record))
                    .take(query.limit)
                    .collect()
            }
        }
    }

    /// What the query asks for, newest first, without the first `skip`.
    pub(super) fn newest(&self, query: &Query, skip: usize) -> Vec<Record> {
        match &query.to {
            Some(customer) => self
                .of_customer(query.provider, customer)
                .into_iter()
                .rev()
                .filter_map(|seq| self.get(seq))
                .filter(|record| query.matches(record))
                .skip(skip)
                .take(query.limit)
                .collect(),
            None => self
                .slots
                .iter()
                .rev()
                .map(Slot::record)
                .filter(|record| query.matches(record))
                .skip(skip)
                .take(query.limit)
                .collect(),
        }
    }

    /// Every conversation: its key, the customer's name, how many entries, and the newest one.
    pub(super) fn conversations(&self) -> Vec<(Conversation, Option<String>, usize, Record)> {
        self.threads
            .iter()
            .filter_map(|(key, thread)| {
                let newest = self.get(*thread.seqs.back()?)?;
                Some((key.clone(), thread.name.clone(), thread.seqs.len(), newest))
            })
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn last_seq(&self) -> u64 {
        self.next - 1
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Forgets all entries. Numbers go on, so that who waits for "after n" is not confused.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.threads.clear();
        self.by_id.clear();
        self.weight = 0;
        self.dropped = 0;
    }

    fn of_customer(&self, provider: Option<Provider>, customer: &str) -> Vec<u64> {
        let all = [
            Provider::Twilio,
            Provider::Waha,
            Provider::Chatwoot,
            Provider::Llm,
        ];
        let mut seqs: Vec<u64> = all
            .into_iter()
            .filter(|candidate| provider.is_none_or(|wanted| wanted == *candidate))
            .filter_map(|provider| {
                self.threads.get(&Conversation {
                    provider,
                    customer: customer.to_owned(),
                })
            })
            .flat_map(|thread| thread.seqs.iter().copied())
            .collect();
        seqs.sort_unstable();
        seqs
    }

    /// Number of the oldest entry, or of the next one when there is none.
    fn first(&self) -> u64 {
        self.slots.front().map_or(self.next, |slot| slot.entry.seq)
    }

    fn index(&self, seq: u64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.first())?).ok()
    }
}

fn is_message(entry: &Entry) -> bool {
    (entry.endpoint.is_outgoing() || entry.endpoint == Endpoint::Webhook) && !entry.id.is_empty()
}

impl Slot {
    fn record(&self) -> Record {
        Record {
            entry: Arc::clone(&self.entry),
            progress: self.progress.clone(),
        }
    }
}

impl Conversation {
    fn of(entry: &Entry) -> Self {
        Self {
            provider: entry.provider,
            customer: entry.customer.clone(),
        }
    }
}
