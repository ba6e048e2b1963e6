//! Files on other people's servers: no redirect is followed but to where it may lead, and no more is read than
//! fits.

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, Url};

const MAX_REDIRECTS: usize = 3;

/// Why a file was not fetched. Never holds its address.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// More than may be read, in bytes.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// It moves on and on.
    #[error("too many redirects")]
    Redirects,
    /// The server has none.
    #[error("answered with status {0}")]
    Status(u16),
    /// There is no answer, or none to its end.
    #[error("cannot be reached")]
    Unreachable(#[source] reqwest::Error),
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }
}

/// What a client for [`follow`] is built from: it follows nothing by itself.
pub fn client() -> ClientBuilder {
    Client::builder().redirect(Policy::none()).no_proxy()
}

/// The file at `url`, of at most `max_bytes`. `get` makes a request, and is told whether it is the first;
/// `admit` says where a redirect may lead.
///
/// # Errors
/// Why there is none; what `admit` said, where a redirect leads elsewhere.
pub async fn follow<E, F>(
    mut url: Url,
    get: impl Fn(Url, bool) -> F,
    admit: impl Fn(&str) -> Result<Url, E>,
    max_bytes: usize,
) -> Result<Vec<u8>, E>
where
    E: From<FetchError>,
    F: Future<Output = reqwest::Result<Response>>,
{
    for hop in 0..=MAX_REDIRECTS {
        let response = get(url.clone(), hop == 0).await.map_err(FetchError::from)?;
        let status = response.status();
        if status.is_redirection() {
            let next = next_hop(&url, &response).ok_or(FetchError::Status(status.as_u16()))?;
            url = admit(next.as_str())?;
        } else if status.is_success() {
            return Ok(read(response, max_bytes).await?);
        } else {
            return Err(FetchError::Status(status.as_u16()).into());
        }
    }
    Err(FetchError::Redirects.into())
}

async fn read(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > max_bytes {
            return Err(FetchError::TooLarge(max_bytes));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn next_hop(from: &Url, response: &Response) -> Option<Url> {
    from.join(response.headers().get(LOCATION)?.to_str().ok()?)
        .ok()
}
