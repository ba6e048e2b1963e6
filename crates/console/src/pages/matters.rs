//! Leads and appointments: lists with filters, and their export.

use actix_web::web::{self, Bytes, Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use crm::csv::{self, Csv};
use crm::{Filter, Matter, Status, What};
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;

use super::encoded;
use super::frame::{Frame, on_to, own_path, shown};
use super::problem::told;
use super::waiting::channel;
use crate::access::Who;
use crate::clock::When;
use crate::desk::{Problem, cell, fields};
use crate::service::State;

#[derive(Template)]
#[template(path = "matters.html")]
struct Page {
    f: Frame,
    /// `/leads` or `/appointments`.
    place: &'static str,
    title: &'static str,
    asked: Asked,
    /// Statuses that can be asked for, and what they are called.
    statuses: Vec<(&'static str, String)>,
    rows: Vec<Shown>,
    /// The address of the rows after these.
    more: Option<String>,
    export: String,
}

struct Shown {
    id: String,
    name: String,
    channel: &'static str,
    conversation: String,
    what: String,
    status: String,
    owner: String,
    since: Option<When>,
    details: Vec<(String, String)>,
    /// What it may become: the status, and what the button says.
    acts: Vec<(&'static str, &'static str)>,
}

/// What the address says.
#[derive(Debug, Default, Clone, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    status: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    intent: String,
    #[serde(default)]
    search: String,
    #[serde(default)]
    before: String,
    /// `raw` for an export for a program.
    #[serde(default)]
    csv: String,
    /// What stands between the cells of an export.
    #[serde(default)]
    separator: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    for (path, matter) in [
        ("/leads", Matter::Lead),
        ("/appointments", Matter::Appointment),
    ] {
        config
            .route(
                path,
                web::get()
                    .to(move |request, state, who, asked| page(matter, request, state, who, asked)),
            )
            .route(
                &format!("{path}.csv"),
                web::get().to(move |request, state, who, asked| {
                    export(matter, request, state, who, asked)
                }),
            )
            .route(
                &format!("{path}/{{id}}/{{to}}"),
                web::post().to(move |request, state, who, path, form| {
                    act(matter, request, state, who, path, form)
                }),
            );
    }
}

const fn place(matter: Matter) -> &'static str {
    match matter {
        Matter::Handover => "/",
        Matter::Lead => "/leads",
        Matter::Appointment => "/appointments",
    }
}

impl Asked {
    fn what(&self, matter: Matter) -> What {
        let status = Status::read(&self.status);
        match status.filter(|status| matter.statuses().contains(status)) {
            Some(status) => What::Only(status),
            None if self.status == "all" => What::All,
            None => What::Open,
        }
    }

