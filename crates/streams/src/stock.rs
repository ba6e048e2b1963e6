//! Single things for sale that somebody pushes, as they came, until a worker has taken them over.

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use crate::{Redis, StreamsError};

/// The most pushes that wait.
const WAITING: usize = 20_000;
/// The most pushes that are kept because nobody could read them.
const UNREAD: isize = 1_000;
/// Of so many things it is known when something newest of them was taken over.
const NEWEST: isize = 50_000;

/// A push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockPush {
    /// When it came, to the microsecond, of one that waited for somebody to look at it; none of one that has just come.
    pub at: Option<Timestamp>,
    /// As it came.
    pub text: Vec<u8>,
}

impl StockPush {
    /// By which people call it: the same, whatever becomes of the others.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:016x}", xxh3_64(&self.stored()))
    }

    /// `@<microseconds> ` stands before the text of one that waited.
    fn stored(&self) -> Vec<u8> {
        match self.at {
            Some(at) => {
                let head = format!("@{} ", at.as_microsecond());
                [head.as_bytes(), &self.text].concat()
            }
            None => self.text.clone(),
        }
    }

    fn read(stored: Vec<u8>) -> Self {
        let timed = || {
            let end = stored.iter().position(|byte| *byte == b' ')?;
            let (head, rest) = stored.split_at_checked(end)?;
            let count = std::str::from_utf8(head.strip_prefix(b"@")?).ok()?;
            let at = moment(count.parse().ok()?)?;
            Some(Self {
                at: Some(at),
                text: rest.get(1..)?.to_vec(),
            })
        };
        timed().unwrap_or(Self {
            at: None,
            text: stored,
        })
    }
}

/// A moment as it was stored. Older builds stored milliseconds.
fn moment(count: i64) -> Option<Timestamp> {
    /// Microseconds of 1973, milliseconds of the year 5138.
    const MICROS: i64 = 100_000_000_000_000;
    if count < MICROS {
        return Timestamp::from_millisecond(count).ok();
    }
    Timestamp::from_microsecond(count).ok()
}

