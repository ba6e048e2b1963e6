//! The envelope of Chatwoot's events.

use serde::Deserialize;
use serde_json::{Map, Value};

/// `message_created`, or a conversation event: both in one shape, because the event's name comes
/// with the rest. Only the name must be what it should be; the rest is read field by field.
#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    pub(super) event: String,
    #[serde(flatten)]
    pub(super) fields: Map<String, Value>,
}
