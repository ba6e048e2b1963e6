//! What the console keeps: sessions, tokens of programs, and who did what.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::store::{Crm, CrmError, text};

/// A session ends when nothing was done in it for so long.
pub const IDLE: SignedDuration = SignedDuration::from_hours(8);
/// A session ends so long after the login, whatever is done in it.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// That somebody was there is noted this often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Acts are kept for so long.
const KEPT: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What it is called by those who end it: not what the browser has.
    pub id: String,
    /// Who, by their own word.
    pub operator: String,
    /// Since when.
    pub created_at: String,
    /// When they were last there.
    pub seen_at: String,
}

/// A program that may use the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called.
    pub name: String,
    /// Since when.
    pub created_at: String,
    /// When it was used last.
    pub used_at: Option<String>,
}

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// When.
    pub at: String,
    /// Who, by their own word.
    pub by: String,
    /// `page`, `api` or `command`.
    pub via: String,
    /// What: `handover.take`, `person.erase`.
    pub act: String,
    /// The id of what it was done to.
    pub subject: Option<String>,
    /// Why, in their words.
    pub note: Option<String>,
}

/// Something that is done now.
#[derive(Debug, Clone, Copy)]
pub struct NewAct<'a> {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: &'a str,
    /// `page`, `api` or `command`.
    pub via: &'static str,
    /// What.
    pub act: &'static str,
    /// The id of what it is done to.
    pub subject: Option<&'a str>,
    /// Why, in their words.
    pub note: Option<&'a str>,
    /// Whom it is about.
    pub contact: Option<&'a str>,
}

