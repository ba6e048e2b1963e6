//! The same for programs: JSON, with a token. See README.md.

use std::collections::BTreeMap;

use actix_web::error::{InternalError, JsonPayloadError};
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Path, Query};
use actix_web::{Error, HttpRequest, HttpResponse};
use crm::{Filter, Matter, Place, Status, Unclear, What};
use runtime::Chain;
use serde::Deserialize;
use serde_json::{Value, json};
use shared_types::ConversationId;
use uuid::Uuid;

use crate::access::Who;
use crate::commands::desk::{conversation_json, template_json};
use crate::commands::unclear::question_json;
use crate::desk::{Problem, Words, object};
use crate::pages::problem::status;
use crate::pages::understanding::read;
use crate::service::State;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    status: Option<String>,
    owner: Option<String>,
    intent: Option<String>,
    search: Option<String>,
    before: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    status: String,
    note: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsure {
    kind: Option<Unclear>,
    #[serde(default)]
    labelled: bool,
    before: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    label: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    answer: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    text: Option<String>,
    /// A template instead: its name or SID.
    template: Option<String>,
    language: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// The same for each try: one message is sent once.
    token: Option<Uuid>,
}

impl Message {
    /// What is said, and what the act is called.
    fn words(&self) -> Result<(Words<'_>, &'static str), Problem> {
        match (&self.text, &self.template) {
            (Some(text), None) if self.variables.is_empty() && self.language.is_none() => {
                Ok((Words::Text(text), "answer"))
            }
            (None, Some(name)) => {
                let (language, values) = (self.language.as_deref(), &self.variables);
                let words = Words::Template {
                    name,
                    language,
                    values,
                };
                Ok((words, "template"))
            }
            _ => Err(Problem::Given(
                "give a `text`, or a `template` with its `language` and `variables`".into(),
            )),
        }
    }
}

/// Whether a path is one for programs.
pub(crate) fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Says why something was not done.
pub(crate) fn refusal(status: StatusCode, why: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({"error": why}))
}

/// What is asked in a form that nobody reads is answered as all else: in JSON for programs.
pub(crate) fn unread(error: Error, request: &HttpRequest, status: StatusCode) -> Error {
    if !is_api(request.path()) {
        return error;
    }
    let answer = refusal(status, &error.to_string());
    InternalError::from_response(error, answer).into()
}

