//! What a stream entry carries around its payload.

use std::collections::HashMap;
use std::time::Duration;

use redis::Value;
use serde::{Deserialize, Serialize};
use shared_types::Kind;

use crate::StreamId;

/// The version that this build writes. It reads this one only: an entry of another version is
/// set aside as a dead letter, where a newer build can replay it.
pub const ENTRY_VERSION: &str = "1";

/// An entry on its way into a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEntry {
    /// What the payload is; the consumer's vocabulary, such as `message` or `control`.
    pub kind: String,
    /// The event's identity, such as `twilio:message:SM…`: what dedup and `done` markers go by.
    pub event: String,
    /// The conversation: decides the partition, and what state a commit changes.
    pub conversation: String,
    /// Entries with the same mailbox are handled one after the other. The conversation's own
    /// unless this names another one.
    pub mailbox: Option<String>,
    /// The payload, JSON.
    pub payload: String,
    /// W3C `traceparent` of the span that wrote the entry, where it is traced.
    pub trace: Option<String>,
    /// A colleague's word: taking it in refuses what was computed without it, see `ingest.lua`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fences: bool,
}

impl NewEntry {
    /// An entry that carries `payload` in the conversation's own mailbox, without a trace.
    ///
    /// # Errors
    /// When the payload cannot be written as JSON.
    pub fn new<T: Kind>(
        payload: &T,
        event: impl Into<String>,
        conversation: impl Into<String>,
    ) -> serde_json::Result<Self> {
        Ok(Self {
            kind: T::KIND.into(),
            event: event.into(),
            conversation: conversation.into(),
            mailbox: None,
            payload: serde_json::to_string(payload)?,
            trace: None,
            fences: false,
        })
    }

    /// The stream fields in writing order: `v kind event conv payload [mailbox] [trace]`.
    pub(crate) fn fields(&self) -> Vec<(&'static str, &str)> {
        let mut fields = vec![
            ("v", ENTRY_VERSION),
            ("kind", self.kind.as_str()),
            ("event", self.event.as_str()),
            ("conv", self.conversation.as_str()),
            ("payload", self.payload.as_str()),
        ];
        fields.extend(self.mailbox.as_deref().map(|mailbox| ("mailbox", mailbox)));
        fields.extend(self.trace.as_deref().map(|trace| ("trace", trace)));
        fields
    }

    /// The same fields for [`crate::Record::entry`].
    pub fn into_fields(self) -> Vec<(String, String)> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.fields().into_iter().map(owned).collect()
    }
}

/// An entry that was read from a stream, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the stream.
    pub id: StreamId,
    /// See [`NewEntry::kind`].
    pub kind: String,
    /// See [`NewEntry::event`].
    pub event: String,
    /// See [`NewEntry::conversation`].
    pub conversation: String,
    /// See [`NewEntry::mailbox`].
    pub mailbox: String,
    /// See [`NewEntry::trace`].
    pub trace: Option<String>,
    /// How long after the conversation's message before it came, when that is a matter of seconds.
    pub gap: Option<Duration>,
    /// Whether an operator put it back from the dead letters.
    pub replayed: bool,
}

/// Why an entry cannot be handled at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Written by a build that this one does not understand.
    #[error("entry version {0} is not supported")]
    Version(String),
    /// A field that every entry has is not there.
    #[error("entry has no field {0}")]
    Missing(&'static str),
}

/// An entry as it came from Redis: either understood, or only its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawEntry {
    pub(crate) id: StreamId,
    /// Empty when the entry was deleted while it was pending.
    pub(crate) fields: HashMap<String, String>,
}

impl RawEntry {
    /// The entry and its payload's JSON.
    pub(crate) fn decode(mut self) -> Result<(Entry, String), EntryError> {
        let mut take = |name| self.fields.remove(name).ok_or(EntryError::Missing(name));
        let version = take("v")?;
        if version != ENTRY_VERSION {
            return Err(EntryError::Version(version.chars().take(16).collect()));
        }
        let (kind, event) = (take("kind")?, take("event")?);
        let (conversation, payload) = (take("conv")?, take("payload")?);
        let mailbox = take("mailbox").unwrap_or_else(|_| conversation.clone());
        let entry = Entry {
            id: self.id,
            kind,
            event,
            mailbox,
            conversation,
            trace: take("trace").ok(),
            gap: take("gap")
                .ok()
                .and_then(|ms| ms.parse().ok())
                .map(Duration::from_millis),
            replayed: take("replay_of").is_ok(),
        };
        Ok((entry, payload))
    }
}

/// Reads `[[id, [field, value, …]], …]`. Whatever has another shape is left out.
pub(crate) fn parse_entries(value: Value) -> Vec<RawEntry> {
    let Value::Array(entries) = value else {
        return Vec::new();
    };
    entries.into_iter().filter_map(parse_entry).collect()
}

fn parse_entry(value: Value) -> Option<RawEntry> {
    let Value::Array(parts) = value else {
        return None;
    };
    let mut parts = parts.into_iter();
    let id = text(parts.next()?)?.parse().ok()?;
    let mut fields = HashMap::new();
    if let Some(Value::Array(values)) = parts.next() {
        let mut values = values.into_iter();
        while let (Some(name), Some(value)) = (values.next(), values.next()) {
            if let (Some(name), Some(value)) = (text(name), text(value)) {
                fields.insert(name, value);
            }
        }
    }
    Some(RawEntry { id, fields })
}

pub(crate) fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        Value::SimpleString(text) => Some(text),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(fields: &[(&str, &str)]) -> RawEntry {
        let fields = fields
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        RawEntry {
            id: "1700000000000-0".parse().unwrap(),
            fields: fields.collect(),
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let new = NewEntry {
            kind: "message".into(),
            event: "twilio:message:SM1".into(),
            conversation: "whatsapp:+316".into(),
            mailbox: Some("status:1".into()),
            payload: "{}".into(),
            trace: Some("00-1-2-01".into()),
            fences: false,
        };
        let (entry, payload) = raw(&new.fields()).decode().unwrap();
        assert_eq!((entry.kind, entry.event), (new.kind, new.event));
        assert_eq!(
            (entry.conversation, Some(entry.mailbox)),
            (new.conversation, new.mailbox)
        );
        assert_eq!((payload, entry.trace), (new.payload, new.trace));
        assert!(!entry.replayed);
    }

    #[test]
    fn entries_of_other_versions_or_without_fields_are_not_read() {
        let error = raw(&[("v", "2"), ("kind", "message")]).decode();
        assert_eq!(error, Err(EntryError::Version("2".into())));
        assert_eq!(raw(&[]).decode(), Err(EntryError::Missing("v")));
    }

    #[test]
    fn an_entry_deleted_while_pending_is_read_as_empty() {
        let reply = Value::Array(vec![Value::Array(vec![
            Value::BulkString(b"1-0".to_vec()),
            Value::Nil,
        ])]);
        let entries = parse_entries(reply);
        assert_eq!(entries.len(), 1);
        assert!(entries[0].fields.is_empty());
    }
}
