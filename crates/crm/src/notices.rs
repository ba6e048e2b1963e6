//! Notices, written in the transaction of the fact that they are about.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sqlx::{Any, Transaction};
use stock::Item;
use streams::Letter;

use super::list::{Row, row_of};
use super::status::Matter;
use super::store::{Crm, CrmError, text};
use super::write::short_hash;
use crate::notice::Kind;

/// Something that happened to a hand-over, a lead or an appointment.
pub(super) struct Fact<'a> {
    pub(super) kind: Kind,
    pub(super) matter: Matter,
    pub(super) id: &'a str,
    pub(super) contact: &'a str,
    pub(super) conversation: &'a str,
    pub(super) at: Timestamp,
}

impl Fact<'_> {
    /// Writes the notice, with what the thing is now.
    pub(super) async fn tell(&self, transaction: &mut Transaction<'_, Any>) -> sqlx::Result<()> {
        let row = row_of(transaction, self.matter, self.id).await?;
        let data: Map<String, Value> = row
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let urgent = data
            .get("priority")
            .is_some_and(|priority| priority == "urgent");
        let written = Written {
            kind: self.kind,
            subject: self.id,
            once: false,
            contact: Some(self.contact),
            conversation: Some(self.conversation),
            data: Value::Object(data),
            at: self.at,
            at_any_hour: urgent,
        };
        written.insert(transaction).await.map(drop)
    }
}

struct Written<'a> {
    kind: Kind,
    subject: &'a str,
    /// Told once, whenever it is.
    once: bool,
    contact: Option<&'a str>,
    conversation: Option<&'a str>,
    data: Value,
    at: Timestamp,
    at_any_hour: bool,
}

impl Written<'_> {
    /// The id follows from the fact: told twice it is one notice. Whether it is new.
    async fn insert(self, transaction: &mut Transaction<'_, Any>) -> sqlx::Result<bool> {
        let at = text(self.at);
        let insert = "INSERT INTO notices (id, contact_id, conversation_id, kind, subject, data, at_any_hour, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";
        let inserted = sqlx::query(insert)
            .bind(short_hash(
                "notice",
                &[
                    self.kind.as_str(),
                    self.subject,
                    if self.once { "once" } else { &at },
                ],
            ))
            .bind(self.contact)
            .bind(self.conversation)
            .bind(self.kind.as_str())
            .bind(self.subject)
            .bind(self.data.to_string())
            .bind(if self.at_any_hour { "yes" } else { "no" })
            .bind(&at)
            .execute(&mut **transaction)
            .await?;
        Ok(inserted.rows_affected() > 0)
    }
}

/// A notice about the machine.
pub(super) async fn tell_of_machine(
    transaction: &mut Transaction<'_, Any>,
    kind: Kind,
    subject: &str,
    data: Value,
    at: Timestamp,
) -> sqlx::Result<()> {
    let written = Written {
        kind,
        subject,
        once: false,
        contact: None,
        conversation: None,
        data,
        at,
        at_any_hour: true,
    };
    written.insert(transaction).await.map(drop)
}

