//! All rows of one CRM into another, in one transaction: a process that is killed meanwhile leaves the
//! target as it was. What there is to copy is read from the tables that the migrations make.

mod file;
mod schema;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use secrecy::{ExposeSecret, SecretString};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, Connection as _, Row as _, Transaction};

use super::migrations::MIGRATIONS;
use super::store::{Crm, CrmError, Database};
use file::{MadeBackup, Source};
use schema::{Kind, Table};

/// Rows that go into one statement.
const BATCH: usize = 100;

/// How many rows each table got.
pub type Counts = BTreeMap<String, u64>;

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A database failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// A file cannot be used.
    #[error("{}: {error}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file exists already.
    #[error("{} exists already: name another file, or add --replace", .0.display())]
    Exists(PathBuf),
    /// The file is something else.
    #[error("{} is no backup of a CRM", .0.display())]
    NoBackup(PathBuf),
    /// The tables have been changed by a later build.
    #[error("the tables to read are those of a newer worker: use that version")]
    Newer,
    /// The tables are those of an earlier build.
    #[error(
        "the tables to read are those of an earlier worker: start this version once, which brings them up to date"
    )]
    Older,
    /// The target holds something.
    #[error("the target holds {0} rows already; add --replace to remove them")]
    NotEmpty(u64),
    /// Source and target are one.
    #[error("both URLs are the same database")]
    Same,
    /// Somebody wrote meanwhile.
    #[error(
        "table {0} has other rows now than were copied, and nothing was changed: stop the workers first"
    )]
    Disturbed(String),
}

impl From<sqlx::Error> for CopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Crm(error.into())
    }
}

/// Writes everything into a new file, a SQLite database, while workers go on.
///
/// # Errors
/// When the database or the file cannot be used. There is no file then, or the one of before.
pub async fn back_up(url: &SecretString, file: &Path, replace: bool) -> Result<Counts, CopyError> {
    if !replace && file.exists() {
        return Err(CopyError::Exists(file.to_owned()));
    }
    let database = Database::existing(url.expose_secret());
    let mut from = database.connect().await?;
    is_current(&mut from).await?;
    let made = MadeBackup::begin(file)?;
    let tables = schema::tables().await?;
    if database.is_sqlite() {
        made.vacuum_into(&mut from).await?;
    } else {
        let mut to = made.open().await?;
        copy(&mut from, &mut to, &tables, &database).await?;
        to.close().await?;
    }
    let counts = made.counts(&tables).await?;
    made.finish()?;
    Ok(counts)
}

/// Replaces everything by what a file holds. The workers should not run.
///
/// # Errors
/// When the database or the file cannot be used. Nothing is changed then.
pub async fn restore(file: &Path, url: &SecretString) -> Result<Counts, CopyError> {
    let source = Source::open(file).await?;
    let database = Database::at(url.expose_secret());
    let mut to = match open_current(&database).await {
        Err(error) if database.is_sqlite() && error.is_damage() => {
            file::move_aside(url.expose_secret())?;
            open_current(&database).await?
        }
        opened => opened?,
    };
    let mut from = source.connect().await?;
    let tables = schema::tables().await?;
    copy(&mut from, &mut to, &tables, source.database()).await
}

/// Copies everything from one database into another one.
///
/// # Errors
/// When one cannot be used, or the target holds something and may not be replaced. Nothing is changed then.
pub async fn migrate(
    from: &SecretString,
    to: &SecretString,
    replace: bool,
) -> Result<Counts, CopyError> {
    if from.expose_secret() == to.expose_secret() {
        return Err(CopyError::Same);
    }
    let source = Database::existing(from.expose_secret());
    let mut from = source.connect().await?;
    is_current(&mut from).await?;
    let mut to = open_current(&Database::at(to.expose_secret())).await?;
    let tables = schema::tables().await?;
    let held: u64 = count(&mut to, &tables).await?.values().sum();
    if held > 0 && !replace {
        return Err(CopyError::NotEmpty(held));
    }
    copy(&mut from, &mut to, &tables, &source).await
}

/// How many rows a database holds, by table.
///
/// # Errors
/// When it cannot be read.
pub async fn held(url: &SecretString) -> Result<Counts, CopyError> {
    let mut connection = open_current(&Database::at(url.expose_secret())).await?;
    count(&mut connection, &schema::tables().await?).await
}

