//! The people of the account, and their addresses in the inbox.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::super::api::{admit_to_account, error};
use super::API_INBOX_ID;
use super::calls::{Target, call, parse, text, unprocessable};
use super::events::{contact_fields, conversation_fields};
use super::state::{Contact, Refused};
use crate::answer::Answer;
use crate::faults::respond;
use crate::world::World;

pub(super) async fn make_contact(
    world: Data<World>,
    request: HttpRequest,
    account: Path<u64>,
    body: Bytes,
) -> HttpResponse {
    let body = parse(&body);
    let source_id = text(&body, "source_id").unwrap_or_default().to_owned();
    let call = call(&source_id, "contact", body.clone());
    if let Err(answer) = admit_to_account(&world, &request, *account, false) {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        if body["inbox_id"] != API_INBOX_ID || !world.api_inbox.exists() {
            return error(404, None);
        }
        let owned = |name| text(&body, name).map(str::to_owned);
        let contact = Contact {
            id: 0,
            name: owned("name").unwrap_or_default(),
            identifier: owned("identifier"),
            phone_number: owned("phone_number"),
            source_ids: vec![source_id.clone()],
        };
        if contact.name.chars().count() > 255 {
            return unprocessable("Name is too long (maximum is 255 characters)");
        }
        match world.api_inbox.make_contact(contact) {
            Ok(contact) => {
                let inbox = json!({"source_id": source_id, "inbox": {"id": API_INBOX_ID}});
                let payload = json!({"contact": contact_fields(&contact), "contact_inbox": inbox});
                Answer::json(200, &json!({ "payload": payload }))
            }
            Err(Refused::NoInbox) => error(404, None),
            Err(Refused::Taken(what)) => {
                let message = format!("{what} has already been taken");
                Answer::json(422, &json!({ "message": message, "attributes": [what] }))
            }
        }
    })
    .await
}

pub(super) async fn search_contacts(
    world: Data<World>,
    request: HttpRequest,
    account: Path<u64>,
) -> HttpResponse {
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let wanted = query.find(|(name, _)| name == "q");
    let wanted = wanted
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let call = call("", "search", json!({ "q": wanted }));
    if let Err(answer) = admit_to_account(&world, &request, *account, false) {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        if wanted.is_empty() {
            return unprocessable("Specify search string with parameter q");
        }
        let has = |own: &Option<String>| own.as_ref().is_some_and(|own| own.contains(&wanted));
        let all = world.api_inbox.contacts();
        let found = all.iter().filter(|one| {
            one.name.contains(&wanted) || has(&one.identifier) || has(&one.phone_number)
        });
        let found: Vec<Value> = found.take(15).map(contact_fields).collect();
        Answer::json(
            200,
            &json!({"meta": {"count": found.len()}, "payload": found}),
        )
    })
    .await
}

pub(super) async fn link_contact(
    world: Data<World>,
    request: HttpRequest,
    path: Target,
    body: Bytes,
) -> HttpResponse {
    let body = parse(&body);
    let (account, contact) = path.into_inner();
    let source_id = text(&body, "source_id").unwrap_or_default().to_owned();
    let call = call(&source_id, "contact_inbox", body.clone());
    if let Err(answer) = admit_to_account(&world, &request, account, false) {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        if body["inbox_id"] != API_INBOX_ID || !world.api_inbox.exists() {
            return error(404, None);
        }
        match world.api_inbox.link(contact, &source_id) {
            Some(true) => Answer::json(200, &json!({ "source_id": source_id })),
            Some(false) => unprocessable("Source should be unique"),
            None => error(404, None),
        }
    })
    .await
}

pub(super) async fn conversations_of(
    world: Data<World>,
    request: HttpRequest,
    path: Target,
) -> HttpResponse {
    let (account, contact) = path.into_inner();
    let call = call("", "conversations of a contact", Value::Null);
    if let Err(answer) = admit_to_account(&world, &request, account, false) {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        let all = world.api_inbox.all();
        let theirs = all.iter().filter(|one| one.contact.id == contact);
        let theirs: Vec<Value> = theirs.map(conversation_fields).collect();
        Answer::json(200, &json!({ "payload": theirs }))
    })
    .await
}
