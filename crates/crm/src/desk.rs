//! What colleagues do with a conversation: events that take their place in its order, so that it is the
//! worker who changes it.

use jiff::Timestamp;
use shared_types::{ControlEvent, ControlKind, ConversationId, Source};
use streams::{Ingest, Ingested, NewEntry, Queue, Redis, StreamsError};

use crate::{ByHand, Changed, Matter, Status};

/// Why a conversation did not change hands.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The event cannot be written as JSON.
    #[error("event: {0}")]
    Event(#[from] serde_json::Error),
    /// The event was not taken.
    #[error("the event was not taken: {0:?}")]
    NotTaken(Ingested),
}

/// Queues the event; it takes its place in the conversation's order.
///
/// # Errors
/// When Redis cannot be reached, or does not take it.
pub async fn change_hands(
    redis: &Redis,
    conversation: &ConversationId,
    kind: ControlKind,
    by: &str,
) -> Result<(), DeskError> {
    let at = Timestamp::now();
    let event = ControlEvent {
        conversation_id: conversation.clone(),
        source: Source::Twilio,
        kind,
        by: Some(by.to_owned()),
        changed_at: None,
        late: false,
        at,
    };
    let name = format!("operator:control:{conversation}:{}", at.as_nanosecond());
    let entry = NewEntry::new(&event, name.as_str(), conversation.as_str())?;
    let ingest = Ingest::unlimited(Queue::Inbound, &entry);
    match redis.ingest(&ingest).await? {
        Ingested::Queued { .. } => Ok(()),
        other => Err(DeskError::NotTaken(other)),
    }
}

/// Who has the conversation after a change by hand: a hand-over that is taken is the colleague's, one that
/// is closed the bot's. A change that was killed half way is finished by its repetition.
///
/// # Errors
/// When Redis cannot be reached, or does not take it.
pub async fn follow(
    redis: &Redis,
    by_hand: &ByHand<'_>,
    changed: &Changed,
) -> Result<(), DeskError> {
    let conversation = match changed {
        Changed::Done { conversation } => conversation,
        Changed::Late {
            status,
            by,
            conversation,
            ..
        } if *status == by_hand.to && by == by_hand.by => conversation,
        Changed::Late { .. } | Changed::Unknown => return Ok(()),
    };
    let hands = match (by_hand.matter, by_hand.to) {
        (Matter::Handover, Status::Taken) => Some(ControlKind::HumanTookOver),
        (Matter::Handover, Status::Closed) => Some(ControlKind::Released),
        _ => None,
    };
    match hands.zip(conversation.parse().ok()) {
        Some((kind, conversation)) => change_hands(redis, &conversation, kind, by_hand.by).await,
        None => Ok(()),
    }
}
