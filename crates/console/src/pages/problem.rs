//! What is said when something was not done.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use crm::desk::DeskError;
use runtime::Chain;

use super::frame::{Frame, shown};
use crate::access::Who;
use crate::api::{is_api, refusal};
use crate::desk::Problem;
use crate::service::State;

#[derive(Template)]
#[template(path = "problem.html")]
struct Page {
    f: Frame,
    words: String,
    back: String,
}

/// The status that a problem has.
pub(crate) fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::Unknown(_) => StatusCode::NOT_FOUND,
        Problem::Late { .. }
        | Problem::Letters(_)
        | Problem::StillWritten
        | Problem::GivenBackInChatwoot => StatusCode::CONFLICT,
        Problem::Given(_) => StatusCode::BAD_REQUEST,
        Problem::WindowClosed
        | Problem::OptedOut
        | Problem::Template(_)
        | Problem::Nobody(_)
        | Problem::Desk(DeskError::NoChannel | DeskError::Length) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Problem::Crm(_) | Problem::Redis(_) | Problem::Desk(_) | Problem::Erase(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Says on a page why something was not done, and leads back.
pub(super) async fn told(
    request: &HttpRequest,
    state: &State,
    who: &Who,
    problem: &Problem,
    back: &str,
) -> HttpResponse {
    let status = status(problem);
    if status.is_server_error() {
        tracing::error!(error = %Chain(problem), "an operator could not be served");
    }
    let mut f = Frame::new(request, state, who, "").await;
    if !request.method().is_safe() {
        // What was posted is no page to come back to in another language.
        back.clone_into(&mut f.path);
    }
    let page = Page {
        f,
        words: Chain(problem).to_string(),
        back: back.to_owned(),
    };
    let mut answer = shown(&page);
    *answer.status_mut() = status;
    answer
}

/// There is no such page, and nothing for programs there.
pub(super) async fn no_page(
    request: HttpRequest,
    state: Data<State>,
    who: Option<Who>,
) -> HttpResponse {
    if is_api(request.path()) {
        return match request.match_pattern() {
            Some(_) => refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "this address takes another method",
            ),
            None => refusal(StatusCode::NOT_FOUND, "the API has no such address"),
        };
    }
    match who {
        Some(who) => told(&request, &state, &who, &Problem::Unknown("page"), "/").await,
        None => HttpResponse::NotFound().finish(),
    }
}
