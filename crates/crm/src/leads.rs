//! Leads: at most one of a contact and intent is open.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{Any, Transaction};

use super::changes::Change;
use super::contacts::Contact;
use super::notices::Fact;
use super::rows;
use super::status::{Matter, Status};
use super::store::text;
use super::write::{CrmWrite, LeadWrite, WithdrawnWrite};
use crate::notice::Kind;

/// What became of a lead.
pub(super) struct Lead {
    pub(super) id: String,
    /// Whether this message created it.
    pub(super) created: bool,
    /// When nothing was missing of it any more.
    completed_at: Option<String>,
    /// The newest message that it knows of; none when it is to be made.
    updated_at: Option<String>,
}

/// A write that tells of a lead.
struct Told<'a> {
    write: &'a CrmWrite,
    lead: &'a LeadWrite,
    contact: &'a Contact,
    at: String,
}

/// Notes what is known of the lead of each write. One that is closed stays as it is: what the customer
/// says after its end is the next one.
pub(super) async fn upsert(
    transaction: &mut Transaction<'_, Any>,
    writes: &[&CrmWrite],
    contacts: &[Contact],
) -> sqlx::Result<Vec<Option<Lead>>> {
    let writes = writes.iter().zip(contacts);
    let told: Vec<_> = writes
        .map(|(write, contact)| told(write, contact))
        .collect();
    let with_lead: Vec<_> = told.iter().flatten().collect();
    if with_lead.is_empty() {
        return Ok(told.into_iter().map(|_| None).collect());
    }
    let mut leads = current(transaction, &with_lead).await?;
    insert(transaction, &with_lead, &mut leads).await?;
    touch(transaction, &with_lead, &leads).await?;
    note_fields(transaction, &with_lead, &leads).await?;
    for (told, lead) in with_lead.iter().zip(&leads) {
        complete(transaction, told, lead).await?;
    }
    let mut leads = leads.into_iter();
    let of = |told: Option<Told<'_>>| told.and_then(|_| leads.next());
    Ok(told.into_iter().map(of).collect())
}

fn told<'a>(write: &'a CrmWrite, contact: &'a Contact) -> Option<Told<'a>> {
    Some(Told {
        write,
        lead: write.lead.as_ref()?,
        contact,
        at: text(write.at),
    })
}

/// A lead as the database has it: contact, intent, id, and when it was closed; then who created it, and
/// when it was complete and changed.
type Row = (
    String,
    String,
    String,
    Option<String>,
    String,
    Option<String>,
    String,
);

/// The lead that each message belongs to: the first that was not closed by then, else a new one.
async fn current(
    transaction: &mut Transaction<'_, Any>,
    all: &[&Told<'_>],
) -> sqlx::Result<Vec<Lead>> {
    let select = "SELECT l.contact_id, l.intent, l.id, l.closed_at, l.created_by, l.completed_at, \
                  l.updated_at FROM {rows} JOIN leads l ON l.contact_id = r.value ->> 0 \
                  AND l.intent = r.value ->> 1 ORDER BY l.created_at, l.id";
    let asked = all.iter().filter(|told| !told.contact.is_new);
    let asked: Vec<_> = asked
        .map(|told| (&told.contact.id, &told.lead.intent))
        .collect();
    let found: Vec<Row> = if asked.is_empty() {
        Vec::new()
    } else {
        let found = rows::found(transaction, select, &asked)?;
        found.fetch_all(&mut **transaction).await?
    };
    let mut known: HashMap<(String, String), Vec<_>> = HashMap::new();
    for (contact, intent, id, closed_at, created_by, completed_at, updated_at) in found {
        let row = (id, closed_at, created_by, completed_at, updated_at);
        known.entry((contact, intent)).or_default().push(row);
    }
    let lead = |told: &&Told<'_>| {
        let key = (told.contact.id.clone(), told.lead.intent.clone());
        let leads = known.remove(&key).unwrap_or_default();
        let count = i64::try_from(leads.len()).unwrap_or(i64::MAX);
        let is_open = |closed_at: Option<&String>| closed_at.is_none_or(|closed| *closed > told.at);
        let open = leads
            .into_iter()
            .find(|(_, closed_at, ..)| is_open(closed_at.as_ref()));
        match open {
            Some((id, _, created_by, completed_at, updated_at)) => Lead {
                id,
                created: created_by == told.write.message,
                completed_at,
                updated_at: Some(updated_at),
            },
            None => Lead {
                id: told.lead.id(&told.contact.id, count),
                created: false,
                completed_at: None,
                updated_at: None,
            },
        }
    };
    Ok(all.iter().map(lead).collect())
}

