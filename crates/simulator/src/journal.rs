//! What arrived, in order of arrival: a bounded memory of calls and webhooks, with their counters.

mod entry;
mod query;
mod ring;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::broadcast;

pub(crate) use entry::{Call, Verdict};
pub use entry::{Entry, MessageStatus, Outcome, Progress, Record};
pub use query::Query;
use ring::Ring;

use crate::clock::Clock;
use crate::faults::Fault;
use crate::provider::{Endpoint, Provider};
use crate::stats::{SenderStats, Tally};

/// How many changes a slow listener may lag behind before it has to read everything again.
const CHANGES_KEPT: usize = 4_096;

/// The memory of a running simulator. Cheap to write, made for many readers.
#[derive(Debug)]
pub(crate) struct Journal {
    inner: Mutex<Inner>,
    changes: broadcast::Sender<u64>,
    clock: Clock,
}

#[derive(Debug)]
struct Inner {
    ring: Ring,
    tally: Tally,
}

/// A conversation as a list shows it.
#[derive(Debug, Clone, Serialize)]
pub struct ConversationSummary {
    /// On which channel.
    pub provider: Provider,
    /// The customer, in the form of [`crate::address::customer`].
    pub customer: String,
    /// The customer's name, where one was given.
    pub name: Option<String>,
    /// How many entries are remembered.
    pub entries: usize,
    /// The newest one.
    pub newest: Record,
}

/// Counters of the journal as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct JournalStats {
    /// Entries remembered.
    pub entries: usize,
    /// Entries that had to make room for newer ones.
    pub dropped: u64,
    /// Number of the newest entry.
    pub last: u64,
    /// What each sender sent.
    pub senders: Vec<SenderStats>,
    /// Calls by `provider.endpoint`, accepted or not.
    pub calls: BTreeMap<String, u64>,
}

impl Journal {
    pub(crate) fn new(max_entries: usize, max_bytes: usize, clock: Clock) -> Self {
        Self {
            inner: Mutex::new(Inner {
                ring: Ring::new(max_entries, max_bytes),
                tally: Tally::default(),
            }),
            changes: broadcast::Sender::new(CHANGES_KEPT),
            clock,
        }
    }

    /// Writes down a call that the provider took. The time is taken under the lock, so that order
    /// and times agree.
    pub(crate) fn accept(
        &self,
        call: Call,
        id: &str,
        status: MessageStatus,
        fault: Option<&'static str>,
    ) -> Arc<Entry> {
        let verdict = Verdict {
            id: id.to_owned(),
            outcome: Outcome::Accepted,
            status,
            fault,
        };
        self.push(call, verdict)
    }

    /// Writes down a call that is answered, yet brings no message: a look-up, typing, a download.
    pub(crate) fn note(&self, call: Call, fault: Option<&Fault>) {
        self.accept(call, "", MessageStatus::None, fault.map(Fault::kind));
    }

    /// Writes down a call that the provider did not take.
    pub(crate) fn refuse(&self, call: Call, code: String, fault: Option<&'static str>) {
        let verdict = Verdict {
            id: String::new(),
            outcome: Outcome::Refused { code },
            status: MessageStatus::None,
            fault,
        };
        self.push(call, verdict);
    }

    fn push(&self, call: Call, verdict: Verdict) -> Arc<Entry> {
        let entry = {
            let mut inner = self.lock();
            let now = self.clock.now();
            let (entry, gone) = inner.ring.push(call, verdict, now);
            inner.tally.count(&entry);
            for old in gone {
                inner.tally.forget(&old);
            }
            entry
        };
        self.announce(entry.seq);
        entry
    }

    /// Changes what became of an entry.
    pub(crate) fn update(&self, seq: u64, change: impl FnOnce(&mut Progress)) {
        let changed = self.lock().ring.update(seq, change);
        if changed {
            self.announce(seq);
        }
    }

    /// Remembers the name of a customer who has written.
    pub(crate) fn name(&self, provider: Provider, customer: &str, name: &str) {
        self.lock().ring.name(provider, customer, name);
    }

    pub(crate) fn get(&self, seq: u64) -> Option<Record> {
        self.lock().ring.get(seq)
    }

    /// Tells listeners that more is known than the entries say.
    pub(crate) fn touch(&self) {
        const NO_ENTRY: u64 = 0;
        self.announce(NO_ENTRY);
    }

    /// The accepted message to a customer with this id of its provider.
    pub(crate) fn sent_with_id(&self, id: &str) -> Option<Record> {
        let record = self.lock().ring.message(id)?;
        record.entry.endpoint.is_outgoing().then_some(record)
    }

    /// What a customer wrote, by the id of its provider.
    pub(crate) fn written_with_id(&self, id: &str) -> Option<Record> {
        let record = self.lock().ring.message(id)?;
        (record.entry.endpoint == Endpoint::Webhook).then_some(record)
    }

    /// The customer who wrote the message with this id.
    pub(crate) fn customer_who_wrote(&self, id: &str) -> Option<String> {
        Some(self.written_with_id(id)?.entry.customer.clone())
    }

    /// What the query asks for, oldest first.
    pub(crate) fn oldest(&self, query: &Query) -> Vec<Record> {
        self.lock().ring.oldest(query)
    }

    /// What the query asks for, newest first, without the first `skip`.
    pub(crate) fn newest(&self, query: &Query, skip: usize) -> Vec<Record> {
        self.lock().ring.newest(query, skip)
    }

    /// Waits until `count` entries answer the query or the time is over, and gives what there is.
    pub(crate) async fn wait(&self, query: &Query, count: usize, timeout: Duration) -> Vec<Record> {
        let mut changes = self.changes.subscribe();
        let deadline = tokio::time::Instant::now() + timeout;
        let mut query = query.clone();
        let mut found = Vec::new();
        loop {
            query.limit = count.saturating_sub(found.len());
            found.extend(self.oldest(&query));
            query.since = found
                .last()
                .map_or(query.since, |record: &Record| record.entry.seq);
            // Lagging behind the changes is no harm: the query is asked again either way.
            let enough = found.len() >= count;
            if enough
                || tokio::time::timeout_at(deadline, changes.recv())
                    .await
                    .is_err()
            {
                return found;
            }
        }
    }

    /// Numbers of entries, as they are written or change.
    pub(crate) fn changes(&self) -> broadcast::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Every conversation, the one with the newest entry first.
    pub(crate) fn conversations(&self) -> Vec<ConversationSummary> {
        let found = self.lock().ring.conversations();
        let mut conversations: Vec<ConversationSummary> = found
            .into_iter()
            .map(|(key, name, entries, newest)| ConversationSummary {
                provider: key.provider,
                customer: key.customer,
                name,
                entries,
                newest,
            })
            .collect();
        conversations.sort_by_key(|conversation| std::cmp::Reverse(conversation.newest.entry.seq));
        conversations
    }

    pub(crate) fn stats(&self) -> JournalStats {
        let inner = self.lock();
        JournalStats {
            entries: inner.ring.len(),
            dropped: inner.ring.dropped(),
            last: inner.ring.last_seq(),
            senders: inner.tally.senders(),
            calls: inner.tally.calls(),
        }
    }

    /// Forgets everything but the numbering.
    pub(crate) fn clear(&self) {
        let last = {
            let mut inner = self.lock();
            inner.ring.clear();
            inner.tally = Tally::default();
            inner.ring.last_seq()
        };
        self.announce(last);
    }

    fn announce(&self, seq: u64) {
        // Fails only when nobody listens.
        drop(self.changes.send(seq));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