impl Crm {
    /// Tells that something in stock fits a lead's wish, once of each thing. The lead's conversation, where that
    /// is new.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tell_of_match(
        &self,
        lead: &Row,
        item: &Item,
        now: Timestamp,
    ) -> Result<Option<String>, CrmError> {
        let id = lead.iter().find(|(name, _)| *name == "id");
        let Some(id) = id.and_then(|(_, id)| id.as_str()) else {
            return Ok(None);
        };
        let mut transaction = self.begin().await?;
        let select = "SELECT contact_id, conversation_id FROM leads WHERE id = $1";
        let found = sqlx::query_as(select).bind(id);
        let found: Option<(String, String)> = found.fetch_optional(&mut *transaction).await?;
        let Some((contact, conversation)) = found else {
            return Ok(None);
        };
        let row = lead.iter().cloned();
        let mut data: Map<String, Value> =
            row.map(|(name, value)| (name.to_owned(), value)).collect();
        data.insert("thing".into(), json!(item.title));
        data.insert(
            "price".into(),
            json!(item.price.map(|price| price.whole().to_string())),
        );
        data.insert("url".into(), json!(item.url));
        let written = Written {
            kind: Kind::StockMatch,
            subject: &format!("{id}:{}:{}", item.source, item.id),
            once: true,
            contact: Some(&contact),
            conversation: Some(&conversation),
            data: Value::Object(data),
            at: now,
            at_any_hour: false,
        };
        let is_new = written.insert(&mut transaction).await?;
        transaction.commit().await?;
        Ok(is_new.then_some(conversation))
    }

    /// Tells of hand-overs that nobody took by the time by which the customer should have heard.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tell_of_unanswered(&self, now: Timestamp) -> Result<(), CrmError> {
        let mut transaction = self.begin().await?;
        let select = "SELECT id, contact_id, conversation_id FROM handovers \
                      WHERE status = 'waiting' AND answer_by < $1 AND unanswered_at IS NULL \
                      ORDER BY answer_by LIMIT 100";
        let late: Vec<(String, String, String)> = sqlx::query_as(select)
            .bind(text(now))
            .fetch_all(&mut *transaction)
            .await?;
        for (id, contact, conversation) in &late {
            let update = "UPDATE handovers SET unanswered_at = $1 \
                          WHERE id = $2 AND status = 'waiting' AND unanswered_at IS NULL";
            let updated = sqlx::query(update).bind(text(now)).bind(id);
            if updated.execute(&mut *transaction).await?.rows_affected() == 0 {
                continue;
            }
            let fact = Fact {
                kind: Kind::HandoverUnanswered,
                matter: Matter::Handover,
                id,
                contact,
                conversation,
                at: now,
            };
            fact.tell(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The notices that are about these contacts.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn notices_of(&self, contacts: &[String]) -> Result<Vec<String>, CrmError> {
        let mut all = Vec::new();
        for contact in contacts {
            let select = sqlx::query_scalar("SELECT id FROM notices WHERE contact_id = $1");
            let of_contact: Vec<String> = select.bind(contact).fetch_all(&self.pool).await?;
            all.extend(of_contact);
        }
        Ok(all)
    }

    /// Tells of dead letters when there are more than last time. `newest` is what is known of the last.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tell_of_dead_letters(
        &self,
        queue: &str,
        count: u64,
        newest: Option<&Letter>,
        now: Timestamp,
    ) -> Result<(), CrmError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let mut transaction = self.begin().await?;
        let name = format!("dead letters of {queue}");
        let told = mark(&mut transaction, &name, count).await?;
        if count > told {
            let letter = newest.map(|letter| letter.id.to_string());
            let reason = newest.map(|letter| letter.reason.clone());
            let data = json!({"queue": queue, "count": count, "letter": letter, "why": reason});
            tell_of_machine(&mut transaction, Kind::DeadLetterAdded, queue, data, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Tells once that messages to customers do not leave: over which channel, and since when.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tell_of_stall(
        &self,
        stalled: Option<(&str, Timestamp)>,
        now: Timestamp,
    ) -> Result<(), CrmError> {
        let mut transaction = self.begin().await?;
        let told = mark(&mut transaction, "stalled", i64::from(stalled.is_some())).await?;
        if let Some((channel, since)) = stalled.filter(|_| told == 0) {
            let data = json!({"channel": channel, "waiting_since": text(since)});
            tell_of_machine(&mut transaction, Kind::ChannelDown, channel, data, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// How many customers wait for a colleague, and since when the longest of those waits who should
    /// have heard from one.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn waiting(&self, now: Timestamp) -> Result<(i64, Option<Timestamp>), CrmError> {
        let select = "SELECT COUNT(*), MIN(CASE WHEN answer_by < $1 THEN answer_by END) \
                      FROM handovers WHERE status = 'waiting'";
        let found = sqlx::query_as(select).bind(text(now));
        let (count, oldest): (i64, Option<String>) = found.fetch_one(&self.pool).await?;
        Ok((count, oldest.and_then(|at| at.parse().ok())))
    }
}

/// Notes how much of something there is. Answers how much was noted before.
pub(super) async fn mark(
    transaction: &mut Transaction<'_, Any>,
    name: &str,
    value: i64,
) -> sqlx::Result<i64> {
    let known = sqlx::query_scalar("SELECT value FROM watermarks WHERE name = $1").bind(name);
    let known: Option<i64> = known.fetch_optional(&mut **transaction).await?;
    if known != Some(value) {
        let upsert = "INSERT INTO watermarks (name, value) VALUES ($1, $2) \
                      ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let upsert = sqlx::query(upsert).bind(name).bind(value);
        upsert.execute(&mut **transaction).await?;
    }
    Ok(known.unwrap_or(0))
}
