//! Where a part is on its way, and why a message leaves the way before it is sent.

use std::time::Duration;

use jiff::Timestamp;
use shared_types::Receipt;
use streams::{DeadLetterReason, Interrupted, Settled};

use crate::ledger::Stage;

/// Where a step leads.
pub(super) enum Step {
    Sent(Receipt),
    Go(Stage),
}

/// Why a message leaves the gate before it is sent.
pub(super) enum Stop {
    /// It is settled already, or its owner has changed.
    Settled(Settled),
    /// The process stops; the message stays pending.
    Leave,
    /// It is set aside.
    SetAside(DeadLetterReason),
    /// WhatsApp's window has closed on it; the template goes.
    TemplateInstead,
}

impl From<Settled> for Stop {
    fn from(settled: Settled) -> Self {
        Self::Settled(settled)
    }
}

impl From<Interrupted> for Stop {
    fn from(_: Interrupted) -> Self {
        Self::Leave
    }
}

/// The reason of a dead letter that the provider may have all the same.
pub(super) const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// A message is set aside.
pub(super) fn set_aside(reason: &'static str, error: impl Into<String>) -> DeadLetterReason {
    DeadLetterReason {
        reason,
        error: error.into(),
    }
}

/// How long it is until then.
pub(super) fn until(at: Timestamp) -> Duration {
    at.duration_since(Timestamp::now())
        .try_into()
        .unwrap_or_default()
}
