//! What every request passes: where it comes from, who sends it, and what every answer says to browsers.

use std::future::{Ready, ready};
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse, error};

use super::{Who, bearer, origin};
use crate::api::{is_api, refusal};
use crate::pages::encoded;
use crate::service::State;

/// Scripts and styles are from here, nothing inline is run or applied, nothing leads elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What everybody may ask for.
const PUBLIC: [&str; 7] = [
    "/login",
    "/language",
    "/style.css",
    "/app.js",
    "/icon.svg",
    "/health/live",
    "/health/ready",
];

/// Lets a request through, or says why not.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let state = request.app_data::<Data<State>>().cloned();
    let Some(state) = state else {
        return Err(error::ErrorInternalServerError("no state"));
    };
    let mut response = match stopped(&request, &state).await {
        Some(refusal) => request.into_response(refusal),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    let status = match response.status().as_u16() {
        ..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    state.metrics.answered(status, started.elapsed());
    let headers = response.headers_mut();
    let policy = HeaderName::from_static("content-security-policy");
    headers.insert(policy, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// Why a request goes no further; none when it does.
async fn stopped(request: &ServiceRequest, state: &State) -> Option<HttpResponse> {
    let (path, headers) = (request.path(), request.headers());
    let has_token = bearer(headers).is_some();
    let is_health = path.starts_with("/health/") || path == "/metrics";
    let is_local = state.access.password.is_none();
    if has_token && !is_api(path) && !is_health {
        state.metrics.refused("login");
        let why = "a token is for the API alone: /api/v1/";
        return Some(refusal(StatusCode::FORBIDDEN, why));
    }
    let is_ours = has_token || origin::may_change(request.method(), headers);
    if !is_ours || (is_local && !is_health && !origin::is_to_this_machine(headers)) {
        state.metrics.refused("origin");
        tracing::warn!(path, "a request of another site's page was refused");
        let why = "this request comes from another site's page";
        return Some(in_short(path, StatusCode::FORBIDDEN, why));
    }
    if is_health || PUBLIC.contains(&path) {
        return None;
    }
    match state.access.who(headers, &state.desk.crm).await {
        Ok(Some(who)) => {
            request.extensions_mut().insert(who);
            None
        }
        Ok(None) => {
            state.metrics.refused("login");
            Some(to_login(request, has_token))
        }
        Err(error) => {
            tracing::error!(%error, "nobody knows who is logged in");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Some(in_short(path, status, &error.to_string()))
        }
    }
}

/// Why not, where no page can be made.
fn in_short(path: &str, status: StatusCode, why: &str) -> HttpResponse {
    if is_api(path) {
        return refusal(status, why);
    }
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(why.to_owned())
}

fn to_login(request: &ServiceRequest, has_token: bool) -> HttpResponse {
    if has_token || is_api(request.path()) {
        let why = "log in, or send a token that is valid";
        return refusal(StatusCode::UNAUTHORIZED, why);
    }
    // What was posted is not posted again.
    let here = request.uri().path_and_query();
    let here = here.filter(|_| request.method().is_safe());
    let next = encoded(here.map_or("/", |here| here.as_str()));
    HttpResponse::build(StatusCode::SEE_OTHER)
        .insert_header((LOCATION, format!("/login?next={next}")))
        .finish()
}

impl FromRequest for Who {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let who = request.extensions().get::<Self>().cloned();
        ready(who.ok_or_else(|| error::ErrorUnauthorized("nobody is logged in")))
    }
}
