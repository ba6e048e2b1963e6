//! Where a conversation is mirrored, as fields of a Redis hash. Pure.

use shared_types::fields::mirror::{DISPLAY, STATUS, TAKEN};
use streams::{Fields, Record};

use super::KNOWN_FOR;

const CONTACT: &str = "contact";
const SEEN: &str = "seen";

/// What is read of the hash.
pub(super) const FIELDS: &[&str] = &[CONTACT, DISPLAY, SEEN, STATUS, TAKEN];

/// What is known of a mirrored conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The number of Chatwoot's contact.
    pub(super) contact: Option<u64>,
    /// The display id of Chatwoot's conversation.
    pub(super) display: Option<u64>,
    /// The last message that we posted there.
    pub(super) seen: u64,
    /// The status that we set, or were told.
    pub(super) status: String,
    /// Whether a colleague has it, and not only one is wanted.
    pub(super) is_taken: bool,
}

impl Known {
    pub(super) fn read(fields: Option<&Fields>) -> Self {
        let field = |name| fields.and_then(|fields| fields.get(name));
        let number = |name| field(name).and_then(|text| text.parse().ok());
        Self {
            contact: number(CONTACT).filter(|id| *id > 0),
            display: number(DISPLAY).filter(|id| *id > 0),
            seen: number(SEEN).unwrap_or_default(),
            status: field(STATUS).cloned().unwrap_or_default(),
            is_taken: field(TAKEN).is_some_and(|taken| taken == "1"),
        }
    }

    /// The record that says all of this. What is not known any more is 0.
    pub(super) fn record(&self, key: String) -> Record {
        let number = |id: Option<u64>| id.unwrap_or_default().to_string();
        Record {
            key,
            fields: vec![
                (CONTACT, number(self.contact)),
                (DISPLAY, number(self.display)),
                (SEEN, self.seen.to_string()),
                (STATUS, self.status.clone()),
                (TAKEN, u8::from(self.is_taken).to_string()),
            ],
            ttl: KNOWN_FOR,
            ..Record::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let known = Known {
            contact: Some(9),
            display: Some(5),
            seen: 1001,
            status: "open".into(),
            is_taken: true,
        };
        let fields: Fields = known.record("k".into()).fields.into_iter().collect();
        assert_eq!(Known::read(Some(&fields)), known);
        assert_eq!(Known::read(None), Known::default());
    }
}
