//! Everything of a person is removed, after a look at what that is.

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::encoded;
use super::super::frame::{Frame, on_to, shown};
use super::super::problem::told;
use super::id_of;
use crate::access::Who;
use crate::desk::Problem;
use crate::service::State;

#[derive(Template)]
#[template(path = "erase.html")]
struct Page {
    f: Frame,
    back: String,
    /// Whether there is anything.
    is_known: bool,
    /// Places and how much is there: all that the command lists.
    places: Vec<(&'static str, u64)>,
    /// Conversations of a help desk that keep what they were shown.
    shown: usize,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/conversations/{id}/erase", web::get().to(preview))
        .route("/conversations/{id}/erase", web::post().to(erase));
}

async fn preview(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    id: Path<String>,
) -> HttpResponse {
    let back = format!("/conversations/{}", encoded(&id));
    let found = match id_of(&id) {
        Ok(id) => state.desk.erase(&who, &id, true).await,
        Err(problem) => Err(problem),
    };
    match found {
        Ok(erased) => shown(&Page {
            f: Frame::new(&request, &state, &who, "").await,
            back,
            is_known: erased.was_known(),
            places: erased.places(),
            shown: erased.shown,
        }),
        Err(problem) => told(&request, &state, &who, &problem, &back).await,
    }
}

async fn erase(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    id: Path<String>,
) -> HttpResponse {
    let back = format!("/conversations/{}", encoded(&id));
    let erased = match id_of(&id) {
        Ok(id) => state.desk.erase(&who, &id, false).await,
        Err(problem) => Err(problem),
    };
    match erased {
        Ok(erased) if !erased.is_quiet => {
            told(&request, &state, &who, &Problem::StillWritten, &back).await
        }
        Ok(_) => {
            state.metrics.act("erase", who.via);
            on_to("/", "erased")
        }
        Err(problem) => told(&request, &state, &who, &problem, &back).await,
    }
}
