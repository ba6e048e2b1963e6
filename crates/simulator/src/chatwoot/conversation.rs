use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// Status of a conversation. A bot works on `pending` ones only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    /// Humans are in charge.
    Open,
    /// Done.
    Resolved,
    /// The bot is in charge.
    Pending,
    /// Put aside.
    Snoozed,
}

/// A conversation of the played account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conversation {
    /// Display id: the number in the paths of the API.
    pub id: u64,
    /// The customer, in the form of [`crate::address::customer`].
    pub customer: String,
    /// The customer's name.
    pub name: Option<String>,
    /// Who is in charge.
    pub status: ConversationStatus,
    /// The human agent who took it, by name.
    pub assignee: Option<String>,
}

/// A change of a conversation's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatusChange {
    pub(super) conversation: Conversation,
    pub(super) before: ConversationStatus,
}

/// What the played account knows.
#[derive(Debug, Default)]
pub(crate) struct ChatwootState {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    conversations: BTreeMap<u64, Conversation>,
    by_customer: HashMap<String, u64>,
    /// Times of the last minute's messages per conversation, in microseconds.
    recent: HashMap<u64, VecDeque<u64>>,
    last_message: u64,
}

impl ChatwootState {
    const MINUTE: u64 = 60_000_000;

    /// The customer's conversation, ready for a message of theirs: a new one starts pending, a
    /// resolved one goes back to pending, a snoozed one is opened.
    pub(crate) fn written_by(&self, customer: &str, name: Option<&str>) -> Conversation {
        let mut inner = self.lock();
        let next = inner.conversations.len() as u64 + 1;
        let id = *inner.by_customer.entry(customer.to_owned()).or_insert(next);
        let conversation = inner
            .conversations
            .entry(id)
            .or_insert_with(|| Conversation {
                id,
                customer: customer.to_owned(),
                name: None,
                status: ConversationStatus::Pending,
                assignee: None,
            });
        if let Some(name) = name {
            conversation.name = Some(name.to_owned());
        }
        conversation.status = match conversation.status {
            ConversationStatus::Resolved => ConversationStatus::Pending,
            ConversationStatus::Snoozed => ConversationStatus::Open,
            unchanged => unchanged,
        };
        conversation.clone()
    }

    pub(crate) fn get(&self, id: u64) -> Option<Conversation> {
        self.lock().conversations.get(&id).cloned()
    }

    pub(crate) fn of_customer(&self, customer: &str) -> Option<Conversation> {
        let inner = self.lock();
        let id = inner.by_customer.get(customer)?;
        inner.conversations.get(id).cloned()
    }

    /// Sets the status, `None` toggles it as Chatwoot does: open to resolved, all else to open.
    pub(super) fn set_status(
        &self,
        id: u64,
        status: Option<ConversationStatus>,
    ) -> Option<StatusChange> {
        let mut inner = self.lock();
        let conversation = inner.conversations.get_mut(&id)?;
        let before = conversation.status;
        conversation.status = status.unwrap_or(match before {
            ConversationStatus::Open => ConversationStatus::Resolved,
            _ => ConversationStatus::Open,
        });
        Some(StatusChange {
            conversation: conversation.clone(),
            before,
        })
    }

    pub(crate) fn assign(&self, id: u64, assignee: Option<String>) {
        if let Some(conversation) = self.lock().conversations.get_mut(&id) {
            conversation.assignee = assignee;
        }
    }

    /// Whether the conversation may get one more message now; counts it when it may.
    pub(crate) fn admit(&self, id: u64, limit: usize, now: u64) -> bool {
        let mut inner = self.lock();
        let recent = inner.recent.entry(id).or_default();
        while recent
            .front()
            .is_some_and(|first| now.saturating_sub(*first) >= Self::MINUTE)
        {
            recent.pop_front();
        }
        let admitted = recent.len() < limit;
        if admitted {
            recent.push_back(now);
        }
        admitted
    }

    /// A new message id.
    pub(crate) fn next_message(&self) -> u64 {
        const FIRST: u64 = 1_000;
        let mut inner = self.lock();
        inner.last_message += 1;
        FIRST + inner.last_message
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        // Message ids go on, so that no id ever names two messages.
        let last_message = inner.last_message;
        *inner = Inner {
            last_message,
            ..Inner::default()
        };
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_keeps_one_conversation_and_reopens_it_for_the_bot() {
        let state = ChatwootState::default();
        let first = state.written_by("+31612345678", Some("Jan"));
        assert_eq!(first.status, ConversationStatus::Pending);
        state.set_status(first.id, Some(ConversationStatus::Resolved));
        let again = state.written_by("+31612345678", None);
        assert_eq!(again.id, first.id);
        assert_eq!(again.name.as_deref(), Some("Jan"));
        assert_eq!(again.status, ConversationStatus::Pending);
        state.set_status(first.id, Some(ConversationStatus::Snoozed));
        let snoozed = state.written_by("+31612345678", None);
        assert_eq!(snoozed.status, ConversationStatus::Open);
        assert_ne!(state.written_by("+31687654321", None).id, first.id);
    }

    #[test]
    fn the_flood_guard_counts_the_last_minute() {
        let state = ChatwootState::default();
        assert!(state.admit(1, 2, 0));
        assert!(state.admit(1, 2, 1));
        assert!(!state.admit(1, 2, 59_999_999));
        assert!(state.admit(2, 2, 2));
        assert!(state.admit(1, 2, 60_000_000));
    }
}
