//! An entry on its way through this process, as far as it is known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shared_types::Payload;

use crate::entry::RawEntry;
use crate::{Entry, StreamId};

/// An entry in its mailbox.
#[derive(Debug)]
pub(crate) struct Item<P> {
    pub(crate) id: StreamId,
    pub(crate) content: Content<P>,
    /// What may be blocked as a whole; see [`crate::Handler::lane`].
    pub(crate) lane: Option<Arc<str>>,
    /// What the last attempt in this process said.
    pub(crate) last_error: Option<String>,
    /// When this process read it.
    pub(crate) seen: Instant,
    /// The entries that are handled together with it, in stream order. Empty while it waits.
    pub(crate) merged: Vec<Item<P>>,
}

/// What is known of an entry.
#[derive(Debug)]
pub(crate) enum Content<P> {
    Whole(Arc<Entry>, Arc<P>),
    Poison(Poison),
    /// Left in Redis for want of room; to be read again when its turn comes.
    Unloaded,
}

/// A waiting entry, as [`crate::Handler::gather`] sees it.
#[derive(Debug)]
pub struct Waiting<'a, P> {
    /// What is around the payload.
    pub entry: &'a Entry,
    /// What the queue carries.
    pub payload: &'a P,
    /// How long ago it came.
    pub age: Duration,
}

/// What becomes of the entries that wait in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gather {
    /// So many of the first ones are handled as one; 0 counts as 1.
    Take(usize),
    /// More may belong to them: look again after this time, or when one more has come.
    Wait(Duration),
}

/// Why an entry can never be handled.
#[derive(Debug)]
pub(crate) struct Poison {
    /// What is around the payload, where that much can be read.
    pub(crate) entry: Option<Entry>,
    pub(crate) reason: &'static str,
    pub(crate) error: String,
}

/// The reason of a dead letter that no build of this version can read.
const UNDECODABLE: &str = "undecodable";

impl<P: Payload> From<RawEntry> for Item<P> {
    fn from(raw: RawEntry) -> Self {
        let id = raw.id;
        let poison = |entry, reason, error| {
            Content::Poison(Poison {
                entry,
                reason,
                error,
            })
        };
        let content = match raw.decode() {
            Err(error) => poison(None, UNDECODABLE, error.to_string()),
            Ok((entry, json)) => match P::read(&entry.kind, &json) {
                Ok(payload) => Content::Whole(Arc::new(entry), Arc::new(payload)),
                Err(error) => poison(Some(entry), error.reason(), error.to_string()),
            },
        };
        Self {
            id,
            content,
            lane: None,
            last_error: None,
            seen: Instant::now(),
            merged: Vec::new(),
        }
    }
}

/// The key of a mailbox. An entry that does not tell its own has one to itself, so it holds up nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum MailboxKey {
    Named(Arc<str>),
    Nameless(StreamId),
}

impl<P> Item<P> {
    pub(crate) fn mailbox(&self) -> MailboxKey {
        let entry = match &self.content {
            Content::Whole(entry, _) => Some(&**entry),
            Content::Poison(poison) => poison.entry.as_ref(),
            Content::Unloaded => None,
        };
        entry.map_or(MailboxKey::Nameless(self.id), |entry| {
            MailboxKey::Named(entry.mailbox.as_str().into())
        })
    }

    /// The entry with its payload, where it is held whole.
    pub(crate) fn whole(&self) -> Option<(Arc<Entry>, Arc<P>)> {
        match &self.content {
            Content::Whole(entry, payload) => Some((entry.clone(), payload.clone())),
            Content::Poison(_) | Content::Unloaded => None,
        }
    }

    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self.content, Content::Whole(..))
    }

    /// By Redis' clock, so that a new owner goes on where the old one stopped; by our own where the
    /// two differ, so that nothing waits for a clock.
    pub(crate) fn age(&self, now: Instant, now_ms: u64) -> Duration {
        let added_ms = u64::try_from(self.id.added_at_ms()).unwrap_or_default();
        let by_id = Duration::from_millis(now_ms.saturating_sub(added_ms));
        by_id.max(now.saturating_duration_since(self.seen))
    }
}
