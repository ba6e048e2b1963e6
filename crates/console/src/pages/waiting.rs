//! The first page: who waits for a human.

use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use crm::{Matter, Status};
use serde::Deserialize;

use super::frame::{Frame, on_to, own_path, shown};
use super::problem::told;
use crate::access::Who;
use crate::clock::When;
use crate::desk::{Problem, Waiting, cell};
use crate::service::State;

#[derive(Template)]
#[template(path = "waiting.html")]
struct Page {
    f: Frame,
    people: Vec<Person>,
    /// When somebody was handed over last, when nobody waits.
    last: Option<When>,
}

/// Somebody who waits.
struct Person {
    id: String,
    status: String,
    is_waiting: bool,
    is_urgent: bool,
    name: String,
    phone: String,
    channel: &'static str,
    /// Chatwoot's own conversation is given back there.
    is_chatwoots: bool,
    conversation: String,
    reason: String,
    last_words: String,
    owner: String,
    since: Option<When>,
    promised: Option<When>,
    answer_by: Option<When>,
    is_late: bool,
    told: Vec<(String, String, Option<When>)>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Deed {
    #[serde(default)]
    back: String,
    #[serde(default)]
    note: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(page))
        .route("/handovers/{id}/{act}", web::post().to(act))
        .route("/notices/test", web::post().to(test));
}

/// What the channel of a conversation is called.
pub(super) fn channel(conversation: &str) -> &'static str {
    match conversation.split(':').next() {
        Some("whatsapp") => "Twilio",
        Some("waha") => "WAHA",
        Some("chatwoot") => "Chatwoot",
        _ => "?",
    }
}

fn person(f: &Frame, waiting: &Waiting) -> Person {
    let get = |name: &str| cell(&waiting.row, name).to_owned();
    let (status, conversation) = (get("status"), get("conversation"));
    let answer_by = f.when(&get("answer_by"));
    let told = waiting.told.iter().map(|told| {
        let at = told.sent_at.as_deref().and_then(|at| f.when(at));
        (told.channel.clone(), f.named(&told.status), at)
    });
    Person {
        id: get("id"),
        is_waiting: status == "waiting",
        is_urgent: get("priority") == "urgent",
        name: get("name"),
        phone: get("phone").trim_start_matches("tel:").to_owned(),
        channel: channel(&conversation),
        is_chatwoots: conversation.starts_with("chatwoot:"),
        conversation: f.conversation(&conversation),
        reason: f.named(&get("reason")),
        last_words: get("last_words"),
        owner: get("owner"),
        since: f.when(&get("created_at")),
        promised: f.when(&get("promised_at")),
        is_late: status == "waiting" && answer_by.as_ref().is_some_and(|by| by.is_past),
        answer_by,
        told: told.collect(),
        status: f.named(&status),
    }
}

async fn page(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    let f = Frame::new(&request, &state, &who, "waiting").await;
    let waiting = match state.desk.waiting().await {
        Ok(waiting) => waiting,
        Err(problem) => return told(&request, &state, &who, &problem, "/").await,
    };
    let last = match waiting.is_empty() {
        true => state.desk.crm.last_handover().await.unwrap_or_default(),
        false => None,
    };
    shown(&Page {
        people: waiting.iter().map(|one| person(&f, one)).collect(),
        last: last.and_then(|at| f.when(&at)),
        f,
    })
}

async fn act(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    path: Path<(String, String)>,
    form: Form<Deed>,
) -> HttpResponse {
    let (id, act) = path.into_inner();
    let back = own_path(&form.back);
    let (to, done) = match act.as_str() {
        "take" => (Status::Taken, "take"),
        "answered" => (Status::Answered, "answered"),
        "close" => (Status::Closed, "close"),
        _ => return told(&request, &state, &who, &Problem::Unknown("act"), back).await,
    };
    let note = Some(form.note.trim()).filter(|note| !note.is_empty());
    let matter = (Matter::Handover, id.as_str());
    match state.desk.change(&who, matter, to, note).await {
        Ok(()) => {
            state.metrics.act(done, who.via);
            on_to(back, done)
        }
        Err(problem) => told(&request, &state, &who, &problem, back).await,
    }
}

async fn test(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    form: Form<Deed>,
) -> HttpResponse {
    let back = own_path(&form.back);
    match state.desk.test_notice(&who).await {
        Ok(()) => {
            state.metrics.act("test", who.via);
            on_to(back, "test")
        }
        Err(problem) => told(&request, &state, &who, &problem, back).await,
    }
}
