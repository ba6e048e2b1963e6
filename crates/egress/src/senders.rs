//! The providers: one trait, one file each, one registry.

mod chatwoot;
mod guard;
mod http;
mod pictures;
mod twilio;
mod twilio_errors;
mod twilio_tokens;
mod waha;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use shared_types::{OutboundId, OutboundMessage, Picture, Receipt, Source, Template, TypingSignal};

use crate::attempt::Attempt;
use crate::config::EgressConfig;

pub(crate) use http::{Answer, Http};
pub(crate) use twilio_errors::{class_of as twilio_error_class, pause_before_resend};

/// One thing to hand to a provider: a message, or a part of one that is too long for the channel.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Its own id, derived from the message's.
    pub id: OutboundId,
    /// What is handed over.
    pub content: Content,
    /// The message that it is part of.
    pub message: Arc<OutboundMessage>,
    /// The id that the provider is to give it, where that is chosen before: whether it arrived is
    /// then known by its id.
    pub chosen_id: Option<String>,
}

impl Part {
    /// The part as a message of its own, so that it can be sent again without the others.
    pub(crate) fn as_message(&self) -> OutboundMessage {
        let mut message = OutboundMessage::clone(&self.message);
        message.id = self.id.clone();
        match &self.content {
            Content::Text(text) => {
                message.text.clone_from(text);
                // It is a part of its own.
                message.picture = None;
            }
            Content::Picture(_) => message.text.clear(),
            Content::Template(_) | Content::Note(_) | Content::Handoff => {}
        }
        message
    }
}

/// What is handed to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A text within the channel's limit.
    Text(String),
    /// A picture behind the text that it goes with. Twilio and WAHA fetch it, Chatwoot is sent the file.
    Picture(Picture),
    /// A pre-approved template.
    Template(Template),
    /// A note that only colleagues see.
    Note(String),
    /// The conversation is handed to a colleague.
    Handoff,
}

impl Content {
    /// The text by which the message is recognised in a provider's list.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Note(text) => Some(text),
            Self::Picture(_) | Self::Template(_) | Self::Handoff => None,
        }
    }

    /// Whether the message is whole without it: it is tried once, and never looked up.
    pub(crate) const fn is_extra(&self) -> bool {
        matches!(self, Self::Picture(_))
    }
}

/// Texts with the picture that goes with them; none where there is no text, or more than `most`.
fn with_picture(texts: Vec<String>, picture: Option<&Picture>, most: usize) -> Vec<Content> {
    if texts.is_empty() || texts.len() > most {
        return Vec::new();
    }
    let picture = picture.cloned().map(Content::Picture);
    texts
        .into_iter()
        .map(Content::Text)
        .chain(picture)
        .collect()
}

/// How fast a sender may send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pace {
    /// The clock that all messages of the sender share.
    pub clock: String,
    /// Messages a second; none when there is no limit.
    pub per_second: Option<f64>,
}

/// What a provider's records say about a send whose outcome is unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trace {
    /// It was accepted.
    Found(Receipt),
    /// There is no trace of it.
    Absent,
    /// The provider keeps no list that we may read.
    NoRecords,
    /// The list could not be read this time.
    Unreadable(String),
}

/// Gives those of a provider's ids that no other send of ours is known as, or why that cannot be
/// told.
pub(crate) type Unclaimed<'a> =
    &'a (dyn Fn(Vec<String>) -> BoxFuture<'a, Result<Vec<String>, String>> + Sync);

/// A provider.
pub(crate) trait Sender: Send + Sync {
    /// Which one.
    fn source(&self) -> Source;

    /// How fast this message's sender may send.
    fn pace(&self, message: &OutboundMessage) -> Pace;

    /// What has to be handed over so that the message arrives whole. Empty when the message cannot
    /// be sent through this provider at all.
    fn contents(&self, message: &OutboundMessage) -> Vec<Content>;

    /// Makes sure that a connection is at hand, so that a request leaves as soon as it is its time.
    fn connect(&self) -> BoxFuture<'_, ()>;

    /// Asks the provider for an id that the message is to get; none where the provider has no such
    /// thing. Nothing depends on it.
    fn choose_id<'a>(&'a self, _part: &'a Part) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { None })
    }

    /// Shows the recipient that somebody is typing, and says for how long. Failures do not matter.
    fn begin_typing<'a>(&'a self, _part: &'a Part) -> BoxFuture<'a, Duration> {
        Box::pin(async { Duration::ZERO })
    }

    /// Ends what [`Sender::begin_typing`] began.
    fn end_typing<'a>(&'a self, _part: &'a Part) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// Shows the recipient that an answer is being written, where the provider can do so before
    /// there is one. Quick; nothing depends on it.
    ///
    /// # Errors
    /// Why it is not shown.
    fn show_typing<'a>(&'a self, _signal: &'a TypingSignal) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Err("this provider has no such indicator".into()) })
    }

    /// Hands a part over, with what is not essential (a quote) only when `extras` says so. Nothing
    /// leaves after `deadline`: another process may be sending then.
    fn send<'a>(
        &'a self,
        part: &'a Part,
        extras: bool,
        deadline: Instant,
    ) -> BoxFuture<'a, Attempt>;

    /// Looks for a part that was sent at or after `since`, among messages that are not another
    /// send's.
    fn find<'a>(
        &'a self,
        part: &'a Part,
        since: Timestamp,
        unclaimed: Unclaimed<'a>,
    ) -> BoxFuture<'a, Trace>;
}

/// The providers that are configured.
pub(crate) struct Senders {
    all: Vec<Box<dyn Sender>>,
}

impl Senders {
    /// One for each provider that the configuration names.
    ///
    /// # Errors
    /// When an HTTP client cannot be built.
    pub(crate) fn new(config: &EgressConfig) -> Result<Self, reqwest::Error> {
        let mut all: Vec<Box<dyn Sender>> = Vec::new();
        if let Some(twilio) = twilio::Twilio::new(config)? {
            all.push(Box::new(twilio));
        }
        if let Some(waha) = waha::Waha::new(config)? {
            all.push(Box::new(waha));
        }
        if let Some(chatwoot) = chatwoot::Chatwoot::new(config)? {
            all.push(Box::new(chatwoot));
        }
        Ok(Self { all })
    }

    /// The sender for a provider, where it is configured.
    pub(crate) fn get(&self, source: Source) -> Option<&dyn Sender> {
        self.all
            .iter()
            .find(|sender| sender.source() == source)
            .map(AsRef::as_ref)
    }

    /// The configured providers.
    pub(crate) fn sources(&self) -> Vec<Source> {
        self.all.iter().map(|sender| sender.source()).collect()
    }
}

/// The parts of a message, each with its id.
pub(crate) fn parts(sender: &dyn Sender, message: &Arc<OutboundMessage>) -> Vec<Part> {
    let contents = sender.contents(message).into_iter().enumerate();
    let part = |(index, content)| Part {
        id: message.id.part(index + 1),
        content,
        message: message.clone(),
        chosen_id: None,
    };
    contents.map(part).collect()
}
