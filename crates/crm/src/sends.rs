//! What becomes of a notice on each channel.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::notices::tell_of_machine;
use super::store::{Crm, CrmError, text};
use crate::notice::{Kind, Notice};

/// A notice that this worker is to bring to a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The notice.
    pub notice: Notice,
    /// The channel.
    pub channel: String,
    /// How often it was tried before.
    pub tries: i64,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It arrived.
    Sent,
    /// It is tried again.
    Later {
        /// When.
        at: Timestamp,
        /// Why.
        error: String,
    },
    /// There is no further try.
    Failed {
        /// Why.
        error: String,
    },
    /// The receiver wants no more: the channel is switched off.
    Off,
}

/// One send, for a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeSend {
    /// The notice.
    pub id: String,
    /// What it is about.
    pub kind: String,
    /// When it was written.
    pub at: String,
    /// The channel; none before it is dispatched, or when no channel takes it.
    pub channel: Option<String>,
    /// How far it is on the channel.
    pub status: Option<String>,
    /// How often it was tried.
    pub tries: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
}

/// A worker that does not settle a send in this time is taken for dead.
const HOLD: SignedDuration = SignedDuration::from_secs(60);
/// A channel that only fails for this long is switched off.
const PATIENCE: SignedDuration = SignedDuration::from_hours(5 * 24);

impl Crm {
    /// Sends whose time has come, at most `limit`, for nobody else until they are settled.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn claim(
        &self,
        channels: &[&'static str],
        holder: &str,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, CrmError> {
        // Names of ours.
        let names = channels.iter().map(|name| format!("'{name}'"));
        let names = names.collect::<Vec<_>>().join(", ");
        let select = format!(
            "SELECT s.notice_id, s.channel, s.tries, n.kind, n.created_at, n.data \
             FROM notice_sends s JOIN notices n ON n.id = s.notice_id \
             WHERE s.status = 'pending' AND s.next_at <= $1 AND s.channel IN ({names}) \
             AND (s.held_until IS NULL OR s.held_until < $1) AND NOT EXISTS \
             (SELECT 1 FROM notice_channels c WHERE c.name = s.channel AND c.off_since IS NOT NULL) \
             ORDER BY s.next_at, s.notice_id LIMIT {limit}"
        );
        let due: Vec<(String, String, i64, String, String, String)> =
            sqlx::query_as(AssertSqlSafe(select))
                .bind(text(now))
                .fetch_all(&self.pool)
                .await?;
        let mut claimed = Vec::new();
        for (id, channel, tries, kind, at, data) in due {
            let update = "UPDATE notice_sends SET held_by = $1, held_until = $2 \
                          WHERE notice_id = $3 AND channel = $4 AND status = 'pending' \
                          AND next_at <= $5 AND (held_until IS NULL OR held_until < $5)";
            let updated = sqlx::query(update)
                .bind(holder)
                .bind(text(now.saturating_add(HOLD).unwrap_or(Timestamp::MAX)))
                .bind(&id)
                .bind(&channel)
                .bind(text(now))
                .execute(&self.pool)
                .await?;
            if let Some(kind) = Kind::read(&kind).filter(|_| updated.rows_affected() == 1) {
                let data = serde_json::from_str(&data).unwrap_or_default();
                claimed.push(Claimed {
                    notice: Notice { id, kind, at, data },
                    channel,
                    tries,
                });
            }
        }
        Ok(claimed)
    }

    /// Notes what became of a send. Whether its channel was switched off by it.
    ///
    /// # Errors
    /// When the database cannot be reached; it is tried again then, under the same id.
    pub async fn settle(
        &self,
        claimed: &Claimed,
        holder: &str,
        settled: &Settled,
        now: Timestamp,
    ) -> Result<bool, CrmError> {
        let at = text(now);
        let (status, next_at, error) = match settled {
            Settled::Sent => ("sent", at.clone(), None),
            Settled::Later { at, error } => ("pending", text(*at), Some(error.as_str())),
            Settled::Failed { error } => ("failed", at.clone(), Some(error.as_str())),
            Settled::Off => (
                "pending",
                at.clone(),
                Some("410: no more of these are wanted"),
            ),
        };
        let mut transaction = self.begin().await?;
        let update = "UPDATE notice_sends SET status = $1, next_at = $2, error = $3, tries = tries + 1, \
                      held_by = NULL, held_until = NULL, sent_at = $4 \
                      WHERE notice_id = $5 AND channel = $6 AND held_by = $7";
        sqlx::query(update)
            .bind(status)
            .bind(next_at)
            .bind(error)
            .bind((*settled == Settled::Sent).then(|| at.clone()))
            .bind(&claimed.notice.id)
            .bind(&claimed.channel)
            .bind(holder)
            .execute(&mut *transaction)
            .await?;
        let is_off = note_health(&mut transaction, &claimed.channel, settled, error, now).await?;
        transaction.commit().await?;
        Ok(is_off)
    }

    /// The names of channels that are off.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn channels_off(&self) -> Result<Vec<(String, String)>, CrmError> {
        let select = "SELECT name, COALESCE(why, '') FROM notice_channels WHERE off_since IS NOT NULL ORDER BY name";
        Ok(sqlx::query_as(select).fetch_all(&self.pool).await?)
    }

