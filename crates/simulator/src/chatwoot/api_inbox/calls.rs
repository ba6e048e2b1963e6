//! The calls that mirror a conversation: contacts, conversations, messages, and who has them.

use std::sync::Arc;

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::super::api::{Caller, admit_to_account, error};
use super::contacts::{conversations_of, link_contact, make_contact, search_contacts};
use super::conversations::{assign, converse, label, labels, prioritise};
use super::messages::report;
use super::state::Mirror;
use crate::answer::Answer;
use crate::faults::respond;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};
use crate::world::World;

pub(super) type Target = Path<(u64, u64)>;

/// The number of the person whose token the mirror has.
pub(super) const SERVICE_USER: u64 = 1;

/// The paths that only this inbox has.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    let account = "/api/v1/accounts/{account}";
    let conversation = format!("{account}/conversations/{{conversation}}");
    config
        .route(&format!("{account}/contacts"), web::post().to(make_contact))
        .route(
            &format!("{account}/contacts/search"),
            web::get().to(search_contacts),
        )
        .route(
            &format!("{account}/contacts/{{contact}}/contact_inboxes"),
            web::post().to(link_contact),
        )
        .route(
            &format!("{account}/contacts/{{contact}}/conversations"),
            web::get().to(conversations_of),
        )
        .route(
            &format!("{account}/conversations"),
            web::post().to(converse),
        )
        .route(
            &format!("{conversation}/messages/{{message}}"),
            web::patch().to(report),
        )
        .route(
            &format!("{conversation}/toggle_priority"),
            web::post().to(prioritise),
        )
        .route(
            &format!("{conversation}/assignments"),
            web::post().to(assign),
        )
        .service(
            web::resource(format!("{conversation}/labels"))
                .route(web::get().to(labels))
                .route(web::post().to(label)),
        );
}

/// A call of the mirror as the journal keeps it.
pub(super) fn call(customer: &str, text: &str, request: Value) -> Call {
    Call {
        customer: customer.to_owned(),
        business: "api".to_owned(),
        text: text.to_owned(),
        request,
        ..Call::new(Provider::Chatwoot, Endpoint::Mirror)
    }
}

pub(super) fn parse(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

pub(super) fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

/// Who caused an event, as newer servers tell.
pub(super) fn performer(caller: Caller) -> Value {
    match caller {
        Caller::Bot => json!({"type": "agent_bot", "id": 1}),
        Caller::User => json!({"type": "user", "id": SERVICE_USER}),
    }
}

pub(super) fn unprocessable(message: &str) -> Answer {
    error(422, Some(message.to_owned()))
}

/// Checks account, rights and conversation of a call that is about one.
pub(super) async fn with_conversation(
    world: Data<World>,
    request: HttpRequest,
    (account, conversation): (u64, u64),
    bots_too: bool,
    what: &str,
    body: Value,
    accept: impl FnOnce(&Arc<World>, &Mirror, Caller) -> Answer,
) -> HttpResponse {
    let world = world.into_inner();
    let found = world.api_inbox.get(conversation);
    let customer = found.as_ref().map(|one| one.source_id.clone());
    let call = call(&customer.unwrap_or_default(), what, body);
    let admitted = admit_to_account(&world, &request, account, bots_too)
        .and_then(|caller| Ok((caller, found.ok_or_else(|| error(404, None))?)));
    let (caller, mirror) = match admitted {
        Ok(admitted) => admitted,
        Err(answer) => return world.refuse(call, answer.status.to_string(), answer),
    };
    let taker = Arc::clone(&world);
    respond(&world, &request, call, move |call, fault| {
        taker.journal.note(call, fault);
        accept(&taker, &mirror, caller)
    })
    .await
}
