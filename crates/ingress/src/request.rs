//! What every webhook handler needs of its request.

use std::ops::Deref;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::Payload;
use futures_util::StreamExt;
use shared_types::Source;
use uuid::Uuid;

use crate::bodies::{Bodies, Share};
use crate::client_address::{Client, client};
use crate::config::StrangersConfig;
use crate::strangers::Connection;

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

/// A request whose body is not read yet.
pub(crate) struct Head {
    /// In every answer and log line: the caller's `X-Request-Id`, or one of our own.
    pub(crate) id: String,
    /// Whose budget it uses up while it is not verified.
    pub(crate) client: Client,
    request: HttpRequest,
}

/// A request with its body.
pub(crate) struct Webhook {
    head: Head,
    pub(crate) body: Vec<u8>,
    /// A hash of all that was signed, where the signature has no time.
    pub(crate) replay_mark: Option<String>,
    /// Gives the body's memory back with it.
    _share: Share,
}

impl Deref for Webhook {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

/// A limit that a request breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Headers,
    Body,
    BrokenBody,
    SlowBody,
}

impl Limit {
    /// Status, code and text of the answer.
    pub(crate) const fn answer(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Headers => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers_too_large",
                "the headers are larger than 16 KiB",
            ),
            Self::Body => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the body is larger than its provider's bodies are",
            ),
            Self::BrokenBody => (
                StatusCode::BAD_REQUEST,
                "unreadable_body",
                "the body broke off or is not encoded as its headers say",
            ),
            Self::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                "slow_body",
                "the body did not arrive in time",
            ),
        }
    }
}

impl Head {
    pub(crate) fn of(request: HttpRequest, config: &StrangersConfig) -> Self {
        Self {
            id: request_id(request.headers()),
            client: client(config, request.peer_addr(), |name| {
                header_list(request.headers(), name)
            }),
            request,
        }
    }

    /// Reads the body within the limits of size and time.
    ///
    /// # Errors
    /// When it breaks one; the head is given back.
    pub(crate) async fn read(
        self,
        payload: Payload,
        source: Source,
        bodies: &Bodies,
        patience: Duration,
    ) -> Result<Webhook, (Self, Limit)> {
        self.read_at_most(payload, max_body(source), bodies, patience)
            .await
    }

    /// As [`Head::read`], at most so many bytes.
    pub(crate) async fn read_at_most(
        self,
        payload: Payload,
        most: usize,
        bodies: &Bodies,
        patience: Duration,
    ) -> Result<Webhook, (Self, Limit)> {
        let mut share = bodies.begin();
        let read = tokio::select! {
            body = body(self.request.headers(), payload, most, &mut share) => body,
            () = tokio::time::sleep(patience) => Err(Limit::SlowBody),
        };
        match read {
            Ok(body) => Ok(Webhook {
                head: self,
                body,
                replay_mark: None,
                _share: share,
            }),
            Err(limit) => Err((self, limit)),
        }
    }

    /// Notes that a webhook on this connection was genuine.
    pub(crate) fn verified(&self) {
        if let Some(connection) = self.request.conn_data::<Connection>() {
            connection.verified();
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
    headers: &HeaderMap,
    mut payload: Payload,
    most: usize,
    share: &mut Share,
) -> Result<Vec<u8>, Limit> {
    if header_bytes(headers) > MAX_HEADER_BYTES {
        return Err(Limit::Headers);
    }
    let length = header_text(headers, CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
    if length.is_some_and(|length: u64| length > most as u64) {
        return Err(Limit::Body);
    }
    let mut body = Vec::new();
    loop {
        let chunk = tokio::select! {
            chunk = payload.next() => chunk,
            () = share.must_give_up() => return Err(Limit::SlowBody),
        };
        let Some(chunk) = chunk else {
            share.has_arrived();
            return Ok(body);
        };
        let chunk = chunk.map_err(|_| Limit::BrokenBody)?;
        let needed = body.len() + chunk.len();
        if needed > most {
            return Err(Limit::Body);
        }
        if needed > body.capacity() {
            let before = body.capacity();
            let roomy = needed.max(2 * before).min(most);
            body.reserve_exact(roomy - body.len());
            share.grow(body.capacity() - before);
        }
        body.extend_from_slice(&chunk);
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
