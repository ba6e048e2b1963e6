//! Attachments of customers, kept so that services can download them, and files that services send.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::answer::Answer;
use crate::customer::Media;

/// The newest attachments.
#[derive(Debug, Default)]
pub(crate) struct MediaStore {
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    by_id: HashMap<String, MediaFile>,
    order: VecDeque<String>,
}

/// One attachment.
#[derive(Debug, Clone)]
pub(crate) struct MediaFile {
    content_type: String,
    bytes: Bytes,
}

impl MediaFile {
    /// The download.
    pub(crate) fn answer(&self) -> Answer {
        // A file may claim to be a page. No browser may run it as one of ours.
        Answer::new(200, "application/octet-stream", self.bytes.clone())
            .header("content-type", self.content_type.clone())
            .header("x-content-type-options", "nosniff")
            .header("content-security-policy", "sandbox; default-src 'none'")
    }
}

impl MediaStore {
    const MAX_FILES: usize = 1_000;

    /// Keeps the bytes of an attachment and gives the id to ask for them. Without any, made-up
    /// bytes are kept.
    ///
    /// # Errors
    ///
    /// One line when the bytes are not base64.
    pub(crate) fn keep(&self, media: &Media) -> Result<String, String> {
        let bytes = match (&media.base64, &media.content) {
            (Some(encoded), _) => STANDARD
                .decode(encoded)
                .map_err(|error| format!("media.base64: {error}"))?,
            (None, Some(content)) => content.clone().into_bytes(),
            (None, None) => format!("a {} without content", media.class()).into_bytes(),
        };
        Ok(self.keep_file(&media.content_type, bytes))
    }

    /// Keeps a file and gives the id to ask for it.
    pub(crate) fn keep_file(&self, content_type: &str, bytes: Vec<u8>) -> String {
        let id = format!("ME{}", Uuid::new_v4().simple());
        let file = MediaFile {
            content_type: content_type.to_owned(),
            bytes: bytes.into(),
        };
        let mut files = self.lock();
        files.by_id.insert(id.clone(), file);
        files.order.push_back(id.clone());
        if files.order.len() > Self::MAX_FILES
            && let Some(oldest) = files.order.pop_front()
        {
            files.by_id.remove(&oldest);
        }
        id
    }

    pub(crate) fn get(&self, id: &str) -> Option<MediaFile> {
        self.lock().by_id.get(id).cloned()
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Files::default();
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
