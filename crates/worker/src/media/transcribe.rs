//! Voice messages as text.

use std::time::Duration;

use reqwest::multipart::{Form, Part as MultipartFile};
use serde_json::Value;
use shared_types::{Attachment, InboundMessage, Source};
use tokio::sync::Semaphore;

use super::fetch::{FetchError, Fetcher};
use super::origins::Origins;
use super::recording::{self, kind_of};
use crate::budget::Deadline;
use crate::config::MediaConfig;
use crate::openai::{CallError, Server};

const PATH: &str = "/audio/transcriptions";
/// WhatsApp's own limit for audio.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longer texts are cut: no voice message should be a novel for the agents.
const MAX_CHARS: usize = 4_000;
/// Voice messages in progress at once; each may take [`MAX_BYTES`] of memory.
const CONCURRENCY: usize = 4;

/// Puts voice messages into text with an OpenAI-compatible endpoint.
pub struct Transcriber {
    fetcher: Fetcher,
    server: Server,
    model: String,
    /// For fetching and transcribing together.
    limit: Duration,
    permits: Semaphore,
}

/// Why a voice message stays a voice message.
#[derive(Debug, thiserror::Error)]
pub enum TranscriberError {
    /// It was not fetched.
    #[error("the voice message was not fetched: {0}")]
    Fetch(String),
    /// The endpoint failed.
    #[error("the voice message was not put into text: the endpoint: {0}")]
    Failed(String),
    /// It took too long.
    #[error("the voice message took too long")]
    Slow,
    /// Too many are in progress.
    #[error("too many voice messages at once")]
    Crowded,
}

impl From<FetchError> for TranscriberError {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error.to_string())
    }
}

impl TranscriberError {
    /// The name in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fetch(_) => "not_fetched",
            Self::Failed(_) => "failed",
            Self::Slow => "slow",
            Self::Crowded => "crowded",
        }
    }
}

/// Why there is no answer, and what to change where that is known.
fn advised(error: &CallError) -> String {
    let advice = match error {
        CallError::Refused { status: 404, .. } => {
            " (see TRANSCRIBE_MODEL; TRANSCRIBE_BASE_URL should end before /audio/transcriptions, often in /v1)"
        }
        CallError::Refused {
            status: 401 | 403, ..
        } => " (see TRANSCRIBE_API_KEY)",
        _ => "",
    };
    format!("{error}{advice}")
}

impl Transcriber {
    /// None when no endpoint is configured.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(config: &MediaConfig) -> reqwest::Result<Option<Self>> {
        let Some(base) = &config.transcribe_base_url else {
            return Ok(None);
        };
        Ok(Some(Self {
            fetcher: Fetcher::new(Origins::of(config), MAX_BYTES)?,
            server: Server::new(base, config.transcribe_api_key.clone())?,
            model: config.transcribe_model.clone(),
            limit: config.timeout(),
            permits: Semaphore::new(CONCURRENCY),
        }))
    }

    /// Sends a moment of silence.
    ///
    /// # Errors
    /// Why the endpoint cannot be used.
    pub async fn try_out(&self, limit: Duration) -> Result<(), TranscriberError> {
        let form = self.form(recording::silence(), "audio/wav", "")?;
        let answer = tokio::time::timeout(limit, self.server.post_form(PATH, form)).await;
        let answer = answer.map_err(|_| TranscriberError::Slow)?;
        let answer = answer.map_err(|error| TranscriberError::Failed(advised(&error)))?;
        let text = transcript(&answer).map(drop);
        text.ok_or_else(|| TranscriberError::Failed("answers without a text".into()))
    }

    /// What is said in the message's voice recording, probably in `lang`; none when it has none.
    ///
    /// # Errors
    /// When the recording cannot be fetched or understood in time.
    pub async fn text_of(
        &self,
        message: &InboundMessage,
        lang: &str,
        deadline: Deadline,
    ) -> Result<Option<String>, TranscriberError> {
        let Some((url, kind)) = message.attachments.iter().find_map(recording) else {
            return Ok(None);
        };
        let _permit = self
            .permits
            .try_acquire()
            .map_err(|_| TranscriberError::Crowded)?;
        let limit = deadline.allows(self.limit);
        let transcribed =
            tokio::time::timeout(limit, self.transcribe(url, kind, message.source, lang)).await;
        transcribed.unwrap_or(Err(TranscriberError::Slow)).map(Some)
    }

    async fn transcribe(
        &self,
        url: &str,
        kind: &str,
        source: Source,
        lang: &str,
    ) -> Result<String, TranscriberError> {
        let bytes = self.fetcher.fetch(url, source).await?;
        let answer = self
            .server
            .post_form(PATH, self.form(bytes, kind, lang)?)
            .await;
        let answer = answer.map_err(|error| TranscriberError::Failed(error.to_string()))?;
        let text = transcript(&answer)
            .ok_or_else(|| TranscriberError::Failed("answers without a text".into()))?;
        let spoken: String = text
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_CHARS)
            .collect();
        if spoken.is_empty() {
            Err(TranscriberError::Failed("heard nothing".into()))
        } else {
            Ok(spoken)
        }
    }

    /// Says everything: what is left out, servers fill in differently.
    fn form(&self, bytes: Vec<u8>, said: &str, lang: &str) -> Result<Form, TranscriberError> {
        let kind = kind_of(&bytes, said);
        let file = MultipartFile::bytes(bytes)
            .file_name(format!("message.{}", kind.extension))
            .mime_str(kind.content_type)
            .map_err(|error| TranscriberError::Failed(error.to_string()))?;
        let form = Form::new()
            .part("file", file)
            .text("model", self.model.clone())
            .text("response_format", "json");
        Ok(if lang.is_empty() {
            form
        } else {
            form.text("language", lang.to_owned())
        })
    }
}

/// The text of `{"text": …}`, or of an answer that is text alone.
fn transcript(answer: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(answer).ok()?;
    match serde_json::from_str::<Value>(text) {
        Ok(Value::String(text)) => Some(text),
        Ok(answer) => Some(answer.get("text")?.as_str()?.to_owned()),
        Err(_) if text.trim_start().starts_with(['{', '[', '<']) => None,
        Err(_) => Some(text.to_owned()),
    }
}

fn recording(attachment: &Attachment) -> Option<(&str, &str)> {
    let kind = attachment.content_type.as_deref()?;
    let url = attachment.url.as_deref()?;
    kind.starts_with("audio/").then_some((url, kind))
}
