//! One contact for each person: joins on evidence or by an operator, and their undoing.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{Any, Transaction};

use super::rows;
use super::store::{Crm, CrmError, text};

/// What belongs to a contact.
const TABLES: [&str; 9] = [
    "contact_addresses",
    "leads",
    "appointments",
    "questions",
    "handovers",
    "changes",
    "notices",
    "person_changes",
    "console_acts",
];

/// Gives another contact what came from a conversation.
const OF_CONVERSATION: [&str; 6] = [
    "UPDATE questions SET contact_id = $1 WHERE contact_id = $3 AND lead_id IN \
     (SELECT id FROM leads WHERE conversation_id = $2)",
    "UPDATE leads SET contact_id = $1 WHERE conversation_id = $2 AND contact_id = $3",
    "UPDATE appointments SET contact_id = $1 WHERE conversation_id = $2 AND contact_id = $3",
    "UPDATE handovers SET contact_id = $1 WHERE conversation_id = $2 AND contact_id = $3",
    "UPDATE notices SET contact_id = $1 WHERE conversation_id = $2 AND contact_id = $3",
    "UPDATE contact_addresses SET contact_id = $1 WHERE address = $2 AND contact_id = $3",
];

/// A contact that an address belongs to.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) id: String,
    /// The message that created it.
    pub(super) created_by: String,
    created_at: String,
    is_pinned: bool,
}

/// The contact of these addresses, joined with others that have one of them, unless an operator
/// split them. `known` has the addresses.
pub(super) async fn contact_of(
    transaction: &mut Transaction<'_, Any>,
    addresses: &[String],
    known: &HashMap<String, Found>,
    evidence: &str,
    at: Timestamp,
) -> Result<Option<Found>, sqlx::Error> {
    let mut found = contacts_of(addresses, known);
    if found.len() > 1 && found.iter().any(|contact| contact.is_pinned) {
        found.truncate(1);
    }
    join(transaction, found, evidence, at).await
}

/// Whose these addresses are.
pub(super) async fn known(
    transaction: &mut Transaction<'_, Any>,
    addresses: impl Iterator<Item = &String>,
) -> sqlx::Result<HashMap<String, Found>> {
    let select = "SELECT a.address, a.pinned, c.id, c.created_by, c.created_at FROM {rows} \
                  JOIN contact_addresses a ON a.address = r.value ->> 0 \
                  JOIN contacts c ON c.id = a.contact_id";
    let addresses: Vec<[&String; 1]> = addresses.map(|address| [address]).collect();
    let found = rows::found(transaction, select, &addresses)?;
    let found: Vec<(String, i32, String, String, String)> =
        found.fetch_all(&mut **transaction).await?;
    let found = found.into_iter();
    let known = found.map(|(address, pinned, id, created_by, created_at)| {
        let found = Found {
            id,
            created_by,
            created_at,
            is_pinned: pinned != 0,
        };
        (address, found)
    });
    Ok(known.collect())
}

/// Each contact once, in the order of its first address.
fn contacts_of(addresses: &[String], known: &HashMap<String, Found>) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for found in addresses.iter().filter_map(|address| known.get(address)) {
        match all.iter_mut().find(|contact| contact.id == found.id) {
            Some(contact) => contact.is_pinned |= found.is_pinned,
            None => all.push(found.clone()),
        }
    }
    all
}

async fn found(
    transaction: &mut Transaction<'_, Any>,
    addresses: &[String],
) -> sqlx::Result<Vec<Found>> {
    let known = known(transaction, addresses.iter()).await?;
    Ok(contacts_of(addresses, &known))
}

/// Makes the oldest of the contacts that of all of them.
async fn join(
    transaction: &mut Transaction<'_, Any>,
    mut contacts: Vec<Found>,
    evidence: &str,
    at: Timestamp,
) -> Result<Option<Found>, sqlx::Error> {
    contacts.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
    let mut contacts = contacts.into_iter();
    let Some(kept) = contacts.next() else {
        return Ok(None);
    };
    for other in contacts {
        absorb(transaction, &kept.id, &other.id, evidence, at).await?;
    }
    Ok(Some(kept))
}

