//! What is wrong with a file of the domain or a mapping.

use serde::de::DeserializeOwned;

/// What is wrong with a file that people write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, in one sentence.
    pub message: String,
}

impl Mistake {
    /// A mistake on the first line that has a word as one of its own; else on the first line.
    pub(crate) fn new(text: &str, word: &str, message: String) -> Self {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let has = |line: &str| line.split(|c: char| !is_part(c)).any(|part| part == word);
        let line = text.lines().position(has).map_or(1, |at| at + 1);
        Self { line, message }
    }
}

pub(crate) fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().iter().take(start);
        Mistake {
            line: before.filter(|byte| **byte == b'\n').count() + 1,
            message: error.message().replace('\n', " "),
        }
    })
}
