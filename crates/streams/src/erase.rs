//! Forgets a conversation, for the person that it was held with.

use crate::{Queue, Redis, Shelf, StreamsError};

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Keys: state, history, opt-out, delivery records.
    pub keys: u64,
    /// Dead letters and rejected webhooks.
    pub letters: u64,
}

impl Redis {
    /// Whether something of the conversation waits or is in progress in any queue.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn is_waiting(&self, conversation: &str) -> Result<bool, StreamsError> {
        for queue in Queue::ALL {
            let partition = self.partitions().partition_of(conversation);
            let key = self.keys().of(partition).stream(queue);
            if !self.entries_of(key, conversation).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes everything that is kept of a conversation. Nothing of it may wait or be in progress:
    /// see [`Redis::is_waiting`].
    ///
    /// # Errors
    /// When Redis cannot be reached; what is left is removed by the next try.
    pub async fn erase(&self, conversation: &str) -> Result<Erased, StreamsError> {
        let partition = self.partitions().partition_of(conversation);
        let keys = self.keys().of(partition);
        let sends = keys.sends(conversation);
        let listed = sends.clone();
        let sent: Vec<String> = self
            .with_connection("erase", |mut connection| async move {
                redis::cmd("LRANGE")
                    .arg(listed)
                    .arg(0)
                    .arg(-1)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        let mut doomed: Vec<String> = sent.iter().map(|id| keys.send(id)).collect();
        doomed.extend([
            keys.conversation(conversation),
            keys.history(conversation),
            keys.contact(conversation),
            sends,
        ]);
        let removed = self.with_connection("erase", |mut connection| async move {
            redis::cmd("DEL")
                .arg(doomed)
                .query_async(&mut connection)
                .await
        });
        let mut erased = Erased {
            keys: removed.await?,
            letters: 0,
        };
        let shelves = Queue::ALL.map(Shelf::Dead).into_iter();
        for shelf in shelves.chain([Shelf::Rejected]) {
            let key = shelf.key(keys);
            let ids = self.entries_of(key.clone(), conversation).await?;
            if ids.is_empty() {
                continue;
            }
            let removed = self.with_connection("erase", |mut connection| async move {
                redis::cmd("XDEL")
                    .arg(key)
                    .arg(ids)
                    .query_async::<u64>(&mut connection)
                    .await
            });
            erased.letters += removed.await?;
        }
        Ok(erased)
    }

    /// The ids of the conversation's entries in a stream.
    async fn entries_of(
        &self,
        key: String,
        conversation: &str,
    ) -> Result<Vec<String>, StreamsError> {
        let mut found = Vec::new();
        let mut start = "-".to_owned();
        loop {
            let page = self.page(&key, &start).await?;
            let Some(last) = page.last() else {
                return Ok(found);
            };
            start = format!("({}", last.id);
            let of_conversation = page.iter().filter(|entry| {
                entry
                    .fields
                    .get("conv")
                    .is_some_and(|conv| conv == conversation)
            });
            found.extend(of_conversation.map(|entry| entry.id.to_string()));
        }
    }

    async fn page(
        &self,
        key: &str,
        start: &str,
    ) -> Result<Vec<crate::entry::RawEntry>, StreamsError> {
        const PAGE: usize = 500;
        let reply = self.with_connection("erase", |mut connection| async move {
            redis::cmd("XRANGE")
                .arg(key)
                .arg(start)
                .arg("+")
                .arg("COUNT")
                .arg(PAGE)
                .query_async(&mut connection)
                .await
        });
        Ok(crate::entry::parse_entries(reply.await?))
    }
}
