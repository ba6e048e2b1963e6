//! What pages show: lists with filters, the newest first, and all that there is of one contact.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::list::{Page, Place, Row, What, page, value, whole, wholes};
use crate::rows;
use crate::search::Conditions;
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
        let mut conditions = Conditions::default();
        // What an index is for is named as the index has it.
        conditions.add(&match filter.what {
            What::Only(status) => format!("t.status = '{}'", status.as_str()),
            What::Open => format!("t.status IN ({})", matter.listed(What::Open)),
            What::All => "true".to_owned(),
        });
        if let Some(before) = before {
            let (created_at, id) = before.into_parts();
            let (at, id) = (conditions.bind(created_at), conditions.bind(id));
            conditions.add(&format!(
                "t.created_at <= {at} AND (t.created_at < {at} OR t.id < {id})"
            ));
        }
        if let Some(owner) = filter.owner.filter(|owner| !owner.is_empty()) {
            let owner = conditions.bind(owner.to_owned());
            conditions.add(&format!("t.owner = {owner}"));
        }
        if let Some(intent) = filter.intent.filter(|intent| !intent.is_empty()) {
            let column = match matter {
                Matter::Handover => "t.reason",
                Matter::Lead => "t.intent",
                Matter::Appointment => "t.purpose",
            };
            let intent = conditions.bind(intent.to_owned());
            conditions.add(&format!("{column} = {intent}"));
        }
        if let Some(search) = filter.search.filter(|search| !search.trim().is_empty()) {
            let whose = self.search(search).await?;
            conditions.are_of(&whose, "t.contact_id");
        }
        let select = format!(
            "{} WHERE {} ORDER BY t.created_at DESC, t.id DESC LIMIT {limit}",
            matter.select(),
            conditions.sql()
        );
        let mut found = sqlx::query(AssertSqlSafe(select));
        for value in conditions.values {
            found = found.bind(value);
        }
        let mut connection = self.pool.acquire().await?;
        let found = found.fetch_all(&mut *connection).await?;
        page(&mut connection, matter, &found, limit.into()).await
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
        let found = found.fetch_all(&mut *connection).await?;
        Ok(wholes(&mut connection, matter, &found).await?)
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
            Some(row) => Ok(whole(&mut connection, Matter::Handover, row).await?),
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
            Some(found) => Ok(self.with_addresses(vec![found]).await?.pop()),
            None => Ok(None),
        }
    }

    /// Contacts with this in their name or an address, the last heard of first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn find(&self, search: &str, limit: u16) -> Result<Vec<Contact>, CrmError> {
        let mut conditions = Conditions::default();
        if !search.trim().is_empty() {
            let whose = self.search(search).await?;
            conditions.are_of(&whose, "c.id");
        }
        let select = format!(
            "SELECT c.id, c.name, c.language, c.opted_out_at, c.created_at FROM contacts c \
             WHERE {} ORDER BY c.updated_at DESC, c.id DESC LIMIT {limit}",
            conditions.sql()
        );
        let mut select = sqlx::query_as(AssertSqlSafe(select));
        for value in conditions.values {
            select = select.bind(value);
        }
        let found: Vec<ContactRow> = select.fetch_all(&self.pool).await?;
        self.with_addresses(found).await
    }

    /// The conversations that the leads, appointments and hand-overs of each of these contacts came from.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn conversations_of(
        &self,
        contacts: &[&str],
    ) -> Result<BTreeMap<String, Vec<String>>, CrmError> {
        let select = "SELECT t.contact_id, t.conversation_id FROM {rows} \
                      JOIN leads t ON t.contact_id = r.value ->> 0 \
                      UNION SELECT t.contact_id, t.conversation_id FROM {rows} \
                      JOIN appointments t ON t.contact_id = r.value ->> 0 \
                      UNION SELECT t.contact_id, t.conversation_id FROM {rows} \
                      JOIN handovers t ON t.contact_id = r.value ->> 0";
        self.of_contacts(select, contacts).await
    }

    async fn with_addresses(&self, rows: Vec<ContactRow>) -> Result<Vec<Contact>, CrmError> {
        let select = "SELECT a.contact_id, a.address FROM {rows} \
                      JOIN contact_addresses a ON a.contact_id = r.value ->> 0 ORDER BY a.address";
        let ids: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
        let mut addresses = self.of_contacts(select, &ids).await?;
        let contact = |(id, name, language, opted_out_at, created_at): ContactRow| Contact {
            addresses: addresses.remove(&id).unwrap_or_default(),
            id,
            name,
            language,
            opted_out_at,
            created_at,
        };
        Ok(rows.into_iter().map(contact).collect())
    }

    /// Texts of each of these contacts.
    async fn of_contacts(
        &self,
        select: &'static str,
        ids: &[&str],
    ) -> Result<BTreeMap<String, Vec<String>>, CrmError> {
        let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if ids.is_empty() {
            return Ok(texts);
        }
        let ids: Vec<[&str; 1]> = ids.iter().map(|id| [*id]).collect();
        let mut connection = self.pool.acquire().await?;
        let found = rows::found(&connection, select, &ids)?;
        let found: Vec<(String, String)> = found.fetch_all(&mut *connection).await?;
        for (contact, text) in found {
            texts.entry(contact).or_default().push(text);
        }
        Ok(texts)
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
