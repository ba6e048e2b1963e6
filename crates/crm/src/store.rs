//! The database. The statements are the same for SQLite and PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use shared_types::connection_failure;
use sqlx::any::AnyPoolOptions;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Transaction};

use super::write::{CrmWrite, Noted};
use super::writer::Writer;
use crate::metrics::CrmMetrics;
use crate::migrations::MIGRATIONS;

const CONNECTIONS: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(3);
/// How many other processes may be at the tables of a SQLite file.
const OTHERS: usize = 8;
const BETWEEN_MIGRATIONS: Duration = Duration::from_millis(100);

/// The CRM's database.
#[derive(Debug, Clone)]
pub struct Crm {
    pub(super) pool: AnyPool,
    pub(super) is_sqlite: bool,
    writer: Writer,
}

/// How much of a person the CRM had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rows {
    /// Contacts.
    pub contacts: u64,
    /// Their addresses.
    pub addresses: u64,
    /// Their leads.
    pub leads: u64,
    /// Their appointments.
    pub appointments: u64,
    /// Their questions.
    pub questions: u64,
    /// Their hand-overs.
    pub handovers: u64,
    /// What colleagues were told of them.
    pub notices: u64,
}

/// What went wrong with the CRM. Never holds what customers wrote.
#[derive(Debug, thiserror::Error)]
pub enum CrmError {
    /// Not a URL of SQLite or PostgreSQL.
    #[error("CRM_DATABASE_URL: must be sqlite:… or postgres://…")]
    Url,
    /// A SQLite without a file.
    #[error(
        "CRM_DATABASE_URL: names no file, and everything would be forgotten at the end: write sqlite:crm.sqlite"
    )]
    NoFile,
    /// The database cannot be reached, or refused.
    #[error("crm database: {}", describe(.0))]
    Database(#[from] sqlx::Error),
    /// The tables cannot be made.
    #[error("crm migrations: {0}")]
    Migrate(#[from] MigrateError),
    /// The database does not answer in time.
    #[error("crm database: no answer in time")]
    Slow,
    /// Several writes failed with the same error.
    #[error(transparent)]
    Together(Arc<CrmError>),
    /// The process ends.
    #[error("crm: the process ends")]
    Ended,
}

impl CrmError {
    /// Whether the database answered and refused the values: trying again changes nothing.
    pub fn is_refusal(&self) -> bool {
        // SQLSTATE classes 22 (data) and 23 (integrity); SQLITE_CONSTRAINT is 19 and its kin.
        self.code_matches(&["22", "23"], Some(19))
    }

    /// Whether it may be about one write of several: then the others go without it.
    pub(super) fn may_be_of_one(&self) -> bool {
        // SQLSTATE class 40: another transaction was in the way.
        self.is_refusal() || self.code_matches(&["40"], None)
    }

    /// Whether a new connection may help.
    pub(super) fn may_be_of_connection(&self) -> bool {
        matches!(self, Self::Database(_)) && !self.is_refusal()
    }

    /// Whether the file is no database, or one that cannot be read any more.
    pub(super) fn is_damage(&self) -> bool {
        let (Self::Database(error) | Self::Migrate(MigrateError::Execute(error))) = self else {
            return false;
        };
        let code = error.as_database_error().and_then(DatabaseError::code);
        let primary = code
            .and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff);
        matches!(primary, Some(11 | 26))
    }

    fn code_matches(&self, classes: &[&str], sqlite: Option<u32>) -> bool {
        let error = match self {
            Self::Database(sqlx::Error::Database(error)) => error,
            Self::Together(error) => return error.code_matches(classes, sqlite),
            _ => return false,
        };
        error.code().is_some_and(|code| {
            let class = code.get(..2).filter(|_| code.len() == 5);
            let primary = code.parse::<u32>().ok().map(|number| number & 0xff);
            match class {
                Some(class) => classes.contains(&class),
                None => primary.is_some() && primary == sqlite,
            }
        })
    }
}

/// The kind of error and its code, without the statement or its values.
fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => match database.code() {
            Some(code) => match meaning(&code) {
                Some(meaning) => format!("{meaning} ({code})"),
                None => format!("refused with {code}"),
            },
            None => "refused".into(),
        },
        sqlx::Error::PoolTimedOut => {
            "no connection in time; is it running, and is its address right?".into()
        }
        sqlx::Error::Io(error) => connection_failure(error).unwrap_or_else(|| error.to_string()),
        sqlx::Error::Tls(error) => {
            let cause = connection_failure(error.as_ref());
            cause.unwrap_or_else(|| {
                "it does not speak TLS; leave sslmode out, or set it up there".into()
            })
        }
        sqlx::Error::Protocol(_) => "something else listens at this port: check the port".into(),
        sqlx::Error::Configuration(_) => "its URL cannot be read".into(),
        _ => "failed".into(),
    }
}

