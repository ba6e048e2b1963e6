//! Contact cards that come as a file: their words are read before the turn.

use std::time::Duration;

use shared_types::{InboundMessage, Source, card_text};
use tokio::sync::Semaphore;

use super::fetch::{FetchError, Fetcher};
use super::origins::Origins;
use crate::budget::Deadline;
use crate::config::MediaConfig;

/// A card may hold a picture.
const MAX_BYTES: usize = 1024 * 1024;
/// Files of one message that are fetched.
const MAX_FILES: usize = 10;
/// For all files of a message.
const LIMIT: Duration = Duration::from_secs(3);
/// Messages whose cards are fetched at once.
const CONCURRENCY: usize = 4;

/// Reads contact cards from where providers keep them.
pub struct Cards {
    fetcher: Fetcher,
    permits: Semaphore,
}

/// Why a contact stays without its words.
#[derive(Debug, thiserror::Error)]
enum CardError {
    #[error("the contact was {0}")]
    Fetch(#[from] FetchError),
    #[error("the contact has neither name nor number")]
    Empty,
    #[error("the contact took too long")]
    Slow,
}

impl CardError {
    /// The name in metrics.
    const fn name(&self) -> &'static str {
        match self {
            Self::Fetch(_) => "not_fetched",
            Self::Empty => "empty",
            Self::Slow => "slow",
        }
    }
}

impl Cards {
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(config: &MediaConfig) -> reqwest::Result<Self> {
        Ok(Self {
            fetcher: Fetcher::new(Origins::of(config), MAX_BYTES)?,
            permits: Semaphore::new(CONCURRENCY),
        })
    }

    /// Puts the words into the message's contacts that have none yet; gives what became of each, by
    /// its name in metrics.
    pub(crate) async fn read(
        &self,
        message: &mut InboundMessage,
        deadline: Deadline,
    ) -> Vec<&'static str> {
        let source = message.source;
        let files = message.attachments.iter_mut();
        let unread = files.filter(|file| file.is_contact() && file.text.is_none());
        let mut outcomes = Vec::new();
        let limit = tokio::time::Instant::now() + deadline.allows(LIMIT);
        for file in unread.take(MAX_FILES) {
            let Some(url) = file.url.as_deref() else {
                continue;
            };
            let words = tokio::time::timeout_at(limit, self.words(url, source)).await;
            outcomes.push(match words.unwrap_or(Err(CardError::Slow)) {
                Ok(words) => {
                    file.text = Some(words);
                    "done"
                }
                Err(error) => {
                    tracing::warn!(%error, "a shared contact stays without its words");
                    error.name()
                }
            });
        }
        outcomes
    }

    async fn words(&self, url: &str, source: Source) -> Result<String, CardError> {
        // Who calls waits no longer than a card may take.
        let _permit = self.permits.acquire().await.map_err(|_| CardError::Slow)?;
        let card = self.fetcher.fetch(url, source).await?;
        card_text(&String::from_utf8_lossy(&card)).ok_or(CardError::Empty)
    }
}
