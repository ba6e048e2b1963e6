//! Everything that a person is called, as the CRM, the graph of persons and the conversations know it.

use std::collections::BTreeMap;

use shared_types::fields::conversation::SENDER;
use streams::{Identity, Person as _, Redis, StreamsError};

use crate::person::Person;
use crate::{Crm, CrmError};

/// Why it cannot be told who is meant.
#[derive(Debug, thiserror::Error)]
pub enum UnknowableError {
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
}

/// Adds every address that is known of the person; gives their contacts in the CRM.
///
/// # Errors
/// When the CRM or Redis cannot be reached.
pub async fn learn(
    person: &mut Person,
    crm: &Crm,
    redis: &Redis,
) -> Result<Vec<String>, UnknowableError> {
    let mut contacts = Vec::new();
    let known = crm.addresses().await?;
    let of_graph = redis.all_identities().await?;
    loop {
        let mut learned = learn_from_graph(person, &of_graph);
        let theirs =
            |(id, address): &&(String, String)| person.has(address) || person.is_contact(id);
        let ids: Vec<String> = known
            .iter()
            .filter(theirs)
            .map(|(id, _)| id.clone())
            .collect();
        for (_, address) in known.iter().filter(|(id, _)| ids.contains(id)) {
            learned |= person.learn(address);
        }
        contacts.extend(ids);
        if !learned {
            break;
        }
    }
    for (conversation, key) in redis.conversations().await? {
        if !person.has(&conversation) {
            let state = redis.hash(&key).await?;
            if is_conversation_of(person, &conversation, &state) {
                person.learn(&conversation);
            }
        }
    }
    contacts.sort();
    contacts.dedup();
    Ok(contacts)
}

/// Adds what the graph of persons knows of the person. Whether anything was new.
pub fn learn_from_graph(person: &mut Person, graph: &[Identity]) -> bool {
    let mut learned = false;
    for identity in graph {
        if is_theirs(person, identity) {
            for name in identity.addresses().chain(identity.conversations()) {
                learned |= person.learn(name);
            }
        }
    }
    learned
}

/// Whether the person has one of the names.
#[must_use]
pub fn is_theirs(person: &Person, identity: &Identity) -> bool {
    let mut names = identity.addresses().chain(identity.conversations());
    names.any(|name| person.has(name))
}

/// Whether a conversation is a person's: by its own name, or by what its state says of who wrote.
#[must_use]
pub fn is_conversation_of(
    person: &Person,
    conversation: &str,
    state: &BTreeMap<String, String>,
) -> bool {
    let says = |name: &str| state.get(name).map(String::as_str).unwrap_or_default();
    // A state that an earlier build wrote last has the whole turn instead.
    person.has(conversation) || person.has(says(SENDER)) || person.is_in(says("turn"))
}
