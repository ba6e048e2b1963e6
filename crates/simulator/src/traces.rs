//! The spans that services send, as a collector takes them: what the page shows of a message's way.

mod otlp;
mod span;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data};

pub(crate) use span::{Kind, Note, Span};

use crate::journal::Record;
use crate::world::World;

/// Where OTLP over HTTP is taken (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>).
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/v1/traces", web::post().to(take));
}

async fn take(world: Data<World>, body: Bytes) -> HttpResponse {
    let Ok(spans) = otlp::decode(body) else {
        return HttpResponse::BadRequest().finish();
    };
    world.traces.take(spans);
    world.journal.touch();
    // An empty answer: every span was taken.
    HttpResponse::Ok()
        .content_type("application/x-protobuf")
        .finish()
}

/// The newest traces, and which of them tell of a message.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: HashMap<String, Trace>,
    order: VecDeque<String>,
    /// Traces by what their notes name: an event, a message, an outbound id.
    by_name: HashMap<String, BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct Trace {
    spans: Vec<Arc<Span>>,
    names: BTreeSet<String>,
}

impl Traces {
    const MAX_TRACES: usize = 5_000;
    const MAX_SPANS: usize = 300;

    /// Takes spans in.
    pub(crate) fn take(&self, spans: Vec<Span>) {
        let mut inner = self.lock();
        for span in spans {
            inner.add(span);
        }
    }

    /// Every span that tells of a message, in order of their beginnings.
    pub(crate) fn of(&self, record: &Record) -> Vec<Arc<Span>> {
        let (entry, progress) = (&record.entry, &record.progress);
        let inner = self.lock();
        let oid = entry.oid.iter().map(|oid| outbound_name(oid));
        let request = progress.request_id.iter().map(|id| request_name(id));
        let names = [message_name(&entry.id)]
            .into_iter()
            .chain(oid)
            .chain(request);
        let direct: BTreeSet<&String> = names.flat_map(|name| inner.named(&name)).collect();
        let events = direct
            .iter()
            .filter_map(|id| inner.by_id.get(*id))
            .flat_map(|trace| trace.events_of(&entry.id));
        let turns: Vec<&String> = events
            .flat_map(|event| inner.named(&event_name(&event)))
            .collect();
        let traces: BTreeSet<&String> = direct.into_iter().chain(turns).collect();
        let mut spans: Vec<_> = traces
            .into_iter()
            .filter_map(|id| inner.by_id.get(id))
            .flat_map(|trace| trace.spans.iter().cloned())
            .collect();
        spans.sort_by_key(|span| (span.start, span.end));
        spans
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().by_id.is_empty()
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Inner::default();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, span: Span) {
        let id = span.trace.clone();
        if !self.by_id.contains_key(&id) {
            self.order.push_back(id.clone());
            self.make_room();
        }
        let trace = self.by_id.entry(id.clone()).or_default();
        if trace.spans.len() >= Traces::MAX_SPANS {
            return;
        }
        for name in names(&span) {
            trace.names.insert(name.clone());
            self.by_name.entry(name).or_default().insert(id.clone());
        }
        trace.spans.push(Arc::new(span));
    }

    fn make_room(&mut self) {
        while self.order.len() > Traces::MAX_TRACES {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            let gone = self.by_id.remove(&oldest).unwrap_or_default();
            for name in gone.names {
                if let Some(traces) = self.by_name.get_mut(&name) {
                    traces.remove(&oldest);
                    if traces.is_empty() {
                        self.by_name.remove(&name);
                    }
                }
            }
        }
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &String> + use<'_> {
        self.by_name.get(name).into_iter().flatten()
    }
}

impl Trace {
    /// The events by which the message with this id was taken in.
    fn events_of(&self, id: &str) -> Vec<String> {
        let notes = self.spans.iter().flat_map(|span| &span.notes);
        let of_message = notes.filter(|note| note.kind == "taken" && note.text("id") == Some(id));
        of_message
            .filter_map(|note| note.text("event").map(str::to_owned))
            .collect()
    }
}

fn message_name(id: &str) -> String {
    format!("message {id}")
}

fn request_name(request: &str) -> String {
    format!("request {request}")
}

fn event_name(event: &str) -> String {
    format!("event {event}")
}

fn outbound_name(outbound: &str) -> String {
    format!("outbound {outbound}")
}

/// What a span's notes name.
fn names(span: &Span) -> Vec<String> {
    let mut names = Vec::new();
    for note in &span.notes {
        names.extend(note.text("id").map(message_name));
        names.extend(note.text("request").map(request_name));
        names.extend(note.text("event").map(event_name));
        names.extend(note.text("outbound").map(outbound_name));
        names.extend(note.events().map(event_name));
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Clock;
    use crate::journal::{Call, Journal, MessageStatus};
    use crate::provider::{Endpoint, Provider};

    fn span(trace: &str, start: i64, kind: &str, body: serde_json::Value) -> Span {
        let note = Note {
            kind: kind.to_owned(),
            body,
        };
        Span {
            trace: trace.to_owned(),
            start,
            end: start + 1,
            notes: vec![note],
            ..Span::default()
        }
    }

    fn taken(trace: &str, start: i64, id: &str) -> Span {
        let body = json!({ "event": format!("twilio:message:{id}"), "id": id });
        span(trace, start, "taken", body)
    }

    fn written(id: &str) -> Record {
        let journal = Journal::new(10, 10_000, Clock::start());
        let call = Call::new(Provider::Twilio, Endpoint::Webhook);
        let entry = journal.accept(call, id, MessageStatus::Received, None);
        journal.get(entry.seq).unwrap()
    }

    fn starts(traces: &Traces, id: &str) -> Vec<i64> {
        let spans = traces.of(&written(id));
        spans.iter().map(|span| span.start).collect()
    }

    #[test]
    fn a_message_that_another_ones_turn_answers_has_that_turn() {
        let traces = Traces::default();
        let events = json!({ "events": ["twilio:message:SM1", "twilio:message:SM2"] });
        traces.take(vec![
            taken("a", 1, "SM1"),
            taken("b", 2, "SM2"),
            span("a", 3, "turn", events),
            taken("c", 4, "SM3"),
        ]);
        assert_eq!(starts(&traces, "SM1"), [1, 3]);
        assert_eq!(starts(&traces, "SM2"), [1, 2, 3]);
        assert_eq!(starts(&traces, "SM3"), [4]);
        assert!(starts(&traces, "SM4").is_empty());
    }

    #[test]
    fn the_oldest_traces_and_their_names_make_room() {
        let traces = Traces::default();
        let many = 0..=Traces::MAX_TRACES;
        let many = many.map(|n| taken(&format!("t{n}"), 1, &format!("SM{n}")));
        traces.take(many.collect());
        assert!(starts(&traces, "SM0").is_empty());
        assert_eq!(starts(&traces, "SM1"), [1]);
        assert_eq!(traces.lock().by_name.len(), 2 * Traces::MAX_TRACES);
    }
}
