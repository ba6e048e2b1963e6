//! Log lines: one JSON object a line on stdout, or text on a terminal.

mod gathering;
mod json;

use std::io::{self, BufWriter, IsTerminal};

use shared_types::Masking;
use tracing::Subscriber;
use tracing::field::Field;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{self, Writer};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::{LogFormat, RuntimeConfig};
use gathering::Gathering;
use json::{JsonFields, JsonLines};

/// Lines that wait for stdout. Beyond that new ones are dropped: a blocked pipe must not stop the
/// service.
const LINES_IN_MEMORY: usize = 16_384;

/// The log filter cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("RUST_LOG is not a log filter (such as info or warn,ingress=debug)")]
pub struct LogFilterError;

/// Fields as the usual text, masked.
fn text_fields(masking: Masking) -> impl for<'writer> fmt::FormatFields<'writer> + 'static {
    let write = move |writer: &mut Writer<'_>, field: &Field, value: &dyn std::fmt::Debug| {
        let value = format!("{value:?}");
        match field.name() {
            "message" => write!(writer, "{}", masking.show(&value)),
            name => write!(writer, "{name}={}", masking.show(&value)),
        }
    };
    format::debug_fn(write).delimited(" ")
}

/// The layer that writes lines, and what keeps its writer alive.
///
/// # Errors
/// When the filter cannot be parsed.
pub(crate) fn layer<S>(
    config: &RuntimeConfig,
) -> Result<(impl Layer<S> + use<S>, WorkerGuard), LogFilterError>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    // The server's own chatter is no news, unless it is asked for. Spans of traces are no lines.
    let filter = format!("actix_server=warn,otel=off,{}", config.log);
    let filter = EnvFilter::try_new(filter).map_err(|_| LogFilterError)?;
    let stdout = BufWriter::with_capacity(64 * 1024, io::stdout());
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_IN_MEMORY)
        .finish(Gathering(stdout));
    let masking = config.masking();
    let text = match config.log_format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => io::stdout().is_terminal(),
    };
    let lines: Box<dyn Layer<S> + Send + Sync> = if text {
        fmt::layer()
            .fmt_fields(text_fields(masking))
            .with_writer(writer)
            .with_target(false)
            .boxed()
    } else {
        fmt::layer()
            .event_format(JsonLines(masking))
            .fmt_fields(JsonFields(masking))
            .with_writer(writer)
            .boxed()
    };
    Ok((lines.with_filter(filter), guard))
}
