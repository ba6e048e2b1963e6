//! Who is meant by a name or a number, and what their conversations are.

use actix_web::web::{self, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use shared_types::ConversationId;

use super::frame::{Frame, shown};
use super::problem::told;
use super::waiting::channel;
use crate::access::Who;
use crate::clock::When;
use crate::desk::ROWS;
use crate::service::State;

#[derive(Template)]
#[template(path = "search.html")]
struct Page {
    f: Frame,
    search: String,
    people: Vec<Found>,
}

struct Found {
    id: String,
    name: String,
    addresses: Vec<String>,
    /// Their conversations: the address of the page, and the channel.
    conversations: Vec<(String, &'static str)>,
    since: Option<When>,
    is_opted_out: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    search: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/conversations", web::get().to(page));
}

async fn page(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    asked: Query<Asked>,
) -> HttpResponse {
    let search = asked.into_inner().search;
    let f = Frame::new(&request, &state, &who, "conversations").await;
    let found = match state.desk.people(&search, ROWS).await {
        Ok(found) => found,
        Err(problem) => return told(&request, &state, &who, &problem, "/").await,
    };
    let people = found.into_iter().map(|(contact, conversations)| Found {
        conversations: conversations
            .iter()
            .map(|id: &ConversationId| (f.conversation(id.as_str()), channel(id.as_str())))
            .collect(),
        name: contact.name.unwrap_or_default(),
        since: f.when(&contact.created_at),
        is_opted_out: contact.opted_out_at.is_some(),
        id: contact.id,
        addresses: contact.addresses,
    });
    shown(&Page {
        people: people.collect(),
        search,
        f,
    })
}
