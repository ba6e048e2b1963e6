//! Contacts and their addresses.

use std::collections::{BTreeMap, HashMap};

use sqlx::{Any, Transaction};

use super::persons::{Found, contact_of};
use super::rows;
use super::store::text;
use super::write::{ContactWrite, CrmWrite};

/// The contact of a write.
pub(super) struct Contact {
    pub(super) id: String,
    /// Whether the write's message created it.
    pub(super) created: bool,
    /// Whether it was not there before, so that nothing hangs on it.
    pub(super) is_new: bool,
}

/// The contact of each write, made or brought up to date. `known` has the writes' addresses; no two
/// writes are about the same person.
pub(super) async fn upsert(
    transaction: &mut Transaction<'_, Any>,
    writes: &[&CrmWrite],
    known: &HashMap<String, Found>,
) -> sqlx::Result<Vec<Contact>> {
    let mut contacts = Vec::with_capacity(writes.len());
    for write in writes {
        let addresses = &write.contact.addresses;
        let found = contact_of(transaction, addresses, known, &write.message, write.at).await?;
        contacts.push(match found {
            Some(found) => Contact {
                created: found.created_by == write.message,
                id: found.id,
                is_new: false,
            },
            None => Contact {
                id: write.new_contact_id(),
                created: false,
                is_new: true,
            },
        });
    }
    let created_by = upsert_rows(transaction, writes, &contacts).await?;
    for (contact, write) in contacts.iter_mut().zip(writes) {
        if contact.is_new {
            // Else another process was quicker.
            contact.created = created_by.get(&contact.id) == Some(&write.message);
            contact.is_new = contact.created;
        }
    }
    for (contact, write) in contacts.iter().zip(writes) {
        note_wish(transaction, write, &contact.id).await?;
    }
    note_addresses(transaction, writes, &contacts, known).await?;
    Ok(contacts)
}

/// Which message created each of the contacts, but for those of which something newer is known.
async fn upsert_rows(
    transaction: &mut Transaction<'_, Any>,
    writes: &[&CrmWrite],
    contacts: &[Contact],
) -> sqlx::Result<HashMap<String, String>> {
    let insert = "INSERT INTO contacts (id, name, language, created_by, created_at, updated_at) \
                  SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, \
                  r.value ->> 4 FROM {rows} WHERE true ON CONFLICT (id) DO UPDATE SET \
                  name = COALESCE(excluded.name, contacts.name), \
                  language = COALESCE(excluded.language, contacts.language), \
                  updated_at = excluded.updated_at \
                  WHERE contacts.updated_at <= excluded.updated_at RETURNING id, created_by";
    let rows = contacts.iter().zip(writes).map(|(contact, write)| {
        let ContactWrite { name, language, .. } = &write.contact;
        (&contact.id, name, language, &write.message, text(write.at))
    });
    let mut rows: Vec<_> = rows.collect();
    // Processes that write to the same contacts lock them in the same order.
    rows.sort_unstable();
    let upserted = rows::found::<(String, String)>(transaction, insert, &rows)?;
    let upserted = upserted.fetch_all(&mut **transaction).await?;
    Ok(upserted.into_iter().collect())
}

/// Whether the contact wants messages, when the message changed that.
async fn note_wish(
    transaction: &mut Transaction<'_, Any>,
    write: &CrmWrite,
    contact: &str,
) -> sqlx::Result<()> {
    let Some(wants) = write.contact.wants_messages else {
        return Ok(());
    };
    let at = text(write.at);
    let update = "UPDATE contacts SET opted_out_at = $1, wants_messages_at = $3 WHERE id = $2 \
                  AND (wants_messages_at IS NULL OR wants_messages_at <= $3)";
    sqlx::query(update)
        .bind((!wants).then(|| at.clone()))
        .bind(contact)
        .bind(&at)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn note_addresses(
    transaction: &mut Transaction<'_, Any>,
    writes: &[&CrmWrite],
    contacts: &[Contact],
    known: &HashMap<String, Found>,
) -> sqlx::Result<()> {
    let (mut proven, mut also) = (BTreeMap::new(), BTreeMap::new());
    for (contact, write) in contacts.iter().zip(writes) {
        let row = |address| (address, (&contact.id, text(write.at)));
        let addresses = write.contact.addresses.iter();
        proven.extend(addresses.filter(|one| !known.contains_key(*one)).map(row));
        also.extend(write.contact.also.iter().map(row));
    }
    let insert = "INSERT INTO contact_addresses (address, contact_id, added_at) \
                  SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2 FROM {rows} WHERE true \
                  ON CONFLICT (address) DO NOTHING";
    // Whoever wrote last has it.
    let take_over = "INSERT INTO contact_addresses (address, contact_id, added_at) \
                     SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2 FROM {rows} WHERE true \
                     ON CONFLICT (address) DO UPDATE SET contact_id = excluded.contact_id \
                     WHERE contact_addresses.contact_id <> excluded.contact_id";
    for (statement, addresses) in [(take_over, also), (insert, proven)] {
        if !addresses.is_empty() {
            let rows = addresses.into_iter();
            let rows: Vec<_> = rows.map(|(address, (id, at))| (address, id, at)).collect();
            let statement = rows::over(transaction, statement, &rows)?;
            statement.execute(&mut **transaction).await?;
        }
    }
    Ok(())
}
