//! Notices as pages show them: with what became of each on every channel.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sqlx::AssertSqlSafe;

use crate::list::Place;
use crate::notice::Kind;
use crate::notices::tell_of_machine;
use crate::rows;
use crate::store::{Crm, CrmError};

/// A notice, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempts {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub kind: String,
    /// When it was written.
    pub at: String,
    /// The conversation that it is about.
    pub conversation: Option<String>,
    /// Whether it was given to the channels; before that it waits for the business to open.
    pub is_dispatched: bool,
    /// What there is to know.
    pub data: Map<String, Value>,
    /// What became of it on each channel.
    pub sends: Vec<Attempt>,
}

/// How far a notice is on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The channel.
    pub channel: String,
    /// `pending`, `sent` or `failed`.
    pub status: String,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried next, or was settled.
    pub next_at: String,
    /// What went wrong last.
    pub error: Option<String>,
}

impl Crm {
    /// Notices, the newest first, from behind `before` on; all, or only those that a channel does not have.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn attempts(
        &self,
        only_failing: bool,
        before: Option<Place>,
        limit: u16,
    ) -> Result<(Vec<Attempts>, Option<Place>), CrmError> {
        type Found = (
            String,
            String,
            String,
            Option<String>,
            Option<String>,
            String,
        );
        let failing = match only_failing {
            true => {
                "AND n.id IN (SELECT s.notice_id FROM notice_sends s \
                 WHERE s.status IN ('failed', 'pending') AND (s.status = 'failed' OR s.tries > 0))"
            }
            false => "",
        };
        let select = format!(
            "SELECT n.id, n.kind, n.created_at, n.conversation_id, n.dispatched_at, n.data FROM notices n \
             WHERE n.grouped_into IS NULL {failing} \
             AND ($1 = '' OR n.created_at < $1 OR (n.created_at = $1 AND n.id < $2)) \
             ORDER BY n.created_at DESC, n.id DESC LIMIT {limit}"
        );
        let (created_at, id) = before.map(Place::into_parts).unwrap_or_default();
        let found: Vec<Found> = sqlx::query_as(AssertSqlSafe(select))
            .bind(created_at)
            .bind(id)
            .fetch_all(&self.pool)
            .await?;
        let notice = |(id, kind, at, conversation, dispatched_at, data): Found| Attempts {
            id,
            kind,
            at,
            conversation,
            is_dispatched: dispatched_at.is_some(),
            data: serde_json::from_str(&data).unwrap_or_default(),
            sends: Vec::new(),
        };
        let mut notices: Vec<_> = found.into_iter().map(notice).collect();
        self.add_sends(&mut notices).await?;
        let last = notices
            .last()
            .filter(|_| notices.len() == usize::from(limit));
        let next = last.map(|last| Place::of(last.at.clone(), last.id.clone()));
        Ok((notices, next))
    }

    async fn add_sends(&self, notices: &mut [Attempts]) -> Result<(), CrmError> {
        type Found = (String, String, String, i64, String, Option<String>);
        let ids: Vec<[&String; 1]> = notices.iter().map(|notice| [&notice.id]).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let select = "SELECT s.notice_id, s.channel, s.status, s.tries, s.next_at, s.error FROM {rows} \
                      JOIN notice_sends s ON s.notice_id = r.value ->> 0 ORDER BY s.channel";
        let mut connection = self.pool.acquire().await?;
        let found = rows::found(&connection, select, &ids)?;
        let found: Vec<Found> = found.fetch_all(&mut *connection).await?;
        for (notice, channel, status, tries, next_at, error) in found {
            let attempt = Attempt {
                channel,
                status,
                tries,
                next_at,
                error,
            };
            let notice = notices.iter_mut().find(|one| one.id == notice);
            notice
                .into_iter()
                .for_each(|one| one.sends.push(attempt.clone()));
        }
        Ok(())
    }

    /// Writes a test notice: a worker brings it to every channel that is set up.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tell_test(&self, by: &str, now: Timestamp) -> Result<(), CrmError> {
        let mut transaction = self.begin().await?;
        // Each is a subject of its own: of the same one nothing is told twice within minutes.
        let subject = format!("test:{}", now.as_microsecond());
        let data = json!({"reason": "test", "by": by});
        tell_of_machine(&mut transaction, Kind::Test, &subject, data, now).await?;
        Ok(transaction.commit().await?)
    }
}
