//! One conversation: what was said, who has it, who the person is.

mod erase;
mod template;
mod xray;

use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use shared_types::{ConversationId, Source};
use uuid::Uuid;

use super::frame::{Frame, on_to, shown};
use super::problem::told;
use super::waiting::channel;
use crate::access::Who;
use crate::clock::When;
use crate::desk::{Conversation, Hands, Line, Problem, Speaker, Window, Words, cell, fields};
use crate::service::State;
use template::Offered;

#[derive(Template)]
#[template(path = "conversation.html")]
struct Page {
    f: Frame,
    /// Its address.
    here: String,
    /// The conversation as a part of an address.
    encoded_id: String,
    name: String,
    channel: &'static str,
    id: String,
    lines: Vec<Said>,
    silent: Option<Silent>,
    opted_out: Option<When>,
    writing: Writing,
    /// What may be sent where free text is not taken.
    templates: Vec<Offered>,
    /// The same for each try of one answer.
    token: Uuid,
    person: Option<Person>,
    leads: Vec<Matter>,
    appointments: Vec<Matter>,
}

/// A line of the timeline.
struct Said {
    /// Its moment, for what is folded open.
    id: i64,
    class: &'static str,
    by: &'static str,
    text: String,
    at: When,
    status: String,
    is_bad: bool,
    error: String,
    /// A customer's message: what happened to it, as long as that is kept.
    is_customers: bool,
    xray: Option<xray::Shown>,
}

/// Why the bot says nothing.
struct Silent {
    /// Until when it does not; not known before the worker has read that somebody took it.
    until: Option<When>,
    reason: String,
    owner: String,
    /// The hand-over, and whether nobody has it.
    handover: Option<(String, bool)>,
    /// Chatwoot's own conversation is given back there.
    is_chatwoots: bool,
}

/// What the box for an answer says.
enum Writing {
    Open,
    OpenUntil(When),
    Closed,
    OptedOut,
}

struct Person {
    id: String,
    language: String,
    since: Option<When>,
    addresses: Vec<String>,
}

/// A lead or an appointment beside the conversation.
struct Matter {
    title: String,
    status: String,
    at: Option<When>,
    details: Vec<(String, String)>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    text: String,
    token: Uuid,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .configure(erase::routes)
        .configure(template::routes)
        .route("/conversations/{id}", web::get().to(page))
        .route("/conversations/{id}/answer", web::post().to(answer))
        .route("/conversations/{id}/{act}", web::post().to(act));
}

fn said(f: &Frame, line: &Line) -> Said {
    let (class, by) = match line.by {
        Speaker::Customer => ("customer", f.t("customer", "klant")),
        Speaker::Bot => ("bot", "bot"),
        Speaker::Colleague => ("colleague", f.t("colleague", "collega")),
        Speaker::Note => ("note", ""),
    };
    let status = line.status.as_deref().unwrap_or_default();
    let text = match &line.change {
        Some(change) => change_in_words(f, change, &line.text),
        None => line.text.clone(),
    };
    Said {
        id: line.at.as_millisecond(),
        class,
        by,
        text,
        at: f.clock.when(line.at),
        is_bad: status == "failed",
        status: f.named(status),
        error: line.error.clone().unwrap_or_default(),
        is_customers: line.by == Speaker::Customer,
        xray: line.xray.as_ref().map(|xray| xray::shown(f, xray)),
    }
}

/// "Hand-over: waiting → taken, by Anna. Note".
fn change_in_words(f: &Frame, [subject, from, to, by]: &[String; 4], note: &str) -> String {
    let what = match subject.split('_').next() {
        Some("h") => f.t("Hand-over", "Overdracht"),
        Some("l") => "Lead",
        Some("a") => f.t("Appointment", "Afspraak"),
        _ => f.t("Change", "Wijziging"),
    };
    let from = match from.as_str() {
        "" => String::new(),
        from => format!("{} → ", f.named(from)),
    };
    let (to, by, of) = (f.named(to), f.named(by), f.t("by", "door"));
    let note = match note {
        "" => String::new(),
        note => format!(". {note}"),
    };
    format!("{what}: {from}{to}, {of} {by}{note}")
}

fn silent(f: &Frame, conversation: &Conversation) -> Option<Silent> {
    let row = conversation.handover.as_ref();
    let get = |name: &str| row.map_or("", |row| cell(row, name));
    let until = match conversation.hands {
        Hands::Colleague { until } => Some(f.clock.when(until)),
        // It is taken, and the worker has not read it yet.
        Hands::Bot if get("status") == "taken" => None,
        Hands::Bot => return None,
    };
    Some(Silent {
        until,
        reason: f.named(get("reason")),
        owner: get("owner").to_owned(),
        is_chatwoots: conversation.id.source() == Some(Source::Chatwoot),
        handover: row.map(|row| (cell(row, "id").to_owned(), get("status") == "waiting")),
    })
}

