//! Who changed what: colleagues by hand, customers by what they write, help desks by their events.

use jiff::Timestamp;
use serde_json::json;
use sqlx::{Any, Transaction};

use super::notices::Fact;
use super::rows;
use super::status::{Matter, Status};
use super::store::{Crm, CrmError, text};
use crate::notice::Kind;

/// What became of a colleague's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It was made.
    Done {
        /// The conversation that it is about.
        conversation: String,
    },
    /// It cannot be made any more.
    Late {
        /// What it is now.
        status: Status,
        /// Who changed it last.
        by: String,
        /// When.
        at: String,
        /// The conversation that it is about.
        conversation: String,
    },
    /// There is none with this id.
    Unknown,
}

/// A change by hand.
#[derive(Debug, Clone, Copy)]
pub struct ByHand<'a> {
    /// What is changed.
    pub matter: Matter,
    /// Which one.
    pub id: &'a str,
    /// What it becomes.
    pub to: Status,
    /// Who does it.
    pub by: &'a str,
    /// Why, in their words.
    pub note: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// A line of what happened.
pub(super) struct Change<'a> {
    pub(super) contact: &'a str,
    pub(super) subject: &'a str,
    pub(super) at: Timestamp,
    pub(super) by: &'a str,
    pub(super) from: Option<&'a str>,
    pub(super) to: &'a str,
    pub(super) note: Option<&'a str>,
}

impl Change<'_> {
    pub(super) async fn note(self, transaction: &mut Transaction<'_, Any>) -> sqlx::Result<()> {
        Self::note_all(transaction, &[self]).await
    }

    pub(super) async fn note_all(
        transaction: &mut Transaction<'_, Any>,
        changes: &[Change<'_>],
    ) -> sqlx::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let insert = "INSERT INTO changes (contact_id, subject, at, by_whom, from_status, to_status, note) \
                      SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, \
                      r.value ->> 4, r.value ->> 5, r.value ->> 6 FROM {rows}";
        let row = |one: &Change<'_>| {
            let (contact, subject, by) = (one.contact, one.subject, one.by);
            json!([
                contact,
                subject,
                text(one.at),
                by,
                one.from,
                one.to,
                one.note
            ])
        };
        let rows: Vec<_> = changes.iter().map(row).collect();
        let insert = rows::over(transaction, insert, &rows)?;
        insert.execute(&mut **transaction).await?;
        Ok(())
    }
}

impl Crm {
    /// Changes a hand-over, lead or appointment by hand. Of two colleagues at once one is late.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn change(&self, change: ByHand<'_>) -> Result<Changed, CrmError> {
        let ByHand { matter, id, .. } = change;
        let mut transaction = self.begin().await?;
        let table = matter.table();
        let select =
            format!("SELECT contact_id, conversation_id, status FROM {table} WHERE id = $1");
        let found = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(id);
        let found: Option<(String, String, String)> =
            found.fetch_optional(&mut *transaction).await?;
        let Some((contact, conversation, from)) = found else {
            return Ok(Changed::Unknown);
        };
        let may = Status::read(&from).is_some_and(|status| matter.allows(status, change.to));
        let closed_at = match matter {
            Matter::Lead if Matter::is_over(change.to) => ", closed_at = $4",
            _ => "",
        };
        let update = format!(
            "UPDATE {table} SET status = $1, owner = $2, updated_at = $4{closed_at} \
             WHERE id = $3 AND status = $5"
        );
        let changed = if may {
            let update = sqlx::query(sqlx::AssertSqlSafe(update))
                .bind(change.to.as_str())
                .bind(change.by)
                .bind(id)
                .bind(text(change.at))
                .bind(&from);
            update.execute(&mut *transaction).await?.rows_affected()
        } else {
            0
        };
        if changed == 0 {
            drop(transaction);
            return self.late(matter, id).await;
        }
        let line = Change {
            contact: &contact,
            subject: id,
            at: change.at,
            by: change.by,
            from: Some(&from),
            to: change.to.as_str(),
            note: change.note,
        };
        line.note(&mut transaction).await?;
        let kind = match (matter, change.to) {
            (Matter::Handover, Status::Taken) => Some(Kind::HandoverTaken),
            (Matter::Handover, Status::Closed) => Some(Kind::HandoverClosed),
            _ => None,
        };
        if let Some(kind) = kind {
            let fact = Fact {
                kind,
                matter,
                id,
                contact: &contact,
                conversation: &conversation,
                at: change.at,
            };
            fact.tell(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(Changed::Done { conversation })
    }

    /// What somebody else made of it.
    async fn late(&self, matter: Matter, id: &str) -> Result<Changed, CrmError> {
        let table = matter.table();
        let select = format!(
            "SELECT t.status, t.conversation_id, t.updated_at, \
             (SELECT c.by_whom FROM changes c WHERE c.subject = t.id ORDER BY c.at DESC LIMIT 1) \
             FROM {table} t WHERE t.id = $1"
        );
        let found = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(id);
        let found: Option<(String, String, String, Option<String>)> =
            found.fetch_optional(&self.pool).await?;
        let now = found.and_then(|(status, conversation, at, by)| {
            Some(Changed::Late {
                status: Status::read(&status)?,
                by: by.unwrap_or_else(|| "customer".to_owned()),
                at,
                conversation,
            })
        });
        Ok(now.unwrap_or(Changed::Unknown))
    }
}
