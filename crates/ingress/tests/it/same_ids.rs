//! Ids that are unique within a session, an account or one installation only.

use serde_json::json;

use crate::signing::{chatwoot, chatwoot_message, waha, waha_message};
use crate::support::{Rig, stream};

#[test]
fn one_id_in_two_sessions_accounts_or_installations_is_two_messages() {
    let rig = Rig::start(&[]);
    let message = |account: u64, written: &str| {
        let mut event = chatwoot_message(11, "hoi");
        event["account"] = json!({ "id": account });
        event["created_at"] = json!(written);
        chatwoot(event.to_string())
    };
    let old = message(1, "2026-11-28T10:00:00.000Z");
    for (webhook, known) in [
        (&old, 1),
        (&old, 1),
        (&message(2, "2026-11-28T10:00:00.000Z"), 2),
        // Set up anew: ids from 1.
        (&message(1, "2026-11-28T11:00:00.000Z"), 3),
    ] {
        assert_eq!(webhook.clone().send(rig.port()).status, 200);
        assert_eq!(stream(&rig.redis, "in:0").len(), known);
    }
    for (session, known) in [("default", 4), ("default", 4), ("second", 5)] {
        let mut event = waha_message("A1", "hoi");
        event["session"] = json!(session);
        assert_eq!(waha(event.to_string()).send(rig.port()).status, 200);
        assert_eq!(stream(&rig.redis, "in:0").len(), known);
    }
}
