//! Leads: at most one of a contact and intent is open.

use sqlx::{Any, Transaction};

use super::changes::Change;
use super::notices::Fact;
use super::status::{Matter, Status};
use super::store::text;
use super::write::{CrmWrite, LeadWrite};
use crate::notices::Kind;

/// What became of a lead.
pub(super) struct Lead {
    pub(super) id: String,
    /// Whether this message created it.
    pub(super) created: bool,
}

/// Notes what is known of a lead. One that is closed stays as it is: what the customer says after
/// its end is the next one.
pub(super) async fn upsert(
    transaction: &mut Transaction<'_, Any>,
    contact: &str,
    write: &CrmWrite,
    lead: &LeadWrite,
) -> sqlx::Result<Lead> {
    let at = text(write.at);
    let id = current(transaction, contact, lead, &at).await?;
    let insert = "INSERT INTO leads (id, contact_id, conversation_id, intent, status, created_by, created_at, updated_at) \
                  VALUES ($1, $2, $3, $4, 'new', $5, $6, $6) ON CONFLICT (id) DO NOTHING";
    let inserted = sqlx::query(insert)
        .bind(&id)
        .bind(contact)
        .bind(&lead.conversation)
        .bind(&lead.intent)
        .bind(&write.message)
        .bind(&at)
        .execute(&mut **transaction)
        .await?
        .rows_affected();
    if inserted > 0 {
        let change = Change {
            contact,
            subject: &id,
            at: write.at,
            by: "customer",
            from: None,
            to: Status::New.as_str(),
            note: None,
        };
        change.note(transaction).await?;
    }
    let update = "UPDATE leads SET updated_at = $1 WHERE id = $2 AND updated_at < $1";
    sqlx::query(update)
        .bind(&at)
        .bind(&id)
        .execute(&mut **transaction)
        .await?;
    note_fields(transaction, write, lead, &id).await?;
    if lead.complete {
        let update = "UPDATE leads SET completed_at = $1 WHERE id = $2 AND completed_at IS NULL";
        let updated = sqlx::query(update).bind(&at).bind(&id);
        if updated.execute(&mut **transaction).await?.rows_affected() > 0 {
            let fact = Fact {
                kind: Kind::LeadCompleted,
                matter: Matter::Lead,
                id: &id,
                contact,
                conversation: &lead.conversation,
                at: write.at,
            };
            fact.tell(transaction).await?;
        }
    }
    let created_by: String = sqlx::query_scalar("SELECT created_by FROM leads WHERE id = $1")
        .bind(&id)
        .fetch_one(&mut **transaction)
        .await?;
    Ok(Lead {
        created: created_by == write.message,
        id,
    })
}

/// The lead that a message of this time belongs to: the first that was not closed by then, else a new
/// one.
async fn current(
    transaction: &mut Transaction<'_, Any>,
    contact: &str,
    lead: &LeadWrite,
    at: &str,
) -> sqlx::Result<String> {
    let select = "SELECT id FROM leads WHERE contact_id = $1 AND intent = $2 \
                  AND (closed_at IS NULL OR closed_at > $3) ORDER BY created_at, id LIMIT 1";
    let open: Option<String> = sqlx::query_scalar(select)
        .bind(contact)
        .bind(&lead.intent)
        .bind(at)
        .fetch_optional(&mut **transaction)
        .await?;
    if let Some(open) = open {
        return Ok(open);
    }
    let count = "SELECT COUNT(*) FROM leads WHERE contact_id = $1 AND intent = $2";
    let closed: i64 = sqlx::query_scalar(count)
        .bind(contact)
        .bind(&lead.intent)
        .fetch_one(&mut **transaction)
        .await?;
    Ok(lead.id(contact, closed))
}

async fn note_fields(
    transaction: &mut Transaction<'_, Any>,
    write: &CrmWrite,
    lead: &LeadWrite,
    id: &str,
) -> sqlx::Result<()> {
    let at = text(write.at);
    for field in &lead.fields {
        let insert = "INSERT INTO lead_fields (lead_id, name, value, message_id, agent, confidence, noted_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (lead_id, name) DO UPDATE SET \
                      value = excluded.value, message_id = excluded.message_id, agent = excluded.agent, \
                      confidence = excluded.confidence, noted_at = excluded.noted_at \
                      WHERE lead_fields.noted_at <= excluded.noted_at";
        sqlx::query(insert)
            .bind(id)
            .bind(&field.name)
            .bind(&field.value)
            .bind(&write.message)
            .bind(&field.agent)
            .bind(field.confidence)
            .bind(&at)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
