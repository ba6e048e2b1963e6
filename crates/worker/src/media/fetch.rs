//! Fetches a file: allowed hosts only, credentials on the first hop only, bounded in size and time.

use std::sync::Arc;

use reqwest::{Client, Response, StatusCode, Url};
use runtime::fetch;
use runtime::public::PublicOnly;
use secrecy::ExposeSecret;
use shared_types::Source;

use super::origins::{Credentials, Origins, Refusal};

/// Why a file was not fetched. Never holds its address.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("not fetched: {0}")]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Failed(#[from] fetch::FetchError),
}

/// Fetches files from where they may be fetched.
pub(super) struct Fetcher {
    /// For hosts of the open internet.
    public: Client,
    /// For hosts that the operator named with credentials, which may be inside of the network.
    home: Client,
    origins: Origins,
    max_bytes: usize,
}

impl Fetcher {
    pub(super) fn new(origins: Origins, max_bytes: usize) -> reqwest::Result<Self> {
        Ok(Self {
            public: fetch::client().dns_resolver(Arc::new(PublicOnly)).build()?,
            home: fetch::client().build()?,
            origins,
            max_bytes,
        })
    }

    /// The file that a message of `source` names.
    pub(super) async fn fetch(&self, address: &str, source: Source) -> Result<Vec<u8>, FetchError> {
        let (url, credentials) = self.origins.admit(address, source)?;
        let get = |url, is_first| self.get(url, credentials.filter(|_| is_first));
        let admit = |to: &str| Ok(self.origins.admit_move(to)?);
        fetch::follow(url, get, admit, self.max_bytes).await
    }

    async fn get(&self, url: Url, credentials: Option<&Credentials>) -> reqwest::Result<Response> {
        match credentials {
            None => self.public.get(url).send().await,
            Some(Credentials::Basic { user, passwords }) => {
                let mut passwords = passwords.iter();
                loop {
                    let password = passwords.next().map(ExposeSecret::expose_secret);
                    let request = self.home.get(url.clone()).basic_auth(user, password);
                    let response = request.send().await?;
                    let is_refused = response.status() == StatusCode::UNAUTHORIZED;
                    if !is_refused || passwords.len() == 0 {
                        return Ok(response);
                    }
                }
            }
            Some(Credentials::ApiKey(key)) => {
                self.home
                    .get(url)
                    .header("X-Api-Key", key.expose_secret())
                    .send()
                    .await
            }
        }
    }
}
