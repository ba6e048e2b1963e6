//! `/health/live`, `/health/ready` and `/metrics`.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How one part of a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Works.
    Ok,
    /// Works, but not as it should; somebody should look.
    Degraded,
    /// Does not work: send no traffic.
    Down,
}

/// The parts of a service and how they are doing. Clones share the same state.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<RwLock<BTreeMap<&'static str, Check>>>);

/// How a part is doing, and why where that is known.
type Check = (Status, Option<String>);

/// The body of `/health/ready`.
#[derive(Debug, Serialize)]
struct Report {
    status: &'static str,
    checks: BTreeMap<&'static str, Status>,
    /// Why a part does not do well, without secrets or customer text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reasons: BTreeMap<&'static str, String>,
}

impl Readiness {
    /// Nothing is checked yet, so nothing is ready: name the parts that must report first.
    pub fn waiting_for(parts: &[&'static str]) -> Self {
        let readiness = Self::default();
        for part in parts {
            readiness.set(part, Status::Down);
        }
        readiness
    }

    /// Notes how a part is doing; answers how it was doing before.
    pub fn set(&self, part: &'static str, status: Status) -> Option<Status> {
        self.insert(part, (status, None))
    }

    /// Notes how a part is doing and why.
    pub fn set_because(&self, part: &'static str, status: Status, why: &str) {
        self.insert(part, (status, Some(why.to_owned())));
    }

    fn insert(&self, part: &'static str, check: Check) -> Option<Status> {
        let mut parts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part, check).map(|(status, _)| status)
    }

    /// How a part is doing, as far as it was checked.
    pub fn of(&self, part: &str) -> Option<Status> {
        let parts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        parts.get(part).map(|(status, _)| *status)
    }

    /// The worst of all parts.
    pub fn status(&self) -> Status {
        let parts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let worst = parts.values().map(|(status, _)| *status).max();
        worst.unwrap_or(Status::Ok)
    }

    fn report(&self) -> (StatusCode, Report) {
        let parts = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let checks = parts.iter().map(|(part, (status, _))| (*part, *status));
        let checks = checks.collect();
        let reasons = parts.into_iter();
        let reasons = reasons.filter_map(|(part, (_, why))| Some((part, why?)));
        let reasons = reasons.collect();
        let (code, status) = match self.status() {
            Status::Ok => (StatusCode::OK, "ready"),
            Status::Degraded => (StatusCode::OK, "degraded"),
            Status::Down => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        let report = Report {
            status,
            checks,
            reasons,
        };
        (code, report)
    }
}

/// Adds `/health/live` to an application.
pub fn live_route(config: &mut web::ServiceConfig) {
    config.route(
        "/health/live",
        web::get().to(async || HttpResponse::Ok().json(Live::ALIVE)),
    );
}

/// Adds the three pages to an application.
pub fn health_routes(
    readiness: &Readiness,
    metrics: &Arc<Metrics>,
) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let (readiness, metrics) = (readiness.clone(), metrics.clone());
    move |config| {
        config
            .configure(live_route)
            .route(
                "/health/ready",
                web::get().to(move || ready(readiness.clone())),
            )
            .route("/metrics", web::get().to(move || page(metrics.clone())));
    }
}

#[derive(Serialize)]
struct Live {
    status: &'static str,
}

impl Live {
    const ALIVE: Self = Self { status: "alive" };
}

async fn ready(readiness: Readiness) -> HttpResponse {
    let (code, report) = readiness.report();
    HttpResponse::build(code).json(report)
}

async fn page(metrics: Arc<Metrics>) -> HttpResponse {
    match metrics.page() {
        Ok(page) => HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(page),
        Err(error) => {
            tracing::error!(%error, "the metrics page could not be written");
            HttpResponse::InternalServerError()
                .content_type(ContentType::plaintext())
                .finish()
        }
    }
}

/// Serves only the three pages, for services that take no requests, until `stop`.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve_health(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    // Named, so that the builder, which is not `Send`, is gone before the wait.
    let server = HttpServer::new(move || App::new().configure(health_routes(&readiness, &metrics)))
        .workers(1)
        .disable_signals()
        .shutdown_signal(stop.cancelled_owned())
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
    server.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_part_decides() {
        let readiness = Readiness::waiting_for(&["redis"]);
        assert_eq!(readiness.report().0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(readiness.set("redis", Status::Ok), Some(Status::Down));
        assert_eq!(readiness.report().1.status, "ready");
        readiness.set("spool", Status::Degraded);
        let (code, report) = readiness.report();
        assert_eq!((code, report.status), (StatusCode::OK, "degraded"));
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"status":"degraded","checks":{"redis":"ok","spool":"degraded"}}"#
        );
        readiness.set_because("redis", Status::Down, "its memory is full");
        let (_, report) = readiness.report();
        assert_eq!(report.reasons["redis"], "its memory is full");
    }
}
