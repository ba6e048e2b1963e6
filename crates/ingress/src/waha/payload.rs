//! The envelope of WAHA's events. Older builds leave much of it out.

use serde::Deserialize;
use serde_json::Value;

/// The envelope of every event. Only its name must be what it should be; the rest is read field
/// by field.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) event: String,
    #[serde(default)]
    pub(super) session: Value,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub(super) timestamp: Value,
    #[serde(default)]
    pub(super) me: Value,
    #[serde(default)]
    pub(super) payload: Value,
}
