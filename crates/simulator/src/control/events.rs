use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use futures_util::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::world::World;

/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Server-sent events: every entry as it is written or changes, as `event: entry` with the same JSON
/// as in a transcript; `event: reload` when the listener was too slow, everything was forgotten, or
/// a service sent traces.
pub(super) async fn stream(world: Data<World>) -> HttpResponse {
    let world = world.into_inner();
    let changes = world.journal.changes();
    let events = stream::unfold((world, changes), |(world, mut changes)| async move {
        let event = next(&world, &mut changes).await?;
        Some((
            Ok::<_, actix_web::Error>(Bytes::from(event)),
            (world, changes),
        ))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .streaming(Box::pin(events))
}

async fn next(world: &Arc<World>, changes: &mut Receiver<u64>) -> Option<String> {
    tokio::select! {
        () = world.stopping() => None,
        () = tokio::time::sleep(HEARTBEAT) => Some(": still here\n\n".to_owned()),
        change = changes.recv() => Some(match change {
            Ok(seq) => entry(world, seq),
            Err(RecvError::Lagged(_)) => RELOAD.to_owned(),
            Err(RecvError::Closed) => return None,
        }),
    }
}

const RELOAD: &str = "event: reload\ndata: {}\n\n";

fn entry(world: &World, seq: u64) -> String {
    let record = world.journal.get(seq);
    match record.and_then(|record| serde_json::to_string(&record).ok()) {
        Some(json) => format!("event: entry\nid: {seq}\ndata: {json}\n\n"),
        None => RELOAD.to_owned(),
    }
}
