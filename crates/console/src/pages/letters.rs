//! Dead letters: grouped by reason, readable, replayed and discarded with their number in the question.

use actix_web::web::{self, Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;
use streams::{Letter, Shelf};

use super::encoded;
use super::frame::{Frame, on_to, shown};
use super::problem::told;
use crate::access::Who;
use crate::clock::When;
use crate::desk::{Chosen, Problem, shelf_name, shelf_named};
use crate::service::State;

/// Letters of one page; a choice holds all of them.
const SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "letters.html")]
struct Page {
    f: Frame,
    groups: Vec<Shown>,
}

struct Shown {
    shelf: String,
    reason: String,
    count: usize,
    first: Option<When>,
    last: Option<When>,
    href: String,
}

#[derive(Template)]
#[template(path = "letters_of.html")]
struct Of {
    f: Frame,
    asked: Asked,
    shelf: String,
    reason: String,
    count: usize,
    letters: Vec<Row>,
    can_replay: bool,
    /// What the forms send along.
    until: i64,
}

struct Row {
    id: String,
    href: String,
    conversation: String,
    error: String,
    attempts: u32,
    at: Option<When>,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct One {
    f: Frame,
    back: String,
    shelf: String,
    reason: String,
    error: String,
    attempts: u32,
    first: Option<When>,
    last: Option<When>,
    conversation: String,
    conversation_href: String,
    said: Vec<(String, String)>,
}

/// What the address says.
#[derive(Debug, Default, Clone, Deserialize)]
struct Asked {
    #[serde(default)]
    queue: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    conversation: String,
}

#[derive(Debug, Deserialize)]
struct Choice {
    queue: String,
    reason: String,
    conversation: String,
    /// How many were shown.
    count: usize,
    until: i64,
    #[serde(default)]
    because: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/letters", web::get().to(page))
        .route("/letters/of", web::get().to(of))
        .route("/letters/replay", web::post().to(replay))
        .route("/letters/discard", web::post().to(discard))
        .route("/letters/{queue}/{partition}/{place}", web::get().to(one));
}

fn moment(f: &Frame, ms: i64) -> Option<When> {
    Timestamp::from_millisecond(ms)
        .ok()
        .map(|at| f.clock.when(at))
}

impl Choice {
    fn asked(&self) -> Asked {
        Asked {
            queue: self.queue.clone(),
            reason: self.reason.clone(),
            conversation: self.conversation.clone(),
        }
    }
}

impl Asked {
    fn chosen(&self, until_ms: i64) -> Result<Chosen<'_>, Problem> {
        let conversation = Some(self.conversation.trim());
        Ok(Chosen {
            shelf: shelf_named(&self.queue).ok_or(Problem::Unknown("queue"))?,
            reason: Some(self.reason.as_str()).filter(|reason| !reason.is_empty()),
            conversation: conversation.filter(|part| !part.is_empty()),
            until_ms,
        })
    }

    fn address(&self) -> String {
        let (queue, reason) = (encoded(&self.queue), encoded(&self.reason));
        let conversation = encoded(&self.conversation);
        format!("/letters/of?queue={queue}&reason={reason}&conversation={conversation}")
    }
}

async fn page(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    let groups = match state.desk.letter_groups().await {
        Ok(groups) => groups,
        Err(problem) => return told(&request, &state, &who, &problem, "/").await,
    };
    let f = Frame::new(&request, &state, &who, "letters").await;
    let groups = groups.into_iter().map(|group| {
        let asked = Asked {
            queue: shelf_name(group.shelf).to_owned(),
            reason: group.reason.clone(),
            conversation: String::new(),
        };
        Shown {
            shelf: f.named(&asked.queue),
            href: asked.address(),
            first: moment(&f, group.first_ms),
            last: moment(&f, group.last_ms),
            reason: group.reason,
            count: group.count,
        }
    });
    shown(&Page {
        groups: groups.collect(),
        f,
    })
}

