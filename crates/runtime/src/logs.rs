//! Log lines: one JSON object a line on stdout, or text on a terminal.

mod json;

use std::io::{self, BufWriter, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::{LogFormat, RuntimeConfig};
use json::{JsonFields, JsonLines};

/// Lines that wait for stdout. Beyond that new ones are dropped: a blocked pipe must not stop the
/// service.
const LINES_IN_MEMORY: usize = 16_384;

/// Keeps the writer's thread alive; writes what is left when dropped.
#[must_use]
pub struct Logs(#[expect(dead_code, reason = "it works by being dropped")] WorkerGuard);

/// The log filter cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("RUST_LOG is not a log filter (such as info or warn,ingress=debug)")]
pub struct LogFilterError;

/// Installs the process's log, and a panic hook that logs. Once, in `main`.
///
/// # Errors
/// When the filter cannot be parsed.
pub fn start(config: &RuntimeConfig) -> Result<Logs, LogFilterError> {
    // The server's own chatter is no news, unless it is asked for.
    let filter = format!("actix_server=warn,{}", config.log);
    let filter = EnvFilter::try_new(filter).map_err(|_| LogFilterError)?;
    let stdout = BufWriter::with_capacity(64 * 1024, io::stdout());
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_IN_MEMORY)
        .finish(stdout);
    let text = match config.log_format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => io::stdout().is_terminal(),
    };
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if text {
        fmt::layer().with_writer(writer).with_target(false).boxed()
    } else {
        fmt::layer()
            .event_format(JsonLines)
            .fmt_fields(JsonFields)
            .with_writer(writer)
            .boxed()
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            place = place.as_deref().unwrap_or("unknown"),
            "a task panicked"
        );
    }));
    Ok(Logs(guard))
}
