//! Questions that a colleague has to answer.

use sqlx::{Any, Transaction};

use super::store::text;
use super::write::{CrmWrite, QuestionWrite};

/// Notes a question once.
pub(super) async fn note(
    transaction: &mut Transaction<'_, Any>,
    contact: &str,
    write: &CrmWrite,
    lead: Option<&str>,
    question: &QuestionWrite,
) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO questions (id, contact_id, lead_id, words, topic, message_id, asked_at) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
    sqlx::query(insert)
        .bind(question.id(contact))
        .bind(contact)
        .bind(lead)
        .bind(&question.words)
        .bind(&question.topic)
        .bind(&write.message)
        .bind(text(write.at))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
