//! OTLP as protobuf, read into spans.

use std::collections::BTreeMap;

use actix_web::web::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span as Sent;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use prost::{DecodeError, Message as _};

use super::{Kind, Note, Span};

/// The spans of an export request.
pub(super) fn decode(body: Bytes) -> Result<Vec<Span>, DecodeError> {
    let request = ExportTraceServiceRequest::decode(body)?;
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let about = attributes(resource.resource.unwrap_or_default().attributes);
        let service = about.get("service.name").cloned().unwrap_or_default();
        let sent = resource
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans);
        spans.extend(sent.map(|sent| span(sent, &service)));
    }
    Ok(spans)
}

fn span(sent: Sent, service: &str) -> Span {
    Span {
        kind: match sent.kind() {
            SpanKind::Server => Kind::Server,
            SpanKind::Client => Kind::Client,
            SpanKind::Consumer => Kind::Consumer,
            SpanKind::Internal | SpanKind::Producer | SpanKind::Unspecified => Kind::Internal,
        },
        trace: hex::encode(sent.trace_id),
        id: hex::encode(sent.span_id),
        parent: hex::encode(sent.parent_span_id),
        service: service.to_owned(),
        name: sent.name,
        start: micros(sent.start_time_unix_nano),
        end: micros(sent.end_time_unix_nano),
        attributes: attributes(sent.attributes),
        notes: sent.events.into_iter().filter_map(note).collect(),
    }
}

fn note(event: Event) -> Option<Note> {
    let body = attributes(event.attributes).remove("body")?;
    Some(Note {
        kind: event.name,
        body: serde_json::from_str(&body).ok()?,
    })
}

fn micros(nanos: u64) -> i64 {
    i64::try_from(nanos / 1_000).unwrap_or(i64::MAX)
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: AnyValue| match value.value? {
        Any::StringValue(text) => Some(text),
        Any::IntValue(number) => Some(number.to_string()),
        Any::BoolValue(truth) => Some(truth.to_string()),
        Any::DoubleValue(number) => Some(number.to_string()),
        _ => None,
    };
    let named = pairs
        .into_iter()
        .filter_map(|pair| Some((pair.key, text(pair.value?)?)));
    named.collect()
}
