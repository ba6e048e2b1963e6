//! Which person wrote, and what follows a person from one conversation into the next: memory, opt-out,
//! and who is in charge.
//!
//! A webhook that shows two addresses side by side proves that both are one person's. The graph of
//! names is in Redis ([`streams::Identity`]); each conversation keeps a note of whose it is
//! ([`Kin`]), which is read with its state, so that most turns ask nothing. What is learned is written
//! in this order: the graph, the other conversations, the own note, which a turn's commit writes where
//! there are no others. A turn that ends in between is
//! taken again, finds its note wanting, and writes all of it again.

mod recall;

use serde::{Deserialize, Serialize};
use shared_types::fields::contact;
use shared_types::{ChannelAddress, InboundMessage};
use streams::{ContactNote, Identity};

pub(crate) use recall::Identities;
pub(crate) use recall::is_told_by_kin;

/// Every address that a message proves of its sender, by name; first the one written from.
///
/// Chatwoot's number of a contact is none where WhatsApp names the sender: an installation that is set
/// up anew gives it to somebody else.
pub(crate) fn names_of(message: &InboundMessage) -> Vec<String> {
    let sender = &message.sender;
    let number = sender.phone_number.as_ref();
    let number = number.filter(|_| !sender.phone_number_is_claimed);
    let addresses = std::iter::once(&sender.id).chain(&sender.aliases);
    let addresses = addresses.map(ChannelAddress::name);
    let all = addresses.chain(number.map(|number| format!("tel:{number}")));
    let mut names: Vec<String> = Vec::new();
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let is_whatsapp = |name: &String| !name.starts_with("chatwoot:");
    if names.iter().any(is_whatsapp) {
        names.retain(is_whatsapp);
    }
    names
}

/// Whose a conversation is, as it is noted beside it: `<revision of the person> <JSON>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kin {
    /// The person's id.
    pub(crate) person: String,
    /// The addresses that are known to be theirs.
    pub(crate) names: Vec<String>,
    /// The person's other conversations.
    pub(crate) others: Vec<String>,
    /// The person's revision.
    #[serde(skip)]
    revision: u64,
}

impl Kin {
    /// Reads the note.
    pub(crate) fn read(note: &str) -> Option<Self> {
        let (revision, json) = note.split_once(' ')?;
        let kin: Self = serde_json::from_str(json).ok()?;
        let revision = revision.parse().ok()?;
        Some(Self { revision, ..kin })
    }

    fn note(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{} {json}", self.revision)
    }

    /// The note as it is kept beside the conversation.
    fn noted(&self) -> ContactNote {
        ContactNote {
            field: contact::PERSON,
            value: self.note(),
            number: self.revision,
        }
    }

    fn of(identity: &Identity, own: &str) -> Self {
        let conversations = identity.conversations().filter(|other| *other != own);
        Self {
            person: identity.id.clone(),
            names: identity.addresses().map(str::to_owned).collect(),
            others: conversations.map(str::to_owned).collect(),
            revision: identity.revision,
        }
    }

    fn has(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.names.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn names(sender: &Value) -> Vec<String> {
        let message = json!({
            "id": "A1", "conversation": {"id": "c"}, "sender": sender, "content": "hoi",
            "message_type": "incoming", "channel": "whatsapp", "source": "waha",
        });
        names_of(&serde_json::from_value(message).unwrap())
    }

    #[test]
    fn every_spelling_of_a_number_is_one_name() {
        for address in [
            "whatsapp:+5215512345679",
            "5215512345679@c.us",
            "whatsapp:+525512345679",
        ] {
            assert_eq!(names(&json!({ "id": address })), ["tel:+525512345679"]);
        }
        assert_eq!(
            names(&json!({
                "id": "150000000004711@lid", "aliases": ["31612345678@c.us"],
                "phone_number": "+31612345678",
            })),
            ["150000000004711@lid", "tel:+31612345678"]
        );
        assert_eq!(
            names(&json!({"id": "whatsapp:NL.1349"})),
            ["whatsapp:NL.1349"]
        );
    }

    /// An installation that is set up anew gives its numbers of contacts to others.
    #[test]
    fn chatwoots_number_of_a_contact_is_a_name_only_where_nothing_else_is() {
        let alias = json!({"id": "whatsapp:+31612345678", "aliases": ["chatwoot:1-contact-7"]});
        assert_eq!(names(&alias), ["tel:+31612345678"]);
        let alone = json!({"id": "chatwoot:1-contact-7"});
        assert_eq!(names(&alone), ["chatwoot:1-contact-7"]);
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let kin = Kin {
            person: "p_1".into(),
            names: vec!["tel:+31612345678".into()],
            others: vec!["waha:default:4711@lid".into()],
            revision: 1_790_000_000_000,
        };
        assert_eq!(Kin::read(&kin.note()), Some(kin));
        assert_eq!(Kin::read("whatever"), None);
    }

    #[test]
    fn a_claimed_number_is_no_name() {
        let visitor = json!({
            "id": "chatwoot:1-visitor-9", "phone_number": "+31612345678",
            "phone_number_is_claimed": true,
        });
        assert_eq!(names(&visitor), ["chatwoot:1-visitor-9"]);
    }
}
