use std::sync::Arc;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::api::{Caller, admit, call, content_type, error};
use super::api_inbox;
use super::conversation::Conversation;
use super::webhook::{message_body, signed};
use crate::answer::Answer;
use crate::delivery;
use crate::faults::{Fault, respond};
use crate::journal::{Call, Entry, MessageStatus, Query, Record};
use crate::multipart::{self, Part};
use crate::provider::{Endpoint, Provider};
use crate::webhook::Webhook;
use crate::world::World;

/// Longest content of a message, in characters.
const MAX_CONTENT: usize = 150_000;

pub(super) async fn create(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(u64, u64)>,
    body: Bytes,
) -> HttpResponse {
    if world.api_inbox.has(path.1) {
        return api_inbox::create_message(world, request, *path, body).await;
    }
    let world = world.into_inner();
    let body = fields(&world, content_type(&request), &body);
    let call = Call {
        text: text(&body, "content").unwrap_or_default().to_owned(),
        oid: outbound_id(&body),
        ..call(&world, Endpoint::Send, path.1, body.clone())
    };
    let checked = admit(&world, &request, *path, true).and_then(|(caller, conversation)| {
        check(&body)?;
        let limit = world.config.chatwoot.flood_limit;
        let now = world.clock.now().micros;
        if world.chatwoot.admit(conversation.id, limit, now) {
            Ok((caller, conversation))
        } else {
            let message = "Validation failed: Too many messages";
            Err(error(422, Some(message.to_owned())))
        }
    });
    let (caller, conversation) = match checked {
        Ok(checked) => checked,
        Err(answer) => return world.refuse(call, answer.status.to_string(), answer),
    };
    let taker = Arc::clone(&world);
    respond(&world, &request, call, move |call, fault| {
        let plan = taker.delivery_plan(&call);
        let id = taker.chatwoot.next_message();
        let status = MessageStatus::Sent;
        let fault = fault.map(Fault::kind);
        let entry = taker.journal.accept(call, &id.to_string(), status, fault);
        delivery::begin(&taker, &entry, &plan, None);
        echo(&taker, &conversation, &entry, caller);
        Answer::json(200, &message(&conversation, &entry))
    })
    .await
}

/// The messages of a conversation, oldest first; `before` gives those before that id.
pub(super) async fn list(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(u64, u64)>,
) -> HttpResponse {
    const PAGE: usize = 20;
    if world.api_inbox.has(path.1) {
        return api_inbox::messages(world, request, *path).await;
    }
    let call = call(&world, Endpoint::List, path.1, Value::Null);
    let conversation = match admit(&world, &request, *path, false) {
        Ok((_, conversation)) => conversation,
        Err(answer) => return world.refuse(call, answer.status.to_string(), answer),
    };
    let before = form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "before")
        .and_then(|(_, value)| value.parse::<u64>().ok());
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        let query = Query {
            provider: Some(Provider::Chatwoot),
            to: Some(conversation.customer.clone()),
            arrived_to: fault.and_then(|fault| fault.known_until(Timestamp::now())),
            limit: usize::MAX,
            ..Query::default()
        };
        let is_listed = |record: &Record| {
            let id = record.entry.id.parse::<u64>();
            record.entry.outcome.is_accepted()
                && id.is_ok_and(|id| before.is_none_or(|before| id < before))
        };
        let newest = world.journal.newest(&query, 0);
        let mut page: Vec<Value> = newest
            .iter()
            .filter(|record| is_listed(record))
            .take(PAGE)
            .map(|record| message(&conversation, &record.entry))
            .collect();
        page.reverse();
        let meta = json!({ "assignee": conversation.assignee, "labels": [] });
        Answer::json(200, &json!({ "meta": meta, "payload": page }))
    })
    .await
}

/// A message as the API shows it: the type is a number here, the time Unix seconds.
fn message(conversation: &Conversation, entry: &Entry) -> Value {
    let field = |name: &str| entry.request.get(name).cloned().unwrap_or(Value::Null);
    let incoming = entry.endpoint == Endpoint::Webhook;
    let event = entry.request.get("event").filter(|event| event.is_object());
    let private =
        text(&entry.request, "private") == Some("true") || field("private").as_bool() == Some(true);
    let mut message = json!({
        "id": entry.id.parse::<u64>().unwrap_or(0),
        "content": entry.text,
        "inbox_id": 1,
        "conversation_id": conversation.id,
        "message_type": if incoming { 0 } else { 1 },
        "content_type": "text",
        "status": "sent",
        "content_attributes": match field("content_attributes") {
            Value::Null => json!({}),
            attributes => attributes,
        },
        "created_at": entry.arrived.at.as_second(),
        "private": private,
        "source_id": field("source_id"),
        "echo_id": field("echo_id"),
    });
    if let Some(files) = entry.request.get("attachments") {
        message["attachments"] = files.clone();
    }
    if entry.endpoint == Endpoint::Colleague {
        message["sender"] = user(text(&entry.request, "by").unwrap_or("Petra"));
    }
    // What a customer wrote is here what its event said, but for the time.
    for name in [
        "content",
        "content_attributes",
        "source_id",
        "sender",
        "attachments",
    ] {
        if let Some(value) = event.and_then(|event| event.get(name)) {
            message[name] = value.clone();
        }
    }
    let written = event.and_then(|event| event.get("created_at")?.as_str()?.parse().ok());
    if let Some(written) = written.map(Timestamp::as_second) {
        message["created_at"] = json!(written);
    }
    message
}

