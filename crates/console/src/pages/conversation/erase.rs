//! Everything of a person is removed, after a look at what that is.

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use crm::erasure::Erased;
use streams::Place;

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
    /// Places and how much is there, without those where nothing is.
    places: Vec<(String, u64)>,
    /// Conversations of a help desk that keep what they were shown.
    shown: usize,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/conversations/{id}/erase", web::get().to(preview))
        .route("/conversations/{id}/erase", web::post().to(erase));
}

fn places(erased: &Erased) -> Vec<(String, u64)> {
    let of_redis = Place::ALL.map(|(place, name)| {
        let count = erased.found.get(&place).copied().unwrap_or_default();
        (name.to_owned(), count)
    });
    let of_crm = [
        ("CRM contacts", erased.rows.contacts),
        ("CRM addresses", erased.rows.addresses),
        ("CRM leads", erased.rows.leads),
        ("CRM hand-overs", erased.rows.handovers),
    ];
    let of_crm = of_crm.map(|(name, count)| (name.to_owned(), count));
    let all = of_redis.into_iter().chain(of_crm);
    all.filter(|(_, count)| *count > 0).collect()
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
            places: places(&erased),
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
