//! Steps of a help desk that no turn commits: what it is told of a conversation by the way.

use std::time::Duration;

use jiff::Timestamp;
use shared_types::{MirrorStep, MirrorWhat};
use streams::{Ingest, Ingested, NewEntry, Queue, Redis};

/// For how long a step is known that no turn commits.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Queues a step that no turn commits. The same one again is not taken twice.
///
/// # Errors
/// When it is not queued; the text says why.
pub async fn queue(redis: &Redis, step: &MirrorStep) -> Result<(), String> {
    let name = format!("mirror:{}", step.id);
    let entry = NewEntry::new(step, name, step.conversation_id.as_str());
    let entry = entry.map_err(|error| error.to_string())?;
    let ingest = Ingest {
        dedup_for: KNOWN_FOR,
        ..Ingest::unlimited(Queue::Mirror, &entry)
    };
    match redis.ingest(&ingest).await {
        Ok(Ingested::Queued { .. } | Ingested::Duplicate { .. }) => Ok(()),
        Ok(other) => Err(format!("not queued: {other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// What the help desk is told when the customer of one of its conversations is erased.
#[must_use]
pub fn forgotten(display: u64, now: Timestamp) -> Option<MirrorStep> {
    Some(MirrorStep {
        // Not the customer's own, which would name them.
        conversation_id: format!("chatwoot:mirror:{display}").parse().ok()?,
        id: format!("forgotten:{display}"),
        at: now,
        what: MirrorWhat::Forgotten { display },
    })
}
