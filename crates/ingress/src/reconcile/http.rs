//! Asks a provider's API: bounded in time and size, without redirects or proxies, at the configured host alone.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For a whole answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A page of 200 messages of 1,600 characters each, escaped, is under 4 MiB.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// A provider that names no time is left alone for this long, and never for longer than the second.
const PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What proves who asks.
pub(super) enum Credentials {
    /// HTTP Basic. While a password is changed there are several; one of them is good.
    Basic {
        user: String,
        passwords: Vec<SecretString>,
    },
    /// A header of the provider's own.
    Header {
        name: &'static str,
        value: SecretString,
    },
}

impl Credentials {
    /// The request as it is made with each of them.
    fn ways(&self, request: &RequestBuilder) -> Vec<RequestBuilder> {
        let copy = || request.try_clone();
        match self {
            Self::Basic { user, passwords } => {
                let ways = passwords.iter().filter_map(|password| {
                    Some(copy()?.basic_auth(user, Some(password.expose_secret())))
                });
                ways.collect()
            }
            Self::Header { name, value } => {
                let way = copy().map(|request| request.header(*name, value.expose_secret()));
                way.into_iter().collect()
            }
        }
    }
}

/// Why a list could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it refuses our credentials ({0})")]
    Forbidden(u16),
    #[error("it wants to be left alone for {} s", .0.as_secs())]
    Limited(Duration),
    #[error("it redirects ({0}), which is not followed: the base URL is wrong")]
    Redirected(u16),
    #[error("it answers {0}")]
    Status(u16),
    #[error("its answer is not what the API answers")]
    Unexpected,
    #[error("its answer is larger than 8 MiB")]
    TooLarge,
    #[error("its next page is on another host, where our credentials must not go")]
    Elsewhere,
    #[error("it cannot be reached: {0}")]
    Silent(String),
}

impl Unreadable {
    /// Whether it may be over by the next comparison.
    pub(crate) const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Silent(_) | Self::Limited(_) | Self::Status(500..)
        )
    }

    /// The label in metrics.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Limited(_) => "limited",
            Self::Redirected(_) => "redirected",
            Self::Status(_) => "status",
            Self::Unexpected | Self::TooLarge | Self::Elsewhere => "unexpected",
            Self::Silent(_) => "unreachable",
        }
    }
}

/// The API of one provider.
pub(super) struct Http {
    client: Client,
    base: Url,
    credentials: Credentials,
}

impl Http {
    /// The API at `base`, an `http` or `https` URL.
    pub(super) fn new(base: &Url, credentials: Credentials) -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("postduif-ingress/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self {
            client,
            base: base.clone(),
            credentials,
        })
    }

    /// A path of the API as a whole URL.
    ///
    /// # Errors
    /// When it would lead to another host.
    pub(super) fn url(&self, path: &str) -> Result<Url, Unreadable> {
        on_host(&self.base, path).ok_or(Unreadable::Elsewhere)
    }

    /// The JSON at a path. `query` may be empty.
    ///
    /// # Errors
    /// When it is anything else than a 200 with JSON, or would come from another host.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, Unreadable> {
        let request = self.client.get(self.url(path)?);
        let request = match query {
            [] => request,
            query => request.query(query),
        };
        let mut refused = Unreadable::Forbidden(401);
        for request in self.credentials.ways(&request) {
            let answer = request.send().await.map_err(|error| silent(&error))?;
            match refusal(&answer) {
                Some(Unreadable::Forbidden(status)) => refused = Unreadable::Forbidden(status),
                Some(refusal) => return Err(refusal),
                None => {
                    let body = read(answer).await?;
                    return serde_json::from_slice(&body).map_err(|_| Unreadable::Unexpected);
                }
            }
        }
        Err(refused)
    }
}

/// A path of these parts, whatever they hold.
pub(super) fn path(parts: &[&str]) -> String {
    let part = |part: &&str| format!("/{}", utf8_percent_encode(part, NON_ALPHANUMERIC));
    parts.iter().map(part).collect()
}

/// Where a path, or a URL that the provider gave, leads; none when that is another host.
fn on_host(base: &Url, path: &str) -> Option<Url> {
    let url = if path.starts_with('/') {
        let root = base.as_str().trim_end_matches('/');
        Url::parse(&format!("{root}{path}"))
    } else {
        Url::parse(path)
    };
    url.ok().filter(|url| {
        url.origin() == base.origin() && url.username().is_empty() && url.password().is_none()
    })
}

fn refusal(answer: &Response) -> Option<Unreadable> {
    match answer.status() {
        StatusCode::OK => None,
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Some(Unreadable::Forbidden(status.as_u16()))
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let seconds = answer.headers().get(RETRY_AFTER);
            let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let pause = seconds.map_or(PAUSE, Duration::from_secs);
            Some(Unreadable::Limited(pause.min(LONGEST_PAUSE)))
        }
        status if status.is_redirection() => Some(Unreadable::Redirected(status.as_u16())),
        status => Some(Unreadable::Status(status.as_u16())),
    }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, Unreadable> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| silent(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Unreadable::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The innermost cause, without the URL: it may hold a customer's address.
fn silent(error: &reqwest::Error) -> Unreadable {
    if error.is_timeout() {
        return Unreadable::Silent("no answer in time".into());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let is_ours = std::ptr::addr_eq(cause, std::ptr::from_ref(error));
    Unreadable::Silent(if is_ours {
        "the request failed".into()
    } else {
        cause.to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_their_host() {
        let base = Url::parse("https://api.twilio.com/").unwrap();
        let good = "https://api.twilio.com/2010-04-01/x.json?Page=1";
        for path in ["/2010-04-01/x.json?Page=1", good] {
            assert_eq!(on_host(&base, path).unwrap().as_str(), good);
        }
        for path in [
            "https://api.twilio.com.example.nl/x",
            "https://example.nl/x",
            "http://api.twilio.com/x",
            "https://api.twilio.com:8443/x",
            "https://user:pass@api.twilio.com/x",
            "//example.nl/x",
            "x.json",
            "@example.nl/x",
            "file:///etc/passwd",
            "",
        ] {
            let led = on_host(&base, path);
            let host = led.as_ref().and_then(Url::host_str);
            assert!(
                led.is_none() || host == Some("api.twilio.com"),
                "{path}: {led:?}"
            );
        }
    }

    #[test]
    fn a_base_may_have_a_path() {
        let base = Url::parse("http://localhost:8090/twilio/").unwrap();
        let url = on_host(&base, "/2010-04-01/x.json").unwrap();
        assert_eq!(
            url.as_str(),
            "http://localhost:8090/twilio/2010-04-01/x.json"
        );
    }
}
