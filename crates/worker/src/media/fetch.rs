//! Fetches a file: allowed hosts only, credentials on the first hop only, bounded in size and time.

use std::sync::Arc;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::ExposeSecret;
use shared_types::Source;

use super::origins::{Credentials, Origins, Refusal};
use super::resolver::PublicOnly;

const MAX_REDIRECTS: usize = 3;

/// Why a file was not fetched. Never holds its address.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("not fetched: {0}")]
    Refused(#[from] Refusal),
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    #[error("too many redirects")]
    Redirects,
    #[error("answered with status {0}")]
    Status(u16),
    #[error("cannot be reached")]
    Unreachable(#[source] reqwest::Error),
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }
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
        let client = || Client::builder().redirect(Policy::none()).no_proxy();
        Ok(Self {
            public: client().dns_resolver(Arc::new(PublicOnly)).build()?,
            home: client().build()?,
            origins,
            max_bytes,
        })
    }

    /// The file that a message of `source` names.
    pub(super) async fn fetch(&self, address: &str, source: Source) -> Result<Vec<u8>, FetchError> {
        let (mut url, mut credentials) = self.origins.admit(address, source)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.get(url.clone(), credentials).await?;
            let status = response.status();
            if status.is_redirection() {
                let next = next_hop(&url, &response).ok_or(FetchError::Status(status.as_u16()))?;
                url = self.origins.admit_move(next.as_str())?;
                credentials = None;
            } else if status.is_success() {
                return self.read(response).await;
            } else {
                return Err(FetchError::Status(status.as_u16()));
            }
        }
        Err(FetchError::Redirects)
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

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > self.max_bytes {
                return Err(FetchError::TooLarge(self.max_bytes));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

fn next_hop(from: &Url, response: &Response) -> Option<Url> {
    from.join(response.headers().get(LOCATION)?.to_str().ok()?)
        .ok()
}
