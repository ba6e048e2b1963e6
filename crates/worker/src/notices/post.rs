//! One POST to a receiver that we do not know: bounded, never redirected, never to a private address
//! unless that is allowed.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use runtime::public::is_public;

use super::channel::Outcome;

const TIMEOUT: Duration = Duration::from_secs(15);
const MAX_READ: usize = 200;

/// What posts notices.
#[derive(Debug, Clone)]
pub(super) struct Poster {
    http: Client,
    may_be_private: bool,
}

impl Poster {
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(super) fn new(may_be_private: bool) -> reqwest::Result<Self> {
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .no_proxy();
        if !may_be_private {
            builder = builder.dns_resolver(Arc::new(PublicOnly));
        }
        Ok(Self {
            http: builder.build()?,
            may_be_private,
        })
    }

    /// Posts a JSON document. `is_done` judges what a success says.
    pub(super) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: String,
        is_done: impl Fn(u16, &str) -> bool,
    ) -> Outcome {
        if !self.may_be_private && literal(url).is_some_and(|ip| !is_public(ip)) {
            return Outcome::failed("the target is a private address; see NOTICE_ALLOW_PRIVATE");
        }
        let request = self
            .http
            .post(url.clone())
            .headers(headers)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(body);
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = runtime::Chain(&error.without_url()).to_string();
                return Outcome::failed(&error);
            }
        };
        let status = answer.status();
        let after = answer.headers().get(RETRY_AFTER);
        let after = after.and_then(|value| pause_of(value.to_str().ok()?, Timestamp::now()));
        let said = beginning(&mut answer).await;
        match status.as_u16() {
            410 => Outcome::Gone,
            200..=299 if is_done(status.as_u16(), &said) => Outcome::Sent,
            200..=299 => Outcome::failed(&format!("{status}, but not what was expected")),
            300..=399 => Outcome::failed(&format!("{status}: redirects are not followed")),
            _ => Outcome::Failed {
                error: status.to_string(),
                after,
            },
        }
    }
}

/// The beginning of what a receiver says, which may come in parts: only that matters, and it may talk
/// without end.
async fn beginning(answer: &mut Response) -> String {
    let mut said = Vec::new();
    while said.len() < MAX_READ
        && let Ok(Some(part)) = answer.chunk().await
    {
        said.extend_from_slice(&part);
    }
    said.truncate(MAX_READ);
    String::from_utf8_lossy(&said).into_owned()
}

/// How long a receiver wants to be left alone: seconds, or a date (RFC 9110, section 10.2.3).
fn pause_of(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(text.trim()).ok()?.timestamp();
    until.duration_since(now).try_into().ok()
}

/// The address that a URL names without a name.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

/// Looks names up and leaves out what is private. The connection goes to what was judged here.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move { public_addresses(name.as_str()).await })
    }
}

async fn public_addresses(name: &str) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
    if public.is_empty() {
        return Err("the target has no public address; see NOTICE_ALLOW_PRIVATE".into());
    }
    Ok(Box::new(public.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_names_a_pause_or_a_moment() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let pause = |text| pause_of(text, now).map(|pause| pause.as_secs());
        assert_eq!(pause("120"), Some(120));
        assert_eq!(pause(" Sun, 06 Nov 1994 08:49:37 GMT "), Some(30));
        for nothing in ["", "-1", "1.5", "morgen", "Sun, 06 Nov 1994 08:48:37 GMT"] {
            assert_eq!(pause(nothing), None, "{nothing}");
        }
    }
}
