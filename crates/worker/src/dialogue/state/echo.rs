//! Whether a machine may be writing. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Texts that come again and again, or without a human pause, as machines send them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Echo {
    /// Hashes of the last texts, figures aside.
    pub texts: Vec<u64>,
    /// When the last one was answered.
    pub at: Timestamp,
    /// Answers in a row that were answered before a human could have read them.
    pub hurried: u32,
}
