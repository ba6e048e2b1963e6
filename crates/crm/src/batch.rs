//! The writes of many turns in one transaction. What every turn writes takes one statement for all of
//! them; what is rare takes one each.

use std::collections::{HashMap, HashSet};

use sqlx::{Any, Transaction};

use super::persons::{self, Found};
use super::write::{CrmWrite, Noted};
use super::{appointments, contacts, handovers, leads, questions};

/// Writes everything, and says what was made of each write. None when two of them may be about the same
/// person or conversation: one has to see what the other left. The transaction is of no use then.
pub(super) async fn apply(
    transaction: &mut Transaction<'_, Any>,
    writes: &[&CrmWrite],
) -> sqlx::Result<Option<Vec<Noted>>> {
    let addresses = writes.iter().flat_map(|write| &write.contact.addresses);
    let known = persons::known(transaction, addresses).await?;
    if !are_apart(writes, &known) {
        return Ok(None);
    }
    let contacts = contacts::upsert(transaction, writes, &known).await?;
    let leads = leads::upsert(transaction, writes, &contacts).await?;
    leads::withdraw(transaction, writes, &contacts).await?;
    let mut noted = Vec::with_capacity(writes.len());
    for ((write, contact), lead) in writes.iter().zip(contacts).zip(leads) {
        let lead_id = lead.as_ref().map(|lead| lead.id.as_str());
        for appointment in &write.appointments {
            appointments::upsert(transaction, &contact.id, write, appointment).await?;
        }
        for question in &write.questions {
            questions::note(transaction, &contact.id, write, lead_id, question).await?;
        }
        if let Some(handover) = &write.handover {
            handovers::upsert(transaction, &contact.id, write, handover).await?;
        }
        noted.push(Noted {
            contact_created: contact.created,
            contact_id: contact.id,
            lead_created: lead.is_some_and(|lead| lead.created),
        });
    }
    Ok(Some(noted))
}

/// Whether no two of the writes have an address, a contact or a conversation in common.
fn are_apart(writes: &[&CrmWrite], known: &HashMap<String, Found>) -> bool {
    let mut seen = HashSet::new();
    writes.iter().all(|write| {
        let addresses = write.contact.addresses.iter().map(String::as_str);
        let contacts = addresses.clone().filter_map(|address| known.get(address));
        let appointments = write.appointments.iter().map(|one| &one.conversation);
        let conversations = appointments
            .chain(write.lead.as_ref().map(|lead| &lead.conversation))
            .chain(write.handover.as_ref().map(|one| &one.conversation));
        let own: HashSet<&str> = addresses
            .chain(contacts.map(|contact| contact.id.as_str()))
            .chain(write.contact.also.iter().map(String::as_str))
            .chain(conversations.map(String::as_str))
            .collect();
        own.into_iter().all(|name| seen.insert(name))
    })
}
