//! What colleagues were told, over which channel, and what went wrong.

use actix_web::web::{self, Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::encoded;
use super::frame::{Frame, on_to, shown};
use super::problem::told;
use crate::access::Who;
use crate::clock::When;
use crate::desk::{Problem, ROWS};
use crate::service::State;

#[derive(Template)]
#[template(path = "notices.html")]
struct Page {
    f: Frame,
    only_failing: bool,
    /// Channels that are off, and why.
    off: Vec<(String, String)>,
    rows: Vec<Shown>,
    more: Option<String>,
}

struct Shown {
    id: String,
    kind: String,
    at: Option<When>,
    conversation: Option<String>,
    name: String,
    is_dispatched: bool,
    sends: Vec<Sent>,
    /// Whether there is something to try again.
    is_failing: bool,
}

struct Sent {
    channel: String,
    status: String,
    is_bad: bool,
    tries: i64,
    next: Option<When>,
    error: String,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    show: String,
    #[serde(default)]
    before: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/notices", web::get().to(page))
        .route("/notices/retry", web::post().to(retry_all))
        .route("/notices/{id}/retry", web::post().to(retry));
}

fn row(f: &Frame, notice: crm::Attempts) -> Shown {
    let sends = notice.sends.into_iter().map(|send| {
        let is_waiting = send.status == "pending";
        Sent {
            channel: send.channel,
            is_bad: send.status == "failed" || (is_waiting && send.tries > 0),
            status: f.named(&send.status),
            tries: send.tries,
            next: f
                .when(&send.next_at)
                .filter(|_| is_waiting && send.tries > 0),
            error: send.error.unwrap_or_default(),
        }
    });
    let sends: Vec<_> = sends.collect();
    let name = notice.data.get("name").and_then(|name| name.as_str());
    Shown {
        id: notice.id,
        kind: notice.kind,
        at: f.when(&notice.at),
        name: name.unwrap_or_default().to_owned(),
        conversation: notice.conversation.map(|id| f.conversation(&id)),
        is_dispatched: notice.is_dispatched,
        is_failing: sends.iter().any(|send| send.is_bad),
        sends,
    }
}

async fn page(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    asked: Query<Asked>,
) -> HttpResponse {
    let only_failing = asked.show == "failing";
    let before = asked.before.parse().ok();
    let crm = &state.desk.crm;
    let found = tokio::try_join!(crm.attempts(only_failing, before, ROWS), crm.channels_off());
    let ((notices, next), off) = match found {
        Ok(found) => found,
        Err(error) => return told(&request, &state, &who, &error.into(), "/").await,
    };
    let f = Frame::new(&request, &state, &who, "notices").await;
    let show = if only_failing { "show=failing&" } else { "" };
    shown(&Page {
        rows: notices.into_iter().map(|notice| row(&f, notice)).collect(),
        more: next.map(|next| format!("/notices?{show}before={}", encoded(&next.to_string()))),
        only_failing,
        off,
        f,
    })
}

async fn retry(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    id: Path<String>,
) -> HttpResponse {
    again(&request, &state, &who, Some(&id)).await
}

async fn retry_all(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    again(&request, &state, &who, None).await
}

async fn again(
    request: &HttpRequest,
    state: &State,
    who: &Who,
    notice: Option<&str>,
) -> HttpResponse {
    match state.desk.retry_notices(who, notice).await {
        Ok(0) if notice.is_some() => {
            told(
                request,
                state,
                who,
                &Problem::Unknown("notice to try again"),
                "/notices",
            )
            .await
        }
        Ok(_) => {
            state.metrics.act("retry", who.via);
            on_to("/notices", "retry")
        }
        Err(problem) => told(request, state, who, &problem, "/notices").await,
    }
}
