//! What could not be handled, kept where an operator finds it: list, show, replay, discard.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use futures_util::future::try_join_all;
use redis::Value;

use crate::entry::{RawEntry, parse_entries};
use crate::script::REPLAY;
use crate::{NewEntry, Partition, PartitionKeys, Queue, Redis, StreamId, StreamsError};

/// The reason of a dead letter that Redis refuses to work with, as it would every time: a key that is
/// read or written holds what it should not.
pub(crate) const REFUSED_BY_REDIS: &str = "refused_by_redis";

/// A place where entries are set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// The dead letters of a queue.
    Dead(Queue),
    /// Verified webhooks that failed validation. They cannot be replayed as they are.
    Rejected,
}

impl Shelf {
    pub(crate) fn key(self, keys: PartitionKeys) -> String {
        match self {
            Self::Dead(queue) => keys.dead_letters(queue),
            Self::Rejected => keys.rejected(),
        }
    }
}

/// Names one entry on a shelf: `<partition>/<stream id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterId {
    /// The partition.
    pub partition: Partition,
    /// The place in the partition's shelf.
    pub id: StreamId,
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.id)
    }
}

/// The text names no letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a dead letter is named like 17/1700000000000-0")]
pub struct LetterIdError;

impl FromStr for LetterId {
    type Err = LetterIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (partition, id) = text.split_once('/').ok_or(LetterIdError)?;
        let partition = partition.parse().map_err(|_| LetterIdError)?;
        let id = id.parse().map_err(|_| LetterIdError)?;
        Ok(Self {
            partition: Partition::from_number(partition),
            id,
        })
    }
}

/// An entry that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its name.
    pub id: LetterId,
    /// Why it is here, as a short name.
    pub reason: String,
    /// The error with its causes.
    pub error: String,
    /// How often processing was started.
    pub attempts: u32,
    /// When the event came in, milliseconds since 1970.
    pub first_ms: i64,
    /// When it was set aside, milliseconds since 1970.
    pub last_ms: i64,
    /// The entry's own fields: `v kind event conv payload …`.
    pub fields: HashMap<String, String>,
}

impl Letter {
    fn from_raw(partition: Partition, raw: RawEntry) -> Self {
        let RawEntry { id, mut fields } = raw;
        let mut take = |name: &str| fields.remove(name).unwrap_or_default();
        let original: Option<StreamId> = take("_id").parse().ok();
        let reason = take("_reason");
        let error = take("_error");
        let attempts = take("_attempts").parse().unwrap_or_default();
        let last_ms = take("_failed_at")
            .parse()
            .unwrap_or_else(|_| id.added_at_ms());
        Self {
            id: LetterId { partition, id },
            reason,
            error,
            attempts,
            first_ms: original.unwrap_or(id).added_at_ms(),
            last_ms,
            fields,
        }
    }
}

impl Redis {
    /// The letters on a shelf, oldest first, at most `limit`; all reasons, or only `reason`.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn letters(
        &self,
        shelf: Shelf,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Letter>, StreamsError> {
        let partitions = self.partitions().all();
        let pages = partitions.map(|partition| self.letters_of(shelf, partition, reason, limit));
        let mut letters: Vec<_> = try_join_all(pages).await?.into_iter().flatten().collect();
        letters.sort_by_key(|letter| (letter.last_ms, letter.id));
        letters.truncate(limit);
        Ok(letters)
    }

