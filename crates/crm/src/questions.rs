//! Questions that a colleague has to answer, and messages that were not understood for sure; what colleagues say
//! that they mean.

use jiff::{SignedDuration, Timestamp};
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::Place;
use super::store::{Crm, CrmError, text};
use super::write::{CrmWrite, QuestionWrite, Unclear};

/// What was not understood for sure, and nobody labelled, is forgotten after so long.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Labels that are exported at once: more than anybody pastes.
const LABELS: u16 = 5_000;

/// Words of a customer that a colleague should look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its id.
    pub id: String,
    /// In the customer's words.
    pub words: String,
    /// What it is about: a fact, an attribute, or the intent that was guessed.
    pub topic: String,
    /// When it was asked.
    pub asked_at: String,
    /// The conversation.
    pub conversation: Option<String>,
    /// The language that it was answered in.
    pub language: Option<String>,
    /// How sure the guess is, 0 to 1.
    pub confidence: Option<f64>,
    /// What a colleague says that it means.
    pub label: Option<Label>,
}

/// What words mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// One of the domain's intents.
    Intent(String),
    /// One of the domain's facts answers it.
    Fact(String),
    /// A fact that the domain should have: its name, and its answer.
    NewFact(String, String),
    /// Nothing that the domain should know.
    Nothing,
}

impl Label {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Intent(_) => "intent",
            Self::Fact(_) => "fact",
            Self::NewFact(..) => "new_fact",
            Self::Nothing => "nothing",
        }
    }

    /// The name of the intent or fact; empty for nothing.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Intent(name) | Self::Fact(name) | Self::NewFact(name, _) => name,
            Self::Nothing => "",
        }
    }

    fn read(kind: &str, name: String, answer: String) -> Option<Self> {
        Some(match kind {
            "intent" => Self::Intent(name),
            "fact" => Self::Fact(name),
            "new_fact" => Self::NewFact(name, answer),
            "nothing" => Self::Nothing,
            _ => return None,
        })
    }
}

const COLUMNS: &str = "q.id, q.words, q.topic, q.asked_at, COALESCE(q.conversation_id, l.conversation_id), \
     q.language, q.confidence, COALESCE(q.label_kind, ''), COALESCE(q.label, ''), COALESCE(q.answer, '') \
     FROM questions q LEFT JOIN leads l ON l.id = q.lead_id";

type Found = (
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<f64>,
    String,
    String,
    String,
);

fn question(found: Found) -> Question {
    let (id, words, topic, asked_at, conversation, language, confidence, kind, name, answer) =
        found;
    Question {
        id,
        words,
        topic,
        asked_at,
        conversation,
        language,
        confidence,
        label: Label::read(&kind, name, answer),
    }
}

/// Notes a question once.
pub(super) async fn note(
    transaction: &mut Transaction<'_, Any>,
    contact: &str,
    write: &CrmWrite,
    lead: Option<&str>,
    question: &QuestionWrite,
) -> Result<(), sqlx::Error> {
    if question.kind != Unclear::Question {
        let before = write.at.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        let forget =
            "DELETE FROM questions WHERE kind = $1 AND asked_at < $2 AND label_kind IS NULL";
        let forget = sqlx::query(forget).bind(question.kind.as_str());
        forget
            .bind(text(before))
            .execute(&mut **transaction)
            .await?;
    }
    let insert = "INSERT INTO questions (id, contact_id, lead_id, words, topic, message_id, asked_at, kind, \
                  conversation_id, language, confidence) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULLIF($11, -1.0)) ON CONFLICT (id) DO NOTHING";
    sqlx::query(insert)
        .bind(question.id(contact))
        .bind(contact)
        .bind(lead)
        .bind(&question.words)
        .bind(&question.topic)
        .bind(&write.message)
        .bind(text(write.at))
        .bind(question.kind.as_str())
        .bind(question.conversation.as_deref())
        .bind(write.contact.language.as_deref())
        // A number that may be none has no type for PostgreSQL.
        .bind(question.confidence.unwrap_or(-1.0))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

impl Crm {
    /// What colleagues should look at, the newest first, from behind `before` on: what nobody labelled, or what
    /// somebody did.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn questions(
        &self,
        (kind, is_labelled): (Unclear, bool),
        before: Option<Place>,
        limit: u16,
    ) -> Result<(Vec<Question>, Option<Place>), CrmError> {
        let labelled = if is_labelled {
            "IS NOT NULL"
        } else {
            "IS NULL"
        };
        let select = format!(
            "SELECT {COLUMNS} WHERE q.kind = $1 AND q.label_kind {labelled} \
             AND ($2 = '' OR q.asked_at < $2 OR (q.asked_at = $2 AND q.id < $3)) \
             ORDER BY q.asked_at DESC, q.id DESC LIMIT {limit}"
        );
        let (asked_at, id) = before.map(Place::into_parts).unwrap_or_default();
        let found: Vec<Found> = sqlx::query_as(AssertSqlSafe(select))
            .bind(kind.as_str())
            .bind(asked_at)
            .bind(id)
            .fetch_all(&self.pool)
            .await?;
        let questions: Vec<Question> = found.into_iter().map(question).collect();
        let last = questions.last();
        let next = last.map(|last| Place::of(last.asked_at.clone(), last.id.clone()));
        let is_full = questions.len() == usize::from(limit);
        Ok((questions, next.filter(|_| is_full)))
    }

    /// One of them.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn question(&self, id: &str) -> Result<Option<Question>, CrmError> {
        let select = format!("SELECT {COLUMNS} WHERE q.id = $1");
        let found: Option<Found> = sqlx::query_as(AssertSqlSafe(select))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.map(question))
    }

    /// Says what words mean, or takes that back. False when there is no such question any more.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn label(
        &self,
        id: &str,
        label: Option<&Label>,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, CrmError> {
        let answer = match label {
            Some(Label::NewFact(_, answer)) => Some(answer.as_str()),
            _ => None,
        };
        let update = "UPDATE questions SET label_kind = $2, label = $3, answer = $4, labelled_by = $5, \
                      labelled_at = $6 WHERE id = $1";
        let done = sqlx::query(update)
            .bind(id)
            .bind(label.map(Label::kind))
            .bind(label.map(Label::name))
            .bind(answer)
            .bind(label.map(|_| by))
            .bind(label.map(|_| text(now)))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Everything that was labelled, the oldest label first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn labels(&self) -> Result<Vec<Question>, CrmError> {
        let select = format!(
            "SELECT {COLUMNS} WHERE q.label_kind IS NOT NULL ORDER BY q.labelled_at, q.id LIMIT {LABELS}"
        );
        let found: Vec<Found> = sqlx::query_as(AssertSqlSafe(select))
            .fetch_all(&self.pool)
            .await?;
        Ok(found.into_iter().map(question).collect())
    }
}
