//! One question to a provider, and why there was no answer.

use std::error::Error as _;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use runtime::Chain;
use serde_json::Value;
use shared_types::connection_failure;

/// Asks, without following a redirection: credentials go to the host that is named.
pub(super) struct Probe {
    client: Client,
}

/// What a provider answered.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) json: Value,
}

impl Probe {
    pub(super) fn new(timeout: Duration) -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("postduif-egress/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(timeout)
            .build()?;
        Ok(Self { client })
    }

    pub(super) fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    /// The answer. `setting` names the base URL.
    pub(super) async fn ask(
        &self,
        request: RequestBuilder,
        setting: &str,
    ) -> Result<Reply, String> {
        let answer = request.send().await.map_err(|error| why(&error, setting))?;
        let status = answer.status();
        if status.is_redirection() {
            return Err(format!(
                "it redirects ({}), which is not followed: put the address that it leads to into {setting}",
                status.as_u16()
            ));
        }
        let body = answer.bytes().await.map_err(|error| why(&error, setting))?;
        Ok(Reply {
            status: status.as_u16(),
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        })
    }
}

fn why(error: &reqwest::Error, setting: &str) -> String {
    let cause = connection_failure(error);
    let slow = || {
        error.is_timeout().then(|| {
            "no answer in time: is it very slow, or does something else listen there?".to_owned()
        })
    };
    let cause = cause.or_else(slow).unwrap_or_else(|| {
        if error.is_builder() {
            "the address is no URL".into()
        } else {
            let why = error.source().map(|source| Chain(source).to_string());
            format!("the request failed: {}", why.unwrap_or_default())
        }
    });
    format!("{cause} ({setting})")
}

impl Reply {
    /// What it means that nothing else is known of.
    pub(super) fn odd(&self, setting: &str) -> String {
        match self.status {
            200..=299 => format!(
                "its answer is not what the API answers: does {setting} lead somewhere else?"
            ),
            404 | 405 => format!(
                "it has no such API ({}): does {setting} lead somewhere else?",
                self.status
            ),
            429 => "it wants to be left alone for a while (429): ask again later".into(),
            500..=599 => format!("it is in trouble ({}): ask again later", self.status),
            status => format!("it answers {status}"),
        }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.json
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}
