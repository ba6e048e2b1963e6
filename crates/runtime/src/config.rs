use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::Uri;
use clap::{Args, ValueEnum};
use shared_types::Masking;

/// Settings that every service has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Process")]
pub struct RuntimeConfig {
    /// The address to listen on, such as 127.0.0.1 for this machine alone; every address when not set.
    #[arg(long, env = "BIND", value_name = "ADDRESS", value_parser = address)]
    pub bind: Option<IpAddr>,

    /// Which log lines appear: `info`, or by module as in `warn,ingress=debug`.
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER",
          value_parser = crate::logs::checked)]
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

    /// Where traces go: the base URL of a collector that takes OTLP over HTTP, such as
    /// `http://localhost:4318`. Nothing is traced without it.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = collector)]
    pub otlp_endpoint: Option<String>,

    /// How long spans are gathered before they go to the collector.
    #[arg(long, env = "OTEL_BSP_SCHEDULE_DELAY", default_value_t = 5_000, value_name = "MILLISECONDS",
          value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub trace_delay_ms: u64,

    /// Let traces say what customers wrote, what was understood and what was answered, with names and
    /// addresses. For demos and tests: a collector knows nothing of erasure.
    #[arg(long, env = "TRACE_CONTENT", action = clap::ArgAction::Set, default_value_t = false,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub trace_content: bool,

    /// The share of traces that is kept, from 0 to 1. The service where a trace begins decides.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value_t = 1.0, value_name = "SHARE", value_parser = share)]
    pub trace_share: f64,
}

fn address(text: &str) -> Result<IpAddr, String> {
    let address = text.trim().parse();
    address.map_err(|_| "expected an address such as 127.0.0.1, and no name".into())
}

fn collector(text: &str) -> Result<String, String> {
    let base = text.trim().trim_end_matches('/');
    let is_http = base.starts_with("http://") || base.starts_with("https://");
    match base.parse::<Uri>() {
        Ok(uri) if is_http && uri.host().is_some() => Ok(base.to_owned()),
        _ => Err("expected a URL such as http://localhost:4318".into()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.trim().parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a number from 0 to 1".into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_a_url_of_http() {
        let given = collector(" https://otlp.example.nl/path/ ");
        assert_eq!(given.as_deref(), Ok("https://otlp.example.nl/path"));
        for wrong in [
            "localhost:4318",
            "http://",
            "grpc://localhost",
            "http://a b",
        ] {
            assert!(collector(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_lies_between_nothing_and_everything() {
        assert_eq!(share("0.25"), Ok(0.25));
        for wrong in ["1.1", "-0.1", "NaN", "half"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
