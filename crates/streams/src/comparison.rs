//! What the comparison with the providers' own lists of messages keeps: who does it now, how far each
//! list was compared, and what was taken in.

use std::time::Duration;

use crate::script::HOLD;
use crate::{Redis, StreamsError};

/// How far a list was compared, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// What was written before it is somebody else's: another bot's, or an earlier build's.
    pub begin: i64,
    /// The end of the last comparison.
    pub until: i64,
}

impl Compared {
    /// As [`Redis::note_compared`] writes it. A mark without a beginning is its own.
    fn parse(text: &str) -> Option<Self> {
        let (until, begin) = text.split_once(' ').unwrap_or((text, text));
        Some(Self {
            begin: begin.parse().ok()?,
            until: until.parse().ok()?,
        })
    }
}

impl Redis {
    /// Takes the right to compare for `ttl` from now, or extends it; answers whether `holder` has it now.
    ///
    /// # Errors
    /// When Redis cannot be reached or takes no writes.
    pub async fn hold_comparison(&self, holder: &str, ttl: Duration) -> Result<bool, StreamsError> {
        let key = self.keys().comparison_lease();
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        self.run(&HOLD, |invocation| {
            invocation.key(key).arg(holder).arg(ttl);
        })
        .await
    }

    /// Gives the right to compare back.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn leave_comparison(&self, holder: &str) -> Result<(), StreamsError> {
        self.hold_comparison(holder, Duration::ZERO).await.map(drop)
    }

    /// How far a list was compared; none before the first time.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn compared(&self, list: &str) -> Result<Option<Compared>, StreamsError> {
        let values = self.values(&[self.keys().compared_until(list)]).await?;
        let mut marks = values.into_iter().flatten();
        Ok(marks.find_map(|mark| Compared::parse(&mark)))
    }

    /// Notes how far a list was compared.
    ///
    /// # Errors
    /// When Redis cannot be reached or takes no writes.
    pub async fn note_compared(&self, list: &str, compared: Compared) -> Result<(), StreamsError> {
        let mark = format!("{} {}", compared.until, compared.begin);
        let mut command = redis::cmd("SET");
        command.arg(self.keys().compared_until(list)).arg(mark);
        self.with_connection("compared", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// Whether an event was taken in: lately, or so that a turn ended with it. What waits for longer
    /// than [`crate::Ingest::dedup_for`] is not known here; its second copy ends without effect.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn was_taken_in(
        &self,
        conversation: &str,
        event: &str,
    ) -> Result<bool, StreamsError> {
        let keys = self.keys().of(self.partitions().partition_of(conversation));
        let values = self.values(&[keys.dedup(event), keys.done(event)]).await?;
        Ok(values.iter().any(Option::is_some))
    }
}
