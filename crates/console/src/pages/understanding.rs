//! What the bot could not answer: questions that colleagues have to, and what the business could tell.

use actix_web::web::{self, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::encoded;
use super::frame::{Frame, shown};
use super::problem::told;
use crate::access::Who;
use crate::clock::When;
use crate::desk::ROWS;
use crate::service::State;

#[derive(Template)]
#[template(path = "understanding.html")]
struct Page {
    f: Frame,
    rows: Vec<Row>,
    more: Option<String>,
}

struct Row {
    id: String,
    words: String,
    topic: String,
    at: Option<When>,
    conversation: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    before: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/understanding", web::get().to(page));
}

async fn page(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    asked: Query<Asked>,
) -> HttpResponse {
    let before = asked.before.parse().ok();
    let (questions, next) = match state.desk.crm.questions(before, ROWS).await {
        Ok(found) => found,
        Err(error) => return told(&request, &state, &who, &error.into(), "/").await,
    };
    let f = Frame::new(&request, &state, &who, "understanding").await;
    let rows = questions.into_iter().map(|question| Row {
        id: question.id,
        words: question.words,
        topic: f.named(&question.topic),
        at: f.when(&question.asked_at),
        conversation: question.conversation.map(|id| f.conversation(&id)),
    });
    shown(&Page {
        rows: rows.collect(),
        more: next.map(|next| format!("/understanding?before={}", encoded(&next.to_string()))),
        f,
    })
}
