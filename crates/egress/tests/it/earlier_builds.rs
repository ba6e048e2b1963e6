//! Entries that an earlier build left in the queue.

use jiff::Timestamp;

use crate::harness::{Fields, Rig};

#[tokio::test]
async fn entries_that_an_earlier_build_left_are_handled() {
    let rig = Rig::start();
    rig.chatwoot_conversation().await;
    let entries = include_str!("../../../../tests/fixtures/entries/outbound.jsonl");
    for entry in entries.lines() {
        let entry: Fields = serde_json::from_str(entry).unwrap();
        let keys = rig.keys(&entry["conv"]);
        // WhatsApp's window is open.
        let now = Timestamp::now().as_millisecond().to_string();
        rig.set(&keys.conversation(&entry["conv"]), "last_in", &now);
        let stream = keys.stream(streams::Queue::Outbound);
        let mut add = vec!["XADD", &stream, "*"];
        add.extend(
            entry
                .iter()
                .flat_map(|(name, value)| [name.as_str(), value]),
        );
        rig.server.run::<String>(&add);
    }
    let _egress = rig.egress(&[]);
    rig.until_empty().await;
    rig.letters(0).await;
    let messages = entries
        .lines()
        .filter(|line| line.contains(r#""kind":"message""#));
    let sends: Vec<String> = rig.server.run(&["KEYS", "sent:*"]);
    assert_eq!(sends.len(), messages.count());
    rig.sent("whatsapp:+31687654321", 3).await;
}
