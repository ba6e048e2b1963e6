//! What a webhook turned out to be, alike for every provider.

use serde::Serialize;
use shared_types::{
    ColleagueMessage, ControlEvent, ConversationId, DeliveryEvent, InboundMessage, Source, Wanted,
    provider_key,
};
use streams::{NewEntry, Queue};

/// The result of reading a verified webhook.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Something to queue.
    Event(Event),
    /// Nothing for us: our own message, a group, another kind of event. Says which.
    Ignored(&'static str),
    /// Something was written to a customer from our side: by us, which what was sent tells, or by a
    /// colleague.
    Written(Box<Written>),
    /// A colleague wants a message of theirs sent again, if it was not.
    Again(Box<ColleagueMessage>),
    /// Meant for us, but not usable.
    Rejected(Rejection),
    /// A WAHA session changed its state. Nothing to queue, but the operator should know.
    Session {
        /// The session's name.
        session: String,
        /// WAHA's word for the state.
        status: String,
        /// Whether it can send and receive.
        working: bool,
        /// Whether WhatsApp bars it from writing to people who did not write first.
        timelocked: bool,
    },
}

/// A message to a customer from our side, by whomever.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// As a colleague's, in the first of the conversations.
    pub message: ColleagueMessage,
    /// The conversations that the customer's addresses may have.
    pub conversations: Vec<ConversationId>,
}

impl Written {
    /// The event that it is when a colleague wrote it in this conversation.
    pub(crate) fn by_colleague(self, conversation: ConversationId, on_the_wire: bool) -> Event {
        let message = ColleagueMessage {
            conversation_id: conversation,
            ..self.message
        };
        Event::Colleague {
            message: Box::new(message),
            on_the_wire,
        }
    }
}

/// Something that happened on a channel.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A customer wrote.
    Message(Box<InboundMessage>),
    /// A provider reports how far one of our messages got.
    Delivery(DeliveryEvent),
    /// A colleague took a conversation over or gave it back. Says itself what
    /// tells repetitions apart.
    Control {
        /// What happened.
        event: ControlEvent,
        /// The same for every repetition.
        dedup: String,
    },
    /// A colleague wrote to a customer.
    Colleague {
        /// What was written.
        message: Box<ColleagueMessage>,
        /// Whether a request of ours had begun, which nothing calls back.
        on_the_wire: bool,
    },
}

/// Why a webhook cannot be used. The text is for the operator and the provider's debugger; it
/// holds nothing that the customer wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Stable, for machines: `message_too_long`.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The provider's id of the message, where it could be read.
    #[serde(skip)]
    pub event_id: Option<String>,
}

impl Rejection {
    /// A rejection of a message whose id is not known.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            event_id: None,
        }
    }

    /// The same, of this message.
    #[must_use]
    pub fn of(mut self, event_id: &str) -> Self {
        self.event_id = Some(event_id.to_owned());
        self
    }
}

impl Event {
    /// The queue that the event goes to.
    pub const fn queue(&self) -> Queue {
        match self {
            Self::Message(_) | Self::Control { .. } | Self::Colleague { .. } => Queue::Inbound,
            Self::Delivery(_) => Queue::Outbound,
        }
    }

    /// The stream entry. Its `event` is the dedup key, `twilio:message:SM…`.
    ///
    /// # Errors
    /// When the payload cannot be written as JSON.
    pub fn entry(&self, trace: Option<String>) -> serde_json::Result<NewEntry> {
        let entry = match self {
            Self::Message(message) => {
                let conversation = message.conversation.id.as_str();
                NewEntry::new(&**message, message.event(), conversation)?
            }
            Self::Delivery(report) => {
                let source = report.source;
                let id = provider_key(source, &report.conversation_id, &report.provider_id);
                let event = format!("{source}:status:{id}:{}", report.status.as_str());
                NewEntry {
                    // Not behind the recipient's next message: a send that waits to learn how it
                    // ended is waiting for this.
                    mailbox: Some(format!("delivery:{id}")),
                    ..NewEntry::new(report, event, report.conversation_id.as_str())?
                }
            }
            Self::Control { event, dedup } => {
                let name = format!("{}:control:{dedup}", event.source);
                NewEntry::new(event, name, event.conversation_id.as_str())?
            }
            Self::Colleague { message, .. } => {
                let conversation = &message.conversation_id;
                let name = colleague_event(message.source, conversation, message.id.as_str());
                let wanted = message.mirrored.map(|mirrored| mirrored.wanted);
                let name = match wanted {
                    // Each press is an event of its own; what is sent already is not sent again.
                    Some(Wanted::Again { .. }) => {
                        format!("{name}:again:{}", message.at.as_millisecond())
                    }
                    _ => name,
                };
                NewEntry {
                    fences: message.takes_over(),
                    ..NewEntry::new(&**message, name, conversation.as_str())?
                }
            }
        };
        Ok(NewEntry { trace, ..entry })
    }
}

/// The name of the event that a colleague's message is.
pub(crate) fn colleague_event(
    source: Source,
    conversation: &ConversationId,
    provider_id: &str,
) -> String {
    let id = provider_key(source, conversation, provider_id);
    format!("{source}:colleague:{id}")
}
