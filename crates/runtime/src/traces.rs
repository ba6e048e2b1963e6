//! Traces: one from a webhook to the provider's answer and its status callback, over all services.
//!
//! A span a hop, with the attributes of OpenTelemetry's semantic conventions. The context travels
//! as W3C `traceparent` in stream entries and in the delivery ledger. Spans hold no text and no
//! address of a customer, unless [`content`] is let through (`TRACE_CONTENT`). Without a collector every
//! span is disabled and costs nothing.
//!
//! The spans of traces have the target `otel`, which log lines leave out; so do they with `otel::content`.

mod export;

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, TraceContextExt, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::Value;
use streams::Queue;
use tracing::field::Empty;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use crate::RuntimeConfig;
pub(crate) use export::ExportError;

/// What holds content of messages.
pub(crate) const CONTENT: &str = "otel::content";

/// How long the end of the process waits for the collector to take the last spans.
const LAST_EXPORT: Duration = Duration::from_secs(2);

/// Sends what is left to the collector when dropped.
pub(crate) struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is away has been reported already.
        self.0
            .shutdown_with_timeout(LAST_EXPORT)
            .unwrap_or_default();
    }
}

/// The layer that makes traces of spans, where a collector is configured.
pub(crate) fn layer<S>(
    config: &RuntimeConfig,
    service: &'static str,
) -> Option<Result<(impl Layer<S> + use<S>, Traces), ExportError>>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let endpoint = config.otlp_endpoint.as_deref()?;
    let provider = match export::provider(endpoint, config, service) {
        Ok(provider) => provider,
        Err(error) => return Some(Err(error)),
    };
    let content = match config.trace_content {
        true => LevelFilter::TRACE,
        false => LevelFilter::OFF,
    };
    let targets = Targets::new()
        .with_target("otel", LevelFilter::TRACE)
        .with_target(CONTENT, content);
    let layer = OpenTelemetryLayer::new(provider.tracer("postduif"))
        .with_context_activation(true)
        .with_level(false)
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(targets);
    Some(Ok((layer, Traces(provider))))
}

/// The span of an HTTP request that came in. `route` is a pattern, not a path.
pub fn server_span(method: &str, route: &str) -> Span {
    tracing::debug_span!(
        target: "otel", "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// The span of an HTTP request to `host`.
pub fn client_span(method: &str, host: &str, port: Option<u16>) -> Span {
    tracing::debug_span!(
        target: "otel", "request",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method,
        http.response.status_code = Empty,
        error.type = Empty,
        server.address = host,
        server.port = port.map(i64::from),
    )
}

/// The span of a stream entry of this kind. It goes on from `trace`, a W3C `traceparent`, where
/// there is one.
pub fn consumer_span(queue: Queue, kind: &str, trace: Option<&str>) -> Span {
    let span = tracing::debug_span!(
        target: "otel", "process",
        otel.name = format!("process {}", queue.as_str()),
        otel.kind = "consumer",
        messaging.system = "redis",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = queue.as_str(),
        postduif.entry.kind = kind,
    );
    if let Some(trace) = trace
        && !span.is_disabled()
    {
        // It fails only where nothing is traced.
        span.set_parent(context_of(trace)).unwrap_or_default();
    }
    span
}

/// The span of an agent's work on a message.
pub fn agent_span(agent: &'static str) -> Span {
    tracing::debug_span!(
        target: "otel", "agent",
        otel.name = format!("invoke_agent {agent}"),
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = agent,
    )
}

/// Notes that a span has to do with another trace, such as the callback that it is about.
pub fn link(span: &Span, trace: Option<&str>) {
    if let Some(trace) = trace
        && !span.is_disabled()
    {
        span.add_link(context_of(trace).span().span_context().clone());
    }
}

/// Notes the answer to the request of a span. `is_error` as the semantic conventions say: from 400
/// on for who asked, from 500 on for who answered.
pub fn answered(span: &Span, status: u16, is_error: bool) {
    span.record("http.response.status_code", i64::from(status));
    if is_error {
        span.record("otel.status_code", "ERROR");
    }
}

/// Notes that the request of a span got no answer; `kind` is one of a few words.
pub fn unanswered(span: &Span, kind: &'static str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
}

/// Whether [`content`] is kept.
pub fn has_content() -> bool {
    tracing::enabled!(target: CONTENT, Level::DEBUG)
}

/// Notes what came of a message, with its text, on the span that this runs in. `kind` is one of a few words.
/// Only where `TRACE_CONTENT` lets it: `body` is not asked for otherwise.
pub fn content(kind: &'static str, body: impl FnOnce() -> Value) {
    if has_content() {
        tracing::debug!(target: CONTENT, body = body().to_string(), "{kind}");
    }
}

/// The W3C `traceparent` of the span that this runs in, to be sent along. None without traces.
pub fn current_traceparent() -> Option<String> {
    Context::map_current(|context| traceparent(context.span().span_context()))
}

/// The ids of the trace and the span that this runs in, in hexadecimal.
pub(crate) fn current_ids() -> Option<(String, String)> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        let texts = || (ids.trace_id().to_string(), ids.span_id().to_string());
        ids.is_valid().then(texts)
    })
}

fn traceparent(span: &SpanContext) -> Option<String> {
    let (trace, id) = (span.trace_id(), span.span_id());
    let flags = span.trace_flags().to_u8();
    span.is_valid()
        .then(|| format!("00-{trace}-{id}-{flags:02x}"))
}

fn context_of(trace: &str) -> Context {
    let carrier = HashMap::from([("traceparent".to_owned(), trace.to_owned())]);
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_survives_being_read_and_written() {
        let context = context_of(TRACE);
        assert_eq!(
            traceparent(context.span().span_context()).as_deref(),
            Some(TRACE)
        );
    }

    #[test]
    fn what_is_no_traceparent_is_no_parent() {
        for wrong in [
            "",
            "00-x-y-01",
            "ff",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            let context = context_of(wrong);
            assert_eq!(traceparent(context.span().span_context()), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_is_traced_without_a_collector() {
        let span = consumer_span(Queue::Inbound, "message", Some(TRACE));
        let entered = span.enter();
        assert!(span.is_disabled());
        assert_eq!(current_traceparent(), None);
        assert_eq!(current_ids(), None);
        drop(entered);
    }
}
