//! The questions to a service, over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde::Deserialize;

use super::exposition::{self, Series};

const PATIENCE: Duration = Duration::from_secs(3);
/// The longest page that is read.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Asks services. Follows nobody elsewhere.
pub(super) struct Asker(Client);

/// What `/health/ready` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Health {
    /// `ready`, `degraded` or `unavailable`.
    pub(crate) status: String,
    /// Why a part does not do well.
    #[serde(default)]
    pub(crate) reasons: std::collections::BTreeMap<String, String>,
}

impl Asker {
    /// None when the platform has no client, which the log says.
    pub(super) fn new() -> Option<Self> {
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .no_proxy()
            .build();
        match client {
            Ok(client) => Some(Self(client)),
            Err(error) => {
                tracing::error!(%error, "nobody is asked how the services do");
                None
            }
        }
    }

    /// How a service does.
    pub(super) async fn health(&self, at: &str) -> Result<Health, String> {
        // It says why it is unavailable as well.
        let body = self.body(at, "/health/ready", true).await?;
        serde_json::from_slice(&body).map_err(|_| "its health cannot be read".to_owned())
    }

    /// What a service has counted.
    pub(super) async fn series(&self, at: &str) -> Result<Vec<(Series, f64)>, String> {
        let body = self.body(at, "/metrics", false).await?;
        let page = String::from_utf8_lossy(&body);
        Ok(exposition::read(&page))
    }

    async fn body(&self, at: &str, path: &str, may_fail: bool) -> Result<Vec<u8>, String> {
        let asked = self.0.get(format!("http://{at}{path}")).send().await;
        let answer = asked.map_err(|error| told(&error))?;
        if !may_fail && !answer.status().is_success() {
            return Err(format!("{path} answers {}", answer.status().as_u16()));
        }
        bounded(answer).await
    }
}

async fn bounded(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| told(&error))? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err("its page is too long".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn told(error: &reqwest::Error) -> String {
    let words = match error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        _ => "its answer ends early",
    };
    words.to_owned()
}

/// Where a place is: all addresses of its name, of one family alone, so that no process is counted twice. The
/// place itself when its name is not known.
pub(super) async fn addresses(place: &str) -> Vec<String> {
    let found: Vec<SocketAddr> = match tokio::net::lookup_host(place).await {
        Ok(found) => found.collect(),
        Err(_) => Vec::new(),
    };
    let has_v4 = found.iter().any(SocketAddr::is_ipv4);
    let mut all: Vec<String> = found
        .iter()
        .filter(|address| address.is_ipv4() == has_v4)
        .map(SocketAddr::to_string)
        .collect();
    all.sort();
    all.dedup();
    if all.is_empty() {
        all.push(place.to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_leads_to_each_process_once() {
        assert_eq!(addresses("localhost:8081").await, ["127.0.0.1:8081"]);
        assert_eq!(
            addresses("nobody.invalid:8081").await,
            ["nobody.invalid:8081"]
        );
    }
}
