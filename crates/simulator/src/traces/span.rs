use std::collections::BTreeMap;

use serde_json::Value;

/// A step of a service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Span {
    /// The trace, in hexadecimal.
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for the first one of a trace.
    pub(crate) parent: String,
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Microseconds since 1970.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// What `TRACE_CONTENT` lets it say.
    pub(crate) notes: Vec<Note>,
}

/// What a span is to the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Work within a process.
    #[default]
    Internal,
    /// A request that came in.
    Server,
    /// A request that went out.
    Client,
    /// An entry of a stream.
    Consumer,
}

/// What came of a message, in full.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// `taken`, `turn`, `sent` …
    pub(crate) kind: String,
    pub(crate) body: Value,
}

impl Span {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// What its first note of this kind says.
    pub(crate) fn note(&self, kind: &str) -> Option<&Value> {
        let note = self.notes.iter().find(|note| note.kind == kind)?;
        Some(&note.body)
    }
}

impl Note {
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field)?.as_str()
    }

    /// The events of the messages that are one turn.
    pub(crate) fn events(&self) -> impl Iterator<Item = &str> {
        let events = self.body.get("events").and_then(Value::as_array);
        events.into_iter().flatten().filter_map(Value::as_str)
    }
}