fn matter(f: &Frame, row: &crm::Row, title: &str) -> Matter {
    let get = |name: &str| cell(row, name).to_owned();
    let mut details: Vec<(String, String)> = fields(row)
        .into_iter()
        .map(|(name, value)| (f.named(name), value.to_owned()))
        .collect();
    for (name, words) in [
        ("thing", f.t("thing", "wat")),
        ("date", f.t("date", "datum")),
        ("time", f.t("time", "tijd")),
        ("owner", f.t("owner", "van")),
    ] {
        let value = get(name);
        if !value.is_empty() {
            details.push((words.to_owned(), value));
        }
    }
    Matter {
        title: f.named(&get(title)),
        status: f.named(&get("status")),
        at: f.when(&get("created_at")),
        details,
    }
}

fn id_of(text: &str) -> Result<ConversationId, Problem> {
    text.parse().map_err(|_| Problem::Unknown("conversation"))
}

async fn page(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    id: Path<String>,
) -> HttpResponse {
    let found = match id_of(&id) {
        Ok(id) => Box::pin(state.desk.conversation(&id)).await,
        Err(problem) => Err(problem),
    };
    let conversation = match found {
        Ok(conversation) => conversation,
        Err(problem) => return told(&request, &state, &who, &problem, "/").await,
    };
    let f = Frame::new(&request, &state, &who, "").await;
    let contact = conversation.contact.as_ref();
    let name = contact.and_then(|contact| contact.name.clone());
    let writing = match conversation.window {
        _ if conversation.opted_out.is_some() => Writing::OptedOut,
        Window::Always => Writing::Open,
        Window::Open { until } => Writing::OpenUntil(f.clock.when(until)),
        Window::Closed => Writing::Closed,
    };
    let language = contact.and_then(|contact| contact.language.as_deref());
    let matters = |rows: &[crm::Row], title: &str| -> Vec<Matter> {
        rows.iter().map(|row| matter(&f, row, title)).collect()
    };
    shown(&Page {
        here: f.conversation(conversation.id.as_str()),
        encoded_id: super::encoded(conversation.id.as_str()),
        name: name.unwrap_or_else(|| conversation.id.to_string()),
        channel: channel(conversation.id.as_str()),
        id: conversation.id.to_string(),
        lines: conversation
            .lines
            .iter()
            .map(|line| said(&f, line))
            .collect(),
        silent: silent(&f, &conversation),
        opted_out: conversation.opted_out.map(|at| f.clock.when(at)),
        templates: match writing {
            Writing::Closed => template::offered(&state.desk.templates, language),
            _ => Vec::new(),
        },
        writing,
        token: Uuid::new_v4(),
        person: contact.map(|contact| Person {
            id: contact.id.clone(),
            language: contact.language.clone().unwrap_or_default(),
            since: f.when(&contact.created_at),
            addresses: contact.addresses.clone(),
        }),
        leads: matters(&conversation.leads, "intent"),
        appointments: matters(&conversation.appointments, "purpose"),
        f,
    })
}

async fn answer(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    id: Path<String>,
    form: Form<Answer>,
) -> HttpResponse {
    let back = format!("/conversations/{}", super::encoded(&id));
    let sent = match id_of(&id) {
        Ok(id) => {
            let words = Words::Text(&form.text);
            state.desk.answer(&who, &id, words, form.token).await
        }
        Err(problem) => Err(problem),
    };
    match sent {
        Ok(()) => {
            state.metrics.act("answer", who.via);
            on_to(&back, "sent")
        }
        Err(problem) => told(&request, &state, &who, &problem, &back).await,
    }
}

async fn act(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (id, act) = path.into_inner();
    let back = format!("/conversations/{}", super::encoded(&id));
    let (done, act) = match (id_of(&id), act.as_str()) {
        (Err(problem), _) => (Err(problem), ""),
        (Ok(id), "take") => (state.desk.take_over(&who, &id).await, "take"),
        (Ok(id), "give-back") => (state.desk.give_back(&who, &id).await, "give-back"),
        (Ok(_), _) => (Err(Problem::Unknown("act")), ""),
    };
    match done {
        Ok(()) => {
            state.metrics.act(act, who.via);
            on_to(&back, act)
        }
        Err(problem) => told(&request, &state, &who, &problem, &back).await,
    }
}