async fn absorb(
    transaction: &mut Transaction<'_, Any>,
    kept: &str,
    other: &str,
    evidence: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let addresses: Vec<String> =
        sqlx::query_scalar("SELECT address FROM contact_addresses WHERE contact_id = $1")
            .bind(other)
            .fetch_all(&mut **transaction)
            .await?;
    // The newer of the two says what the person is called and whether messages are wanted.
    sqlx::query(
        "UPDATE contacts SET \
         name = COALESCE((SELECT name FROM contacts AS o WHERE o.id = $2 AND o.updated_at > contacts.updated_at), name, \
                         (SELECT name FROM contacts AS o WHERE o.id = $2)), \
         language = COALESCE(language, (SELECT language FROM contacts AS o WHERE o.id = $2)), \
         opted_out_at = COALESCE(opted_out_at, (SELECT opted_out_at FROM contacts AS o WHERE o.id = $2)), \
         wants_messages_at = COALESCE(wants_messages_at, (SELECT wants_messages_at FROM contacts AS o WHERE o.id = $2)) \
         WHERE id = $1",
    )
    .bind(kept)
    .bind(other)
    .execute(&mut **transaction)
    .await?;
    for table in TABLES {
        let update = format!("UPDATE {table} SET contact_id = $1 WHERE contact_id = $2");
        sqlx::query(sqlx::AssertSqlSafe(update))
            .bind(kept)
            .bind(other)
            .execute(&mut **transaction)
            .await?;
    }
    sqlx::query("DELETE FROM contacts WHERE id = $1")
        .bind(other)
        .execute(&mut **transaction)
        .await?;
    let detail = json!({ "absorbed": other, "addresses": addresses });
    note(
        transaction,
        kept,
        "joined",
        evidence,
        &detail.to_string(),
        at,
    )
    .await
}

async fn note(
    transaction: &mut Transaction<'_, Any>,
    contact: &str,
    change: &str,
    evidence: &str,
    detail: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO person_changes (id, contact_id, change, evidence, detail, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
    )
    .bind(new_id("pc", &[contact, change, evidence, detail], at))
    .bind(contact)
    .bind(change)
    .bind(evidence)
    .bind(detail)
    .bind(text(at))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn new_id(prefix: &str, parts: &[&str], at: Timestamp) -> String {
    let digest = Sha256::digest(format!("{}\n{}", parts.join("\n"), text(at)));
    format!(
        "{prefix}_{}",
        hex::encode(digest.get(..12).unwrap_or_default())
    )
}

impl Crm {
    /// Makes one contact of all who have one of these addresses, as an operator says. The id of the
    /// contact; none when nobody has any.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn join(
        &self,
        addresses: &[String],
        at: Timestamp,
    ) -> Result<Option<String>, CrmError> {
        let mut transaction = self.begin().await?;
        let contacts = found(&mut transaction, addresses).await?;
        let kept = join(&mut transaction, contacts, "operator", at).await?;
        for address in addresses {
            sqlx::query("UPDATE contact_addresses SET pinned = 0 WHERE address = $1")
                .bind(address)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(kept.map(|contact| contact.id))
    }

    /// Gives these addresses of one contact, and the leads of these conversations, a contact of
    /// their own; no webhook joins them again. The new contact's id; none when there is nothing
    /// to split.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn split(
        &self,
        addresses: &[String],
        conversations: &[String],
        at: Timestamp,
    ) -> Result<Option<String>, CrmError> {
        let mut transaction = self.begin().await?;
        let contacts = found(&mut transaction, addresses).await?;
        let [old] = contacts.as_slice() else {
            return Ok(None);
        };
        let id = new_id("c", &[&old.id, "split"], at);
        sqlx::query(
            "INSERT INTO contacts (id, language, created_by, created_at, updated_at) \
             SELECT $1, language, 'operator', $2, $2 FROM contacts WHERE id = $3",
        )
        .bind(&id)
        .bind(text(at))
        .bind(&old.id)
        .execute(&mut *transaction)
        .await?;
        for address in addresses {
            sqlx::query(
                "UPDATE contact_addresses SET contact_id = $1, pinned = 1 \
                 WHERE address = $2 AND contact_id = $3",
            )
            .bind(&id)
            .bind(address)
            .bind(&old.id)
            .execute(&mut *transaction)
            .await?;
        }
        for conversation in conversations {
            for update in OF_CONVERSATION {
                sqlx::query(update)
                    .bind(&id)
                    .bind(conversation)
                    .bind(&old.id)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        let detail = json!({ "from": old.id, "addresses": addresses }).to_string();
        note(&mut transaction, &old.id, "split", "operator", &detail, at).await?;
        note(&mut transaction, &id, "split", "operator", &detail, at).await?;
        transaction.commit().await?;
        Ok(Some(id))
    }

    /// Every address of the contact that has one of these.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn addresses_beside(&self, addresses: &[String]) -> Result<Vec<String>, CrmError> {
        let mut transaction = self.begin().await?;
        let mut all = Vec::new();
        for contact in found(&mut transaction, addresses).await? {
            let of_contact: Vec<String> =
                sqlx::query_scalar("SELECT address FROM contact_addresses WHERE contact_id = $1")
                    .bind(contact.id)
                    .fetch_all(&mut *transaction)
                    .await?;
            all.extend(of_contact);
        }
        Ok(all)
    }
}
