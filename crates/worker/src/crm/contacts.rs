//! Contacts and their addresses.

use sqlx::{Any, Transaction};

use super::persons::contact_of;
use super::store::text;
use super::write::CrmWrite;

/// The contact of a write, made or brought up to date; its id.
pub(super) async fn upsert(
    transaction: &mut Transaction<'_, Any>,
    write: &CrmWrite,
) -> Result<String, sqlx::Error> {
    let addresses = &write.contact.addresses;
    let known = contact_of(transaction, addresses, &write.message, write.at).await?;
    let id = known.unwrap_or_else(|| write.new_contact_id());
    let at = text(write.at);
    let insert = "INSERT INTO contacts (id, name, language, created_by, created_at, updated_at) \
                  VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (id) DO UPDATE SET \
                  name = COALESCE(excluded.name, contacts.name), \
                  language = COALESCE(excluded.language, contacts.language), \
                  updated_at = excluded.updated_at \
                  WHERE contacts.updated_at <= excluded.updated_at";
    sqlx::query(insert)
        .bind(&id)
        .bind(&write.contact.name)
        .bind(&write.contact.language)
        .bind(&write.message)
        .bind(&at)
        .execute(&mut **transaction)
        .await?;
    if let Some(wants) = write.contact.wants_messages {
        let opted_out_at = (!wants).then(|| at.clone());
        let update = "UPDATE contacts SET opted_out_at = $1, wants_messages_at = $3 WHERE id = $2 \
                      AND (wants_messages_at IS NULL OR wants_messages_at <= $3)";
        sqlx::query(update)
            .bind(opted_out_at)
            .bind(&id)
            .bind(&at)
            .execute(&mut **transaction)
            .await?;
    }
    for address in &write.contact.also {
        // Whoever wrote last has it.
        let insert = "INSERT INTO contact_addresses (address, contact_id, added_at) \
                      VALUES ($1, $2, $3) ON CONFLICT (address) DO UPDATE SET \
                      contact_id = excluded.contact_id";
        sqlx::query(insert)
            .bind(address)
            .bind(&id)
            .bind(&at)
            .execute(&mut **transaction)
            .await?;
    }
    for address in &write.contact.addresses {
        let insert = "INSERT INTO contact_addresses (address, contact_id, added_at) \
                      VALUES ($1, $2, $3) ON CONFLICT (address) DO NOTHING";
        sqlx::query(insert)
            .bind(address)
            .bind(&id)
            .bind(&at)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(id)
}
