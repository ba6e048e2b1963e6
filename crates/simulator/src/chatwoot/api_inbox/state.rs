use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::super::ConversationStatus;
use crate::address;

const FIRST_CONVERSATION: u64 = 5_001;
const FIRST_CONTACT: u64 = 9_001;
const FIRST_AGENT: u64 = 11;

/// A colleague.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Agent {
    pub(crate) id: u64,
    pub(crate) name: String,
}

/// A person in the account, with their addresses in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Contact {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) identifier: Option<String>,
    pub(crate) phone_number: Option<String>,
    pub(crate) source_ids: Vec<String>,
}

/// A conversation of the inbox.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Mirror {
    pub(crate) id: u64,
    pub(crate) contact: Contact,
    pub(crate) source_id: String,
    pub(crate) status: ConversationStatus,
    pub(crate) assignee: Option<Agent>,
    pub(crate) team: Option<u64>,
    pub(crate) priority: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) additional_attributes: Value,
    pub(crate) last_activity_at: Timestamp,
    pub(crate) messages: Vec<Value>,
}

impl Mirror {
    /// A change by a person is a status line, and so an activity.
    fn active(&mut self) {
        self.last_activity_at = Timestamp::now();
    }
}

/// The inbox.
#[derive(Debug, Default)]
pub(crate) struct ApiInbox {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    is_deleted: bool,
    contacts: Vec<Contact>,
    conversations: BTreeMap<u64, Mirror>,
    agents: Vec<String>,
    /// Numbers are never given twice.
    made: u64,
}

/// Why a contact is not made.
pub(super) enum Refused {
    NoInbox,
    Taken(&'static str),
}

impl ApiInbox {
    pub(super) fn exists(&self) -> bool {
        !self.lock().is_deleted
    }

    /// Makes a contact with its address.
    pub(super) fn make_contact(&self, mut contact: Contact) -> Result<Contact, Refused> {
        let mut inner = self.lock();
        if inner.is_deleted {
            return Err(Refused::NoInbox);
        }
        for one in &inner.contacts {
            let same = |own: &Option<String>, other: &Option<String>| own.is_some() && own == other;
            if same(&contact.identifier, &one.identifier) {
                return Err(Refused::Taken("Identifier"));
            }
            if same(&contact.phone_number, &one.phone_number) {
                return Err(Refused::Taken("Phone number"));
            }
        }
        contact.id = FIRST_CONTACT + inner.contacts.len() as u64;
        inner.contacts.push(contact.clone());
        Ok(contact)
    }

    pub(super) fn contacts(&self) -> Vec<Contact> {
        self.lock().contacts.clone()
    }

    /// Gives a contact an address: `Some(false)` when another contact has it.
    pub(super) fn link(&self, contact: u64, source_id: &str) -> Option<bool> {
        let mut inner = self.lock();
        let has = |one: &Contact| one.source_ids.iter().any(|own| own == source_id);
        if let Some(owner) = inner.contacts.iter().find(|one| has(one)) {
            return Some(owner.id == contact);
        }
        let found = inner.contacts.iter_mut().find(|one| one.id == contact)?;
        found.source_ids.push(source_id.to_owned());
        Some(true)
    }

    /// The conversation of an address; an inbox that is locked to one gives the one that there is.
    pub(super) fn converse(
        &self,
        contact: u64,
        source_id: &str,
        status: ConversationStatus,
        additional_attributes: &Value,
    ) -> Option<Mirror> {
        let mut inner = self.lock();
        let contact = inner.contacts.iter().find(|one| one.id == contact)?.clone();
        if inner.is_deleted || !contact.source_ids.iter().any(|own| own == source_id) {
            return None;
        }
        if let Some(known) = inner
            .conversations
            .values()
            .find(|one| one.source_id == source_id)
        {
            return Some(known.clone());
        }
        let id = FIRST_CONVERSATION + inner.made;
        inner.made += 1;
        let made = Mirror {
            id,
            contact,
            source_id: source_id.to_owned(),
            status,
            assignee: None,
            team: None,
            priority: None,
            labels: Vec::new(),
            additional_attributes: additional_attributes.clone(),
            last_activity_at: Timestamp::now(),
            messages: Vec::new(),
        };
        inner.conversations.insert(id, made.clone());
        Some(made)
    }

    pub(crate) fn has(&self, conversation: u64) -> bool {
        self.lock().conversations.contains_key(&conversation)
    }