    /// Notices and their sends, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn sends(&self, limit: u32) -> Result<Vec<NoticeSend>, CrmError> {
        type Found = (
            String,
            String,
            String,
            Option<String>,
            Option<String>,
            Option<i64>,
            Option<String>,
        );
        let select = format!(
            "SELECT n.id, n.kind, n.created_at, s.channel, s.status, s.tries, s.error \
             FROM notices n LEFT JOIN notice_sends s ON s.notice_id = n.id \
             WHERE n.grouped_into IS NULL ORDER BY n.created_at DESC, n.id, s.channel LIMIT {limit}"
        );
        let found: Vec<Found> = sqlx::query_as(AssertSqlSafe(select))
            .fetch_all(&self.pool)
            .await?;
        let send = |(id, kind, at, channel, status, tries, error)| NoticeSend {
            id,
            kind,
            at,
            channel,
            status,
            tries,
            error,
        };
        Ok(found.into_iter().map(send).collect())
    }

    /// Tries what did not arrive again at once: of one notice, or of all. Turns channels on again. How
    /// many sends that are.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn retry(&self, notice: Option<&str>, now: Timestamp) -> Result<u64, CrmError> {
        let mut transaction = self.begin().await?;
        let update = "UPDATE notice_sends SET status = 'pending', tries = 0, next_at = $1 \
                      WHERE status <> 'sent' AND ($2 = '' OR notice_id = $2)";
        let updated = sqlx::query(update)
            .bind(text(now))
            .bind(notice.unwrap_or_default())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM notice_channels")
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(updated.rows_affected())
    }
}

/// Notes how a channel does; switches it off when that is due. Whether it was.
async fn note_health(
    transaction: &mut Transaction<'_, Any>,
    channel: &str,
    settled: &Settled,
    error: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let at = text(now);
    if *settled == Settled::Sent {
        let forget = "DELETE FROM notice_channels WHERE name = $1 AND off_since IS NULL";
        sqlx::query(forget)
            .bind(channel)
            .execute(&mut **transaction)
            .await?;
        return Ok(false);
    }
    let upsert = "INSERT INTO notice_channels (name, failing_since) VALUES ($1, $2) \
                  ON CONFLICT (name) DO NOTHING";
    sqlx::query(upsert)
        .bind(channel)
        .bind(&at)
        .execute(&mut **transaction)
        .await?;
    let patience = match settled {
        Settled::Off => Timestamp::MAX,
        _ => now.saturating_sub(PATIENCE).unwrap_or(Timestamp::MIN),
    };
    let off = "UPDATE notice_channels SET off_since = $1, why = $2 \
               WHERE name = $3 AND off_since IS NULL AND failing_since <= $4";
    let off = sqlx::query(off)
        .bind(&at)
        .bind(error)
        .bind(channel)
        .bind(text(patience))
        .execute(&mut **transaction)
        .await?;
    if off.rows_affected() == 0 {
        return Ok(false);
    }
    let data = json!({"channel": channel, "error": error.unwrap_or_default()});
    tell_of_machine(transaction, Kind::ChannelDown, channel, data, now).await?;
    Ok(true)
}
