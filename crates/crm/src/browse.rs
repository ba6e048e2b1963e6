//! What pages show: lists with filters, the newest first, and all that there is of one contact.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::list::{Page, Place, Row, What, value, whole};
use crate::rows;
use crate::status::Matter;
use crate::store::{Crm, CrmError};

/// Which rows are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// How far they are.
    pub what: What,
    /// Whose they are.
    pub owner: Option<&'a str>,
    /// What is wanted: the intent of a lead, the purpose of an appointment.
    pub intent: Option<&'a str>,
    /// A part of the customer's name or of an address.
    pub search: Option<&'a str>,
}

impl Filter<'_> {
    /// All rows of this state.
    #[must_use]
    pub const fn only(what: What) -> Self {
        Self {
            what,
            owner: None,
            intent: None,
            search: None,
        }
    }
}

/// A contact, with everything that it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: String,
    /// The profile name.
    pub name: Option<String>,
    /// The language written in.
    pub language: Option<String>,
    /// Since when no messages are wanted.
    pub opted_out_at: Option<String>,
    /// When it was first heard of.
    pub created_at: String,
    /// Its addresses.
    pub addresses: Vec<String>,
}

/// Over which channel colleagues were told of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The channel.
    pub channel: String,
    /// `pending`, `sent` or `failed`.
    pub status: String,
    /// When it arrived.
    pub sent_at: Option<String>,
}

type ContactRow = (
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
);

/// A text as it stands within LIKE, with `!` before what LIKE obeys.
fn like(text: &str) -> String {
    let escaped = text.trim().to_lowercase();
    let escaped = escaped
        .replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_");
    format!("%{escaped}%")
}

