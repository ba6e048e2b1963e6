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

use crate::traces::CONTENT;
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

/// A filter that can be parsed.
pub(crate) fn checked(log: &str) -> Result<String, String> {
    match filter(log) {
        Ok(_) => Ok(log.to_owned()),
        Err(_) => Err("expected info, or modules and levels as in warn,ingress=debug".into()),
    }
}

/// Which lines appear. The server's own chatter is no news, unless it is asked for. Spans of traces are no
/// lines, and what they hold of customers never is, whatever is asked for.
fn filter(log: &str) -> Result<EnvFilter, LogFilterError> {
    // A word that is no level would be taken for a module that is to be heard, and all others for silent.
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |part: &str| {
        LEVELS
            .iter()
            .any(|level| part.trim().eq_ignore_ascii_case(level))
    };
    let says_level = |part: &str| is_level(part) || part.contains('=') || part.contains('[');
    if !log.split(',').any(says_level) {
        return Err(LogFilterError);
    }
    EnvFilter::try_new(format!("actix_server=warn,otel=off,{log},{CONTENT}=off"))
        .map_err(|_| LogFilterError)
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
    let filter = filter(&config.log)?;
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What was written to any of its clones.
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn layer<S>(page: Page) -> impl Layer<S>
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        fmt::layer().with_writer(move || page.clone())
    }

    #[test]
    fn what_traces_hold_of_customers_is_no_line_whatever_is_asked_for() {
        let (lines, traced) = (Page::default(), Page::default());
        let everything = filter("trace,otel=trace,otel::content=trace").unwrap();
        let subscriber = tracing_subscriber::registry()
            .with(layer(lines.clone()).with_filter(everything))
            .with(layer(traced.clone()).with_filter(LevelFilter::TRACE));
        tracing::subscriber::with_default(subscriber, || {
            crate::traces::content("turn", || json!({ "text": "Ik zoek een Golf" }));
            tracing::info!("turn taken");
        });
        assert!(traced.text().contains("Golf"), "it is said at all");
        let lines = lines.text();
        assert!(
            lines.contains("turn taken") && !lines.contains("Golf"),
            "{lines}"
        );
    }
}
