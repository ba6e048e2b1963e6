//! Asks a register with the interface of Socrata: a GET with the plate as a parameter, an array of objects
//! back (<https://dev.socrata.com/docs/queries/>).

use std::sync::Arc;

use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};
use runtime::public::PublicOnly;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// Why a client could not be built.
pub type NoClient = reqwest::Error;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 << 10;

pub(super) struct Client {
    client: reqwest::Client,
    address: String,
    token: Option<SecretString>,
}

/// What came of a question.
pub(super) enum Asked {
    /// What it knows of the plate.
    Rows(Vec<Map<String, Value>>),
    /// It wants fewer questions.
    Limited,
    /// It did not answer; never holds the plate.
    Failed(String),
}

impl Client {
    pub(super) fn new(address: &str, token: Option<SecretString>) -> Result<Self, NoClient> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy();
        // An address that the operator writes without encryption is one of their own network.
        let builder = if address.starts_with("https://") {
            builder.dns_resolver(Arc::new(PublicOnly))
        } else {
            builder
        };
        Ok(Self {
            client: builder.build()?,
            address: address.to_owned(),
            token,
        })
    }

    pub(super) async fn ask(&self, parameter: &str, plate: &str) -> Asked {
        match self.rows(parameter, plate).await {
            Ok(asked) => asked,
            Err(error) => Asked::Failed(runtime::Chain(&error.without_url()).to_string()),
        }
    }

    async fn rows(&self, parameter: &str, plate: &str) -> reqwest::Result<Asked> {
        let Ok(url) = Url::parse_with_params(&self.address, [(parameter, plate), ("$limit", "1")])
        else {
            return Ok(Asked::Failed("its address is no web address".into()));
        };
        let mut request = self.client.get(url);
        if let Some(token) = &self.token {
            request = request.header("X-App-Token", token.expose_secret());
        }
        let mut response = request.send().await?;
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS => return Ok(Asked::Limited),
            status if !status.is_success() => {
                return Ok(Asked::Failed(format!(
                    "it answered with status {}",
                    status.as_u16()
                )));
            }
            _ => {}
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > LONGEST {
                return Ok(Asked::Failed("its answer is too long".into()));
            }
        }
        let rows = serde_json::from_slice(&bytes);
        Ok(rows.map_or_else(
            |_| Asked::Failed("its answer is no array of objects".into()),
            Asked::Rows,
        ))
    }
}
