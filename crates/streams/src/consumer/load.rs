//! Reads an entry again that was left in Redis for want of room.

use std::time::Duration;

use shared_types::Payload;

use crate::StreamId;
use crate::fetch::{Fetched, From};

use super::item::{Content, Item};
use super::job::{Context, Outcome};

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Makes sure that the item has its content. Gives how it ends when that cannot be had.
pub(super) async fn load<P: Payload>(item: &mut Item<P>, context: &Context) -> Result<(), Outcome> {
    if matches!(item.content, Content::Unloaded) {
        item.content = read(item.id, context).await?;
    }
    Ok(())
}

async fn read<P: Payload>(id: StreamId, context: &Context) -> Result<Content<P>, Outcome> {
    let from = From::Pending { after: id.before() };
    loop {
        match context.redis.fetch(&context.lease, &from, 1, None).await {
            Ok(Fetched::Entries(entries, _)) => {
                let entry = entries.into_iter().find(|entry| entry.id == id);
                // Nobody else may have ended it under our lease, except by hand.
                return entry
                    .map(|entry| Item::from(entry).content)
                    .ok_or(Outcome::Done { merged: 0 });
            }
            Ok(Fetched::Fenced) => return Err(Outcome::Lost),
            Err(error) => tracing::debug!(%error, "an entry could not be read again"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE_AFTER_ERROR) => {}
            () = context.stop.cancelled() => return Err(Outcome::Left),
            () = context.lease.lost() => return Err(Outcome::Lost),
        }
    }
}