/// Makes those that are not there yet.
async fn insert(
    transaction: &mut Transaction<'_, Any>,
    all: &[&Told<'_>],
    leads: &mut [Lead],
) -> sqlx::Result<()> {
    let insert = "INSERT INTO leads (id, contact_id, conversation_id, intent, status, created_by, \
                  created_at, updated_at) SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, \
                  r.value ->> 3, 'new', r.value ->> 4, r.value ->> 5, r.value ->> 5 FROM {rows} \
                  WHERE true ON CONFLICT (id) DO NOTHING RETURNING id, id";
    let new = all
        .iter()
        .zip(&*leads)
        .filter(|(_, lead)| lead.updated_at.is_none());
    let new = new.map(
        |(
            Told {
                write,
                lead: told,
                contact,
                at,
            },
            lead,
        )| {
            (
                &lead.id,
                &contact.id,
                &told.conversation,
                &told.intent,
                &write.message,
                at,
            )
        },
    );
    let new: Vec<_> = new.collect();
    if new.is_empty() {
        return Ok(());
    }
    let inserted = rows::found::<(String, String)>(transaction, insert, &new)?;
    let inserted = inserted.fetch_all(&mut **transaction).await?;
    let inserted: HashSet<String> = inserted.into_iter().map(|(id, _)| id).collect();
    let mut changes = Vec::with_capacity(inserted.len());
    for (told, lead) in all.iter().zip(leads) {
        if !inserted.contains(&lead.id) {
            continue;
        }
        lead.created = true;
        lead.updated_at = Some(told.at.clone());
        changes.push(Change {
            contact: &told.contact.id,
            subject: &lead.id,
            at: told.write.at,
            by: "customer",
            from: None,
            to: Status::New.as_str(),
            note: None,
        });
    }
    Change::note_all(transaction, &changes).await
}

/// Notes that there is something newer of them.
async fn touch(
    transaction: &mut Transaction<'_, Any>,
    all: &[&Told<'_>],
    leads: &[Lead],
) -> sqlx::Result<()> {
    let update = "UPDATE leads SET updated_at = r.value ->> 1 FROM {rows} \
                  WHERE leads.id = r.value ->> 0 AND leads.updated_at < r.value ->> 1";
    let known = all.iter().zip(leads);
    let older =
        known.filter(|(told, lead)| lead.updated_at.as_ref().is_none_or(|at| *at < told.at));
    let older: Vec<_> = older.map(|(told, lead)| (&lead.id, &told.at)).collect();
    if !older.is_empty() {
        let update = rows::over(transaction, update, &older)?;
        update.execute(&mut **transaction).await?;
    }
    Ok(())
}

async fn note_fields(
    transaction: &mut Transaction<'_, Any>,
    all: &[&Told<'_>],
    leads: &[Lead],
) -> sqlx::Result<()> {
    let insert = "INSERT INTO lead_fields (lead_id, name, value, message_id, agent, confidence, noted_at) \
                  SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, \
                  CAST(r.value ->> 5 AS DOUBLE PRECISION), r.value ->> 6 FROM {rows} WHERE true \
                  ON CONFLICT (lead_id, name) DO UPDATE SET \
                  value = excluded.value, message_id = excluded.message_id, agent = excluded.agent, \
                  confidence = excluded.confidence, noted_at = excluded.noted_at \
                  WHERE lead_fields.noted_at <= excluded.noted_at";
    // Of two values for the same field the later one holds.
    let mut fields = BTreeMap::new();
    for (told, lead) in all.iter().zip(leads) {
        for field in &told.lead.fields {
            let (message, at) = (&told.write.message, &told.at);
            let value = (&field.value, message, &field.agent, field.confidence, at);
            fields.insert((&lead.id, &field.name), value);
        }
    }
    if fields.is_empty() {
        return Ok(());
    }
    let row = |((lead, name), (value, message, agent, confidence, at))| {
        (lead, name, value, message, agent, confidence, at)
    };
    let rows: Vec<_> = fields.into_iter().map(row).collect();
    let insert = rows::over(transaction, insert, &rows)?;
    insert.execute(&mut **transaction).await?;
    Ok(())
}

/// Empties the fields that are withdrawn, and moves what is left of them where a lead has it. They stay, so that
/// an older write brings nothing back.
pub(super) async fn withdraw(
    transaction: &mut Transaction<'_, Any>,
    writes: &[&CrmWrite],
    contacts: &[Contact],
) -> sqlx::Result<()> {
    let insert = "INSERT INTO lead_fields (lead_id, name, value, message_id, agent, confidence, noted_at) \
                  SELECT l.id, r.value ->> 2, r.value ->> 3, r.value ->> 4, 'extraction', 1, r.value ->> 5 FROM {rows} \
                  JOIN leads l ON l.contact_id = r.value ->> 0 AND l.intent = r.value ->> 1 \
                  WHERE l.closed_at IS NULL AND (r.value ->> 3 = '' OR EXISTS (SELECT 1 FROM lead_fields f \
                  WHERE f.lead_id = l.id AND f.name = r.value ->> 2 AND f.value <> '')) \
                  ON CONFLICT (lead_id, name) DO UPDATE SET \
                  value = excluded.value, message_id = excluded.message_id, agent = excluded.agent, \
                  confidence = excluded.confidence, noted_at = excluded.noted_at \
                  WHERE lead_fields.noted_at <= excluded.noted_at";
    let mut rows = Vec::new();
    for (write, contact) in writes.iter().zip(contacts) {
        let withdrawn = write.withdrawn.iter().flat_map(WithdrawnWrite::fields);
        for (intent, name, value) in withdrawn {
            rows.push((
                &contact.id,
                intent,
                name,
                value,
                &write.message,
                text(write.at),
            ));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let insert = rows::over(transaction, insert, &rows)?;
    insert.execute(&mut **transaction).await?;
    Ok(())
}

/// Notes and tells that nothing is missing of a lead any more.
async fn complete(
    transaction: &mut Transaction<'_, Any>,
    told: &Told<'_>,
    lead: &Lead,
) -> sqlx::Result<()> {
    if !told.lead.complete || lead.completed_at.is_some() {
        return Ok(());
    }
    let update = "UPDATE leads SET completed_at = $1 WHERE id = $2 AND completed_at IS NULL";
    let update = sqlx::query(update).bind(&told.at).bind(&lead.id);
    if update.execute(&mut **transaction).await?.rows_affected() == 0 {
        return Ok(());
    }
    let fact = Fact {
        kind: Kind::LeadCompleted,
        matter: Matter::Lead,
        id: &lead.id,
        contact: &told.contact.id,
        conversation: &told.lead.conversation,
        at: told.write.at,
    };
    fact.tell(transaction).await
}
