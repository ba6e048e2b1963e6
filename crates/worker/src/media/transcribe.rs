//! Voice messages as text.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::InputSource;
use async_openai::types::audio::{AudioInput, CreateTranscriptionRequest};
use reqwest::Url;
use secrecy::ExposeSecret;
use serde::Deserialize;
use shared_types::{Attachment, InboundMessage};
use tokio::sync::Semaphore;

use super::fetch::{FetchError, Fetcher};
use super::origins::{Credentials, Home, Origins};
use crate::budget::Deadline;
use crate::config::MediaConfig;

/// WhatsApp's own limit for audio.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longer texts are cut: no voice message should be a novel for the agents.
const MAX_CHARS: usize = 4_000;
/// Voice messages in progress at once; each may take [`MAX_BYTES`] of memory.
const CONCURRENCY: usize = 4;

/// Puts voice messages into text with an OpenAI-compatible endpoint.
pub struct Transcriber {
    fetcher: Fetcher,
    client: Client<OpenAIConfig>,
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
    #[error("the voice message was not put into text")]
    Failed,
    /// It took too long.
    #[error("the voice message took too long")]
    Slow,
    /// Too many are in progress.
    #[error("too many voice messages at once")]
    Crowded,
}

/// An endpoint's answer, as far as it matters.
#[derive(Deserialize)]
struct Transcript {
    text: String,
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
            Self::Failed => "failed",
            Self::Slow => "slow",
            Self::Crowded => "crowded",
        }
    }
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
        let key = config
            .transcribe_api_key
            .as_ref()
            .map_or("", |key| key.expose_secret());
        let settings = OpenAIConfig::new()
            .with_api_base(base.trim_end_matches('/'))
            .with_api_key(key);
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Some(Self {
            fetcher: Fetcher::new(origins(config), MAX_BYTES)?,
            client: Client::with_config(settings).with_http_client(http),
            model: config.transcribe_model.clone(),
            limit: config.timeout(),
            permits: Semaphore::new(CONCURRENCY),
        }))
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
        let transcribed = tokio::time::timeout(limit, self.transcribe(url, kind, lang)).await;
        transcribed.unwrap_or(Err(TranscriberError::Slow)).map(Some)
    }

    async fn transcribe(
        &self,
        url: &str,
        kind: &str,
        lang: &str,
    ) -> Result<String, TranscriberError> {
        let bytes = self.fetcher.fetch(url).await?;
        let filename = format!("message.{}", extension(kind));
        let file = AudioInput {
            source: InputSource::Bytes {
                filename,
                bytes: bytes.into(),
            },
        };
        let model = self.model.clone();
        let request = CreateTranscriptionRequest {
            file,
            model,
            language: Some(lang.to_owned()).filter(|lang| !lang.is_empty()),
            ..CreateTranscriptionRequest::default()
        };
        // Read by ourselves: the client wants fields that many endpoints leave out.
        let audio = self.client.audio();
        let answer = audio.transcription().create_raw(request).await;
        let answer = answer.map_err(|_| TranscriberError::Failed)?;
        let transcript: Transcript =
            serde_json::from_slice(&answer).map_err(|_| TranscriberError::Failed)?;
        let text = transcript.text;
        let text: String = text
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_CHARS)
            .collect();
        if text.is_empty() {
            Err(TranscriberError::Failed)
        } else {
            Ok(text)
        }
    }
}

fn recording(attachment: &Attachment) -> Option<(&str, &str)> {
    let kind = attachment.content_type.as_deref()?;
    let url = attachment.url.as_deref()?;
    kind.starts_with("audio/").then_some((url, kind))
}

/// The endpoint goes by the file's name.
fn extension(content_type: &str) -> &'static str {
    match content_type.split(';').next().unwrap_or_default().trim() {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/mp4" | "audio/m4a" | "audio/aac" => "m4a",
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/webm" => "webm",
        "audio/flac" => "flac",
        _ => "ogg",
    }
}

fn origins(config: &MediaConfig) -> Origins {
    let home = |base: &str, credentials: Option<Credentials>| {
        Some(Home {
            base: Url::parse(base).ok()?,
            credentials: credentials?,
        })
    };
    let twilio = config
        .twilio_account_sid
        .clone()
        .zip(config.twilio_auth_token.clone());
    let twilio = twilio.map(|(user, password)| Credentials::Basic { user, password });
    let waha = config.waha_api_key.clone().map(Credentials::ApiKey);
    let waha_base = config.waha_base_url.as_deref().unwrap_or_default();
    Origins {
        homes: [
            home(&config.twilio_api_base_url, twilio),
            home(waha_base, waha),
        ]
        .into_iter()
        .flatten()
        .collect(),
        hosts: config.media_hosts.clone(),
    }
}