impl Redis {
    /// Puts a push behind the others. Not when too many wait: whether it is kept.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn push_stock(&self, push: &[u8]) -> Result<bool, StreamsError> {
        let key = self.keys().stock_pushes();
        let mut length = redis::cmd("LLEN");
        length.arg(&key);
        let mut append = redis::cmd("RPUSH");
        append.arg(&key).arg(push);
        self.with_connection("push_stock", |mut connection| async move {
            let waiting: usize = length.query_async(&mut connection).await?;
            if waiting >= WAITING {
                return Ok(false);
            }
            let _: usize = append.query_async(&mut connection).await?;
            Ok(true)
        })
        .await
    }

    /// The pushes that came first, at most `limit`.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn stock_pushes(&self, limit: isize) -> Result<Vec<StockPush>, StreamsError> {
        self.stock_list(self.keys().stock_pushes(), limit).await
    }

    /// The pushes that nobody could read, the oldest first.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn stock_unread(&self) -> Result<Vec<StockPush>, StreamsError> {
        self.stock_list(self.keys().stock_unread(), UNREAD).await
    }

    async fn stock_list(&self, key: String, limit: isize) -> Result<Vec<StockPush>, StreamsError> {
        let mut range = redis::cmd("LRANGE");
        range.arg(key).arg(0).arg(limit - 1);
        let stored: Vec<Vec<u8>> = self
            .with_connection("stock_list", |mut connection| async move {
                range.query_async(&mut connection).await
            })
            .await?;
        Ok(stored.into_iter().map(StockPush::read).collect())
    }

    /// Puts a push that nobody could read behind what waits, and removes it from those. It is as old as it
    /// is, or `anew` as if it came now. Not when too many wait: whether it waits.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn replay_stock_unread(
        &self,
        push: &StockPush,
        anew: bool,
    ) -> Result<bool, StreamsError> {
        let stored = push.stored();
        // First put back, then removed: read twice it is the same.
        let kept = self
            .push_stock(if anew { &push.text } else { &stored })
            .await?;
        if kept {
            self.forget_stock_unread(push).await?;
        }
        Ok(kept)
    }

    /// Removes a push that nobody could read.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn forget_stock_unread(&self, push: &StockPush) -> Result<(), StreamsError> {
        let key = self.keys().stock_unread();
        // What came twice is one.
        let mut remove = redis::pipe();
        remove.lrem(&key, 0, push.stored()).ignore();
        if let Some(at) = push.at {
            // As an older build stored it.
            let head = format!("@{} ", at.as_millisecond());
            remove
                .lrem(&key, 0, [head.as_bytes(), &push.text].concat())
                .ignore();
        }
        self.with_connection("forget_stock_unread", |mut connection| async move {
            remove.query_async::<()>(&mut connection).await
        })
        .await
    }

    /// When something newest of each of these things came that was taken over, as far as is known.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn stock_newest(
        &self,
        ids: &[String],
    ) -> Result<Vec<Option<Timestamp>>, StreamsError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut scores = redis::pipe();
        for id in ids {
            scores.zscore(self.keys().stock_newest(), id);
        }
        let scores: Vec<Option<f64>> = self
            .with_connection("stock_newest", |mut connection| async move {
                scores.query_async(&mut connection).await
            })
            .await?;
        // Redis may write a large score with an exponent.
        let whole = |score: f64| format!("{score:.0}").parse().ok().and_then(moment);
        let moments = scores.into_iter().map(|score| score.and_then(whole));
        Ok(moments.collect())
    }

    /// Forgets the first `count` pushes, which are taken over, keeps those among them that nobody could
    /// read, and, where Redis takes it, of which things which push is the newest.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn stock_pushes_taken(
        &self,
        count: usize,
        unread: &[StockPush],
        newest: &[(String, Timestamp)],
    ) -> Result<(), StreamsError> {
        let keys = self.keys();
        let mut known = redis::pipe();
        if !newest.is_empty() {
            let moments: Vec<(i64, &str)> = newest
                .iter()
                .map(|(id, at)| (at.as_microsecond(), id.as_str()))
                .collect();
            known.cmd("ZADD").arg(keys.stock_newest()).arg("GT");
            known.arg(moments).ignore();
            known.zremrangebyrank(keys.stock_newest(), 0, -NEWEST - 1);
        }
        let mut steps = Vec::new();
        if !unread.is_empty() {
            let mut keep = redis::cmd("RPUSH");
            keep.arg(keys.stock_unread());
            for push in unread {
                keep.arg(push.stored());
            }
            let mut cut = redis::cmd("LTRIM");
            cut.arg(keys.stock_unread()).arg(-UNREAD).arg(-1);
            steps.extend([keep, cut]);
        }
        let mut taken = redis::cmd("LTRIM");
        taken.arg(keys.stock_pushes()).arg(count).arg(-1);
        steps.push(taken);
        self.with_connection("stock_pushes_taken", |mut connection| async move {
            // Only replays ask for it: what waits must not wait for that.
            if !known.is_empty()
                && let Err(error) = known.query_async::<()>(&mut connection).await
            {
                tracing::warn!(%error, "when things for sale were taken over is not kept");
            }
            for step in steps {
                let _: redis::Value = step.query_async(&mut connection).await?;
            }
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_that_waited_knows_since_when() {
        let at = "2026-12-01T10:00:00Z".parse().unwrap();
        let waited = StockPush {
            at: Some(at),
            text: b"<voertuig/>".to_vec(),
        };
        assert_eq!(waited.stored(), b"@1796119200000000 <voertuig/>");
        assert_eq!(StockPush::read(waited.stored()), waited);
        let older = StockPush::read(b"@1796119200000 <voertuig/>".to_vec());
        assert_eq!(older, waited, "milliseconds of an older build");
        for text in ["<voertuig/>", "@", "@x <y/>", "", "a@1 b"] {
            let read = StockPush::read(text.into());
            assert_eq!((read.at, read.text), (None, text.as_bytes().to_vec()));
        }
    }
}
