//! The tables as the migrations make them: read from a database in memory, which is the same on SQLite and
//! PostgreSQL. A table that a later migration adds is copied without a word here.

use std::collections::BTreeSet;

use sqlx::{Any, AnyConnection, Connection as _, Executor};

use super::CopyError;
use crate::CrmError;
use crate::migrations::MIGRATIONS;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Real,
    Bytes,
}

#[derive(Debug)]
pub(super) struct Column {
    name: String,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The tables that its rows refer to.
    needs: BTreeSet<String>,
}

/// The number of the last migration that this build knows.
pub(super) fn current() -> i64 {
    let versions = MIGRATIONS.iter().map(|migration| migration.version);
    versions.max().unwrap_or_default()
}

/// The number of the last migration that a database has had; 0 when it has no CRM.
pub(super) async fn version(connection: &mut AnyConnection) -> Result<i64, CopyError> {
    let last = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
    let last: Result<Option<i64>, _> = sqlx::query_scalar(last).fetch_one(connection).await;
    match last {
        Ok(last) => Ok(last.unwrap_or_default()),
        // No such table.
        Err(sqlx::Error::Database(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Every table, each behind those that it refers to.
pub(super) async fn tables() -> Result<Vec<Table>, CopyError> {
    sqlx::any::install_default_drivers();
    let mut memory = AnyConnection::connect("sqlite::memory:").await?;
    MIGRATIONS.run(&mut memory).await.map_err(CrmError::from)?;
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                 AND name <> '_sqlx_migrations' ORDER BY name";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut memory).await?;
    let mut tables = Vec::new();
    for name in names {
        tables.push(read(&mut memory, name).await?);
    }
    Ok(in_order(tables))
}

async fn read(memory: &mut AnyConnection, name: String) -> Result<Table, CopyError> {
    let columns = "SELECT name, type FROM pragma_table_info($1) ORDER BY cid";
    let columns: Vec<(String, String)> = sqlx::query_as(columns)
        .bind(&name)
        .fetch_all(&mut *memory)
        .await?;
    let needs = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)";
    let needs: Vec<String> = sqlx::query_scalar(needs)
        .bind(&name)
        .fetch_all(memory)
        .await?;
    let column = |(name, declared): (String, String)| Column {
        name,
        kind: kind(&declared),
    };
    Ok(Table {
        columns: columns.into_iter().map(column).collect(),
        needs: needs.into_iter().filter(|other| *other != name).collect(),
        name,
    })
}

/// As SQLite reads a declared type (<https://sqlite.org/datatype3.html>, 3.1).
fn kind(declared: &str) -> Kind {
    let declared = declared.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
    if has(&["INT"]) {
        Kind::Whole
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Kind::Text
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        Kind::Real
    } else {
        Kind::Bytes
    }
}

fn in_order(mut waiting: Vec<Table>) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_there = |name: &String| ordered.iter().any(|table| table.name == *name);
        let ready = waiting
            .iter()
            .position(|table| table.needs.iter().all(is_there));
        // Tables that refer to each other in a circle have no order; the first one is as good as any.
        ordered.push(waiting.remove(ready.unwrap_or(0)));
    }
    ordered
}

impl Table {
    pub(super) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    pub(super) fn columns_quoted(&self) -> String {
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        names.join(", ")
    }

    /// The statement that adds this many rows.
    pub(super) fn insert(&self, rows: usize) -> String {
        let width = self.columns.len();
        let row = |row: usize| {
            let places: Vec<_> = (1..=width)
                .map(|column| format!("${}", row * width + column))
                .collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<_> = (0..rows).map(row).collect();
        format!(
            "INSERT INTO {} ({}) VALUES {}",
            self.quoted(),
            self.columns_quoted(),
            rows.join(", ")
        )
    }

    pub(super) async fn count_on<'c, E>(&self, executor: E) -> sqlx::Result<u64>
    where
        E: Executor<'c, Database = Any>,
    {
        let count = format!("SELECT COUNT(*) FROM {}", self.quoted());
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .fetch_one(executor)
            .await?;
        Ok(count.unsigned_abs())
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_table_of_the_migrations_stands_behind_what_it_refers_to() {
        let tables = tables().await.unwrap();
        let place = |name: &str| tables.iter().position(|table| table.name == name).unwrap();
        assert!(place("contacts") < place("leads") && place("leads") < place("lead_fields"));
        for table in &tables {
            assert!(!table.columns.is_empty(), "{}", table.name);
            for needed in &table.needs {
                assert!(
                    place(needed) < place(&table.name),
                    "{} needs {needed}",
                    table.name
                );
            }
            let strange = table
                .columns
                .iter()
                .find(|column| column.kind == Kind::Bytes);
            assert!(
                strange.is_none(),
                "{}: {strange:?}; is it the same on PostgreSQL?",
                table.name
            );
        }
    }
}
