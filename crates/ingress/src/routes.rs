//! The webhook endpoints: the edges, where verification, reading and intake meet HTTP.

pub(crate) mod chatwoot;
mod endpoint;
pub(crate) mod hexon;
mod refusals;
pub(crate) mod twilio;
pub(crate) mod waha;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::reply;
use crate::request::request_id;

pub(crate) use endpoint::{Endpoint, Shared};
pub(crate) use refusals::Refusals;

/// 404 without detail.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    let id = request_id(request.headers());
    reply::error(
        StatusCode::NOT_FOUND,
        &id,
        "not_found",
        "there is nothing here",
    )
}

/// 405: webhooks are posted.
pub(crate) async fn method_not_allowed(request: HttpRequest) -> HttpResponse {
    let id = request_id(request.headers());
    let text = "webhooks are posted; a redirect from http to https turns a POST into a GET";
    let mut response = reply::error(
        StatusCode::METHOD_NOT_ALLOWED,
        &id,
        "method_not_allowed",
        text,
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("POST"));
    response
}
