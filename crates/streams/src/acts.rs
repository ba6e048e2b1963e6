//! What operators did by hand, kept where every service finds it: who, when, what.

use redis::Value;

use crate::entry::parse_entries;
use crate::{Redis, StreamsError};

/// Something that an operator did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Who, by their own word.
    pub by: String,
    /// What, without customer text.
    pub what: String,
}

const ACTS_KEPT: usize = 1_000;

impl Redis {
    /// Notes what an operator did.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn note_act(&self, by: &str, what: &str) -> Result<(), StreamsError> {
        let mut command = redis::cmd("XADD");
        command.arg(self.keys().acts());
        command.arg("MAXLEN").arg("~").arg(ACTS_KEPT).arg("*");
        command.arg("by").arg(by).arg("what").arg(what);
        self.with_connection("note_act", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// What operators did, newest first, at most `limit`.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn acts(&self, limit: usize) -> Result<Vec<Act>, StreamsError> {
        let mut command = redis::cmd("XREVRANGE");
        command.arg(self.keys().acts()).arg("+").arg("-");
        command.arg("COUNT").arg(limit);
        let reply: Value = self
            .with_connection("acts", |mut connection| async move {
                command.query_async(&mut connection).await
            })
            .await?;
        let acts = parse_entries(reply).into_iter().map(|mut entry| {
            let mut take = |name: &str| entry.fields.remove(name).unwrap_or_default();
            Act {
                by: take("by"),
                what: take("what"),
                at_ms: entry.id.added_at_ms(),
            }
        });
        Ok(acts.collect())
    }
}
