//! `POST /webhooks/hexon`: one vehicle at a time, as dealers' systems push their stock. The answer is `1`
//! when it is kept, else `0`; what it means is the worker's.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runtime::traces;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use tracing::Instrument as _;

use super::Endpoint;
use crate::metrics::StockPush;
use crate::reply;
use crate::request::{Head, Webhook};

/// The largest vehicle that is read.
const MAX_BODY: usize = 512 * 1024;

/// A vehicle of a dealer's stock: new, changed or gone.
#[utoipa::path(
    post,
    path = "/webhooks/hexon",
    request_body(content_type = "text/xml", content = String,
        description = "`<voertuig actie=\"add|change|delete\">`, or with `<actie>` as an element, also in Dutch"),
    params(("Authorization" = String, Header, description = "Basic, with HEXON_LOGIN")),
    responses(
        (status = 200, description = "`1`: it is kept, and will be taken over in the order in which it came", body = String, content_type = "text/plain"),
        (status = 400, description = "`0`: it is no XML", body = String, content_type = "text/plain"),
        (status = 401, description = "`0`: the login is missing or wrong", body = String, content_type = "text/plain"),
        (status = 408, description = "`0`: the body did not arrive in time", body = String, content_type = "text/plain"),
        (status = 413, description = "`0`: it is larger than 512 KiB", body = String, content_type = "text/plain"),
        (status = 429, description = "`0`: too many requests with a wrong login", body = String, content_type = "text/plain"),
        (status = 431, description = "`0`: the headers are larger than 16 KiB", body = String, content_type = "text/plain"),
        (status = 503, description = "`0`: Redis is away, or too many wait", body = String, content_type = "text/plain"),
    ),
    tag = "webhooks"
)]
pub(crate) async fn push(
    request: HttpRequest,
    payload: Payload,
    endpoint: Data<Endpoint>,
) -> HttpResponse {
    let span = traces::server_span("POST", "/webhooks/hexon");
    let answer = Box::pin(handle(request, payload, &endpoint)).instrument(span.clone());
    let response = answer.await;
    let status = response.status();
    traces::answered(&span, status.as_u16(), status.is_server_error());
    response
}

async fn handle(request: HttpRequest, payload: Payload, endpoint: &Endpoint) -> HttpResponse {
    let metrics = &endpoint.intake.metrics;
    let head = Head::of(request, &endpoint.config.strangers);
    let login = endpoint.config.hexon_login.as_ref();
    if !login.is_some_and(|login| is_login(head.header("authorization"), login)) {
        metrics.stock_push(StockPush::Refused);
        let status = if endpoint.shared.may_fail(&head, Instant::now()) {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::TOO_MANY_REQUESTS
        };
        return answer(status, &head.id);
    }
    head.verified();
    let patience = endpoint.config.strangers.request_patience();
    let bodies = endpoint.shared.bodies();
    let webhook = match head.read_at_most(payload, MAX_BODY, bodies, patience).await {
        Ok(webhook) => webhook,
        Err((head, limit)) => {
            metrics.stock_push(StockPush::Invalid);
            return answer(limit.answer().0, &head.id);
        }
    };
    keep(&webhook, endpoint).await
}

async fn keep(webhook: &Webhook, endpoint: &Endpoint) -> HttpResponse {
    let metrics = &endpoint.intake.metrics;
    let body = webhook.body.strip_prefix("\u{feff}".as_bytes());
    let body = body.unwrap_or(&webhook.body).trim_ascii_start();
    if !body.starts_with(b"<") {
        metrics.stock_push(StockPush::Invalid);
        tracing::warn!(request.id = webhook.id, "a push of stock is no XML");
        return answer(StatusCode::BAD_REQUEST, &webhook.id);
    }
    let (outcome, status) = match endpoint.intake.redis.push_stock(body).await {
        Ok(true) => (StockPush::Kept, StatusCode::OK),
        Ok(false) => (StockPush::Full, StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => (StockPush::Error, StatusCode::SERVICE_UNAVAILABLE),
    };
    metrics.stock_push(outcome);
    if outcome != StockPush::Kept {
        tracing::error!(
            request.id = webhook.id,
            full = outcome == StockPush::Full,
            "a push of stock is not kept"
        );
    }
    answer(status, &webhook.id)
}

/// Whether a header holds the login, in a time that does not tell how much of it is right.
fn is_login(header: Option<&str>, login: &SecretString) -> bool {
    let given = header.and_then(|header| {
        let (scheme, rest) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("basic").then_some(rest)
    });
    let given = given
        .and_then(|given| STANDARD.decode(given.trim()).ok())
        .unwrap_or_default();
    let hash = |bytes: &[u8]| Sha256::digest(bytes);
    hash(&given)
        .as_slice()
        .ct_eq(hash(login.expose_secret().as_bytes()).as_slice())
        .into()
}

fn answer(status: StatusCode, request_id: &str) -> HttpResponse {
    let mut answer = reply::build(status, request_id);
    answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("text/plain")));
    if status == StatusCode::UNAUTHORIZED {
        let realm = HeaderValue::from_static("Basic realm=\"stock\"");
        answer.insert_header((header::WWW_AUTHENTICATE, realm));
    }
    answer.body(if status == StatusCode::OK { "1" } else { "0" })
}
