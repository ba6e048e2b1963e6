//! The picture behind a text as a file, for a provider that fetches none itself.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use runtime::fetch::{self, FetchError};
use runtime::public::{PublicOnly, plain_url, public_url};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// WhatsApp's own limit for pictures.
const MAX_BYTES: usize = 5 * 1024 * 1024;
/// For a picture's turn, and again for the picture.
const LIMIT: Duration = Duration::from_secs(4);
/// Pictures in memory at once, from their first byte until they are sent; each may take twice [`MAX_BYTES`],
/// alone and in the form.
const CONCURRENCY: usize = 4;
/// Characters of a file's name.
const NAME: usize = 60;

/// Why there is no picture. Never holds its address.
#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    #[error("its address is not one of the open internet")]
    Address,
    #[error("{0}")]
    Fetch(#[from] FetchError),
    #[error("it is no picture")]
    Kind,
    #[error("it took too long")]
    Slow,
}

/// A picture.
#[derive(Debug)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: &'static str,
    /// Letters, digits, dots and dashes.
    pub(super) name: String,
    _permit: OwnedSemaphorePermit,
}

/// Fetches pictures from where they may be fetched.
pub(super) struct Pictures {
    public: Client,
    /// None where nothing inside of a network may be fetched.
    private: Option<Client>,
    permits: Arc<Semaphore>,
}

impl Pictures {
    pub(super) fn new(allow_private: bool) -> reqwest::Result<Self> {
        let public = fetch::client().dns_resolver(Arc::new(PublicOnly));
        let private = allow_private.then(|| fetch::client().build());
        Ok(Self {
            public: public.build()?,
            private: private.transpose()?,
            permits: Arc::new(Semaphore::new(CONCURRENCY)),
        })
    }

    /// The picture at an address.
    pub(super) async fn fetch(&self, address: &str) -> Result<File, PictureError> {
        let turn = Arc::clone(&self.permits).acquire_owned();
        let turn = tokio::time::timeout(LIMIT, turn).await;
        let permit = turn.ok().and_then(Result::ok).ok_or(PictureError::Slow)?;
        let fetched = tokio::time::timeout(LIMIT, self.bytes(address)).await;
        let bytes = fetched.unwrap_or(Err(PictureError::Slow))?;
        let (content_type, extension) = kind_of(&bytes).ok_or(PictureError::Kind)?;
        let name = name_of(address, extension);
        Ok(File {
            bytes,
            content_type,
            name,
            _permit: permit,
        })
    }

    async fn bytes(&self, address: &str) -> Result<Vec<u8>, PictureError> {
        let of_record = || self.private.as_ref().and_then(|_| plain_url(address));
        let first = public_url(address).or_else(of_record);
        let first = first.ok_or(PictureError::Address)?;
        let origin = first.origin();
        // Only the record says which server inside of a network is asked, and no redirect.
        let private = |url: &Url| self.private.as_ref().filter(|_| url.origin() == origin);
        let get = |url: Url, _| private(&url).unwrap_or(&self.public).get(url).send();
        let admit = |address: &str| {
            let same = || plain_url(address).filter(|url| private(url).is_some());
            public_url(address)
                .or_else(same)
                .ok_or(PictureError::Address)
        };
        fetch::follow(first, get, admit, MAX_BYTES).await
    }
}

/// By the first bytes: servers name files as they like, and send pages instead.
fn kind_of(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(("image/jpeg", "jpg")),
        [0x89, b'P', b'N', b'G', ..] => Some(("image/png", "png")),
        [b'G', b'I', b'F', b'8', ..] => Some(("image/gif", "gif")),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(("image/webp", "webp")),
        _ => None,
    }
}

fn name_of(address: &str, extension: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
    let stem: String = stem.chars().filter(plain).take(NAME).collect();
    match stem.as_str() {
        "" => format!("picture.{extension}"),
        stem => format!("{stem}.{extension}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_address_and_its_content() {
        for (address, name) in [
            ("https://a.test/foto/golf-1.JPEG?v=2", "golf-1.jpg"),
            ("https://a.test/", "picture.jpg"),
            ("https://a.test/x\"%0d%0ay.png", "x0d0ay.jpg"),
        ] {
            assert_eq!(name_of(address, "jpg"), name);
        }
        assert_eq!(kind_of(b"<!doctype html>"), None);
        assert_eq!(kind_of(b"RIFF\0\0\0\0WAVE"), None);
        assert_eq!(kind_of(b"\x89PNG\r\n").unwrap().0, "image/png");
    }

    #[tokio::test]
    async fn nothing_inside_of_a_network_is_fetched() {
        runtime::install_tls();
        let pictures = Pictures::new(false).unwrap();
        for address in [
            "http://a.test/x.jpg",
            "https://10.0.0.1/x.jpg",
            "https://jan:geheim@a.test/x.jpg",
            "https://localhost/x.jpg",
            "file:///etc/passwd",
        ] {
            let refused = pictures.fetch(address).await;
            assert!(matches!(refused, Err(PictureError::Address)), "{address}");
        }
    }
}
