//! Services that can be restarted, and the X-ray of messages.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::{not_found, refuse};
use crate::counts;
use crate::supervisor::{Order, Service};
use crate::world::World;
use crate::xray::Xray;

/// The longest time that an order is waited for.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The services that can be restarted.
pub(super) async fn list(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "services": world.supervisor.services() }))
}

/// A supervisor tells of its services.
pub(super) async fn tell(world: Data<World>, body: Json<Vec<Service>>) -> HttpResponse {
    world.supervisor.tell(body.into_inner());
    world.journal.touch();
    HttpResponse::NoContent().finish()
}

/// Somebody wants a service restarted.
pub(super) async fn order(world: Data<World>, body: Json<Order>) -> HttpResponse {
    match world.supervisor.order(body.into_inner()) {
        Ok(()) => HttpResponse::Accepted().finish(),
        Err(error) => refuse(error),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitQuery {
    timeout_ms: Option<u64>,
}

/// The next order, for a supervisor that waits for it; `null` when none came.
pub(super) async fn next_order(world: Data<World>, query: Query<WaitQuery>) -> HttpResponse {
    let patience = Duration::from_millis(query.timeout_ms.unwrap_or(10_000));
    let order = tokio::select! {
        order = world.supervisor.next(patience.min(MAX_WAIT)) => order,
        () = world.stopping() => None,
    };
    HttpResponse::Ok().json(json!({ "order": order }))
}

/// What happened to a message.
pub(super) async fn xray(world: Data<World>, seq: Path<u64>) -> HttpResponse {
    match Xray::of(&world, *seq) {
        Some(xray) => HttpResponse::Ok().json(xray),
        None => not_found("no message of a customer has that number, and no reply to one"),
    }
}

/// The running count.
pub(super) async fn counts(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(counts::count(&world))
}
