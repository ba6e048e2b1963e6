//! A webhook as bytes, and the client that posts it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::redirect::Policy;
use rustls::RootCertStore;
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde::Serialize;

use crate::clock::micros;

/// One HTTP request of a provider to the ingress: signed, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where it is posted.
    pub url: String,
    /// Headers, content type and signature among them.
    pub headers: Vec<(String, String)>,
    /// The body, byte by byte as it was signed.
    pub body: Vec<u8>,
}

/// What came of posting a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// The first 64 KiB of the answer's body.
    pub body: String,
    /// Time from the request to the end of the answer, in microseconds.
    pub elapsed_us: u64,
    /// What the ingress calls the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Why no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Posted {
    /// What comes of a webhook that is lost on its way.
    pub(crate) fn lost() -> Self {
        Self {
            status: None,
            body: String::new(),
            elapsed_us: 0,
            request_id: None,
            error: Some("lost on the way, as ordered".to_owned()),
        }
    }

    /// Of what the ingress is not told, or only later.
    pub(crate) fn untold() -> Self {
        Self {
            status: None,
            body: String::new(),
            elapsed_us: 0,
            request_id: None,
            error: None,
        }
    }

    /// What the ingress says is wrong.
    pub(crate) fn complaint(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        body["error"]["message"].as_str().map(str::to_owned)
    }

    /// Whether the ingress took it.
    pub fn is_success(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// Posts webhooks. Redirects are not followed: no provider is known to keep the body over one.
#[derive(Debug, Clone)]
pub(crate) struct WebhookClient {
    http: reqwest::Client,
}

impl WebhookClient {
    /// Twilio's limit for a whole webhook request.
    const TIMEOUT: Duration = Duration::from_secs(15);
    const BODY_KEPT: usize = 64 * 1024;

    pub(crate) fn new() -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(Self::TIMEOUT)
            .build()
            .context("cannot build the HTTP client")?;
        Ok(Self { http })
    }

    pub(crate) async fn post(&self, webhook: &Webhook) -> Posted {
        let started = Instant::now();
        let answer = self.try_post(webhook).await;
        let elapsed_us = micros(started.elapsed());
        match answer {
            Ok((status, request_id, body)) => Posted {
                status: Some(status),
                body,
                elapsed_us,
                request_id,
                error: None,
            },
            Err(error) => Posted {
                status: None,
                body: String::new(),
                elapsed_us,
                request_id: None,
                error: Some(reason(&error)),
            },
        }
    }

    async fn try_post(&self, webhook: &Webhook) -> reqwest::Result<(u16, Option<String>, String)> {
        let mut request = self.http.post(&webhook.url).body(webhook.body.clone());
        for (name, value) in &webhook.headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await?;
        let status = response.status().as_u16();
        let request_id = response.headers().get("x-request-id");
        let request_id = request_id
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            let room = Self::BODY_KEPT.saturating_sub(body.len());
            body.extend(chunk.into_iter().take(room));
            if body.len() == Self::BODY_KEPT {
                break;
            }
        }
        Ok((
            status,
            request_id,
            String::from_utf8_lossy(&body).into_owned(),
        ))
    }
}

/// A TLS configuration of our own, so that no process-wide provider has to be installed first.
/// Where the machine has no certificates, only webhooks to plain `http` can be posted.
fn tls() -> anyhow::Result<rustls::ClientConfig> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()?;
    let verified = builder.clone().with_platform_verifier();
    let verified =
        verified.unwrap_or_else(|_| builder.with_root_certificates(RootCertStore::empty()));
    Ok(verified.with_no_client_auth())
}

/// The error and its causes, without the URL.
fn reason(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "timed out".to_owned()
    } else if error.is_connect() {
        "cannot connect".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