/// The status of a body that is not read.
pub(crate) fn body_status(error: &JsonPayloadError) -> StatusCode {
    match error {
        JsonPayloadError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

type Answer = Result<HttpResponse, Refusal>;

/// Why something was not done, as JSON.
struct Refusal(Problem);

impl<T: Into<Problem>> From<T> for Refusal {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/api/v1/waiting", web::get().to(waiting))
        .route("/api/v1/templates", web::get().to(templates))
        .route(
            "/api/v1/questions",
            web::get().to(|state, asked| told(questions(state, asked))),
        )
        .route(
            "/api/v1/questions/{id}/label",
            web::post().to(|state, who, id, body| told(label(state, who, id, body))),
        )
        .route("/api/v1/conversations/{id}", web::get().to(conversation))
        .route(
            "/api/v1/conversations/{id}/messages",
            web::post().to(message),
        )
        .route("/api/v1/conversations/{id}/take", web::post().to(take))
        .route(
            "/api/v1/conversations/{id}/give-back",
            web::post().to(give_back),
        );
    for (path, matter) in [
        ("handovers", Matter::Handover),
        ("leads", Matter::Lead),
        ("appointments", Matter::Appointment),
    ] {
        config
            .route(
                &format!("/api/v1/{path}"),
                web::get().to(move |state, asked| told(list(matter, state, asked))),
            )
            .route(
                &format!("/api/v1/{path}/{{id}}"),
                web::get().to(move |state, id| told(show(matter, state, id))),
            )
            .route(
                &format!("/api/v1/{path}/{{id}}"),
                web::post()
                    .to(move |state, who, id, body| told(change(matter, state, who, id, body))),
            );
    }
}

/// What came of it, or why not.
async fn told(answer: impl Future<Output = Answer>) -> HttpResponse {
    answer.await.unwrap_or_else(|Refusal(problem)| {
        let status = status(&problem);
        if status.is_server_error() {
            tracing::error!(error = %Chain(&problem), "a program could not be served");
        }
        refusal(status, &Chain(&problem).to_string())
    })
}

fn id_of(text: &str) -> Result<ConversationId, Problem> {
    text.parse().map_err(|_| Problem::Unknown("conversation"))
}

fn done() -> HttpResponse {
    HttpResponse::build(StatusCode::ACCEPTED).json(json!({"accepted": true}))
}

async fn waiting(state: Data<State>) -> HttpResponse {
    told(async {
        let waiting = state.desk.waiting().await?.into_iter().map(|one| {
            let told = one.told.iter().map(|told| {
                json!({"channel": told.channel, "status": told.status, "sent_at": told.sent_at})
            });
            let told: Vec<Value> = told.collect();
            let mut row = object(one.row);
            row["told"] = told.into();
            row
        });
        let waiting: Vec<Value> = waiting.collect();
        Ok(HttpResponse::Ok().json(json!({"waiting": waiting})))
    })
    .await
}

async fn templates(state: Data<State>) -> HttpResponse {
    let all: Vec<Value> = state.desk.templates.iter().map(template_json).collect();
    HttpResponse::Ok().json(json!({"templates": all}))
}

async fn conversation(state: Data<State>, id: Path<String>) -> HttpResponse {
    told(async {
        let id = id_of(&id)?;
        let found = Box::pin(state.desk.conversation(&id)).await?;
        Ok(HttpResponse::Ok().json(conversation_json(found)))
    })
    .await
}

async fn message(
    state: Data<State>,
    who: Who,
    id: Path<String>,
    body: Json<Message>,
) -> HttpResponse {
    told(async {
        let message = body.into_inner();
        let (words, act) = message.words()?;
        let token = message.token.unwrap_or_else(Uuid::new_v4);
        state.desk.answer(&who, &id_of(&id)?, words, token).await?;
        state.metrics.act(act, who.via);
        Ok(done())
    })
    .await
}

async fn take(state: Data<State>, who: Who, id: Path<String>) -> HttpResponse {
    told(async {
        state.desk.take_over(&who, &id_of(&id)?).await?;
        state.metrics.act("take", who.via);
        Ok(done())
    })
    .await
}

async fn give_back(state: Data<State>, who: Who, id: Path<String>) -> HttpResponse {
    told(async {
        state.desk.give_back(&who, &id_of(&id)?).await?;
        state.metrics.act("give-back", who.via);
        Ok(done())
    })
    .await
}

/// The status of this name that one may have.
fn status_of(matter: Matter, name: &str) -> Result<Status, Problem> {
    let status = Status::read(name).filter(|status| matter.statuses().contains(status));
    status.ok_or_else(|| {
        let known = matter.statuses().iter().map(|status| status.as_str());
        let known = known.collect::<Vec<_>>().join(", ");
        Problem::Given(format!("`status` is one of {known}"))
    })
}

/// The place behind which a list goes on.
fn place(before: Option<&str>) -> Result<Option<Place>, Problem> {
    let wrong = |_| Problem::Given("`before` is the `next` of the page before".into());
    before.map(|place| place.parse().map_err(wrong)).transpose()
}

async fn questions(state: Data<State>, asked: Query<Unsure>) -> Answer {
    let kind = asked.kind.unwrap_or_default();
    let before = place(asked.before.as_deref())?;
    let (rows, next) = state.desk.unclear(kind, asked.labelled, before).await?;
    let rows: Vec<Value> = rows.iter().map(question_json).collect();
    let next = next.map(|next| next.to_string());
    Ok(HttpResponse::Ok().json(json!({"rows": rows, "next": next})))
}

async fn label(state: Data<State>, who: Who, id: Path<String>, body: Json<Labelled>) -> Answer {
    let label = read(&body.label, &body.name, &body.answer)?;
    state.desk.label(&who, &id, label.as_ref()).await?;
    state.metrics.act("label", who.via);
    Ok(done())
}

async fn list(matter: Matter, state: Data<State>, asked: Query<Asked>) -> Answer {
    let what = match asked.status.as_deref() {
        None | Some("open") => What::Open,
        Some("all") => What::All,
        Some(name) => What::Only(status_of(matter, name)?),
    };
    let before = place(asked.before.as_deref())?;
    let filter = Filter {
        what,
        owner: asked.owner.as_deref(),
        intent: asked.intent.as_deref(),
        search: asked.search.as_deref(),
    };
    let (rows, next) = state.desk.list(matter, filter, before).await?;
    let rows: Vec<Value> = rows.into_iter().map(object).collect();
    let next = next.map(|next| next.to_string());
    Ok(HttpResponse::Ok().json(json!({"rows": rows, "next": next})))
}

async fn show(matter: Matter, state: Data<State>, id: Path<String>) -> Answer {
    let row = state.desk.crm.show(matter, &id).await?;
    let row = row.ok_or(Problem::Unknown(matter.as_str()))?;
    Ok(HttpResponse::Ok().json(object(row)))
}

async fn change(
    matter: Matter,
    state: Data<State>,
    who: Who,
    id: Path<String>,
    body: Json<Change>,
) -> Answer {
    let to = status_of(matter, &body.status)?;
    let note = body.note.as_deref();
    state
        .desk
        .change(&who, (matter, id.as_str()), to, note)
        .await?;
    state.metrics.act(matter.as_str(), who.via);
    Ok(done())
}
