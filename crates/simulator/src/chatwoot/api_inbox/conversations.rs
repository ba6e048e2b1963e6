//! Conversations, and who has them.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::super::ConversationStatus;
use super::super::api::{Caller, admit_to_account, error};
use super::API_INBOX_ID;
use super::calls::{
    SERVICE_USER, Target, call, parse, performer, text, unprocessable, with_conversation,
};
use super::events::{Told, conversation_fields, tell_by};
use super::state::{Agent, Mirror};
use crate::answer::Answer;
use crate::faults::respond;
use crate::world::World;

pub(super) async fn converse(
    world: Data<World>,
    request: HttpRequest,
    account: Path<u64>,
    body: Bytes,
) -> HttpResponse {
    let body = parse(&body);
    let source_id = text(&body, "source_id").unwrap_or_default().to_owned();
    let call = call(&source_id, "conversation", body.clone());
    if let Err(answer) = admit_to_account(&world, &request, *account, true) {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        if body["inbox_id"] != API_INBOX_ID || !world.api_inbox.exists() {
            return error(404, None);
        }
        let status = serde_json::from_value(body["status"].clone());
        let status = status.unwrap_or(ConversationStatus::Open);
        let contact = body["contact_id"].as_u64().unwrap_or_default();
        match world
            .api_inbox
            .converse(contact, &source_id, status, &body["additional_attributes"])
        {
            Some(mirror) => Answer::json(200, &conversation_fields(&mirror)),
            None => error(404, None),
        }
    })
    .await
}

/// The inbox's conversations for a list of all.
pub(crate) fn listed(world: &World, status: Option<ConversationStatus>) -> Vec<Value> {
    let mut all = world.api_inbox.all();
    all.retain(|one| status.is_none_or(|status| status == one.status));
    all.sort_by_key(|one| std::cmp::Reverse(one.last_activity_at));
    let listed = |mirror: &Mirror| {
        let mut body = conversation_fields(mirror);
        body["meta"]["channel"] = body["channel"].take();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("channel");
            fields.remove("contact_inbox");
        }
        body
    };
    all.iter().map(listed).collect()
}

/// A conversation of the inbox.
pub(crate) async fn show(world: Data<World>, request: HttpRequest, path: Target) -> HttpResponse {
    with_conversation(
        world,
        request,
        *path,
        false,
        "show",
        Value::Null,
        |_, mirror, _| Answer::json(200, &conversation_fields(mirror)),
    )
    .await
}

pub(crate) async fn toggle_status(
    world: Data<World>,
    request: HttpRequest,
    path: (u64, u64),
    body: Bytes,
) -> HttpResponse {
    let body = parse(&body);
    let what = format!("toggle {}", text(&body, "status").unwrap_or_default());
    with_conversation(
        world,
        request,
        path,
        true,
        &what,
        body.clone(),
        |world, mirror, caller| {
            let Ok(status) = serde_json::from_value::<ConversationStatus>(body["status"].clone())
            else {
                return unprocessable("status is no status");
            };
            let before = world.api_inbox.set_status(mirror.id, status);
            if let Some(before) = before.filter(|before| *before != status) {
                tell_by(
                    world,
                    mirror.id,
                    &Told::Status { before },
                    Some(performer(caller)),
                    false,
                );
            }
            // Opening a pending one with a person's token gives it to that person.
            if caller == Caller::User
                && status == ConversationStatus::Open
                && before == Some(ConversationStatus::Pending)
            {
                let me = Agent {
                    id: SERVICE_USER,
                    name: "Mirror".to_owned(),
                };
                let before = world.api_inbox.assign(mirror.id, Some(me)).flatten();
                tell_by(
                    world,
                    mirror.id,
                    &Told::Assigned { before },
                    Some(performer(caller)),
                    false,
                );
            }
            let payload =
                json!({"success": true, "conversation_id": mirror.id, "current_status": status});
            Answer::json(200, &json!({ "payload": payload }))
        },
    )
    .await
}

pub(super) async fn prioritise(
    world: Data<World>,
    request: HttpRequest,
    path: Target,
    body: Bytes,
) -> HttpResponse {
    let body = parse(&body);
    with_conversation(
        world,
        request,
        *path,
        true,
        "priority",
        body.clone(),
        |world, mirror, _| {
            let priority = text(&body, "priority").map(str::to_owned);
            world
                .api_inbox
                .change(mirror.id, |one| one.priority = priority);
            Answer::json(200, &Value::Null)
        },
    )
    .await
}

pub(super) async fn assign(
    world: Data<World>,
    request: HttpRequest,
    path: Target,
    body: Bytes,
) -> HttpResponse {
    let body = parse(&body);
    with_conversation(
        world,
        request,
        *path,
        true,
        "assignment",
        body.clone(),
        |world, mirror, caller| {
            if let Some(team) = body.get("team_id") {
                let team = team.as_u64();
                world.api_inbox.change(mirror.id, |one| one.team = team);
                return Answer::json(200, &json!({ "id": team }));
            }
            let id = body["assignee_id"].as_u64().filter(|id| *id > 0);
            let agent = id.map(|id| world.api_inbox.agent_of(id));
            let before = world.api_inbox.assign(mirror.id, agent.clone()).flatten();
            if before != agent {
                tell_by(
                    world,
                    mirror.id,
                    &Told::Assigned { before },
                    Some(performer(caller)),
                    false,
                );
            }
            Answer::json(200, &json!(agent))
        },
    )
    .await
}

pub(super) async fn labels(world: Data<World>, request: HttpRequest, path: Target) -> HttpResponse {
    with_conversation(
        world,
        request,
        *path,
        false,
        "labels",
        Value::Null,
        |_, mirror, _| Answer::json(200, &json!({ "payload": mirror.labels })),
    )
    .await
}

/// Replaces all of them.
pub(super) async fn label(
    world: Data<World>,
    request: HttpRequest,
    path: Target,
    body: Bytes,
) -> HttpResponse {
    let body = parse(&body);
    with_conversation(
        world,
        request,
        *path,
        false,
        "label",
        body.clone(),
        |world, mirror, caller| {
            let given = body["labels"].as_array().into_iter().flatten();
            let given: Vec<String> = given
                .filter_map(|one| Some(one.as_str()?.to_owned()))
                .collect();
            world
                .api_inbox
                .change(mirror.id, |one| one.labels.clone_from(&given));
            tell_by(
                world,
                mirror.id,
                &Told::Labelled,
                Some(performer(caller)),
                false,
            );
            Answer::json(200, &json!({ "payload": given }))
        },
    )
    .await
}
