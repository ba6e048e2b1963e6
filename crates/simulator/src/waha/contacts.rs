use std::collections::HashMap;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::api::{authorise, refuse, require_working};
use super::error::{error, invalid};
use crate::address;
use crate::answer::Answer;
use crate::faults::respond;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};
use crate::world::World;

pub(super) async fn session(
    world: Data<World>,
    request: HttpRequest,
    name: Path<String>,
) -> HttpResponse {
    let status = match authorise(&world, &request) {
        Ok(()) => world.waha.session(&name),
        Err(answer) => return refuse(&world, Endpoint::Session, answer),
    };
    let Some(status) = status else {
        return error(404, Some("Session not found".to_owned())).into();
    };
    let body = json!({
        "name": *name,
        "status": status,
        "config": {},
        "me": { "id": world.business_chat_id(), "pushName": "Autobedrijf" },
        "engine": { "engine": world.config.waha.engine.as_str() },
    });
    look_up(&world, &request, Endpoint::Session, &body).await
}

pub(super) async fn sessions(world: Data<World>, request: HttpRequest) -> HttpResponse {
    if let Err(answer) = authorise(&world, &request) {
        return refuse(&world, Endpoint::Session, answer);
    }
    let all = world.waha.sessions().into_iter();
    let all = all.map(|(name, status)| json!({"name": name, "status": status, "config": {}}));
    let body = Value::Array(all.collect());
    look_up(&world, &request, Endpoint::Session, &body).await
}

pub(super) async fn check_exists(
    world: Data<World>,
    request: HttpRequest,
    query: Query<HashMap<String, String>>,
) -> HttpResponse {
    let session = query.get("session").map_or("default", String::as_str);
    let checked = authorise(&world, &request).and_then(|()| require_working(&world, session));
    if let Err(answer) = checked {
        return refuse(&world, Endpoint::Contact, answer);
    }
    let Some(phone) = query.get("phone").filter(|phone| !phone.trim().is_empty()) else {
        return invalid(&["phone should not be empty".to_owned()]).into();
    };
    let customer = address::customer(phone);
    let body = if world.waha.exists(&customer) {
        json!({ "numberExists": true, "chatId": address::chat_id(&customer) })
    } else {
        json!({ "numberExists": false })
    };
    look_up(&world, &request, Endpoint::Contact, &body).await
}

pub(super) async fn phone_of_lid(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (session, lid) = path.into_inner();
    let checked = authorise(&world, &request).and_then(|()| require_working(&world, &session));
    if let Err(answer) = checked {
        return refuse(&world, Endpoint::Contact, answer);
    }
    let lid = if lid.contains('@') {
        lid
    } else {
        format!("{lid}@lid")
    };
    let body = json!({ "lid": lid, "pn": world.waha.phone_of(&lid) });
    look_up(&world, &request, Endpoint::Contact, &body).await
}

pub(super) async fn lid_of_phone(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (session, phone) = path.into_inner();
    let checked = authorise(&world, &request).and_then(|()| require_working(&world, &session));
    if let Err(answer) = checked {
        return refuse(&world, Endpoint::Contact, answer);
    }
    let phone = address::chat_id(&phone);
    let body = json!({ "lid": world.waha.lid_of(&phone), "pn": phone });
    look_up(&world, &request, Endpoint::Contact, &body).await
}

/// Download of an attachment.
pub(super) async fn file(
    world: Data<World>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    if let Err(answer) = authorise(&world, &request) {
        return refuse(&world, Endpoint::Media, answer);
    }
    let Some(file) = world.media.get(&id) else {
        return error(404, None).into();
    };
    let call = Call::new(Provider::Waha, Endpoint::Media);
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        file.answer()
    })
    .await
}

async fn look_up(
    world: &World,
    request: &HttpRequest,
    endpoint: Endpoint,
    body: &Value,
) -> HttpResponse {
    let call = Call::new(Provider::Waha, endpoint);
    respond(world, request, call, |call, fault| {
        world.journal.note(call, fault);
        Answer::json(200, body)
    })
    .await
}
