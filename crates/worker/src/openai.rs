//! A client for OpenAI-compatible servers, as small as they are different: one request, one answer,
//! bounded in size. An error keeps its status and the server's words, whatever their shape.

mod words;

use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, RETRY_AFTER};
use reqwest::multipart::Form;
use reqwest::{Client, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use shared_types::connection_failure;

pub(crate) use words::Words;

/// A server behind a base URL such as `https://api.openai.com/v1`.
pub(crate) struct Server {
    http: Client,
    base: String,
    key: Option<SecretString>,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// Nobody answered.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The answer is longer than any that is of use.
    #[error("answers without end")]
    TooLarge,
    /// It compresses what nobody asked it to.
    #[error("compresses its answers, which nobody asked for")]
    Compressed,
    /// It answered with an error.
    #[error("it answers {status}: {words}")]
    Refused {
        /// The HTTP status, or what the body says of it.
        status: u16,
        /// What it says.
        words: Words,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
}

const MAX_BYTES: usize = 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(2);

impl Server {
    /// `base` may end in a slash, or name the path of the completions.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(crate) fn new(base: &str, key: Option<SecretString>) -> reqwest::Result<Self> {
        let base = base.trim().trim_end_matches('/');
        let base = base.strip_suffix("/chat/completions").unwrap_or(base);
        Ok(Self {
            http: Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT)
                .build()?,
            base: base.to_owned(),
            key,
        })
    }

    /// Posts a JSON document; gives the answer's body.
    pub(crate) async fn post_json(&self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let request = self.post(path).body(body);
        answer(request.header("content-type", "application/json")).await
    }

    /// Posts a form with files; gives the answer's body.
    pub(crate) async fn post_form(&self, path: &str, form: Form) -> Result<Vec<u8>, CallError> {
        answer(self.post(path).multipart(form)).await
    }

    fn post(&self, path: &str) -> RequestBuilder {
        // Without a word any encoding would do.
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.header(ACCEPT_ENCODING, "identity");
        match &self.key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        }
    }
}

async fn answer(request: RequestBuilder) -> Result<Vec<u8>, CallError> {
    let unreachable = |error: reqwest::Error| {
        let error = error.without_url();
        let cause = connection_failure(&error);
        CallError::Unreachable(cause.unwrap_or_else(|| runtime::Chain(&error).to_string()))
    };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let retry_after = retry_after(&response);
    let encoding = response.headers().get(CONTENT_ENCODING);
    if status.is_success() && encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(CallError::Compressed);
    }
    let body = read(response).await.map_err(unreachable)?;
    let body = body.ok_or(CallError::TooLarge)?;
    if status.is_success() {
        return Ok(body);
    }
    Err(CallError::Refused {
        status: status.as_u16(),
        words: Words::of(&body),
        retry_after,
    })
}

/// The body; none when it is too large.
async fn read(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// In seconds; dates are for caches and no server of this kind sends one.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
