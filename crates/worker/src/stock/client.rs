//! Fetches a feed: where the settings say, with credentials on the first hop only, as it streams.

use std::io::{self, Read};
use std::sync::Arc;

use reqwest::header::{ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use runtime::public::PublicOnly;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;

const MAX_REDIRECTS: usize = 3;
/// Pieces of a feed that wait for the reader.
const AHEAD: usize = 8;

/// Why a feed was not fetched. Never holds its address.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("its address is no web address")]
    Address,
    #[error("moved to where it is not followed")]
    Moved,
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

/// What a server said of a version of its feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(super) enum Fetched {
    /// It is the version that is known.
    Unchanged,
    /// Another version, whose body comes.
    Body(Response, Version),
}

/// Fetches feeds.
#[derive(Debug, Clone)]
pub(super) struct FeedClient {
    client: Client,
    allow_private: bool,
}

impl FeedClient {
    pub(super) fn new(allow_private: bool) -> reqwest::Result<Self> {
        let builder = Client::builder().redirect(Policy::none()).no_proxy();
        let builder = if allow_private {
            builder
        } else {
            builder.dns_resolver(Arc::new(PublicOnly))
        };
        Ok(Self {
            client: builder.build()?,
            allow_private,
        })
    }

    /// Asks for a feed, unless it is the known version.
    pub(super) async fn fetch(
        &self,
        address: &SecretString,
        login: Option<&SecretString>,
        known: &Version,
    ) -> Result<Fetched, FetchError> {
        let first = Url::parse(address.expose_secret()).map_err(|_| FetchError::Address)?;
        let mut url = first.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.client.get(url.clone());
            if let Some(login) = login.filter(|_| url.origin() == first.origin()) {
                let (user, password) = login.expose_secret().split_once(':').unwrap_or_default();
                request = request.basic_auth(user, Some(password));
            }
            for (name, value) in [
                (IF_NONE_MATCH, &known.etag),
                (IF_MODIFIED_SINCE, &known.last_modified),
            ] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let response = request.send().await?;
            match response.status() {
                StatusCode::NOT_MODIFIED => return Ok(Fetched::Unchanged),
                status if status.is_redirection() => url = self.next(&first, &url, &response)?,
                status if status.is_success() => {
                    let version = version(response.headers());
                    return Ok(Fetched::Body(response, version));
                }
                status => return Err(FetchError::Status(status.as_u16())),
            }
        }
        Err(FetchError::Redirects)
    }

    /// Where a feed was moved to: only within its host, and never to less encryption.
    fn next(&self, first: &Url, from: &Url, response: &Response) -> Result<Url, FetchError> {
        let target = response
            .headers()
            .get(LOCATION)
            .and_then(|target| target.to_str().ok());
        let next = target
            .and_then(|target| from.join(target).ok())
            .ok_or(FetchError::Moved)?;
        let safe =
            next.scheme() == "https" || self.allow_private && next.scheme() == first.scheme();
        let plain = next.username().is_empty() && next.password().is_none();
        if safe && plain && host(&next) == host(first) {
            Ok(next)
        } else {
            Err(FetchError::Moved)
        }
    }
}

fn host(url: &Url) -> Option<&str> {
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host))
}

fn version(headers: &HeaderMap) -> Version {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    Version {
        etag: text(ETAG),
        last_modified: text(LAST_MODIFIED),
    }
}

/// Whether an address may be fetched without leave for private ones: encrypted, and by a name.
pub(crate) fn is_public(address: &str) -> bool {
    runtime::public::public_url(address).is_some()
}

/// A body on its way from the network to a reader that blocks.
pub(super) struct Pipe {
    pieces: mpsc::Receiver<Option<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    ended: bool,
}

/// Where a body goes in.
pub(super) struct Mouth(mpsc::Sender<Option<Vec<u8>>>);

/// Both ends.
pub(super) fn pipe() -> (Mouth, Pipe) {
    let (sender, pieces) = mpsc::channel(AHEAD);
    (
        Mouth(sender),
        Pipe {
            pieces,
            piece: io::Cursor::default(),
            ended: false,
        },
    )
}

impl Mouth {
    /// Brings a body to the reader. A reader that has seen enough ends it.
    pub(super) async fn fill(self, mut response: Response) -> Result<(), FetchError> {
        while let Some(piece) = response.chunk().await? {
            if self.0.send(Some(piece.to_vec())).await.is_err() {
                return Ok(());
            }
        }
        // Only a body that came whole has an end.
        drop(self.0.send(None).await);
        Ok(())
    }
}

impl Read for Pipe {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(out)?;
            if read > 0 || self.ended {
                return Ok(read);
            }
            match self.pieces.blocking_recv() {
                Some(Some(piece)) => self.piece = io::Cursor::new(piece),
                Some(None) => self.ended = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}
