//! Looks in the provider's list for a message whose request got no certain answer.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use shared_types::Outbound;
use streams::{Job, PartitionKeys, Redis};

use super::Stop;
use crate::ledger::names;
use crate::senders::{Part, Sender, Trace};

/// How often an unreadable list is asked again before the message is set aside.
const LOOK_UPS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// What the provider's list says of a request that was begun at `since`.
pub(super) async fn look_up(
    redis: &Redis,
    job: &mut Job<Outbound>,
    sender: &dyn Sender,
    part: &Part,
    since: Timestamp,
) -> Result<Trace, Stop> {
    let mut pause = FIRST_PAUSE;
    let mut trace = Trace::Absent;
    for _ in 0..LOOK_UPS {
        trace = look_up_once(redis, job.keys(), sender, part, since).await;
        let Trace::Unreadable(error) = &trace else {
            return Ok(trace);
        };
        tracing::warn!(outbound.id = %part.id, error, "the provider's list cannot be read");
        job.pause(pause).await?;
        pause *= 2;
    }
    Ok(trace)
}

/// Messages that are known as another send of ours are no trace of this one.
async fn look_up_once(
    redis: &Redis,
    keys: PartitionKeys,
    sender: &dyn Sender,
    part: &Part,
    since: Timestamp,
) -> Trace {
    let message = &part.message;
    let unclaimed = move |ids: Vec<String>| -> BoxFuture<'_, Result<Vec<String>, String>> {
        let own = part.id.to_string();
        Box::pin(async move {
            let (source, conversation) = (message.source, &message.conversation_id);
            let names = ids
                .iter()
                .flat_map(|id| names(source, conversation, id, keys));
            let names: Vec<_> = names.collect();
            let owners = redis.values(&names).await.map_err(|e| e.to_string())?;
            let is_free = |owner: &Option<String>| owner.as_ref().is_none_or(|owner| *owner == own);
            // Two names each.
            let owners = owners.chunks(2).zip(ids);
            Ok(owners
                .filter(|(owners, _)| owners.iter().all(is_free))
                .map(|(_, id)| id)
                .collect())
        })
    };
    sender.find(part, since, &unclaimed).await
}
