use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ConversationId;

/// Something came into stock that fits what the customer of a conversation looked for in vain.
///
/// It travels on the inbound stream, so that it takes its place in the conversation's order; whether the
/// customer is told is decided there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockArrival {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The feed that the thing came from.
    pub feed: String,
    /// What the feed calls it.
    pub item: String,
    /// The revision of the feed that has it so, or a later one: who knows an earlier one cannot judge it.
    /// 0 is any: entries of builds before it was told say none.
    #[serde(default)]
    pub revision: i64,
    /// When it was found.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_an_older_build_is_of_any_revision() {
        let old = r#"{"conversation_id":"whatsapp:+31612345678","feed":"shipped","item":"D003",
            "at":"2026-12-01T10:00:00Z"}"#;
        let arrival: StockArrival = serde_json::from_str(old).unwrap();
        assert_eq!(arrival.revision, 0);
    }
}