/// What a code means here: SQLite's primary and extended result codes (<https://sqlite.org/rescode.html>), and
/// SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn meaning(code: &str) -> Option<&'static str> {
    Some(match code {
        "8" | "264" | "520" | "776" | "1032" | "1288" => "its file may only be read",
        "13" => "its disk is full",
        "10" | "266" | "522" | "778" | "1034" | "1290" => "its disk fails",
        "14" | "270" | "526" | "782" | "1038" => {
            "its file cannot be opened: the folder must exist and be writable"
        }
        "11" | "523" | "779" => "its file is damaged: restore a backup",
        "26" => "its file is no SQLite database",
        "5" | "6" | "517" => "another process keeps it locked",
        "28P01" | "28000" => "user or password are wrong",
        "3D000" => "there is no database of this name",
        "42501" => "its user lacks a permission",
        "42P01" => "its tables are not made: the user must be allowed to make them",
        "25006" => "it takes no writes: it is a replica, or set to read only",
        "53100" => "its disk is full",
        "53300" => "it has too many connections",
        "57P03" => "it starts up or shuts down",
        _ => return None,
    })
}

impl Crm {
    /// Whether a URL is one of SQLite or PostgreSQL.
    ///
    /// # Errors
    /// When it is neither.
    pub fn check_url(url: &SecretString) -> Result<(), CrmError> {
        let url = url.expose_secret();
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !known.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(CrmError::Url);
        }
        let file = url
            .strip_prefix("sqlite:")
            .map(|file| file.trim_start_matches('/'));
        let file = file.and_then(|file| file.split('?').next());
        match file {
            Some("" | ":memory:") => Err(CrmError::NoFile),
            _ => Ok(()),
        }
    }

    /// Prepares the connections; none is opened yet, so the database may be away. Needs a runtime.
    ///
    /// # Errors
    /// When the URL is none of SQLite or PostgreSQL.
    pub fn new(url: &SecretString) -> Result<Self, CrmError> {
        Self::open(url, None)
    }

    /// The same, and its transactions are counted.
    ///
    /// # Errors
    /// When the URL is none of SQLite or PostgreSQL.
    pub fn counted(url: &SecretString, metrics: &CrmMetrics) -> Result<Self, CrmError> {
        Self::open(url, Some(metrics.clone()))
    }

    fn open(url: &SecretString, metrics: Option<CrmMetrics>) -> Result<Self, CrmError> {
        Self::check_url(url)?;
        sqlx::any::install_default_drivers();
        let database = Database::at(url.expose_secret());
        let is_sqlite = database.is_sqlite;
        let options = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                Box::pin(async move { prepare(connection, is_sqlite).await })
            });
        let pool = options.connect_lazy(database.url.expose_secret());
        Ok(Self {
            pool: pool.map_err(|_| CrmError::Url)?,
            is_sqlite,
            writer: Writer::start(database, metrics),
        })
    }

    /// Makes the tables, or brings them up to date.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn migrate(&self) -> Result<(), CrmError> {
        // SQLite lets two processes begin the same step. One of them fails, and finds it done after.
        for _ in 0..if self.is_sqlite { OTHERS } else { 0 } {
            if MIGRATIONS.run(&self.pool).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_MIGRATIONS).await;
        }
        Ok(MIGRATIONS.run(&self.pool).await?)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), CrmError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Whether the database takes a write, asked by one that is committed: a database that is full or may only
    /// be read answers questions all the same.
    ///
    /// # Errors
    /// When it does not; the error says why.
    pub async fn check_writable(&self) -> Result<(), CrmError> {
        let written = "INSERT INTO watermarks (name, value) VALUES ('writable', $1) \
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let now = Timestamp::now().as_millisecond();
        let mut transaction = self.begin().await?;
        sqlx::query(written)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Applies a write in one transaction, with others that wait. Applied again it changes nothing and
    /// answers the same.
    ///
    /// # Errors
    /// When the database cannot be reached or refuses; nothing was written then.
    pub async fn apply(&self, write: &CrmWrite) -> Result<Noted, CrmError> {
        self.writer.apply(write.clone()).await
    }

    /// Every contact's id with each of its addresses, and each of its leads' conversations.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn addresses(&self) -> Result<Vec<(String, String)>, CrmError> {
        let select = "SELECT contact_id, address FROM contact_addresses \
                      UNION SELECT contact_id, conversation_id FROM leads \
                      UNION SELECT id, '' FROM contacts";
        Ok(sqlx::query_as(select).fetch_all(&self.pool).await?)
    }

    /// Removes everything about these contacts, or only counts it when `dry`.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn erase(&self, contacts: &[String], dry: bool) -> Result<Rows, CrmError> {
        let mut rows = Rows::default();
        let mut transaction = self.begin().await?;
        for contact in contacts {
            for (count, table) in [
                (&mut rows.addresses, "contact_addresses"),
                (&mut rows.leads, "leads"),
                (&mut rows.appointments, "appointments"),
                (&mut rows.questions, "questions"),
                (&mut rows.handovers, "handovers"),
                (&mut rows.notices, "notices"),
            ] {
                let select = format!("SELECT COUNT(*) FROM {table} WHERE contact_id = $1");
                let select = sqlx::query_scalar(sqlx::AssertSqlSafe(select)).bind(contact);
                *count += select
                    .fetch_one(&mut *transaction)
                    .await
                    .map(|n: i64| n.unsigned_abs())?;
            }
            // That something was done stays, but not to whom.
            let blank = "UPDATE console_acts SET subject = NULL, note = NULL WHERE contact_id = $1";
            let blank = sqlx::query(blank).bind(contact);
            blank.execute(&mut *transaction).await?;
            // Everything that hangs on it goes along.
            let delete = sqlx::query("DELETE FROM contacts WHERE id = $1").bind(contact);
            rows.contacts += delete.execute(&mut *transaction).await?.rows_affected();
        }
        if dry {
            transaction.rollback().await?;
        } else {
            transaction.commit().await?;
            self.forget_deleted().await?;
        }
        Ok(rows)
    }

    /// SQLite keeps what was deleted in its log until somebody moves it on.
    async fn forget_deleted(&self) -> Result<(), sqlx::Error> {
        if self.is_sqlite {
            sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'_, Any>, sqlx::Error> {
        if self.is_sqlite {
            self.pool.begin_with(BEGIN_ON_SQLITE).await
        } else {
            self.pool.begin().await
        }
    }
}

