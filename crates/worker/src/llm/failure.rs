//! Why there is no answer: for the turn, for the metrics, and for whoever runs the worker. Pure.

use std::time::Duration;

use super::reply::NoReply;
use crate::openai::{CallError, Words};

/// Why the rules have to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It did not answer in time.
    #[error("the model was too slow")]
    Slow,
    /// It could not be reached or said that it failed.
    #[error("the model failed")]
    Failed,
    /// It will not answer before somebody changes a setting.
    #[error("the model refuses")]
    Refused,
    /// It failed too often; nobody asks for a while.
    #[error("the model is not asked for a while")]
    Open,
    /// Too many ask already.
    #[error("too many ask the model already")]
    Crowded,
    /// The contact's budget for today is used up.
    #[error("the contact's budget is used up")]
    Budget,
    /// The answer is cut off, declined, not what was asked for, or may not be sent.
    #[error("the model's answer cannot be used")]
    Answer,
}

impl ModelError {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Open => "open",
            Self::Crowded => "crowded",
            Self::Budget => "budget",
            Self::Answer => "answer",
        }
    }
}

/// What a request came to that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("no answer in time")]
    Slow,
    #[error("it {0}")]
    Unreachable(String),
    #[error("it answers {status}: {words}{}", advice(*.status))]
    Refused {
        status: u16,
        words: Words,
        retry_after: Option<Duration>,
    },
    #[error(
        "its answers are no chat completions: LLM_BASE_URL should end before /chat/completions"
    )]
    NotACompletion,
    #[error("it declines to answer")]
    Declined,
    #[error("its answer is not the JSON that was asked for")]
    Useless,
}

/// What to change, where the status says it.
fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => " (set LLM_BASE_URL to where it redirects to)",
        401 | 403 => " (see LLM_API_KEY)",
        404 => " (see LLM_MODEL; LLM_BASE_URL should end before /chat/completions, often in /v1)",
        _ => "",
    }
}

impl Failure {
    pub(super) fn of_call(error: CallError) -> Self {
        match error {
            CallError::Unreachable(_) | CallError::TooLarge | CallError::Compressed => {
                Self::Unreachable(error.to_string())
            }
            CallError::Refused {
                status,
                words,
                retry_after,
            } => Self::Refused {
                status,
                words,
                retry_after,
            },
        }
    }

    pub(super) fn of_reply(none: NoReply) -> Self {
        match none {
            NoReply::NotACompletion => Self::NotACompletion,
            NoReply::Declined => Self::Declined,
            NoReply::Error { status, words } => Self::Refused {
                status,
                words,
                retry_after: None,
            },
        }
    }

    /// What it is to the turn.
    pub(super) fn error(&self) -> ModelError {
        match self {
            Self::Slow => ModelError::Slow,
            Self::Refused { .. } if !self.may_pass() => ModelError::Refused,
            Self::Unreachable(_) | Self::Refused { .. } => ModelError::Failed,
            Self::NotACompletion | Self::Declined | Self::Useless => ModelError::Answer,
        }
    }

    /// Whether it may be different the next time.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 409 | 425 | 429 | 500..),
            Self::Slow | Self::NotACompletion | Self::Declined | Self::Useless => false,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The status in metrics, or what stands in for one.
    pub(super) fn status(&self) -> String {
        match self {
            Self::Refused { status, .. } => status.to_string(),
            Self::Slow => "slow".into(),
            Self::Unreachable(_) => "unreachable".into(),
            Self::NotACompletion | Self::Declined | Self::Useless => "unreadable".into(),
        }
    }

    /// The same for a log: nothing of what was asked.
    pub(super) fn without(&self, asked: &str) -> Self {
        match self {
            Self::Refused {
                status,
                words,
                retry_after,
            } => Self::Refused {
                status: *status,
                words: words.without(asked),
                retry_after: *retry_after,
            },
            other => other.clone(),
        }
    }
}
