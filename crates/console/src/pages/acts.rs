//! Who did what, and who is logged in.

use actix_web::web::{self, Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;

use super::frame::{Frame, on_to, shown};
use super::problem::told;
use crate::access::Who;
use crate::clock::When;
use crate::service::State;

/// Acts that are shown.
const ACTS: u32 = 200;

#[derive(Template)]
#[template(path = "acts.html")]
struct Page {
    f: Frame,
    acts: Vec<Act>,
    sessions: Vec<Session>,
}

struct Act {
    at: Option<When>,
    by: String,
    via: String,
    act: String,
    subject: String,
    note: String,
}

struct Session {
    id: String,
    operator: String,
    since: Option<When>,
    seen: Option<When>,
}

#[derive(Debug, Deserialize)]
struct Ended {
    id: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/acts", web::get().to(page))
        .route("/sessions/end", web::post().to(end));
}

async fn page(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    let crm = &state.desk.crm;
    let found = tokio::try_join!(crm.acts(ACTS), crm.sessions(Timestamp::now()));
    let (acts, sessions) = match found {
        Ok(found) => found,
        Err(error) => return told(&request, &state, &who, &error.into(), "/").await,
    };
    let f = Frame::new(&request, &state, &who, "acts").await;
    let acts = acts.into_iter().map(|act| Act {
        at: f.when(&act.at),
        by: act.by,
        via: act.via,
        act: act.act,
        subject: act.subject.unwrap_or_default(),
        note: act.note.unwrap_or_default(),
    });
    let sessions = sessions.into_iter().map(|session| Session {
        id: session.id,
        operator: session.operator,
        since: f.when(&session.created_at),
        seen: f.when(&session.seen_at),
    });
    shown(&Page {
        acts: acts.collect(),
        sessions: sessions.collect(),
        f,
    })
}

async fn end(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    form: Form<Ended>,
) -> HttpResponse {
    // An empty id would end all.
    let id = match form.id.as_str() {
        "" => "?",
        id => id,
    };
    let ended = state.desk.crm.end_sessions(Some(id)).await;
    if let Err(error) = ended {
        return told(&request, &state, &who, &error.into(), "/acts").await;
    }
    let desk = &state.desk;
    desk.note_done(&who, "session.end", None, None, None).await;
    on_to("/acts", "changed")
}
