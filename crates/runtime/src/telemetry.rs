//! What a process tells of itself: log lines and traces.

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::logs::{self, LogFilterError};
use crate::traces::{self, Traces};
use crate::{Chain, RuntimeConfig};

/// Writes and sends what is left when dropped.
#[must_use]
pub struct Telemetry {
    #[expect(dead_code, reason = "it works by being dropped, before the log is")]
    traces: Option<Traces>,
    #[expect(dead_code, reason = "it works by being dropped")]
    log: WorkerGuard,
}

/// Installs the process's log, its traces, and a panic hook that logs. Once, in `main`. `service`
/// is the name in traces.
///
/// # Errors
/// When the log filter cannot be parsed.
pub fn start_telemetry(
    config: &RuntimeConfig,
    service: &'static str,
) -> Result<Telemetry, LogFilterError> {
    let (lines, log) = logs::layer(config)?;
    let (spans, traces, failed) = match traces::layer(config, service) {
        None => (None, None, None),
        Some(Ok((spans, traces))) => (Some(spans), Some(traces), None),
        Some(Err(error)) => (None, None, Some(error)),
    };
    tracing_subscriber::registry()
        .with(spans)
        .with(lines)
        .init();
    if let Some(error) = failed {
        tracing::warn!(error = %Chain(&error), "nothing is traced");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            place = place.as_deref().unwrap_or("unknown"),
            "a task panicked"
        );
    }));
    Ok(Telemetry { traces, log })
}
