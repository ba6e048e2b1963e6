use std::time::Duration;

use clap::{Args, ValueEnum};
use shared_types::Masking;

/// Settings that every service has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Process")]
pub struct RuntimeConfig {
    /// Which log lines appear: `info`, or by module as in `warn,ingress=debug`.
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// One JSON object a line, or text for a person. `auto` is text on a terminal.
    #[arg(long, env = "LOG_FORMAT", default_value = "auto")]
    pub log_format: LogFormat,

    /// Show phone numbers whole in logs. Message texts and secrets never appear.
    #[arg(long, env = "LOG_PII", action = clap::ArgAction::Set, default_value_t = false,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub log_pii: bool,

    /// How long work in progress may take after SIGTERM.
    #[arg(long, env = "SHUTDOWN_GRACE_SECS", default_value_t = 25, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(0..=600))]
    pub shutdown_grace_secs: u64,
}

/// The shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// One JSON object a line.
    Json,
    /// Text for a person.
    Text,
}

impl RuntimeConfig {
    /// Whether phone numbers are masked.
    pub const fn masking(&self) -> Masking {
        if self.log_pii {
            Masking::Off
        } else {
            Masking::On
        }
    }

    /// The one deadline of a drain.
    pub const fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_secs)
    }
}
