//! Lists of what colleagues work on.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row as _, Transaction};

use super::rows;
use super::status::{Matter, Status};
use super::store::{Crm, CrmError};

/// One of them, column by column; `fields` is an object, all else a text or null.
pub type Row = Vec<(&'static str, Value)>;

/// Which are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Those about which something is to be done.
    Open,
    /// All.
    All,
    /// Those with this status.
    Only(Status),
}

/// A part of a list, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next part begins; none after the last.
    pub next: Option<Place>,
}

/// The last row of a page: when it was created, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    created_at: String,
    id: String,
}

/// The text names no place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is no place in a list")]
pub struct PlaceError;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.created_at, self.id)
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (created_at, id) = text.split_once('~').ok_or(PlaceError)?;
        Ok(Self {
            created_at: created_at.to_owned(),
            id: id.to_owned(),
        })
    }
}

impl Place {
    /// The place of a row with these two.
    pub(super) const fn of(created_at: String, id: String) -> Self {
        Self { created_at, id }
    }

    /// When the row was created, and its id.
    pub(super) fn into_parts(self) -> (String, String) {
        (self.created_at, self.id)
    }
}

const PAGE: usize = 200;

impl Matter {
    /// The columns, and the expression of each; `t` is the table, `c` the contact.
    #[must_use]
    pub const fn columns(self) -> &'static [(&'static str, &'static str)] {
        const PHONE: &str = "(SELECT MIN(a.address) FROM contact_addresses a \
                             WHERE a.contact_id = c.id AND a.address LIKE 'tel:%')";
        match self {
            Self::Handover => &[
                ("id", "t.id"),
                ("status", "t.status"),
                ("created_at", "t.created_at"),
                ("priority", "t.priority"),
                ("reason", "t.reason"),
                ("name", "c.name"),
                ("phone", PHONE),
                ("language", "c.language"),
                ("conversation", "t.conversation_id"),
                ("last_words", "t.last_words"),
                ("summary", "t.summary"),
                ("promised_at", "t.promised_at"),
                ("answer_by", "t.answer_by"),
                ("owner", "t.owner"),
                ("updated_at", "t.updated_at"),
            ],
            Self::Lead => &[
                ("id", "t.id"),
                (
                    "status",
                    "CASE t.status WHEN 'open' THEN 'new' ELSE t.status END",
                ),
                ("created_at", "t.created_at"),
                ("intent", "t.intent"),
                ("name", "c.name"),
                ("phone", PHONE),
                ("language", "c.language"),
                ("conversation", "t.conversation_id"),
                ("completed_at", "t.completed_at"),
                ("owner", "t.owner"),
                ("closed_at", "t.closed_at"),
                ("updated_at", "t.updated_at"),
            ],
            Self::Appointment => &[
                ("id", "t.id"),
                ("status", "t.status"),
                ("created_at", "t.created_at"),
                ("purpose", "t.purpose"),
                ("thing", "t.thing"),
                ("date", "t.date"),
                ("time", "t.time"),
                ("name", "c.name"),
                ("phone", PHONE),
                ("language", "c.language"),
                ("conversation", "t.conversation_id"),
                ("owner", "t.owner"),
                ("updated_at", "t.updated_at"),
            ],
        }
    }

    pub(super) fn select(self) -> String {
        let columns = self.columns().iter().map(|(_, expression)| *expression);
        let columns = columns.collect::<Vec<_>>().join(", ");
        let table = self.table();
        format!("SELECT {columns} FROM {table} t JOIN contacts c ON c.id = t.contact_id")
    }

    /// The names of what is listed, in SQL. Only names of ours are in it.
    pub(super) fn listed(self, what: What) -> String {
        let is_listed = |status: &&Status| match what {
            What::All => true,
            What::Open => !Self::is_over(**status),
            What::Only(only) => **status == only,
        };
        let names = self.statuses().iter().filter(is_listed);
        let names = names.map(|status| format!("'{}'", status.as_str()));
        names.collect::<Vec<_>>().join(", ")
    }
}

