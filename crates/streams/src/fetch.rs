use redis::Value;

use crate::entry::{RawEntry, parse_entries, text};
use crate::lease::Lease;
use crate::script::FETCH;
use crate::{Redis, StreamId, StreamsError};

/// The one consumer name of every group: what is pending belongs to the partition, not to a
/// process, so a new owner has nothing to claim and no dead consumer is left behind.
const CONSUMER: &str = "owner";

/// Where to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    /// Pending entries after this id: what an earlier owner began or left.
    Pending { after: StreamId },
    /// Entries that were never delivered.
    New,
}

/// What a fenced read brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    Entries(Vec<RawEntry>),
    Fenced,
}

impl Redis {
    pub(crate) async fn fetch(
        &self,
        lease: &Lease,
        from: &From,
        count: usize,
    ) -> Result<Fetched, StreamsError> {
        let keys = self.keys().of(lease.partition);
        let id = match from {
            From::Pending { after } => &after.to_string(),
            From::New => ">",
        };
        let answer: Vec<Value> = self
            .run(&FETCH, |invocation| {
                invocation
                    .key(keys.owner(lease.queue))
                    .key(keys.stream(lease.queue));
                invocation
                    .arg(lease.token())
                    .arg(lease.queue.group())
                    .arg(CONSUMER);
                invocation.arg(count).arg(id);
            })
            .await?;
        let mut answer = answer.into_iter();
        match answer.next().and_then(text).as_deref() {
            Some("OK") => {
                let entries = answer.next().map(parse_entries).unwrap_or_default();
                self.observer().fetched(lease.queue, entries.len());
                Ok(Fetched::Entries(entries))
            }
            Some("FENCED") => {
                self.observer().fenced(lease.queue, "fetch");
                Ok(Fetched::Fenced)
            }
            _ => Err(StreamsError::Answer { script: "fetch" }),
        }
    }
}
