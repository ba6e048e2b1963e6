//! What callers get back. Errors are small JSON with a stable code; nothing is ever a redirect.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::ToSchema;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What went wrong.
    pub(crate) error: ErrorDetail,
}

/// What went wrong, for machines and for people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// Stable: `invalid_signature`, `rate_limited`, `message_too_long`, …
    #[schema(example = "invalid_signature")]
    pub(crate) code: String,
    /// For people; may change.
    pub(crate) message: String,
    /// The same id that the log has.
    pub(crate) request_id: String,
}

/// The TwiML that says "no reply" (<https://www.twilio.com/docs/messaging/twiml>).
pub(crate) const EMPTY_TWIML: &str = "<Response/>";

/// The headers that every answer has, also those of the health pages and of the framework.
pub(crate) fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ))
        .add((header::REFERRER_POLICY, "no-referrer"))
}

/// Where an answer names its request.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// A response that names its request.
pub(crate) fn build(status: StatusCode, request_id: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((REQUEST_ID, request_id));
    response
}

/// 200 with the TwiML that says "no reply".
pub(crate) fn twiml(request_id: &str) -> HttpResponse {
    build(StatusCode::OK, request_id)
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("text/xml")))
        .body(EMPTY_TWIML)
}

/// 204.
pub(crate) fn empty(request_id: &str) -> HttpResponse {
    build(StatusCode::NO_CONTENT, request_id).finish()
}

/// 200 with an empty JSON object.
pub(crate) fn accepted(request_id: &str) -> HttpResponse {
    build(StatusCode::OK, request_id)
        .insert_header((
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ))
        .body("{}")
}

/// An error.
pub(crate) fn error(
    status: StatusCode,
    request_id: &str,
    code: &str,
    message: impl Into<String>,
) -> HttpResponse {
    build(status, request_id).json(ErrorBody {
        error: ErrorDetail {
            code: code.to_owned(),
            message: message.into(),
            request_id: request_id.to_owned(),
        },
    })
}

/// An error that is worth trying again after a while.
pub(crate) fn error_for_now(
    status: StatusCode,
    request_id: &str,
    code: &str,
    message: &str,
    retry_after: Duration,
) -> HttpResponse {
    let seconds = retry_after.as_millis().div_ceil(1000).max(1);
    let mut response = error(status, request_id, code, message);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}