/// Chatwoot tells the bot of every message, its own ones and private notes too.
fn echo(world: &Arc<World>, conversation: &Conversation, entry: &Entry, caller: Caller) {
    let sender = match caller {
        Caller::Bot => json!({ "id": 1, "name": "Postduif", "type": "agent_bot" }),
        Caller::User => user("Petra"),
    };
    let body = outgoing(world, conversation, entry, sender);
    world.post_in_background(signed(&world.config, &body, None));
}

/// The signed webhook of what a colleague wrote.
pub(crate) fn user_message_webhook(
    world: &World,
    conversation: &Conversation,
    entry: &Entry,
    by: &str,
) -> Webhook {
    let body = outgoing(world, conversation, entry, user(by));
    signed(&world.config, &body, None)
}

fn user(name: &str) -> Value {
    json!({ "id": 1, "name": name, "type": "user" })
}

fn outgoing(world: &World, conversation: &Conversation, entry: &Entry, sender: Value) -> Value {
    let account = world.config.chatwoot.account_id;
    let api = message(conversation, entry);
    let id = entry.id.parse().unwrap_or(0);
    let content = Some(entry.text.as_str());
    let now = Timestamp::now();
    let mut body = message_body(account, conversation, id, content, "outgoing", now);
    if let Some(files) = api.get("attachments") {
        body["attachments"] = files.clone();
    }
    for name in ["private", "source_id", "content_attributes"] {
        body[name] = api[name].clone();
    }
    body["sender"] = sender;
    body
}

/// The form or JSON of a create-message call. A file is kept, and named by its address.
fn fields(world: &World, content_type: &str, body: &[u8]) -> Value {
    let Some(parts) = multipart::parse(content_type, body) else {
        return serde_json::from_slice(body).unwrap_or(Value::Null);
    };
    let mut fields = Map::new();
    for part in parts {
        let name = part.name.trim_end_matches("[]").to_owned();
        let text = || String::from_utf8_lossy(&part.content).into_owned();
        let value = match (&part.filename, name.as_str()) {
            (Some(filename), _) => json!([kept(world, filename, &part)]),
            // Chatwoot reads it from a form as JSON.
            (None, "content_attributes") => {
                serde_json::from_slice(&part.content).unwrap_or_else(|_| json!({}))
            }
            (None, _) => text().into(),
        };
        fields.insert(name, value);
    }
    Value::Object(fields)
}

fn kept(world: &World, filename: &str, part: &Part) -> Value {
    let content_type = part.content_type.as_deref().unwrap_or_default();
    let id = world.media.keep_file(content_type, part.content.clone());
    json!({
        "file_type": content_type.split('/').next().unwrap_or("file"),
        "data_url": format!("{}/rails/active_storage/blobs/{id}", world.url),
        "content_type": content_type,
        "filename": filename,
        "file_size": part.content.len(),
    })
}

fn check(body: &Value) -> Result<(), Answer> {
    let refuse = |message: &str| Err(error(422, Some(message.to_owned())));
    let content = text(body, "content").unwrap_or_default();
    if content.is_empty() && body.get("attachments").is_none() {
        return refuse("Validation failed: Content can't be blank");
    }
    if content.chars().count() > MAX_CONTENT {
        return refuse("Validation failed: Content is too long (maximum is 150000 characters)");
    }
    if text(body, "message_type") == Some("incoming") {
        return refuse("Incoming messages are only allowed in Api inboxes");
    }
    Ok(())
}

/// The id that a service gave its message, wherever it may put one.
fn outbound_id(body: &Value) -> Option<String> {
    text(body, "source_id")
        .or_else(|| text(body, "echo_id"))
        .or_else(|| text(body.get("content_attributes")?, "external_id"))
        .map(str::to_owned)
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}
