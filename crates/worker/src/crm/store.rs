//! The database, and what a turn writes into it in one transaction. The statements are the same for
//! SQLite and PostgreSQL.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyPool, Transaction};

use super::write::{CrmWrite, Noted};
use super::{appointments, contacts, handovers, leads, questions};

static MIGRATIONS: Migrator = sqlx::migrate!();

const CONNECTIONS: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(3);
/// How many other processes may be at the tables of a SQLite file.
const OTHERS: usize = 8;
const BETWEEN_MIGRATIONS: Duration = Duration::from_millis(100);

/// The CRM's database.
#[derive(Debug, Clone)]
pub struct Crm {
    pub(super) pool: AnyPool,
    is_sqlite: bool,
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
    /// Their hand-overs.
    pub handovers: u64,
}

/// What went wrong with the CRM. Never holds what customers wrote.
#[derive(Debug, thiserror::Error)]
pub enum CrmError {
    /// Not a URL of SQLite or PostgreSQL.
    #[error("CRM_DATABASE_URL: must be sqlite:… or postgres://…")]
    Url,
    /// The database cannot be reached, or refused.
    #[error("crm database: {}", describe(.0))]
    Database(#[from] sqlx::Error),
    /// The tables cannot be made.
    #[error("crm migrations: {0}")]
    Migrate(#[from] MigrateError),
}

impl CrmError {
    /// Whether the database answered and refused the values: trying again changes nothing.
    pub fn is_refusal(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else {
            return false;
        };
        // SQLSTATE classes 22 (data) and 23 (integrity); SQLITE_CONSTRAINT is 19 and its kin.
        error.code().is_some_and(|code| {
            let class = code.get(..2).filter(|_| code.len() == 5);
            let primary = code.parse::<u32>().ok().map(|number| number & 0xff);
            matches!(class, Some("22" | "23")) || (class.is_none() && primary == Some(19))
        })
    }
}

/// The kind of error and its code, without the statement or its values.
fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database
            .code()
            .map_or_else(|| "refused".into(), |code| format!("refused with {code}")),
        sqlx::Error::PoolTimedOut => "no connection in time".into(),
        sqlx::Error::Io(error) => error.to_string(),
        _ => "failed".into(),
    }
}

impl Crm {
    /// Whether a URL is one of SQLite or PostgreSQL.
    ///
    /// # Errors
    /// When it is neither.
    pub fn check_url(url: &SecretString) -> Result<(), CrmError> {
        let url = url.expose_secret();
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if known.iter().any(|scheme| url.starts_with(scheme)) {
            Ok(())
        } else {
            Err(CrmError::Url)
        }
    }

    /// Prepares the connections; none is opened yet, so the database may be away. Needs a runtime.
    ///
    /// # Errors
    /// When the URL is none of SQLite or PostgreSQL.
    pub fn new(url: &SecretString) -> Result<Self, CrmError> {
        Self::check_url(url)?;
        let url = url.expose_secret();
        let is_sqlite = url.starts_with("sqlite:");
        sqlx::any::install_default_drivers();
        let options = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE);
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move {
                if is_sqlite {
                    // Several workers on one machine share the file: readers never wait, writers
                    // queue. Foreign keys are off by default in SQLite.
                    for pragma in [
                        "journal_mode = WAL",
                        "busy_timeout = 5000",
                        "foreign_keys = ON",
                        "synchronous = NORMAL",
                        "secure_delete = ON",
                    ] {
                        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("PRAGMA {pragma}")))
                            .execute(&mut *connection)
                            .await?;
                    }
                }
                Ok(())
            })
        });
        let url = if is_sqlite && !url.contains("mode=") {
            let mark = if url.contains('?') { '&' } else { '?' };
            format!("{url}{mark}mode=rwc")
        } else {
            url.to_owned()
        };
        let pool = options.connect_lazy(&url).map_err(|_| CrmError::Url)?;
        Ok(Self { pool, is_sqlite })
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

    /// Applies a write in one transaction. Applied again it changes nothing and answers the same.
    ///
    /// # Errors
    /// When the database cannot be reached or refuses; nothing was written then.
    pub async fn apply(&self, write: &CrmWrite) -> Result<Noted, CrmError> {
        let mut transaction = self.begin().await?;
        let contact_id = contacts::upsert(&mut transaction, write).await?;
        let created_by: String =
            sqlx::query_scalar("SELECT created_by FROM contacts WHERE id = $1")
                .bind(&contact_id)
                .fetch_one(&mut *transaction)
                .await?;
        let lead = match &write.lead {
            Some(lead) => Some(leads::upsert(&mut transaction, &contact_id, write, lead).await?),
            None => None,
        };
        for appointment in &write.appointments {
            appointments::upsert(&mut transaction, &contact_id, write, appointment).await?;
        }
        let lead_id = lead.as_ref().map(|lead| lead.id.as_str());
        for question in &write.questions {
            questions::note(&mut transaction, &contact_id, write, lead_id, question).await?;
        }
        if let Some(handover) = &write.handover {
            handovers::upsert(&mut transaction, &contact_id, write, handover).await?;
        }
        transaction.commit().await?;
        Ok(Noted {
            contact_created: created_by == write.message,
            contact_id,
            lead_created: lead.is_some_and(|lead| lead.created),
        })
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
                (&mut rows.handovers, "handovers"),
            ] {
                let select = format!("SELECT COUNT(*) FROM {table} WHERE contact_id = $1");
                let select = sqlx::query_scalar(sqlx::AssertSqlSafe(select)).bind(contact);
                *count += select
                    .fetch_one(&mut *transaction)
                    .await
                    .map(|n: i64| n.unsigned_abs())?;
            }
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

    /// SQLite takes the write lock at the start: a transaction that reads first and then has to wait
    /// for the lock would be refused instead.
    pub(super) async fn begin(&self) -> Result<Transaction<'_, Any>, sqlx::Error> {
        if self.is_sqlite {
            self.pool.begin_with("BEGIN IMMEDIATE").await
        } else {
            self.pool.begin().await
        }
    }
}

/// UTC with a fixed number of digits.
pub(super) fn text(at: Timestamp) -> String {
    format!("{at:.6}")
}