impl Crm {
    /// A part of the list, from `after` on.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn list(
        &self,
        matter: Matter,
        what: What,
        after: Option<Place>,
    ) -> Result<Page, CrmError> {
        let (status, listed) = (matter.columns()[1].1, matter.listed(what));
        let select = format!(
            "{} WHERE {status} IN ({listed}) \
             AND (t.created_at > $1 OR (t.created_at = $1 AND t.id > $2)) \
             ORDER BY t.created_at, t.id LIMIT {PAGE}",
            matter.select()
        );
        let (created_at, id) =
            after.map_or_else(Default::default, |place| (place.created_at, place.id));
        let found = sqlx::query(AssertSqlSafe(select)).bind(created_at).bind(id);
        let mut connection = self.pool.acquire().await?;
        let found = found.fetch_all(&mut *connection).await?;
        page(&mut connection, matter, &found, PAGE).await
    }

    /// One of them, with who changed it when.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn show(&self, matter: Matter, id: &str) -> Result<Option<Row>, CrmError> {
        let mut transaction = self.pool.begin().await?;
        let Some(mut row) = row_of(&mut transaction, matter, id).await? else {
            return Ok(None);
        };
        drop(transaction);
        row.push(("changes", Value::Array(self.changes_of(id).await?)));
        Ok(Some(row))
    }

    async fn changes_of(&self, id: &str) -> sqlx::Result<Vec<Value>> {
        const NAMES: [&str; 5] = ["at", "by", "from", "to", "note"];
        let select = "SELECT at, by_whom, from_status, to_status, note FROM changes \
                      WHERE subject = $1 ORDER BY at";
        let found = sqlx::query(select).bind(id).fetch_all(&self.pool).await?;
        let change = |row: &AnyRow| {
            let mut change = Map::new();
            for (place, name) in NAMES.into_iter().enumerate() {
                change.insert(name.to_owned(), value(row, place)?);
            }
            Ok(Value::Object(change))
        };
        found.iter().map(change).collect()
    }
}

/// The page that these rows are, of at most `limit`.
pub(super) async fn page(
    connection: &mut AnyConnection,
    matter: Matter,
    found: &[AnyRow],
    limit: usize,
) -> Result<Page, CrmError> {
    let last = found.last().filter(|_| found.len() == limit);
    let next = match last {
        Some(row) => Some(Place::of(row.try_get(2)?, row.try_get(0)?)),
        None => None,
    };
    let rows = wholes(connection, matter, found).await?;
    Ok(Page { rows, next })
}

/// One of them, as it is within a transaction.
pub(super) async fn row_of(
    transaction: &mut Transaction<'_, Any>,
    matter: Matter,
    id: &str,
) -> sqlx::Result<Option<Row>> {
    let select = format!("{} WHERE t.id = $1", matter.select());
    let found = sqlx::query(AssertSqlSafe(select)).bind(id);
    match found.fetch_optional(&mut **transaction).await? {
        Some(row) => whole(transaction, matter, row).await,
        None => Ok(None),
    }
}

/// One of them, with what belongs to it.
pub(super) async fn whole(
    connection: &mut AnyConnection,
    matter: Matter,
    row: AnyRow,
) -> sqlx::Result<Option<Row>> {
    let rows = wholes(connection, matter, &[row]).await?;
    Ok(rows.into_iter().next())
}

/// Many of them, with what belongs to each, in one more question.
pub(super) async fn wholes(
    connection: &mut AnyConnection,
    matter: Matter,
    rows: &[AnyRow],
) -> sqlx::Result<Vec<Row>> {
    let mut all = Vec::new();
    for row in rows {
        let mut whole = Row::new();
        for (place, (name, _)) in matter.columns().iter().enumerate() {
            whole.push((name, value(row, place)?));
        }
        all.push(whole);
    }
    if matter != Matter::Lead || rows.is_empty() {
        return Ok(all);
    }
    let ids: sqlx::Result<Vec<[String; 1]>> =
        rows.iter().map(|row| Ok([row.try_get(0)?])).collect();
    let ids = ids?;
    let select = "SELECT f.lead_id, f.name, f.value FROM {rows} \
                  JOIN lead_fields f ON f.lead_id = r.value ->> 0 WHERE f.value <> '' ORDER BY f.name";
    let found = rows::found(connection, select, &ids)?;
    let found: Vec<(String, String, String)> = found.fetch_all(connection).await?;
    let mut fields: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (lead, name, value) in found {
        fields.entry(lead).or_default().insert(name, value.into());
    }
    for (whole, [id]) in all.iter_mut().zip(&ids) {
        let fields = fields.remove(id).unwrap_or_default();
        whole.push(("fields", Value::Object(fields)));
    }
    Ok(all)
}

pub(super) fn value(row: &AnyRow, place: usize) -> sqlx::Result<Value> {
    let text: Option<String> = row.try_get(place)?;
    Ok(text.map_or(Value::Null, Value::String))
}