    fn filter(&self, matter: Matter) -> Filter<'_> {
        Filter {
            what: self.what(matter),
            owner: some(&self.owner),
            intent: some(&self.intent),
            search: some(&self.search),
        }
    }

    /// As a part of an address, without the place in the list.
    fn address(&self) -> String {
        let pairs = [
            ("status", &self.status),
            ("owner", &self.owner),
            ("intent", &self.intent),
            ("search", &self.search),
        ];
        let set = pairs.iter().filter(|(_, value)| !value.is_empty());
        let set = set.map(|(name, value)| format!("{name}={}", encoded(value)));
        set.collect::<Vec<_>>().join("&")
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn row(f: &Frame, matter: Matter, row: &crm::Row) -> Shown {
    let get = |name: &str| cell(row, name).to_owned();
    let conversation = get("conversation");
    let mut details: Vec<(String, String)> = fields(row)
        .into_iter()
        .map(|(name, value)| (f.named(name), value.to_owned()))
        .collect();
    for (name, words) in [
        ("thing", f.t("thing", "wat")),
        ("date", f.t("date", "datum")),
        ("time", f.t("time", "tijd")),
    ] {
        let value = get(name);
        if !value.is_empty() {
            details.push((words.to_owned(), value));
        }
    }
    let status = Status::read(&get("status"));
    let may = |to: Status| status.is_some_and(|from| matter.allows(from, to));
    let acts = acts(f, matter).into_iter().filter(|(to, _)| may(*to));
    Shown {
        id: get("id"),
        name: get("name"),
        channel: channel(&conversation),
        conversation: f.conversation(&conversation),
        what: f.named(&get(match matter {
            Matter::Appointment => "purpose",
            Matter::Lead | Matter::Handover => "intent",
        })),
        status: f.named(&get("status")),
        owner: get("owner"),
        since: f.when(&get("created_at")),
        details,
        acts: acts.map(|(to, words)| (to.as_str(), words)).collect(),
    }
}

/// What a colleague can make of one.
fn acts(f: &Frame, matter: Matter) -> Vec<(Status, &'static str)> {
    match matter {
        Matter::Lead => vec![
            (Status::Taken, f.t("Take", "Oppakken")),
            (Status::Won, f.t("Won", "Gewonnen")),
            (Status::Dropped, f.t("Dropped", "Afgevallen")),
        ],
        Matter::Appointment => vec![
            (Status::Confirmed, f.t("Confirm", "Bevestigen")),
            (Status::Cancelled, f.t("Call off", "Afzeggen")),
        ],
        Matter::Handover => Vec::new(),
    }
}

async fn page(
    matter: Matter,
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    asked: Query<Asked>,
) -> HttpResponse {
    let (asked, place) = (asked.into_inner(), place(matter));
    let before = asked.before.parse().ok();
    let listed = state.desk.list(matter, asked.filter(matter), before).await;
    let (rows, next) = match listed {
        Ok(listed) => listed,
        Err(problem) => return told(&request, &state, &who, &problem, "/").await,
    };
    let here = place.trim_start_matches('/');
    let f = Frame::new(&request, &state, &who, here).await;
    let (address, statuses) = (asked.address(), matter.statuses().iter());
    let with = |more: &str| match address.as_str() {
        "" => format!("?{more}"),
        address => format!("?{address}&{more}"),
    };
    shown(&Page {
        place,
        title: match matter {
            Matter::Appointment => f.t("Appointments", "Afspraken"),
            Matter::Lead | Matter::Handover => "Leads",
        },
        statuses: statuses
            .map(|status| (status.as_str(), f.named(status.as_str())))
            .collect(),
        rows: rows.iter().map(|one| row(&f, matter, one)).collect(),
        more: next.map(|next| {
            format!(
                "{place}{}",
                with(&format!("before={}", encoded(&next.to_string())))
            )
        }),
        export: format!("{place}.csv{}", with("separator=%3B")),
        asked,
        f,
    })
}

async fn act(
    matter: Matter,
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    path: Path<(String, String)>,
    form: Form<Back>,
) -> HttpResponse {
    let (id, to) = path.into_inner();
    let back = match form.back.as_str() {
        "" => place(matter),
        back => own_path(back),
    };
    let to = Status::read(&to).filter(|to| matter.statuses().contains(to));
    let changed = match to {
        Some(to) => {
            state
                .desk
                .change(&who, (matter, id.as_str()), to, None)
                .await
        }
        None => Err(Problem::Unknown("status")),
    };
    match changed {
        Ok(()) => {
            state.metrics.act(matter.as_str(), who.via);
            on_to(back, "changed")
        }
        Err(problem) => told(&request, &state, &who, &problem, back).await,
    }
}

/// Everything that the filter finds, row by row as it is read.
async fn export(
    matter: Matter,
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    asked: Query<Asked>,
) -> HttpResponse {
    let asked = asked.into_inner();
    let kind = match asked.csv.as_str() {
        "raw" => Csv::Raw,
        _ => Csv::Spreadsheet,
    };
    let separator = asked.separator.chars().next().unwrap_or(',');
    // Whole numbers and customers' words leave here: not without a trace.
    let noted = state
        .desk
        .note(&who, "export", Some(matter.as_str()), None, None)
        .await;
    if let Err(problem) = noted {
        return told(&request, &state, &who, &problem, place(matter)).await;
    }
    let day = Timestamp::now().to_zoned(state.zone.clone()).date();
    let name = format!("{}s-{day}.csv", matter.as_str());
    let head = csv::head(kind, separator, matter);
    let begin = (state, asked, None, Some(head));
    let parts = stream::try_unfold(begin, move |(state, asked, place, head)| async move {
        let Some(mut text) = head else {
            return Ok(None);
        };
        let filter = asked.filter(matter);
        let read = state.desk.export(matter, filter, place).await;
        // What is cut off is seen to be so: the download fails.
        let (rows, next) =
            read.map_err(|error| actix_web::error::ErrorInternalServerError(error.to_string()))?;
        for one in &rows {
            text.push_str(&csv::row(kind, separator, one));
        }
        let more = next.as_ref().map(|_| String::new());
        Ok::<_, actix_web::Error>(Some((Bytes::from(text), (state, asked, next, more))))
    });
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            "content-disposition",
            format!("attachment; filename=\"{name}\""),
        ))
        .streaming(Box::pin(parts))
}
