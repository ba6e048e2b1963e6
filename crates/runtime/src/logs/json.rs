//! The JSON line: `timestamp`, lower-case `level`, `message`, `target`, and every field of the
//! event and of the spans around it at top level, where log search finds them; `trace_id` and
//! `span_id` where there is a trace.

use std::fmt;
use std::io::Write;

use serde::{Serialize, Serializer};
use shared_types::{Masking, Shown};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::traces;

/// Formats an event as one JSON object, with what is masked in it.
pub(super) struct JsonLines(pub(super) Masking);

/// Formats the fields of a span as `,"name":value…`, ready to be copied into a line.
pub(super) struct JsonFields(pub(super) Masking);

impl<'writer> FormatFields<'writer> for JsonFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut members = Members::new(self.0);
        fields.record(&mut members);
        writer.write_str(members.json())
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut members = Members::new(self.0);
        event.record(&mut members);
        let metadata = event.metadata();
        write!(
            writer,
            "{{\"timestamp\":\"{:.3}\",\"level\":\"{}\",\"message\":{},\"target\":\"{}\"",
            jiff::Timestamp::now(),
            level(*metadata.level()),
            members.message.as_deref().unwrap_or("\"\""),
            metadata.target(),
        )?;
        writer.write_str(members.json())?;
        if let Some((trace, span)) = traces::current_ids() {
            write!(writer, ",\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"")?;
        }
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                writer.write_str(&fields.fields)?;
            }
        }
        writer.write_str("}\n")
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Written as a JSON string without a text in between.
struct Text<'a>(&'a Shown<'a>);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

struct Members {
    masking: Masking,
    message: Option<String>,
    json: Vec<u8>,
    /// The last value that only tells how it looks: room for the next one.
    shown: String,
}

impl Members {
    fn new(masking: Masking) -> Self {
        Self {
            masking,
            message: None,
            json: Vec::with_capacity(256),
            shown: String::new(),
        }
    }

    fn json(&self) -> &str {
        // Only text is written into it.
        std::str::from_utf8(&self.json).unwrap_or_default()
    }

    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.add_name(field);
        // Writing to memory cannot fail.
        write!(self.json, "{value}").unwrap_or_default();
    }

    fn add_name(&mut self, field: &Field) {
        for part in [",\"", field.name(), "\":"] {
            self.json.extend_from_slice(part.as_bytes());
        }
    }

    fn add_text(&mut self, field: &Field, text: &str) {
        let text = self.masking.show(text);
        if field.name() == "message" {
            self.message = serde_json::to_string(&Text(&text)).ok();
        } else {
            self.add_name(field);
            serde_json::to_writer(&mut self.json, &Text(&text)).unwrap_or_default();
        }
    }
}

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut shown = std::mem::take(&mut self.shown);
        shown.clear();
        fmt::Write::write_fmt(&mut shown, format_args!("{value:?}")).unwrap_or_default();
        self.add_text(field, &shown);
        self.shown = shown;
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_text(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add(field, format_args!("{value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.add(field, format_args!("{value}"));
        } else {
            self.add_text(field, &value.to_string());
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add_text(field, &crate::Chain(value).to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_json_object_with_everything_at_top_level() {
        let captured = Captured::default();
        let sink = captured.clone();
        let layer = fmt::layer()
            .event_format(JsonLines(Masking::On))
            .fmt_fields(JsonFields(Masking::On))
            .with_writer(move || sink.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!(
                "request",
                request.id = "r\"1",
                chat = "false_31612345678@c.us",
                empty = tracing::field::Empty
            );
            let _entered = span.enter();
            tracing::warn!(count = 3, waited_ms = 7_u128, share = 0.5, ok = true, name = %"a\nb", "Hallo \"daar\"");
            tracing::debug!(of = ?Some("+31612345678"), error = %"To 31612345678", "31612345678");
        });
        let line = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        assert_eq!(line.matches('\n').count(), 2);
        assert!(!line.contains("31612345678"), "{line}");
        let line = line.lines().next().unwrap();
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(json["level"], "warn");
        assert_eq!(json["message"], "Hallo \"daar\"");
        assert_eq!(json["count"], 3);
        assert_eq!(json["waited_ms"], 7);
        assert_eq!(json["share"], 0.5);
        assert_eq!(json["ok"], true);
        assert_eq!(json["name"], "a\nb");
        assert_eq!(json["request.id"], "r\"1");
        assert!(json["timestamp"].as_str().unwrap().ends_with('Z'));
    }
}
