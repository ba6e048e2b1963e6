//! A provider's own list of messages, alike for every provider.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Map, Value};
use shared_types::{ControlEvent, Source};

use super::chatwoot::ChatwootList;
use super::compare::Window;
use super::http::Unreadable;
use super::twilio::TwilioList;
use super::waha::WahaList;
use crate::event::{Event, Reading};

/// A message of a list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// When it was written, as the provider says.
    pub(crate) written_at: Timestamp,
    /// The webhook that it would have been, as far as the list tells.
    pub(crate) webhook: Map<String, Value>,
    /// The same, read.
    pub(crate) reading: Reading,
    /// What must be asked for besides, where the list leaves something out.
    pub(crate) more: Option<String>,
}

impl Listed {
    /// Whether a colleague wrote it.
    pub(super) const fn is_colleagues(&self) -> bool {
        matches!(self.reading, Reading::Event(Event::Colleague { .. }))
    }

    /// The change of who has a conversation, where it is one.
    pub(super) const fn control(&self) -> Option<&ControlEvent> {
        match &self.reading {
            Reading::Event(Event::Control { event, .. }) => Some(event),
            _ => None,
        }
    }

    /// The conversation, of what is to be queued.
    pub(super) fn conversation(&self) -> Option<&str> {
        match &self.reading {
            Reading::Event(Event::Message(message)) => Some(message.conversation.id.as_str()),
            Reading::Event(Event::Colleague { message, .. }) => {
                Some(message.conversation_id.as_str())
            }
            Reading::Event(Event::Control { event, .. }) => Some(event.conversation_id.as_str()),
            _ => None,
        }
    }
}

/// A part of a list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) listed: Vec<Listed>,
    /// Whether nothing older follows of the conversations of this page and those before it, as far as the
    /// window reaches: what was found can be handed over.
    pub(crate) ends: bool,
}

/// A list that is being read: newest message first, or one conversation after the other, each with its
/// newest message first.
pub(crate) enum List<'a> {
    Twilio(TwilioList<'a>),
    Waha(WahaList<'a>),
    Chatwoot(ChatwootList<'a>),
}

impl List<'_> {
    pub(crate) const fn source(&self) -> Source {
        match self {
            Self::Twilio(_) => Source::Twilio,
            Self::Waha(_) => Source::Waha,
            Self::Chatwoot(_) => Source::Chatwoot,
        }
    }

    /// The list's name in Redis, in logs and on the command line: `twilio:whatsapp:+31201234567`.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Twilio(list) => list.name(),
            Self::Waha(list) => list.name(),
            Self::Chatwoot(list) => list.name(),
        }
    }

    /// The next page; none when all of the window was listed. May hold messages outside of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn next_page(&mut self, window: Window) -> Result<Option<Page>, Unreadable> {
        match self {
            Self::Twilio(list) => list.next_page(window).await,
            Self::Waha(list) => list.next_page(window).await,
            Self::Chatwoot(list) => list.next_page(window).await,
        }
    }

    /// Begins anew, to be read a second time.
    pub(crate) fn rewind(&mut self) {
        match self {
            Self::Twilio(list) => list.rewind(),
            Self::Waha(list) => list.rewind(),
            Self::Chatwoot(list) => list.rewind(),
        }
    }

    /// Leaves out the conversations that an earlier comparison of the same window read.
    pub(crate) fn leave_out(&mut self, read: HashSet<String>) {
        match self {
            Self::Twilio(_) => {}
            Self::Waha(list) => list.leave_out(read),
            Self::Chatwoot(list) => list.leave_out(read),
        }
    }

    /// The conversations that were read to the window's beginning.
    pub(crate) fn take_read(&mut self) -> HashSet<String> {
        match self {
            Self::Twilio(_) => HashSet::new(),
            Self::Waha(list) => list.take_read(),
            Self::Chatwoot(list) => list.take_read(),
        }
    }

    /// Whether a pass can go on where one before it broke off.
    pub(crate) const fn goes_on(&self) -> bool {
        match self {
            Self::Twilio(_) => false,
            Self::Waha(_) | Self::Chatwoot(_) => true,
        }
    }

    /// Reads a message again, with what the list left out.
    ///
    /// # Errors
    /// When that cannot be read.
    pub(crate) async fn complete(
        &self,
        listed: &Listed,
        more: &str,
    ) -> Result<Reading, Unreadable> {
        match self {
            Self::Twilio(list) => list.complete(listed, more).await,
            Self::Waha(list) => list.complete(listed, more).await,
            Self::Chatwoot(list) => list.complete(listed, more).await,
        }
    }
}
