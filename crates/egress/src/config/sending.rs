//! Patience, retries and limits, the same for every provider.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::retry::schedule::Schedule;

/// How sends are made, alike for all providers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sending")]
pub struct SendingConfig {
    /// What happens when it is not known whether a provider took a message.
    #[arg(long, env = "EGRESS_ON_UNKNOWN", default_value = "resolve")]
    pub on_unknown: OnUnknown,

    /// How long a provider may be silent.
    #[arg(long, env = "EGRESS_REQUEST_TIMEOUT_MS", default_value_t = 8_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub request_timeout_ms: u64,

    /// How long to wait before a send that may have arrived is looked up.
    #[arg(
        long,
        env = "EGRESS_SETTLE_MS",
        default_value_t = 4_000,
        value_name = "MS", value_parser = runtime::within::<u64>(0..=600_000))]
    pub settle_ms: u64,

    /// Attempts in a round, with a first pause that doubles.
    #[arg(long, env = "EGRESS_ATTEMPTS", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=20))]
    pub attempts: u32,

    /// The pause after the first attempt.
    #[arg(
        long,
        env = "EGRESS_FIRST_PAUSE_MS",
        default_value_t = 1_000,
        value_name = "MS", value_parser = runtime::within::<u64>(0..=600_000))]
    pub first_pause_ms: u64,

    /// Rounds after a failed first one; then the message becomes a dead letter.
    #[arg(long, env = "EGRESS_EXTRA_ROUNDS", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=20))]
    pub extra_rounds: u32,

    /// The pause before the first extra round; it doubles.
    #[arg(
        long,
        env = "EGRESS_FIRST_ROUND_PAUSE_MS",
        default_value_t = 4_000,
        value_name = "MS", value_parser = runtime::within::<u64>(0..=3_600_000))]
    pub first_round_pause_ms: u64,

    /// Time on the way to a provider that the pace allows for: slots lie this share further apart,
    /// so that the limit holds where the provider counts.
    #[arg(long, env = "EGRESS_PACE_JITTER_MS", default_value_t = 100, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(0..=1_000))]
    pub pace_jitter_ms: u64,

    /// A wait for the pace that is worth a warning.
    #[arg(
        long,
        env = "EGRESS_PACE_WARNING_MS",
        default_value_t = 2_000,
        value_name = "MS", value_parser = runtime::within::<u64>(0..=3_600_000))]
    pub pace_warning_ms: u64,

    /// The shortest time between two messages to one recipient.
    #[arg(
        long,
        env = "EGRESS_RECIPIENT_SPACING_MS",
        default_value_t = 0,
        value_name = "MS", value_parser = runtime::within::<u64>(0..=3_600_000))]
    pub recipient_spacing_ms: u64,

    /// How long a stopped sender waits before one message probes it; the time doubles up to 5
    /// minutes.
    #[arg(long, env = "EGRESS_PROBE_MS", default_value_t = 15_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(100..=300_000))]
    pub probe_ms: u64,

    /// How long the delivery ledger remembers a message.
    #[arg(long, env = "EGRESS_LEDGER_DAYS", default_value_t = 7, value_name = "DAYS",
          value_parser = clap::value_parser!(u64).range(1..=365))]
    pub ledger_days: u64,

    /// Requests in progress at once.
    #[arg(
        long,
        env = "EGRESS_IN_FLIGHT",
        default_value = "256",
        value_name = "N", value_parser = runtime::within::<NonZeroUsize>(1..=10_000))]
    pub in_flight: NonZeroUsize,

    /// How long a dead process's partitions stay closed.
    #[arg(long, env = "EGRESS_LEASE_MS", default_value_t = 10_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(500..=120_000))]
    pub lease_ms: u64,
}

/// What to do about a send whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnUnknown {
    /// Look it up, and send again only when there is no trace of it.
    Resolve,
    /// Send again. The customer may get it twice.
    Resend,
    /// Set it aside for an operator.
    Park,
}

impl SendingConfig {
    /// How long a provider may be silent.
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// How long to wait before a send that may have arrived is looked up.
    pub const fn settle(&self) -> Duration {
        Duration::from_millis(self.settle_ms)
    }

    /// The waits between attempts.
    pub const fn schedule(&self) -> Schedule {
        Schedule {
            attempts: self.attempts,
            first_pause: Duration::from_millis(self.first_pause_ms),
            extra_rounds: self.extra_rounds,
            first_round_pause: Duration::from_millis(self.first_round_pause_ms),
        }
    }

    /// How long the ledger remembers a message.
    pub const fn ledger_ttl(&self) -> Duration {
        Duration::from_secs(self.ledger_days * 24 * 60 * 60)
    }
}