/// What the database knows a secret by.
fn hashed(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

fn before(now: Timestamp, span: SignedDuration) -> String {
    text(now.saturating_sub(span).unwrap_or(Timestamp::MIN))
}

impl Crm {
    /// Begins a session, which lasts as long as `password` is what logins are checked by; forgets those that
    /// are over.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin_session(
        &self,
        secret: &str,
        operator: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<(), CrmError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM console_sessions WHERE seen_at < $1 OR created_at < $2")
            .bind(before(now, IDLE))
            .bind(before(now, LONGEST))
            .execute(&mut *transaction)
            .await?;
        let insert = "INSERT INTO console_sessions (id, operator, password, created_at, seen_at) \
                      VALUES ($1, $2, $3, $4, $4)";
        sqlx::query(insert)
            .bind(hashed(secret))
            .bind(operator)
            .bind(hashed(password))
            .bind(text(now))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Who has this secret and is logged in by this password; notes that they were there.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn session(
        &self,
        secret: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Session>, CrmError> {
        let id = hashed(secret);
        let select = "SELECT id, operator, created_at, seen_at FROM console_sessions \
                      WHERE id = $1 AND seen_at >= $2 AND created_at >= $3 AND password = $4";
        let found: Option<(String, String, String, String)> = sqlx::query_as(select)
            .bind(&id)
            .bind(before(now, IDLE))
            .bind(before(now, LONGEST))
            .bind(hashed(password))
            .fetch_optional(&self.pool)
            .await?;
        let session = found.map(session_of);
        if let Some(session) = &session
            && session.seen_at < before(now, NOTED_EVERY)
        {
            sqlx::query("UPDATE console_sessions SET seen_at = $1 WHERE id = $2")
                .bind(text(now))
                .bind(&id)
                .execute(&self.pool)
                .await?;
        }
        Ok(session)
    }

    /// Who is logged in, the newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn sessions(&self, now: Timestamp) -> Result<Vec<Session>, CrmError> {
        let select = "SELECT id, operator, created_at, seen_at FROM console_sessions \
                      WHERE seen_at >= $1 AND created_at >= $2 ORDER BY created_at DESC";
        let found: Vec<(String, String, String, String)> = sqlx::query_as(select)
            .bind(before(now, IDLE))
            .bind(before(now, LONGEST))
            .fetch_all(&self.pool)
            .await?;
        Ok(found.into_iter().map(session_of).collect())
    }

    /// Ends a session, or all without an id. How many that were.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn end_sessions(&self, id: Option<&str>) -> Result<u64, CrmError> {
        let delete = "DELETE FROM console_sessions WHERE $1 = '' OR id = $1";
        let deleted = sqlx::query(delete).bind(id.unwrap_or_default());
        Ok(deleted.execute(&self.pool).await?.rows_affected())
    }

    /// Ends the sessions that were begun with another password. How many that were.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn end_sessions_without(&self, password: &str) -> Result<u64, CrmError> {
        let delete = "DELETE FROM console_sessions WHERE password <> $1";
        let deleted = sqlx::query(delete).bind(hashed(password));
        Ok(deleted.execute(&self.pool).await?.rows_affected())
    }

    /// Lets a program use the API. False when there is one of this name.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn add_token(
        &self,
        secret: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, CrmError> {
        let insert = "INSERT INTO console_tokens (id, name, created_at) VALUES ($1, $2, $3) \
                      ON CONFLICT DO NOTHING";
        let inserted = sqlx::query(insert)
            .bind(hashed(secret))
            .bind(name)
            .bind(text(now));
        Ok(inserted.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// The name of the program that has this secret; notes that it was used.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn token(&self, secret: &str, now: Timestamp) -> Result<Option<String>, CrmError> {
        let id = hashed(secret);
        let select = "SELECT name, used_at FROM console_tokens WHERE id = $1";
        let found: Option<(String, Option<String>)> = sqlx::query_as(select)
            .bind(&id)
            .fetch_optional(&self.pool)
            .await?;
        let Some((name, used_at)) = found else {
            return Ok(None);
        };
        if used_at.is_none_or(|used_at| used_at < before(now, NOTED_EVERY)) {
            sqlx::query("UPDATE console_tokens SET used_at = $1 WHERE id = $2")
                .bind(text(now))
                .bind(&id)
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(name))
    }

    /// The programs that may use the API.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tokens(&self) -> Result<Vec<Token>, CrmError> {
        let select = "SELECT name, created_at, used_at FROM console_tokens ORDER BY name";
        let found: Vec<(String, String, Option<String>)> =
            sqlx::query_as(select).fetch_all(&self.pool).await?;
        let token = |(name, created_at, used_at)| Token {
            name,
            created_at,
            used_at,
        };
        Ok(found.into_iter().map(token).collect())
    }

    /// Takes the right to use the API from a program. False when there is none of this name.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn remove_token(&self, name: &str) -> Result<bool, CrmError> {
        let delete = sqlx::query("DELETE FROM console_tokens WHERE name = $1").bind(name);
        Ok(delete.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Notes that somebody did something; forgets what is older than two years.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn note_act(&self, act: NewAct<'_>) -> Result<(), CrmError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM console_acts WHERE at < $1")
            .bind(before(act.at, KEPT))
            .execute(&mut *transaction)
            .await?;
        let insert = "INSERT INTO console_acts (id, at, by_whom, via, act, subject, note, contact_id) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        sqlx::query(insert)
            .bind(format!("act_{}", uuid::Uuid::now_v7().simple()))
            .bind(text(act.at))
            .bind(act.by)
            .bind(act.via)
            .bind(act.act)
            .bind(act.subject)
            .bind(act.note)
            .bind(act.contact)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// What was done, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn acts(&self, limit: u32) -> Result<Vec<Act>, CrmError> {
        type Found = (
            String,
            String,
            String,
            String,
            Option<String>,
            Option<String>,
        );
        let select = format!(
            "SELECT at, by_whom, via, act, subject, note FROM console_acts \
             ORDER BY at DESC, id DESC LIMIT {limit}"
        );
        let found: Vec<Found> = sqlx::query_as(sqlx::AssertSqlSafe(select))
            .fetch_all(&self.pool)
            .await?;
        let act = |(at, by, via, act, subject, note)| Act {
            at,
            by,
            via,
            act,
            subject,
            note,
        };
        Ok(found.into_iter().map(act).collect())
    }
}

fn session_of(row: (String, String, String, String)) -> Session {
    let (id, operator, created_at, seen_at) = row;
    Session {
        id,
        operator,
        created_at,
        seen_at,
    }
}
