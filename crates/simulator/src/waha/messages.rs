use std::sync::Arc;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::api::{Request, authorise, require_working};
use super::error::{error, invalid};
use super::{Engine, new_id, own_message_webhook};
use crate::address;
use crate::answer::Answer;
use crate::delivery;
use crate::faults::{Fault, respond};
use crate::journal::MessageStatus;
use crate::provider::Endpoint;
use crate::world::World;

pub(super) async fn send_text(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    let parsed = Request::parse(Endpoint::Send, None, &body);
    let checked = parsed.check(&world, &request, &["session", "chatId", "text"]);
    take(world.into_inner(), request, parsed, checked).await
}

/// A picture at an address, which is not fetched here, with its caption.
pub(super) async fn send_image(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    let mut parsed = Request::parse(Endpoint::Send, None, &body);
    parsed.call.text = parsed.text("caption").unwrap_or_default().to_owned();
    let url = parsed.call.request.pointer("/file/url");
    let is_there = url.and_then(Value::as_str).is_some_and(|url| {
        reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    });
    let checked = parsed.check(&world, &request, &["session", "chatId"]);
    let checked = checked.and_then(|()| match is_there {
        true => Ok(()),
        false => Err(invalid(&["file.url must be an address".to_owned()])),
    });
    take(world.into_inner(), request, parsed, checked).await
}

async fn take(
    world: Arc<World>,
    request: HttpRequest,
    parsed: Request,
    checked: Result<(), Answer>,
) -> HttpResponse {
    if let Err(answer) = checked {
        return world.refuse(parsed.call, answer.status.to_string(), answer);
    }
    let taker = Arc::clone(&world);
    respond(&world, &request, parsed.call, move |call, fault| {
        let plan = taker.delivery_plan(&call);
        let chat = address::chat_id(&call.customer);
        let chosen = call.request.get("id").and_then(Value::as_str);
        let chosen = chosen.filter(|_| lets_choose(&taker));
        let id = chosen.map_or_else(|| new_id(true, &chat), |key| format!("true_{chat}_{key}"));
        let status = MessageStatus::Queued;
        let entry = taker
            .journal
            .accept(call, &id, status, fault.map(Fault::kind));
        delivery::begin(&taker, &entry, &plan, None);
        if taker.config.waha.own_events {
            taker.post_in_background(own_message_webhook(&taker, &entry, "app"));
        }
        let seconds = entry.arrived.at.as_second();
        let engine = taker.config.waha.engine;
        Answer::json(201, &sent(engine, &id, &chat, &entry.text, seconds))
    })
    .await
}

/// Whether the server and the engine let a client choose a message's id.
fn lets_choose(world: &World) -> bool {
    !world.config.waha.before_chosen_ids && world.config.waha.engine != Engine::Webjs
}

/// An id for a message that is sent later: WAHA 2026.4, engines NOWEB and GOWS.
pub(super) async fn new_message_id(
    world: Data<World>,
    request: HttpRequest,
    session: Path<String>,
) -> HttpResponse {
    let checked = authorise(&world, &request).and_then(|()| require_working(&world, &session));
    let answer = match checked {
        Err(answer) => answer,
        Ok(()) if !lets_choose(&world) => error(404, None),
        Ok(()) => {
            let id = new_id(true, "");
            let key = id.rsplit('_').next().unwrap_or_default();
            Answer::json(200, &json!({ "id": key }))
        }
    };
    answer.into()
}

/// What each engine answers to a message that it sent.
fn sent(engine: Engine, id: &str, chat: &str, text: &str, seconds: i64) -> Value {
    let key = id.rsplit('_').next().unwrap_or(id);
    match engine {
        Engine::Webjs => json!({
            "_data": { "id": { "_serialized": id }, "body": text, "type": "chat", "t": seconds },
            "id": { "fromMe": true, "remote": chat, "id": key, "_serialized": id },
            "ack": 0,
            "hasMedia": false,
            "body": text,
            "type": "chat",
            "timestamp": seconds,
            "to": chat,
            "fromMe": true,
        }),
        Engine::Noweb => json!({
            "key": { "remoteJid": chat.replace("@c.us", "@s.whatsapp.net"), "fromMe": true, "id": key },
            "message": { "extendedTextMessage": { "text": text } },
            "messageTimestamp": seconds.to_string(),
            "status": "PENDING",
        }),
        Engine::Gows => json!({
            "id": id,
            "timestamp": seconds,
            "to": chat,
            "fromMe": true,
            "body": text,
            "ack": 0,
            "ackName": "PENDING",
        }),
    }
}

pub(super) async fn send_seen(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    signal(&world, &request, Endpoint::Seen, None, &body).await
}

pub(super) async fn start_typing(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    signal(&world, &request, Endpoint::Typing, None, &body).await
}

pub(super) async fn stop_typing(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    signal(&world, &request, Endpoint::Typing, None, &body).await
}

pub(super) async fn presence(
    world: Data<World>,
    request: HttpRequest,
    session: Path<String>,
    body: Bytes,
) -> HttpResponse {
    signal(&world, &request, Endpoint::Presence, Some(&session), &body).await
}

/// Everything that is sent about a chat without being a message.
async fn signal(
    world: &World,
    request: &HttpRequest,
    endpoint: Endpoint,
    session: Option<&str>,
    body: &[u8],
) -> HttpResponse {
    let mut parsed = Request::parse(endpoint, session, body);
    let required: &[&str] = match session {
        Some(_) => &["chatId", "presence"],
        None => &["session", "chatId"],
    };
    if let Err(answer) = parsed.check(world, request, required) {
        return world.refuse(parsed.call, answer.status.to_string(), answer);
    }
    // The body does not say which of the two it is, and the page wants to know.
    parsed.call.text = match request.path() {
        "/api/startTyping" => "start".to_owned(),
        "/api/stopTyping" => "stop".to_owned(),
        _ => parsed.text("presence").unwrap_or_default().to_owned(),
    };
    respond(world, request, parsed.call, |call, fault| {
        world.journal.note(call, fault);
        Answer::json(201, &json!({ "result": true }))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_hides_the_id_in_a_place_of_its_own() {
        let id = "true_31612345678@c.us_3EB0AB";
        let answer = |engine| sent(engine, id, "31612345678@c.us", "Hoi", 1);
        assert_eq!(answer(Engine::Webjs)["id"]["_serialized"], id);
        assert_eq!(answer(Engine::Noweb)["key"]["id"], "3EB0AB");
        assert_eq!(
            answer(Engine::Noweb)["key"]["remoteJid"],
            "31612345678@s.whatsapp.net"
        );
        assert_eq!(answer(Engine::Gows)["id"], id);
    }
}