fn row(f: &Frame, queue: &str, letter: &Letter) -> Row {
    let (_, error) = runtime::letters::why(letter);
    let conversation = letter.fields.get("conv").map_or("", String::as_str);
    Row {
        id: letter.id.to_string(),
        href: format!("/letters/{queue}/{}", letter.id),
        conversation: conversation.to_owned(),
        error,
        attempts: letter.attempts,
        at: moment(f, letter.last_ms),
    }
}

async fn of(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    asked: Query<Asked>,
) -> HttpResponse {
    let asked = asked.into_inner();
    let until = Timestamp::now().as_millisecond();
    let found = match asked.chosen(until) {
        Ok(chosen) => state.desk.letters(chosen).await.map(|all| (chosen, all)),
        Err(problem) => Err(problem),
    };
    let (shelf, letters) = match found {
        Ok((chosen, letters)) => (chosen.shelf, letters),
        Err(problem) => return told(&request, &state, &who, &problem, "/letters").await,
    };
    let f = Frame::new(&request, &state, &who, "letters").await;
    let rows = letters.iter().take(SHOWN);
    shown(&Of {
        letters: rows.map(|letter| row(&f, &asked.queue, letter)).collect(),
        count: letters.len(),
        shelf: f.named(&asked.queue),
        reason: asked.reason.clone(),
        can_replay: matches!(shelf, Shelf::Dead(_)),
        until,
        asked,
        f,
    })
}

async fn one(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    path: Path<(String, String, String)>,
) -> HttpResponse {
    let (queue, partition, place) = path.into_inner();
    let shelf = shelf_named(&queue).ok_or(Problem::Unknown("queue"));
    let id = format!("{partition}/{place}").parse();
    let found = match (shelf, id) {
        (Ok(shelf), Ok(id)) => state.desk.letter(shelf, id).await,
        (Err(problem), _) => Err(problem),
        (_, Err(_)) => Err(Problem::Unknown("letter")),
    };
    let details = match found {
        Ok(details) => details,
        Err(problem) => return told(&request, &state, &who, &problem, "/letters").await,
    };
    let f = Frame::new(&request, &state, &who, "letters").await;
    let conversation = details
        .letter
        .fields
        .get("conv")
        .cloned()
        .unwrap_or_default();
    let asked = Asked {
        queue: queue.clone(),
        reason: details.reason.clone(),
        conversation: String::new(),
    };
    shown(&One {
        back: asked.address(),
        shelf: f.named(&queue),
        reason: details.reason,
        error: details.error,
        attempts: details.letter.attempts,
        first: moment(&f, details.letter.first_ms),
        last: moment(&f, details.letter.last_ms),
        conversation_href: f.conversation(&conversation),
        conversation,
        said: details.said,
        f,
    })
}

async fn replay(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    form: Form<Choice>,
) -> HttpResponse {
    let asked = form.asked();
    let done = match asked.chosen(form.until) {
        Ok(chosen) => state.desk.replay(&who, chosen, form.count).await,
        Err(problem) => Err(problem),
    };
    after(&request, &state, &who, &asked, ("replay", done)).await
}

async fn discard(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    form: Form<Choice>,
) -> HttpResponse {
    let asked = form.asked();
    let done = match asked.chosen(form.until) {
        Ok(chosen) => {
            let because = form.because.trim();
            state.desk.discard(&who, chosen, form.count, because).await
        }
        Err(problem) => Err(problem),
    };
    after(&request, &state, &who, &asked, ("discard", done)).await
}

async fn after(
    request: &HttpRequest,
    state: &State,
    who: &Who,
    asked: &Asked,
    (act, done): (&'static str, Result<usize, Problem>),
) -> HttpResponse {
    match done {
        Ok(_) => {
            state.metrics.act(act, who.via);
            on_to("/letters", act)
        }
        Err(problem) => told(request, state, who, &problem, &asked.address()).await,
    }
}
