//! What one request to a provider came to.

use std::time::Duration;

use shared_types::{FailureClass, Masking, Receipt};

/// The end of one request. Decided by the sender, where the answer is read; everything later only
/// matches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Attempt {
    /// The provider has the message.
    Accepted(Receipt),
    /// The provider said no; it certainly does not have the message.
    Refused(Refusal),
    /// The provider wants fewer requests; it certainly does not have the message.
    RateLimited {
        /// How long to wait, where the provider says so.
        retry_after: Option<Duration>,
        /// The code with the provider's words, numbers in them masked.
        text: String,
    },
    /// Not a byte of the message has left.
    NotSent(Trouble),
    /// Not a byte has left, because the time in which this process may send had passed.
    TooLate,
    /// The message left, or may have, and no certain answer came.
    Unknown(Trouble),
}

/// A provider's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What it calls for.
    pub class: FailureClass,
    /// Whether the whole sender is wrong, or only this recipient for it.
    pub scope: Scope,
    /// The provider's code, or the HTTP status.
    pub code: String,
    /// The code with the provider's words, numbers in them masked.
    pub text: String,
}

/// Whom a refusal concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every message from this sender.
    Sender,
    /// This message or recipient alone.
    Message,
}

/// A failure of transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What happened, with numbers masked.
    pub text: String,
    /// Whether the provider answered, so that its records are settled already.
    pub answered: bool,
}

impl Refusal {
    /// A refusal of this message alone.
    pub(crate) fn of_message(class: FailureClass, code: impl Into<String>, words: &str) -> Self {
        let code: String = code.into();
        Self {
            class,
            scope: Scope::Message,
            text: format!("{code}: {}", masked(words)),
            code,
        }
    }

    /// A refusal of everything from this sender.
    pub(crate) fn of_sender(class: FailureClass, code: impl Into<String>, words: &str) -> Self {
        Self {
            scope: Scope::Sender,
            ..Self::of_message(class, code, words)
        }
    }
}

impl Trouble {
    /// The connection or the provider failed before a whole answer came.
    pub(crate) fn without_answer(text: &str) -> Self {
        Self {
            text: masked(text),
            answered: false,
        }
    }

    /// The provider answered that it failed.
    pub(crate) fn with_answer(text: &str) -> Self {
        Self {
            text: masked(text),
            answered: true,
        }
    }
}

const MAX_TEXT: usize = 300;

/// Providers quote the recipient in their errors.
pub(crate) fn masked(text: &str) -> String {
    Masking::On
        .show(text)
        .to_string()
        .chars()
        .take(MAX_TEXT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_show_their_code_and_no_number() {
        let text = "The 'To' number whatsapp:+31612345678 is not valid";
        let refusal = Refusal::of_message(FailureClass::Permanent, "21211", text);
        assert!(!refusal.text.contains("31612345678"), "{}", refusal.text);
        assert!(
            refusal.text.starts_with("21211: The 'To'"),
            "{}",
            refusal.text
        );
    }
}
