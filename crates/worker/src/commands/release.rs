//! `worker release`: gives a conversation back to the bot.

use std::io;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use shared_types::{ControlEvent, ControlKind, ConversationId, Source};
use streams::{
    Destination, Ingest, Ingested, NewEntry, Queue, Redis, RedisConfig, RedisConfigError,
    StreamsError,
};

/// `worker release`.
#[derive(Debug, Clone, Args)]
pub struct ReleaseArgs {
    /// The conversation, such as `whatsapp:+31612345678`.
    conversation: ConversationId,
    #[command(flatten)]
    redis: RedisConfig,
}

/// Why a conversation was not released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The Redis settings are wrong.
    #[error(transparent)]
    Config(#[from] RedisConfigError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The event cannot be written as JSON.
    #[error("event: {0}")]
    Event(#[from] serde_json::Error),
    /// The event was not taken.
    #[error("the event was not taken: {0:?}")]
    NotTaken(Ingested),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl ReleaseArgs {
    /// Queues the event; it takes its place in the conversation's order.
    ///
    /// # Errors
    /// When Redis or the output fails.
    pub async fn run(&self) -> Result<(), ReleaseError> {
        let at = Timestamp::now();
        let event = ControlEvent {
            conversation_id: self.conversation.clone(),
            source: Source::Twilio,
            kind: ControlKind::Released,
            at,
        };
        let name = format!(
            "operator:control:{}:{}",
            self.conversation,
            at.as_nanosecond()
        );
        let entry = NewEntry::new(&event, name.as_str(), self.conversation.as_str())?;
        let ingest = Ingest {
            destination: Destination::Work(Queue::Inbound),
            entry: &entry,
            rate: None,
            request_id: &name,
            dedup_for: Duration::ZERO,
            max_backlog: 0,
            replicas: 0,
            replica_timeout: Duration::ZERO,
        };
        match Redis::new(&self.redis)?.ingest(&ingest).await? {
            Ingested::Queued { .. } => {
                runtime::print(&"The bot answers again once the worker has read this.")?;
                Ok(())
            }
            other => Err(ReleaseError::NotTaken(other)),
        }
    }
}
