//! Single things for sale that somebody pushes, as they came, until a worker has taken them over.

use crate::{Redis, StreamsError};

/// The most pushes that wait.
const WAITING: usize = 20_000;
/// The most pushes that are kept because nobody could read them.
const UNREAD: isize = 1_000;

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
    pub async fn stock_pushes(&self, limit: isize) -> Result<Vec<Vec<u8>>, StreamsError> {
        let mut range = redis::cmd("LRANGE");
        range.arg(self.keys().stock_pushes()).arg(0).arg(limit - 1);
        self.with_connection("stock_pushes", |mut connection| async move {
            range.query_async(&mut connection).await
        })
        .await
    }

    /// The pushes that nobody could read, the oldest first.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn stock_unread(&self) -> Result<Vec<Vec<u8>>, StreamsError> {
        let mut range = redis::cmd("LRANGE");
        range.arg(self.keys().stock_unread()).arg(0).arg(-1);
        self.with_connection("stock_unread", |mut connection| async move {
            range.query_async(&mut connection).await
        })
        .await
    }

    /// Removes a push that nobody could read. Whether it was there.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn forget_stock_unread(&self, push: &[u8]) -> Result<bool, StreamsError> {
        let mut remove = redis::cmd("LREM");
        remove.arg(self.keys().stock_unread()).arg(1).arg(push);
        self.with_connection("forget_stock_unread", |mut connection| async move {
            let removed: usize = remove.query_async(&mut connection).await?;
            Ok(removed > 0)
        })
        .await
    }

    /// Forgets the first `count` pushes, which are taken over, and keeps those among them that nobody could
    /// read.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn stock_pushes_taken(
        &self,
        count: usize,
        unread: &[&[u8]],
    ) -> Result<(), StreamsError> {
        let kept = self.keys().stock_unread();
        let mut keep = redis::cmd("RPUSH");
        keep.arg(&kept).arg(unread);
        let mut cut = redis::cmd("LTRIM");
        cut.arg(&kept).arg(-UNREAD).arg(-1);
        let mut taken = redis::cmd("LTRIM");
        taken.arg(self.keys().stock_pushes()).arg(count).arg(-1);
        let any = !unread.is_empty();
        self.with_connection("stock_pushes_taken", |mut connection| async move {
            if any {
                let _: usize = keep.query_async(&mut connection).await?;
                let _: () = cut.query_async(&mut connection).await?;
            }
            taken.query_async(&mut connection).await
        })
        .await
    }
}