    pub(super) fn get(&self, conversation: u64) -> Option<Mirror> {
        self.lock().conversations.get(&conversation).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Mirror> {
        self.lock().conversations.values().cloned().collect()
    }

    /// The conversation with this customer, in any spelling, or with this address.
    pub(crate) fn of_customer(&self, customer: &str) -> Option<u64> {
        let wanted = address::customer(customer);
        let is_theirs = |one: &&Mirror| {
            let last = one.source_id.rsplit(':').next().unwrap_or_default();
            one.source_id == customer || address::customer(last) == wanted
        };
        self.lock()
            .conversations
            .values()
            .find(is_theirs)
            .map(|one| one.id)
    }

    pub(super) fn conversation_of(&self, message: u64) -> Option<u64> {
        let inner = self.lock();
        let has = |one: &&Mirror| one.messages.iter().any(|other| other["id"] == message);
        inner.conversations.values().find(has).map(|one| one.id)
    }

    /// The number of a colleague of this name.
    pub(crate) fn agent(&self, name: &str) -> Agent {
        let mut inner = self.lock();
        let known = inner.agents.iter().position(|agent| agent == name);
        let place = known.unwrap_or_else(|| {
            inner.agents.push(name.to_owned());
            inner.agents.len() - 1
        });
        Agent {
            id: FIRST_AGENT + place as u64,
            name: name.to_owned(),
        }
    }

    /// The colleague with this number.
    pub(super) fn agent_of(&self, id: u64) -> Agent {
        let place = usize::try_from(id.saturating_sub(FIRST_AGENT)).unwrap_or(usize::MAX);
        let name = self.lock().agents.get(place).cloned();
        Agent {
            id,
            name: name.unwrap_or_else(|| format!("user {id}")),
        }
    }

    /// Adds a message. A customer's opens a conversation that was resolved or snoozed, as no bot has the
    /// inbox: gives the status before.
    pub(super) fn add(&self, conversation: u64, message: Value) -> Option<ConversationStatus> {
        let mut inner = self.lock();
        let found = inner.conversations.get_mut(&conversation)?;
        let before = found.status;
        if message["message_type"] == 0
            && [ConversationStatus::Resolved, ConversationStatus::Snoozed].contains(&before)
        {
            found.status = ConversationStatus::Open;
        }
        found.last_activity_at = Timestamp::now();
        found.messages.push(message);
        Some(before)
    }

    /// Changes fields of a message and gives it.
    pub(super) fn update(&self, conversation: u64, message: u64, fields: &Value) -> Option<Value> {
        let mut inner = self.lock();
        let found = inner.conversations.get_mut(&conversation)?;
        let one = found.messages.iter_mut().find(|one| one["id"] == message)?;
        for (name, value) in fields.as_object().into_iter().flatten() {
            one[name] = value.clone();
        }
        Some(one.clone())
    }

    /// A message's event was not taken.
    pub(super) fn fail(&self, conversation: u64, message: u64, error: &str) {
        self.change(conversation, |one| {
            let messages = one.messages.iter_mut();
            for found in messages.filter(|one| one["id"] == message) {
                found["status"] = Value::from("failed");
                found["content_attributes"]["external_error"] = Value::from(error);
            }
        });
    }

    /// Changes a conversation; gives what `before` reads of it before.
    pub(super) fn change<T>(
        &self,
        conversation: u64,
        change: impl FnOnce(&mut Mirror) -> T,
    ) -> Option<T> {
        self.lock().conversations.get_mut(&conversation).map(change)
    }

    /// Gives the status before.
    pub(super) fn set_status(
        &self,
        conversation: u64,
        status: ConversationStatus,
    ) -> Option<ConversationStatus> {
        self.change(conversation, |one| {
            one.active();
            std::mem::replace(&mut one.status, status)
        })
    }

    /// Gives the assignee before.
    pub(super) fn assign(&self, conversation: u64, agent: Option<Agent>) -> Option<Option<Agent>> {
        self.change(conversation, |one| {
            one.active();
            std::mem::replace(&mut one.assignee, agent)
        })
    }

    /// Somebody deletes the inbox with all that is in it. Contacts stay. Or makes it anew.
    pub(crate) fn set_deleted(&self, is_deleted: bool) {
        let mut inner = self.lock();
        inner.is_deleted = is_deleted;
        inner.conversations.clear();
        for contact in &mut inner.contacts {
            contact.source_ids.clear();
        }
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        let made = inner.made;
        *inner = Inner {
            made,
            ..Inner::default()
        };
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
