//! Who has a conversation of the help desk, where the change that made it so was never told. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use shared_types::ControlKind;
use shared_types::fields::mirror::{DISPLAY, STATUS, TAKEN};

/// What is known of where a conversation is shown.
type Shown = BTreeMap<String, String>;

/// A conversation of the list as the change that made it what it is. It is named after what it is, and since
/// when: found again, it is the same.
pub(super) fn change(conversation: &Value, account: u64) -> (Map<String, Value>, String) {
    let mut webhook = conversation.as_object().cloned().unwrap_or_default();
    let name = format!(
        "found:{account}:{}:{}:{}",
        conversation["id"],
        conversation["status"].as_str().unwrap_or_default(),
        conversation["last_activity_at"],
    );
    webhook.insert("event".into(), json!("conversation_status_changed"));
    webhook.insert("account".into(), json!({ "id": account }));
    (webhook, name)
}

/// Whether we set it so, or were told. `shown` is what is known of the conversation: nothing after an
/// erasure, and then there is nothing to learn either.
pub(super) fn is_known(kind: ControlKind, display: Option<u64>, shown: &Shown) -> bool {
    let field = |name| shown.get(name).map_or("", String::as_str);
    if display.is_none_or(|display| field(DISPLAY) != display.to_string()) {
        return true;
    }
    let (status, is_taken) = (field(STATUS), field(TAKEN) == "1");
    match kind {
        ControlKind::Resolved => status == "resolved",
        // What we have not opened yet is pending there as well.
        ControlKind::Released => status != "open",
        ControlKind::HumanTookOver => status == "open" && is_taken,
        ControlKind::MessageDeleted => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(kind: ControlKind, status: &str, taken: &str) -> bool {
        let fields = [(DISPLAY, "5001"), (STATUS, status), (TAKEN, taken)];
        let shown = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        is_known(kind, Some(5001), &shown.into_iter().collect())
    }

    #[test]
    fn what_we_set_or_were_told_is_known_and_all_else_is_lost() {
        use ControlKind::{HumanTookOver, Released, Resolved};
        for (kind, status, taken, is_known) in [
            (Resolved, "open", "1", false),
            (Resolved, "pending", "0", false),
            (Resolved, "resolved", "0", true),
            (Released, "open", "1", false),
            (Released, "open", "0", false),
            // A hand-over that waits to be shown is no release.
            (Released, "pending", "0", true),
            (Released, "resolved", "0", true),
            (HumanTookOver, "open", "1", true),
            // We opened it for whoever comes, and she came.
            (HumanTookOver, "open", "0", false),
            (HumanTookOver, "pending", "0", false),
        ] {
            assert_eq!(
                known(kind, status, taken),
                is_known,
                "{kind:?} {status} {taken}"
            );
        }
    }

    #[test]
    fn of_an_erased_conversation_nothing_is_learned() {
        let nothing = Shown::default();
        assert!(is_known(ControlKind::Resolved, Some(5001), &nothing));
        assert!(is_known(ControlKind::Resolved, None, &nothing));
    }
}