/// Whether the worker can use the database, and what there is to say of it.
///
/// # Errors
/// What is wrong with it.
pub async fn examine(url: &SecretString) -> Result<&'static str, CopyError> {
    Crm::check_url(url)?;
    let mut connection = Database::at(url.expose_secret()).connect().await?;
    match schema::version(&mut connection).await? {
        0 => Ok("it answers; its tables are made when the worker starts"),
        version if version < schema::current() => {
            Ok("it answers; its tables are brought up to date when the worker starts")
        }
        version if version > schema::current() => Err(CopyError::Newer),
        _ => {
            Crm::new(url)?.check_writable().await?;
            Ok("it answers, and takes writes")
        }
    }
}

async fn open_current(database: &Database) -> Result<AnyConnection, CrmError> {
    let mut connection = database.connect().await?;
    MIGRATIONS.run(&mut connection).await?;
    Ok(connection)
}

/// Whether the tables are those of this build.
async fn is_current(connection: &mut AnyConnection) -> Result<(), CopyError> {
    let version = schema::version(connection).await?;
    match version.cmp(&schema::current()) {
        std::cmp::Ordering::Less => Err(CopyError::Older),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(CopyError::Newer),
    }
}

async fn count(connection: &mut AnyConnection, tables: &[Table]) -> Result<Counts, CopyError> {
    let mut counts = Counts::new();
    for table in tables {
        let rows = table.count_on(&mut *connection).await?;
        counts.insert(table.name.clone(), rows);
    }
    Ok(counts)
}

/// Replaces what the target holds. `source` is where `from` leads.
async fn copy(
    from: &mut AnyConnection,
    to: &mut AnyConnection,
    tables: &[Table],
    source: &Database,
) -> Result<Counts, CopyError> {
    let mut from = source.begin_reading(from).await?;
    let mut to = to.begin().await?;
    for table in tables.iter().rev() {
        let delete = format!("DELETE FROM {}", table.quoted());
        sqlx::query(sqlx::AssertSqlSafe(delete))
            .execute(&mut *to)
            .await?;
    }
    let mut counts = Counts::new();
    for table in tables {
        let rows = copy_table(&mut from, &mut to, table).await?;
        if table.count_on(&mut *to).await? != rows {
            return Err(CopyError::Disturbed(table.name.clone()));
        }
        counts.insert(table.name.clone(), rows);
    }
    to.commit().await?;
    Ok(counts)
}

async fn copy_table(
    from: &mut Transaction<'_, Any>,
    to: &mut Transaction<'_, Any>,
    table: &Table,
) -> Result<u64, CopyError> {
    let select = format!("SELECT {} FROM {}", table.columns_quoted(), table.quoted());
    let mut rows = sqlx::query(sqlx::AssertSqlSafe(select)).fetch(&mut **from);
    let mut copied = 0;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let row = rows.try_next().await?;
        let is_end = row.is_none();
        batch.extend(row);
        if batch.len() == BATCH || is_end && !batch.is_empty() {
            insert(to, table, &batch).await?;
            copied += batch.len() as u64;
            batch.clear();
        }
        if is_end {
            return Ok(copied);
        }
    }
}

async fn insert(
    to: &mut Transaction<'_, Any>,
    table: &Table,
    rows: &[AnyRow],
) -> Result<(), CopyError> {
    let statement = table.insert(rows.len());
    let mut insert = sqlx::query(sqlx::AssertSqlSafe(statement));
    for row in rows {
        for (place, column) in table.columns.iter().enumerate() {
            insert = bind(insert, row, place, column.kind)?;
        }
    }
    insert.execute(&mut **to).await?;
    Ok(())
}

/// PostgreSQL wants to know of which type nothing is.
fn bind<'q>(
    query: Query<'q, Any, AnyArguments>,
    row: &AnyRow,
    place: usize,
    kind: Kind,
) -> sqlx::Result<Query<'q, Any, AnyArguments>> {
    Ok(match kind {
        Kind::Text => query.bind(row.try_get::<Option<String>, _>(place)?),
        Kind::Whole => query.bind(row.try_get::<Option<i64>, _>(place)?),
        Kind::Real => query.bind(row.try_get::<Option<f64>, _>(place)?),
        Kind::Bytes => query.bind(row.try_get::<Option<Vec<u8>>, _>(place)?),
    })
}
