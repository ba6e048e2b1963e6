//! What people do in Chatwoot's API inbox.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::json;

use super::{not_found, refuse};
use crate::chatwoot::ConversationStatus;
use crate::chatwoot::api_inbox::{self, Writer};
use crate::world::World;

const NO_CONVERSATION: &str = "the inbox has no conversation with that customer";
const COLLEAGUE: &str = "Petra";

/// All its conversations with their messages, as the API shows them.
pub(super) async fn show(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "conversations": world.api_inbox.all() }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exists {
    exists: bool,
}

/// Somebody deletes the inbox, or makes it anew.
pub(super) async fn exists(world: Data<World>, body: Json<Exists>) -> HttpResponse {
    world.api_inbox.set_deleted(!body.exists);
    HttpResponse::NoContent().finish()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Write {
    /// The customer, in any spelling, or the conversation's address.
    to: String,
    #[serde(default)]
    text: String,
    /// As in the table of the README.
    #[serde(default = "user")]
    by: String,
    #[serde(default)]
    name: Option<String>,
    /// Whether its event is lost.
    #[serde(default)]
    lost: bool,
}

fn user() -> String {
    "user".to_owned()
}

/// Somebody, or something, writes in a conversation.
pub(super) async fn write(world: Data<World>, body: Json<Write>) -> HttpResponse {
    let (world, body) = (world.into_inner(), body.into_inner());
    let Some(conversation) = world.api_inbox.of_customer(&body.to) else {
        return not_found(NO_CONVERSATION);
    };
    let name = body.name.as_deref().unwrap_or(COLLEAGUE);
    let agent = world.api_inbox.agent(name);
    let (id, name) = (agent.id, agent.name);
    let writer = match body.by.as_str() {
        "user" => Writer::User { id, name },
        "echo" => Writer::Echo { name },
        "macro" => Writer::Macro { id, name },
        "automation" => Writer::Automation,
        "campaign" => Writer::Campaign { id, name },
        "template" => Writer::Template,
        "survey" => Writer::Survey,
        "note" => Writer::Note { id, name },
        "activity" => Writer::Activity,
        "file" => Writer::File { id, name },
        _ => return refuse("by: nobody writes like that"),
    };
    match api_inbox::write(&world, conversation, &writer, &body.text, body.lost) {
        Some(message) => HttpResponse::Ok().json(message),
        None => not_found(NO_CONVERSATION),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hand {
    to: String,
    status: Option<ConversationStatus>,
    /// A name, or nothing for nobody.
    assignee: Option<String>,
    /// Whether the assignee is taken away.
    #[serde(default)]
    unassign: bool,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    lost: bool,
}

/// A colleague sets status and assignee.
pub(super) async fn hand(world: Data<World>, body: Json<Hand>) -> HttpResponse {
    let (world, body) = (world.into_inner(), body.into_inner());
    let Some(conversation) = world.api_inbox.of_customer(&body.to) else {
        return not_found(NO_CONVERSATION);
    };
    let by = body.name.as_deref().unwrap_or(COLLEAGUE);
    let assignee = match body.assignee {
        Some(name) => Some(Some(name)),
        None => body.unassign.then_some(None),
    };
    match api_inbox::hand(&world, conversation, body.status, assignee, by, body.lost) {
        true => HttpResponse::NoContent().finish(),
        false => not_found(NO_CONVERSATION),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Retry {
    message: u64,
}

/// A colleague presses "retry" at a message that failed.
pub(super) async fn retry(world: Data<World>, body: Json<Retry>) -> HttpResponse {
    match api_inbox::retry(&world.into_inner(), body.message, COLLEAGUE) {
        true => HttpResponse::NoContent().finish(),
        false => not_found("no message of that number"),
    }
}
