//! Messages of a conversation, and how far they came.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::api::{Caller, error};
use super::calls::{SERVICE_USER, parse, performer, text, unprocessable, with_conversation};
use super::events::{self, Told, tell_by};
use super::state::Mirror;
use super::writer::{blank_message, old_attributes};
use crate::answer::Answer;
use crate::world::World;

pub(crate) async fn create_message(
    world: Data<World>,
    request: HttpRequest,
    path: (u64, u64),
    body: Bytes,
) -> HttpResponse {
    let body = parse(&body);
    let shown = text(&body, "content").unwrap_or_default().to_owned();
    with_conversation(
        world,
        request,
        path,
        true,
        &shown,
        body.clone(),
        |world, mirror, caller| {
            if shown.is_empty() {
                return unprocessable("Validation failed: Content can't be blank");
            }
            if shown.chars().count() > 150_000 {
                return unprocessable(
                    "Validation failed: Content is too long (maximum is 150000 characters)",
                );
            }
            let now = world.clock.now().micros;
            if !world
                .chatwoot
                .admit(mirror.id, world.config.chatwoot.flood_limit, now)
            {
                return unprocessable("Validation failed: Too many messages");
            }
            let message = made(world, mirror, caller, &body, &shown);
            let id = message["id"].as_u64().unwrap_or_default();
            let before = world.api_inbox.add(mirror.id, message.clone());
            tell_by(
                world,
                mirror.id,
                &Told::Created(id),
                Some(performer(caller)),
                false,
            );
            let after = world.api_inbox.get(mirror.id).map(|one| one.status);
            if let Some(before) = before.filter(|before| Some(*before) != after) {
                let by_contact = json!({"type": "contact", "id": mirror.contact.id});
                tell_by(
                    world,
                    mirror.id,
                    &Told::Status { before },
                    Some(by_contact),
                    false,
                );
            }
            Answer::json(200, &message)
        },
    )
    .await
}

/// A message that the API is asked to make.
pub(super) fn made(
    world: &World,
    mirror: &Mirror,
    caller: Caller,
    body: &Value,
    shown: &str,
) -> Value {
    let attributes = &body["content_attributes"];
    let mut message = blank_message(world.chatwoot.next_message(), shown, Timestamp::now());
    let incoming = text(body, "message_type") == Some("incoming");
    message["message_type"] = json!(u8::from(!incoming));
    message["private"] = json!(body["private"] == true);
    message["source_id"] = body["source_id"].clone();
    message["echo_id"] = body["echo_id"].clone();
    if attributes.is_object() {
        message["content_attributes"] = match events::is_old(world) {
            true => old_attributes(attributes),
            false => attributes.clone(),
        };
    }
    message["sender"] = match (incoming, caller) {
        (true, _) => json!({"id": mirror.contact.id, "type": "contact"}),
        (false, Caller::Bot) => json!({"id": 1, "name": "Postduif", "type": "agent_bot"}),
        (false, Caller::User) => {
            json!({"id": SERVICE_USER, "name": "Mirror", "available_name": "Mirror", "type": "user"})
        }
    };
    message
}

/// Messages after or before an id, as many as Chatwoot gives at once.
pub(crate) async fn messages(
    world: Data<World>,
    request: HttpRequest,
    path: (u64, u64),
) -> HttpResponse {
    let given = |wanted: &str| {
        let mut query = form_urlencoded::parse(request.query_string().as_bytes());
        query
            .find(|(name, _)| name == wanted)?
            .1
            .parse::<u64>()
            .ok()
    };
    let (after, before) = (given("after"), given("before"));
    with_conversation(
        world,
        request,
        path,
        false,
        "messages",
        Value::Null,
        |_, mirror, _| {
            let id = |message: &&Value| message["id"].as_u64().unwrap_or_default();
            let all = mirror.messages.iter();
            let page: Vec<&Value> = match (after, before) {
                (Some(after), _) => all.filter(|one| id(one) > after).take(100).collect(),
                (None, before) => {
                    let all: Vec<&Value> = all
                        .filter(|one| before.is_none_or(|before| id(one) < before))
                        .collect();
                    all.iter()
                        .skip(all.len().saturating_sub(20))
                        .copied()
                        .collect()
                }
            };
            Answer::json(
                200,
                &json!({"meta": {"labels": mirror.labels}, "payload": page}),
            )
        },
    )
    .await
}

pub(super) async fn report(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(u64, u64, u64)>,
    body: Bytes,
) -> HttpResponse {
    let (account, conversation, message) = path.into_inner();
    let body = parse(&body);
    let what = format!("status {}", text(&body, "status").unwrap_or_default());
    let path = (account, conversation);
    with_conversation(
        world,
        request,
        path,
        false,
        &what,
        body.clone(),
        |world, mirror, caller| {
            let Some(known) = mirror.messages.iter().find(|one| one["id"] == message) else {
                return error(404, None);
            };
            let status = text(&body, "status").unwrap_or_default();
            if !["sent", "delivered", "read", "failed"].contains(&status) {
                return unprocessable("status is not included in the list");
            }
            if known["status"] == "read" && status == "delivered" {
                return unprocessable("Validation failed: Status cannot go back");
            }
            let mut attributes = known["content_attributes"].clone();
            match (status, text(&body, "external_error")) {
                ("failed", Some(error)) => attributes["external_error"] = json!(error),
                _ => {
                    if let Some(fields) = attributes.as_object_mut() {
                        fields.remove("external_error");
                    }
                }
            }
            let change = json!({"status": status, "content_attributes": attributes});
            let changed = world.api_inbox.update(mirror.id, message, &change);
            tell_by(
                world,
                mirror.id,
                &Told::Updated(message),
                Some(performer(caller)),
                false,
            );
            changed.map_or_else(|| error(404, None), |changed| Answer::json(200, &changed))
        },
    )
    .await
}