/// SQLite takes the write lock at the start: a transaction that reads first and then has to wait for the
/// lock would be refused instead.
const BEGIN_ON_SQLITE: &str = "BEGIN IMMEDIATE";

/// Where the database is.
#[derive(Debug, Clone)]
pub(super) struct Database {
    url: SecretString,
    is_sqlite: bool,
}

impl Database {
    /// One that is made when it is not there.
    pub(super) fn at(url: &str) -> Self {
        Self::opened(url, "rwc")
    }

    /// One that must be there.
    pub(super) fn existing(url: &str) -> Self {
        Self::opened(url, "rw")
    }

    fn opened(url: &str, mode: &str) -> Self {
        let is_sqlite = url.starts_with("sqlite:");
        let url = if is_sqlite && !url.contains("mode=") {
            let mark = if url.contains('?') { '&' } else { '?' };
            format!("{url}{mark}mode={mode}")
        } else {
            url.to_owned()
        };
        Self {
            url: url.into(),
            is_sqlite,
        }
    }

    pub(super) const fn is_sqlite(&self) -> bool {
        self.is_sqlite
    }

    /// The URL, with its password.
    pub(super) fn address(&self) -> &str {
        self.url.expose_secret()
    }

    /// A transaction that sees one moment from its first to its last question.
    pub(super) async fn begin_reading<'c>(
        &self,
        connection: &'c mut AnyConnection,
    ) -> sqlx::Result<Transaction<'c, Any>> {
        if self.is_sqlite {
            connection.begin().await
        } else {
            let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
            connection.begin_with(begin).await
        }
    }

    /// A connection beside the pool.
    pub(super) async fn connect(&self) -> sqlx::Result<AnyConnection> {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(self.url.expose_secret()).await?;
        prepare(&mut connection, self.is_sqlite).await?;
        Ok(connection)
    }

    pub(super) async fn begin_on<'c>(
        &self,
        connection: &'c mut AnyConnection,
    ) -> sqlx::Result<Transaction<'c, Any>> {
        if self.is_sqlite {
            connection.begin_with(BEGIN_ON_SQLITE).await
        } else {
            connection.begin().await
        }
    }
}

/// Several workers on one machine share the file: readers never wait, writers queue. Foreign keys are off
/// by default in SQLite.
async fn prepare(connection: &mut AnyConnection, is_sqlite: bool) -> sqlx::Result<()> {
    if is_sqlite {
        for pragma in [
            "PRAGMA journal_mode = WAL",
            "PRAGMA busy_timeout = 5000",
            "PRAGMA foreign_keys = ON",
            "PRAGMA synchronous = NORMAL",
            "PRAGMA secure_delete = ON",
            // What a statement may have to undo is no file that is made and removed for each.
            "PRAGMA temp_store = MEMORY",
            // Beyond 64 MB of log whoever commits copies it; below, nobody waits for that (see `checkpoints`).
            "PRAGMA wal_autocheckpoint = 16000",
        ] {
            sqlx::raw_sql(pragma).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// UTC with a fixed number of digits.
pub(super) fn text(at: Timestamp) -> String {
    format!("{at:.6}")
}
