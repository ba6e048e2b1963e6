//! The HTTP client that the senders and the mirror share in kind: bounded, without redirects, one pool each.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, IntoUrl, Method, RequestBuilder, Response, StatusCode, Version};
use runtime::traces;
use serde_json::Value;
use tracing::Instrument;

use super::guard::GuardedBody;
use crate::attempt::{Attempt, Refusal, Trouble, masked};
use shared_types::{FailureClass, Receipt};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// More than any provider's answer; what is longer is cut.
const MAX_ANSWER: usize = 256 * 1024;
/// A provider that asks for longer gets this much.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// An idle connection may be used for this long without a look at it; some servers close theirs after
/// five seconds (Node's `keepAliveTimeout`).
const WARM: Duration = Duration::from_secs(4);

/// A client of one provider that follows no redirect: credentials go to the configured host only.
pub(crate) struct Http {
    client: Client,
    base: String,
    idle: Mutex<Idle>,
}

/// The connections that are at hand, as far as is known.
#[derive(Default)]
struct Idle {
    /// When each connection that carries one request at a time was used last.
    single: Vec<Instant>,
    /// When one that carries many was used last.
    shared: Option<Instant>,
}

impl Http {
    /// For the provider at `base`, which may be silent for `timeout`.
    pub(crate) fn new(base: &str, timeout: Duration) -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("postduif-egress/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .pool_idle_timeout(Duration::from_secs(50))
            .tcp_keepalive(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            idle: Mutex::default(),
        })
    }

    /// The provider's base URL, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.client.post(url)
    }

    pub(crate) fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Makes sure that a connection is at hand. Any answer will do; a failure is the next request's.
    pub(crate) async fn connect(&self) {
        let now = Instant::now();
        let is_warm = |used: &Instant| now.duration_since(*used) < WARM;
        let at_hand = {
            let mut idle = self.idle();
            idle.single.retain(is_warm);
            !idle.single.is_empty() || idle.shared.as_ref().is_some_and(is_warm)
        };
        if !at_hand && let Err(error) = self.ask(self.client.head(&self.base)).await {
            tracing::debug!(error, "no connection to the provider yet");
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection has carried a whole answer and is at hand again.
    fn given_back(&self, version: Version) {
        let mut idle = self.idle();
        let now = Instant::now();
        if version == Version::HTTP_2 {
            idle.shared = Some(now);
        } else {
            idle.single.push(now);
        }
    }
}

/// A provider's whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body as JSON; null when it is none.
    pub(crate) json: Value,
}

impl Answer {
    /// How long the provider wants to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let seconds = self
            .headers
            .get(RETRY_AFTER)?
            .to_str()
            .ok()?
            .trim()
            .parse()
            .ok()?;
        Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
    }

    /// The provider's own words for what went wrong. Each has its own place for them; some have a
    /// list of complaints.
    pub(crate) fn words(&self) -> &str {
        let places = [
            "/exception/message",
            "/message",
            "/message/0",
            "/error",
            "/description",
        ];
        let texts = places
            .iter()
            .filter_map(|place| self.json.pointer(place)?.as_str());
        texts.into_iter().next().unwrap_or("no reason given")
    }

    /// Accepted when the answer tells the message's id: without one nobody can tell whether a message
    /// was made.
    pub(crate) fn accepted(&self, receipt: Option<Receipt>) -> Attempt {
        receipt.map_or_else(
            || {
                let text = format!("{} without a message id", self.status.as_u16());
                Attempt::Unknown(Trouble::with_answer(&text))
            },
            Attempt::Accepted,
        )
    }

    /// What every provider means by these answers; none when the provider must be asked.
    pub(crate) fn common_meaning(&self) -> Option<Attempt> {
        let status = self.status.as_u16();
        let configuration = |text: &str| {
            let class = FailureClass::Configuration;
            Some(Attempt::Refused(Refusal::of_sender(
                class,
                status.to_string(),
                text,
            )))
        };
        match status {
            300..=399 => configuration("the provider redirects; the base URL is wrong"),
            429 => Some(Attempt::RateLimited {
                retry_after: self.retry_after(),
                text: masked(&format!("429: {}", self.words())),
            }),
            // Servers also say 408 on a connection that was silent for long, and the request that
            // was on its way then takes it for its answer.
            408 | 500..=599 => {
                let text = format!("the provider answered {status}: {}", self.words());
                Some(Attempt::Unknown(Trouble::with_answer(&text)))
            }
            _ => None,
        }
    }
}

impl Http {
    /// Sends a request whose body must not leave after `deadline`.
    ///
    /// # Errors
    /// Gives what the failure means: not sent when nothing left, unknown otherwise.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        body: impl Into<Bytes>,
        deadline: Instant,
    ) -> Result<Answer, Attempt> {
        let (body, departure) = GuardedBody::new(body.into(), deadline);
        let answer = self.exchange(request.body(reqwest::Body::wrap(body))).await;
        answer.map_err(|error| {
            let text = chain(&error);
            if departure.happened() {
                Attempt::Unknown(Trouble::without_answer(&text))
            } else if departure.was_refused() {
                Attempt::TooLate
            } else if text.contains("certificate") {
                Attempt::Refused(Refusal::of_sender(
                    FailureClass::Configuration,
                    "tls",
                    &text,
                ))
            } else {
                Attempt::NotSent(Trouble::without_answer(&text))
            }
        })
    }

    /// Sends a request that changes nothing.
    ///
    /// # Errors
    /// When no whole answer came; the text is without the URL.
    pub(crate) async fn ask(&self, request: RequestBuilder) -> Result<Answer, String> {
        self.exchange(request).await.map_err(|error| chain(&error))
    }

    async fn exchange(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        self.idle().single.pop();
        let response = execute(request).await?;
        let version = response.version();
        let answer = read(response).await?;
        self.given_back(version);
        Ok(answer)
    }
}

/// Makes a request in a span of its own, until the head of the answer is there.
async fn execute(request: RequestBuilder) -> reqwest::Result<Response> {
    let (client, request) = request.build_split();
    let request = request?;
    let (method, url) = (request.method().as_str(), request.url());
    let host = url.host_str().unwrap_or_default();
    let span = traces::client_span(method, host, url.port_or_known_default());
    let response = client.execute(request).instrument(span.clone()).await;
    match &response {
        Ok(answer) => {
            let status = answer.status();
            traces::answered(&span, status.as_u16(), status.as_u16() >= 400);
        }
        Err(error) if error.is_timeout() => traces::unanswered(&span, "timeout"),
        Err(_) => traces::unanswered(&span, "connection"),
    }
    response
}

async fn read(mut response: Response) -> reqwest::Result<Answer> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_ANSWER.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() >= room {
            break;
        }
    }
    Ok(Answer {
        status,
        headers,
        json: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}

/// The error with its causes, without the URL: it may hold an address.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if error.is_timeout() && !text.contains("timed out") {
        text.push_str(" (timed out)");
    }
    if text.is_empty() {
        "the request failed".into()
    } else {
        text
    }
}
