//! What the work queues carry: one enum a queue, each variant known by the `kind` of its entry.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::{
    ColleagueMessage, ControlEvent, DeliveryEvent, InboundMessage, MirrorStep, OutboundMessage,
    StockArrival, TypingSignal,
};

/// A type that travels as the payload of a stream entry.
pub trait Kind: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The entry's field `kind`.
    const KIND: &'static str;
}

/// Everything that one queue carries.
pub trait Payload: Sized + Send + Sync + 'static {
    /// Reads the payload of an entry of this kind.
    ///
    /// # Errors
    /// When the queue does not carry the kind, or the JSON is not what the kind says.
    fn read(kind: &str, json: &str) -> Result<Self, PayloadError>;
}

/// Why a payload cannot be read. Holds nothing of it: the reader's own words may quote a customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Another build writes this kind.
    #[error("entries of kind {0:?} are not known here")]
    UnknownKind(String),
    /// The JSON is broken, or lacks what the kind needs.
    #[error("the payload is no {kind}: {what} error at line {line}, column {column}")]
    Unreadable {
        /// What it should be.
        kind: &'static str,
        /// `syntax`, `data` or `end of input`.
        what: &'static str,
        /// From 1.
        line: usize,
        /// From 1; 0 before the first character.
        column: usize,
    },
}

const LONGEST_KIND_SHOWN: usize = 40;

impl PayloadError {
    /// The reason under which the entry is set aside.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::UnknownKind(_) => "unknown_kind",
            Self::Unreadable { .. } => "undecodable",
        }
    }

    fn unknown(kind: &str) -> Self {
        Self::UnknownKind(kind.chars().take(LONGEST_KIND_SHOWN).collect())
    }
}

fn read<T: Kind>(json: &str) -> Result<T, PayloadError> {
    serde_json::from_str(json).map_err(|error| PayloadError::Unreadable {
        kind: T::KIND,
        what: match error.classify() {
            Category::Eof => "end of input",
            Category::Data => "data",
            Category::Syntax | Category::Io => "syntax",
        },
        line: error.line(),
        column: error.column(),
    })
}

/// A queue that carries one type.
impl<T: Kind> Payload for T {
    fn read(kind: &str, json: &str) -> Result<Self, PayloadError> {
        if kind == T::KIND {
            read(json)
        } else {
            Err(PayloadError::unknown(kind))
        }
    }
}

macro_rules! kinds {
    ($($payload:ty = $kind:literal;)+) => {
        $(impl Kind for $payload {
            const KIND: &'static str = $kind;
        })+
    };
}

kinds! {
    InboundMessage = "message";
    ControlEvent = "control";
    ColleagueMessage = "colleague";
    StockArrival = "arrival";
    OutboundMessage = "message";
    DeliveryEvent = "delivery";
    TypingSignal = "typing";
    MirrorStep = "step";
}

/// What the worker reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// A customer wrote.
    Message(Box<InboundMessage>),
    /// A conversation changed hands.
    Control(ControlEvent),
    /// A colleague wrote.
    Colleague(Box<ColleagueMessage>),
    /// Something came into stock that was looked for.
    Arrival(StockArrival),
}

impl Payload for Inbound {
    fn read(kind: &str, json: &str) -> Result<Self, PayloadError> {
        match kind {
            InboundMessage::KIND => read(json).map(|message| Self::Message(Box::new(message))),
            ControlEvent::KIND => read(json).map(Self::Control),
            ColleagueMessage::KIND => read(json).map(|message| Self::Colleague(Box::new(message))),
            StockArrival::KIND => read(json).map(Self::Arrival),
            other => Err(PayloadError::unknown(other)),
        }
    }
}

/// What egress reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Outbound {
    /// Something to send. Shared: each part of a long message refers to the whole.
    Message(Arc<OutboundMessage>),
    /// A provider reports on what was sent.
    Delivery(DeliveryEvent),
    /// A turn takes a while.
    Typing(TypingSignal),
}

impl Payload for Outbound {
    fn read(kind: &str, json: &str) -> Result<Self, PayloadError> {
        match kind {
            OutboundMessage::KIND => read(json).map(|message| Self::Message(Arc::new(message))),
            DeliveryEvent::KIND => read(json).map(Self::Delivery),
            TypingSignal::KIND => read(json).map(Self::Typing),
            other => Err(PayloadError::unknown(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_carries_its_own_kinds_only() {
        let error = Outbound::read("control", "{}").unwrap_err();
        assert_eq!(error, PayloadError::UnknownKind("control".into()));
        let error = Inbound::read(&"k".repeat(500), "{}").unwrap_err();
        assert_eq!(error, PayloadError::UnknownKind("k".repeat(40)));
    }

    #[test]
    fn an_error_tells_the_place_and_nothing_of_the_text() {
        let error = Inbound::read("message", r#"{"id": 7, "content": "geheim"}"#).unwrap_err();
        assert_eq!(error.reason(), "undecodable");
        let text = error.to_string();
        assert!(
            text.starts_with("the payload is no message: data error at line 1"),
            "{text}"
        );
        assert!(!text.contains("geheim"), "{text}");
    }
}