    /// The letters of one conversation, oldest first, among the first `limit` of its partition.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn letters_about(
        &self,
        shelf: Shelf,
        conversation: &str,
        limit: usize,
    ) -> Result<Vec<Letter>, StreamsError> {
        let partition = self.partitions().partition_of(conversation);
        let mut letters = self.letters_of(shelf, partition, None, limit).await?;
        letters.retain(|letter| {
            letter
                .fields
                .get("conv")
                .is_some_and(|conv| conv == conversation)
        });
        Ok(letters)
    }

    async fn letters_of(
        &self,
        shelf: Shelf,
        partition: Partition,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Letter>, StreamsError> {
        const PAGE: usize = 200;
        let mut found = Vec::new();
        let mut start = "-".to_owned();
        while found.len() < limit {
            let page = self.range(shelf, partition, &start, "+", PAGE).await?;
            let Some(last) = page.last().map(|letter| letter.id.id) else {
                break;
            };
            let whole = page.len() == PAGE;
            let wanted = |letter: &Letter| reason.is_none_or(|reason| letter.reason == reason);
            found.extend(page.into_iter().filter(wanted));
            if !whole {
                break;
            }
            start = format!("({last}");
        }
        Ok(found)
    }

    async fn range(
        &self,
        shelf: Shelf,
        partition: Partition,
        start: &str,
        end: &str,
        count: usize,
    ) -> Result<Vec<Letter>, StreamsError> {
        let mut command = redis::cmd("XRANGE");
        command
            .arg(shelf.key(self.keys().of(partition)))
            .arg(start)
            .arg(end);
        command.arg("COUNT").arg(count);
        let reply: Value = self
            .with_connection("letters", |mut connection| async move {
                command.query_async(&mut connection).await
            })
            .await?;
        let letters = parse_entries(reply).into_iter();
        Ok(letters
            .map(|raw| Letter::from_raw(partition, raw))
            .collect())
    }

    /// One letter, whole.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn letter(&self, shelf: Shelf, id: LetterId) -> Result<Option<Letter>, StreamsError> {
        let place = id.id.to_string();
        Ok(self
            .range(shelf, id.partition, &place, &place, 1)
            .await?
            .pop())
    }

    /// The letter that was put on a shelf last.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn newest_letter(&self, shelf: Shelf) -> Result<Option<Letter>, StreamsError> {
        let newest = self.partitions().all().map(|partition| async move {
            let mut command = redis::cmd("XREVRANGE");
            command.arg(shelf.key(self.keys().of(partition)));
            command.arg("+").arg("-").arg("COUNT").arg(1);
            let reply: Value = self
                .with_connection("letters", |mut connection| async move {
                    command.query_async(&mut connection).await
                })
                .await?;
            let letter = parse_entries(reply).pop();
            Ok::<_, StreamsError>(letter.map(|raw| Letter::from_raw(partition, raw)))
        });
        let newest = try_join_all(newest).await?.into_iter().flatten();
        Ok(newest.max_by_key(|letter| (letter.last_ms, letter.id)))
    }

    /// Puts a dead letter back at the end of its queue, behind what its conversation sent since.
    /// Atomic: a second replay finds nothing and answers false.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn replay(&self, queue: Queue, id: LetterId) -> Result<bool, StreamsError> {
        let keys = self.keys().of(id.partition);
        let replayed: Option<String> = self
            .run(&REPLAY, |invocation| {
                invocation
                    .key(keys.dead_letters(queue))
                    .key(keys.stream(queue));
                invocation.arg(id.id.to_string());
            })
            .await?;
        Ok(replayed.is_some())
    }

    /// Keeps an entry that Redis always refuses to take in among the dead letters of its queue, from
    /// where it can be replayed.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses this too.
    pub async fn set_aside(
        &self,
        queue: Queue,
        entry: &NewEntry,
        error: &StreamsError,
    ) -> Result<(), StreamsError> {
        let partition = self.partitions().partition_of(&entry.conversation);
        let mut command = redis::cmd("XADD");
        command
            .arg(self.keys().of(partition).dead_letters(queue))
            .arg("*");
        command.arg("_reason").arg(REFUSED_BY_REDIS);
        command.arg("_error").arg(error.to_string());
        command.arg(entry.fields());
        self.with_connection("set_aside", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// Removes a letter for good. False when it is not there.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn discard(&self, shelf: Shelf, id: LetterId) -> Result<bool, StreamsError> {
        let mut command = redis::cmd("XDEL");
        command
            .arg(shelf.key(self.keys().of(id.partition)))
            .arg(id.id.to_string());
        let removed: u32 = self
            .with_connection("discard", |mut connection| async move {
                command.query_async(&mut connection).await
            })
            .await?;
        Ok(removed > 0)
    }

    /// Removes what was put on the shelf of rejected events before this time, in milliseconds since
    /// 1970. Answers how many.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn forget_rejected(&self, before_ms: i64) -> Result<u64, StreamsError> {
        let removed = self.partitions().all().map(|partition| async move {
            let mut command = redis::cmd("XTRIM");
            command
                .arg(self.keys().of(partition).rejected())
                .arg("MINID")
                .arg(before_ms);
            self.with_connection("xtrim", |mut connection| async move {
                command.query_async::<u64>(&mut connection).await
            })
            .await
        });
        Ok(try_join_all(removed).await?.into_iter().sum())
    }

    /// How many letters lie on a shelf.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn letter_count(&self, shelf: Shelf) -> Result<u64, StreamsError> {
        let lengths = self.partitions().all().map(|partition| async move {
            let mut command = redis::cmd("XLEN");
            command.arg(shelf.key(self.keys().of(partition)));
            self.with_connection("xlen", |mut connection| async move {
                command.query_async::<u64>(&mut connection).await
            })
            .await
        });
        Ok(try_join_all(lengths).await?.into_iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_named_by_partition_and_place() {
        let id: LetterId = "17/1700000000000-2".parse().unwrap();
        assert_eq!(id.to_string(), "17/1700000000000-2");
        for bad in ["", "17", "17/", "x/1-0", "17/1"] {
            assert!(bad.parse::<LetterId>().is_err(), "{bad}");
        }
    }
}
