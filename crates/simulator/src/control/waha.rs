use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::json;

use super::not_found;
use crate::address;
use crate::waha::{self, Ack, SessionStatus};
use crate::world::World;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionBody {
    session: Option<String>,
    status: SessionStatus,
}

/// Sets the state of a session and tells the ingress of it.
pub(super) async fn session_status(world: Data<World>, body: Json<SessionBody>) -> HttpResponse {
    let body = body.into_inner();
    let session = body.session.unwrap_or(world.config.waha.session.clone());
    let history = world.waha.set_session(&session, body.status);
    let webhook = waha::session_webhook(&world, &session, body.status, &history);
    HttpResponse::Ok().json(world.webhooks.post(&webhook).await)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AckBody {
    id: String,
    ack: Ack,
}

/// Acknowledges a message that was sent.
pub(super) async fn ack(world: Data<World>, body: Json<AckBody>) -> HttpResponse {
    let Some(record) = world.journal.sent_with_id(&body.id) else {
        return not_found("no sent message with that id");
    };
    let entry = &record.entry;
    world.journal.update(entry.seq, |progress| {
        progress.status = progress.status.max(body.ack.status());
    });
    let webhook = waha::ack_webhook(
        &world,
        &entry.business,
        &entry.id,
        &entry.customer,
        body.ack,
    );
    HttpResponse::Ok().json(world.webhooks.post(&webhook).await)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LidBody {
    lid: String,
    phone: Option<String>,
}

/// Tells WAHA who hides behind a LID.
pub(super) async fn lid(world: Data<World>, body: Json<LidBody>) -> HttpResponse {
    let phone = body.phone.as_deref().map(address::chat_id);
    world.waha.set_lid(&body.lid, phone.clone());
    HttpResponse::Ok().json(json!({ "lid": body.lid, "pn": phone }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberBody {
    phone: String,
    exists: bool,
}

/// Tells WAHA whether a number is on WhatsApp. Every number is, until told otherwise.
pub(super) async fn number(world: Data<World>, body: Json<NumberBody>) -> HttpResponse {
    let customer = address::customer(&body.phone);
    world.waha.set_exists(customer.clone(), body.exists);
    HttpResponse::Ok().json(json!({ "phone": customer, "exists": body.exists }))
}
