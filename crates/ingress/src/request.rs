//! What every webhook handler needs of its request.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Payload};
use shared_types::Source;
use uuid::Uuid;

use crate::client_address::client_address;
use crate::config::LimitsConfig;

/// The largest body read. Twilio sends a few KiB; WAHA sends 257 contacts, each of them twice, and
/// Chatwoot a text of 65,536 characters three times.
const fn max_body(source: Source) -> usize {
    match source {
        Source::Twilio => 64 * 1024,
        Source::Waha | Source::Chatwoot => 1024 * 1024,
    }
}
const MAX_HEADER_BYTES: usize = 16 * 1024;
const MAX_REQUEST_ID: usize = 64;

/// A request with its body read and its sender known.
pub(crate) struct Webhook {
    /// In every answer and log line: the caller's `X-Request-Id`, or one of our own.
    pub(crate) id: String,
    /// Whose budget it uses up.
    pub(crate) client: String,
    pub(crate) body: Bytes,
    request: HttpRequest,
}

/// A request that breaks a limit.
pub(crate) struct OverLimit {
    pub(crate) request_id: String,
    limit: Limit,
}

enum Limit {
    Headers,
    Body,
    BrokenBody,
    SlowBody,
}

impl OverLimit {
    /// Status, code and text of the answer.
    pub(crate) const fn answer(&self) -> (StatusCode, &'static str, &'static str) {
        match self.limit {
            Limit::Headers => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers_too_large",
                "the headers are larger than 16 KiB",
            ),
            Limit::Body => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the body is larger than its provider's bodies are",
            ),
            Limit::BrokenBody => (
                StatusCode::BAD_REQUEST,
                "unreadable_body",
                "the body broke off or is not encoded as its headers say",
            ),
            Limit::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                "slow_body",
                "the body did not arrive in time",
            ),
        }
    }
}

impl Webhook {
    /// Reads a request within the limits of size and time.
    ///
    /// # Errors
    /// When it breaks one.
    pub(crate) async fn read(
        request: HttpRequest,
        payload: Payload,
        source: Source,
        limits: &LimitsConfig,
    ) -> Result<Self, OverLimit> {
        let id = request_id(request.headers());
        let most = max_body(source);
        match body(&request, payload, most, limits.request_patience()).await {
            Ok(body) => {
                let client = client_address(
                    limits.client_address,
                    limits.trusted_hops.get(),
                    request.peer_addr(),
                    |name| header_list(request.headers(), name),
                );
                Ok(Self {
                    id,
                    client,
                    body,
                    request,
                })
            }
            Err(limit) => Err(OverLimit {
                request_id: id,
                limit,
            }),
        }
    }

    /// A header as text. None when it is missing, given twice, or not ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header_text(self.request.headers(), name)
    }

    /// Path and query exactly as they came.
    pub(crate) fn path_and_query(&self) -> &str {
        self.request
            .uri()
            .path_and_query()
            .map_or("/", |whole| whole.as_str())
    }

    /// The query string exactly as it came.
    pub(crate) fn query(&self) -> &str {
        self.request.query_string()
    }

    /// The media type of the body in lower case, without parameters; empty when none is named.
    pub(crate) fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }
}

async fn body(
    request: &HttpRequest,
    payload: Payload,
    most: usize,
    patience: Duration,
) -> Result<Bytes, Limit> {
    if header_bytes(request.headers()) > MAX_HEADER_BYTES {
        return Err(Limit::Headers);
    }
    match tokio::time::timeout(patience, payload.to_bytes_limited(most)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(Limit::BrokenBody),
        Ok(Err(_)) => Err(Limit::Body),
        Err(_) => Err(Limit::SlowBody),
    }
}

/// A header that proxies may give several times, each a line of its own: all lines, in order.
fn header_list(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> = headers
        .get_all(name)
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// A header that is given twice counts as missing: which one was meant cannot be known.
fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name);
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value.to_str().ok()
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

pub(crate) fn request_id(headers: &HeaderMap) -> String {
    let well_formed = |id: &&str| {
        !id.is_empty()
            && id.len() <= MAX_REQUEST_ID
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = header_text(headers, "x-request-id").filter(well_formed);
    given.map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned)
}
