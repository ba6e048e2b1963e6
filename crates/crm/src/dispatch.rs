//! From a notice to one send for each channel: grouped, and kept until the business opens.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use sqlx::{Any, Transaction};

use super::store::{Crm, CrmError, text};
use crate::notice::Kind;

/// One notice of a conversation and kind within this time.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// How long notices are kept after they were dispatched.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

type Waiting = (String, String, Option<String>, String, String);

impl Crm {
    /// Takes a lease, or holds on to it. Whether it is ours until `until`.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, CrmError> {
        let upsert = "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3) \
                      ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
                      WHERE leases.holder = excluded.holder OR leases.until < $4";
        let taken = sqlx::query(upsert)
            .bind(name)
            .bind(holder)
            .bind(text(until))
            .bind(text(now))
            .execute(&self.pool)
            .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Gives each channel a row for each notice whose time has come. `takes` says which channels take
    /// a kind.
    ///
    /// # Errors
    /// When the database cannot be reached; nothing is dispatched then.
    pub async fn dispatch(
        &self,
        takes: impl Fn(Kind) -> Vec<&'static str>,
        is_open: bool,
        now: Timestamp,
    ) -> Result<(), CrmError> {
        let mut transaction = self.begin().await?;
        let select = "SELECT id, kind, conversation_id, subject, data FROM notices \
                      WHERE dispatched_at IS NULL AND (at_any_hour = 'yes' OR $1 = 'open') \
                      ORDER BY created_at, id LIMIT 500";
        let waiting: Vec<Waiting> = sqlx::query_as(select)
            .bind(if is_open { "open" } else { "closed" })
            .fetch_all(&mut *transaction)
            .await?;
        let mut groups: BTreeMap<(String, String), Vec<Waiting>> = BTreeMap::new();
        for notice in waiting {
            let conversation = notice.2.clone().unwrap_or_else(|| notice.3.clone());
            groups
                .entry((notice.1.clone(), conversation))
                .or_default()
                .push(notice);
        }
        for ((kind, conversation), group) in groups {
            let Some(read) = Kind::read(&kind) else {
                continue;
            };
            if !was_told(&mut transaction, &kind, &conversation, now).await? {
                send_group(&mut transaction, group, &takes(read), now).await?;
            }
        }
        let old = text(now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN));
        sqlx::query("DELETE FROM notices WHERE dispatched_at < $1")
            .bind(old)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Whether the same was told of this conversation just now.
async fn was_told(
    transaction: &mut Transaction<'_, Any>,
    kind: &str,
    conversation: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let since = text(now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN));
    let select = "SELECT COUNT(*) FROM notices WHERE kind = $1 AND dispatched_at > $3 \
                  AND COALESCE(conversation_id, subject) = $2";
    let told: i64 = sqlx::query_scalar(select)
        .bind(kind)
        .bind(conversation)
        .bind(since)
        .fetch_one(&mut **transaction)
        .await?;
    Ok(told > 0)
}

/// The newest is sent, with what the others are about that it does not tell itself.
async fn send_group(
    transaction: &mut Transaction<'_, Any>,
    mut group: Vec<Waiting>,
    channels: &[&'static str],
    now: Timestamp,
) -> sqlx::Result<()> {
    let Some((id, _, _, subject, data)) = group.pop() else {
        return Ok(());
    };
    let (at, data) = (text(now), merged(&subject, &data, &group));
    let update = "UPDATE notices SET dispatched_at = $1, data = $2 WHERE id = $3";
    sqlx::query(update)
        .bind(&at)
        .bind(data)
        .bind(&id)
        .execute(&mut **transaction)
        .await?;
    for (other, ..) in &group {
        let update = "UPDATE notices SET dispatched_at = $1, grouped_into = $2 WHERE id = $3";
        sqlx::query(update)
            .bind(&at)
            .bind(&id)
            .bind(other)
            .execute(&mut **transaction)
            .await?;
    }
    for channel in channels {
        let insert = "INSERT INTO notice_sends (notice_id, channel, status, tries, next_at) \
                      VALUES ($1, $2, 'pending', 0, $3) ON CONFLICT DO NOTHING";
        sqlx::query(insert)
            .bind(&id)
            .bind(*channel)
            .bind(&at)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

fn merged(subject: &str, data: &str, others: &[Waiting]) -> String {
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    // The newest of each thing is enough.
    let mut also: BTreeMap<&str, Value> = BTreeMap::new();
    for (_, _, _, other, data) in others {
        if other != subject {
            also.insert(other, Value::Object(object(data)));
        }
    }
    let mut data = object(data);
    if !also.is_empty() {
        data.insert("also".into(), Value::Array(also.into_values().collect()));
    }
    Value::Object(data).to_string()
}