impl Crm {
    /// A part of the list, the newest first, from behind `before` on.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn browse(
        &self,
        matter: Matter,
        filter: Filter<'_>,
        before: Option<Place>,
        limit: u16,
    ) -> Result<Page, CrmError> {
        let (status, listed) = (matter.columns()[1].1, matter.listed(filter.what));
        let intent = match matter {
            Matter::Handover => "t.reason",
            Matter::Lead => "t.intent",
            Matter::Appointment => "t.purpose",
        };
        let select = format!(
            "{} WHERE {status} IN ({listed}) \
             AND ($1 = '' OR t.created_at < $1 OR (t.created_at = $1 AND t.id < $2)) \
             AND ($3 = '' OR t.owner = $3) AND ($4 = '' OR {intent} = $4) \
             AND ($5 = '' OR LOWER(COALESCE(c.name, '')) LIKE $5 ESCAPE '!' OR EXISTS (SELECT 1 FROM \
             contact_addresses a WHERE a.contact_id = c.id AND a.address LIKE $5 ESCAPE '!')) \
             ORDER BY t.created_at DESC, t.id DESC LIMIT {limit}",
            matter.select()
        );
        let (created_at, id) = before.map(Place::into_parts).unwrap_or_default();
        let found = sqlx::query(AssertSqlSafe(select))
            .bind(created_at)
            .bind(id)
            .bind(filter.owner.unwrap_or_default())
            .bind(filter.intent.unwrap_or_default())
            .bind(filter.search.map(like).unwrap_or_default());
        let mut page = Page::default();
        let mut connection = self.pool.acquire().await?;
        for row in found.fetch_all(&mut *connection).await? {
            page.next = Some(Place::of(row.try_get(2)?, row.try_get(0)?));
            page.rows.push(whole(&mut connection, matter, &row).await?);
        }
        if page.rows.len() < usize::from(limit) {
            page.next = None;
        }
        Ok(page)
    }

    /// Everything of a contact, the newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn matters_of(&self, matter: Matter, contact: &str) -> Result<Vec<Row>, CrmError> {
        let select = format!(
            "{} WHERE t.contact_id = $1 ORDER BY t.created_at DESC, t.id DESC LIMIT 50",
            matter.select()
        );
        let found = sqlx::query(AssertSqlSafe(select)).bind(contact);
        let mut connection = self.pool.acquire().await?;
        let mut all = Vec::new();
        for row in found.fetch_all(&mut *connection).await? {
            all.push(whole(&mut connection, matter, &row).await?);
        }
        Ok(all)
    }

    /// The hand-over of a conversation that is open.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn open_handover(&self, conversation: &str) -> Result<Option<Row>, CrmError> {
        let select = format!(
            "{} WHERE t.conversation_id = $1 AND t.status <> 'closed'",
            Matter::Handover.select()
        );
        let found = sqlx::query(AssertSqlSafe(select)).bind(conversation);
        let mut connection = self.pool.acquire().await?;
        match found.fetch_optional(&mut *connection).await? {
            Some(row) => Ok(Some(whole(&mut connection, Matter::Handover, &row).await?)),
            None => Ok(None),
        }
    }

    /// When a hand-over ended last.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn last_handover(&self) -> Result<Option<String>, CrmError> {
        let select = "SELECT created_at FROM handovers ORDER BY created_at DESC, id DESC LIMIT 1";
        Ok(sqlx::query_scalar(select)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// A text that changes when a list has something new.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn revision(&self) -> Result<String, CrmError> {
        let select = "SELECT CAST((SELECT COUNT(*) FROM handovers WHERE status <> 'closed') AS TEXT), \
                      (SELECT MAX(updated_at) FROM handovers WHERE status <> 'closed'), \
                      (SELECT MAX(created_at) FROM leads), (SELECT MAX(created_at) FROM notices)";
        type Found = (String, Option<String>, Option<String>, Option<String>);
        let (count, handover, lead, notice): Found =
            sqlx::query_as(select).fetch_one(&self.pool).await?;
        let newest = [handover, lead, notice].map(Option::unwrap_or_default);
        Ok(format!("{count} {}", newest.join(" ")))
    }

    /// Over which channels colleagues were told of each of these.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn told_of(
        &self,
        subjects: &[&str],
    ) -> Result<BTreeMap<String, Vec<Told>>, CrmError> {
        let mut told: BTreeMap<String, Vec<Told>> = BTreeMap::new();
        if subjects.is_empty() {
            return Ok(told);
        }
        let select = "SELECT n.subject, s.channel, s.status, s.sent_at FROM {rows} \
                      JOIN notices n ON n.subject = r.value ->> 0 \
                      JOIN notice_sends s ON s.notice_id = COALESCE(n.grouped_into, n.id) \
                      WHERE n.kind IN ('handover.opened', 'erasure.requested', 'handover.unanswered') \
                      ORDER BY n.created_at, s.channel";
        let subjects: Vec<[&str; 1]> = subjects.iter().map(|subject| [*subject]).collect();
        let mut connection = self.pool.acquire().await?;
        let found = rows::found(&connection, select, &subjects)?;
        let found: Vec<(String, String, String, Option<String>)> =
            found.fetch_all(&mut *connection).await?;
        for (subject, channel, status, sent_at) in found {
            let all = told.entry(subject).or_default();
            // Told again, the newer one tells more.
            all.retain(|one| one.channel != channel);
            all.push(Told {
                channel,
                status,
                sent_at,
            });
        }
        Ok(told)
    }

    /// Whose a conversation is: by its own name, else by what came of it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn contact_of(&self, conversation: &str) -> Result<Option<Contact>, CrmError> {
        let select = "SELECT id, name, language, opted_out_at, created_at FROM contacts WHERE id = \
                      COALESCE((SELECT contact_id FROM contact_addresses WHERE address = $1), \
                      (SELECT contact_id FROM handovers WHERE conversation_id = $1 LIMIT 1), \
                      (SELECT contact_id FROM leads WHERE conversation_id = $1 LIMIT 1))";
        let found: Option<ContactRow> = sqlx::query_as(select)
            .bind(conversation)
            .fetch_optional(&self.pool)
            .await?;
        match found {
            Some(found) => Ok(Some(self.with_addresses(found).await?)),
            None => Ok(None),
        }
    }

    /// Contacts with this in their name or an address, the last heard of first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn find(&self, search: &str, limit: u16) -> Result<Vec<Contact>, CrmError> {
        let select = format!(
            "SELECT c.id, c.name, c.language, c.opted_out_at, c.created_at FROM contacts c \
             WHERE $1 = '' OR LOWER(COALESCE(c.name, '')) LIKE $1 ESCAPE '!' OR EXISTS (SELECT 1 FROM \
             contact_addresses a WHERE a.contact_id = c.id AND LOWER(a.address) LIKE $1 ESCAPE '!') \
             ORDER BY c.updated_at DESC, c.id LIMIT {limit}"
        );
        let found: Vec<ContactRow> = sqlx::query_as(AssertSqlSafe(select))
            .bind(like(search))
            .fetch_all(&self.pool)
            .await?;
        let mut contacts = Vec::new();
        for row in found {
            contacts.push(self.with_addresses(row).await?);
        }
        Ok(contacts)
    }

    /// The conversations that a contact's leads, appointments and hand-overs came from.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn conversations_of(&self, contact: &str) -> Result<Vec<String>, CrmError> {
        let select = "SELECT conversation_id FROM leads WHERE contact_id = $1 \
                      UNION SELECT conversation_id FROM appointments WHERE contact_id = $1 \
                      UNION SELECT conversation_id FROM handovers WHERE contact_id = $1";
        let found = sqlx::query_scalar(select).bind(contact);
        Ok(found.fetch_all(&self.pool).await?)
    }

    async fn with_addresses(&self, row: ContactRow) -> Result<Contact, CrmError> {
        let (id, name, language, opted_out_at, created_at) = row;
        let select = "SELECT address FROM contact_addresses WHERE contact_id = $1 ORDER BY address";
        let addresses = sqlx::query_scalar(select).bind(&id);
        Ok(Contact {
            addresses: addresses.fetch_all(&self.pool).await?,
            id,
            name,
            language,
            opted_out_at,
            created_at,
        })
    }

    /// What was changed of all that is a contact's, oldest first: objects with `at`, `by`, `subject`, `from`,
    /// `to` and `note`.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn changes_about(&self, contact: &str) -> Result<Vec<Map<String, Value>>, CrmError> {
        const NAMES: [&str; 6] = ["at", "by", "subject", "from", "to", "note"];
        let select = "SELECT at, by_whom, subject, from_status, to_status, note FROM changes \
                      WHERE contact_id = $1 ORDER BY at DESC LIMIT 200";
        let found = sqlx::query(select)
            .bind(contact)
            .fetch_all(&self.pool)
            .await?;
        let change = |row: &AnyRow| {
            let mut change = Map::new();
            for (place, name) in NAMES.into_iter().enumerate() {
                change.insert(name.to_owned(), value(row, place)?);
            }
            Ok(change)
        };
        let changes: sqlx::Result<Vec<_>> = found.iter().rev().map(change).collect();
        Ok(changes?)
    }
}
