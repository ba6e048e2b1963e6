//! Dead letters are read, replayed and discarded, never more than were seen.

use jiff::Timestamp;
use reqwest::StatusCode;
use streams::{Queue, Shelf};

use crate::support::{HOSTILE, PHONE, Rig};

impl Rig {
    fn dies(&self, conversation: &str, reason: &str) {
        let partition = self.redis.partitions().partition_of(conversation);
        let key = self.redis.keys().of(partition).dead_letters(Queue::Inbound);
        let payload = serde_json::json!({"conversation": {"id": conversation}, "content": HOSTILE});
        let payload = payload.to_string();
        let fields = [
            "XADD",
            &key,
            "*",
            "v",
            "1",
            "kind",
            "message",
            "event",
            "twilio:message:SM1",
            "conv",
            conversation,
            "payload",
            &payload,
            "_reason",
            reason,
            "_error",
            "it broke",
            "_attempts",
            "5",
        ];
        self.run(&fields);
    }

    async fn dead(&self) -> u64 {
        self.redis
            .letter_count(Shelf::Dead(Queue::Inbound))
            .await
            .unwrap()
    }
}

const OF: &str = "/letters/of?queue=inbound&reason=turn_failed&conversation=";

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_grouped_and_readable() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    assert!(
        anna.page("/letters")
            .await
            .contains("Everything was handled")
    );
    rig.dies(PHONE, "turn_failed");
    rig.dies("whatsapp:+31687654321", "turn_failed");
    rig.dies(PHONE, "poison");
    let page = anna.page("/letters").await;
    assert_eq!(page.matches("data-row").count(), 2, "{page}");
    let list = anna.page(OF).await;
    assert_eq!(list.matches("data-row").count(), 2, "{list}");
    assert!(list.contains("Yes, replay 2"), "{list}");
    let one = anna.page(&format!("{OF}87654321")).await;
    assert!(one.contains("Yes, replay 1"), "{one}");
    let letter = list.split("href=\"/letters/inbound/").nth(1).unwrap();
    let letter = letter.split('"').next().unwrap();
    let letter = anna.page(&format!("/letters/inbound/{letter}")).await;
    assert!(
        letter.contains("it broke") && letter.contains("&#60;img src=x"),
        "{letter}"
    );
    assert!(!letter.contains("{&#34;"), "no JSON: {letter}");
    assert_eq!(
        anna.get("/letters/inbound/1/1-1").await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        anna.get("/letters/of?queue=other").await.status(),
        StatusCode::NOT_FOUND
    );
    assert!(
        anna.page("/overview")
            .await
            .contains("could not be handled and wait for somebody (3)")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_seen_is_replayed_or_discarded() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    rig.dies(PHONE, "turn_failed");
    rig.dies(PHONE, "turn_failed");
    let until = Timestamp::now().as_millisecond().to_string();
    let choice = |count: &'static str| {
        vec![
            ("queue", "inbound"),
            ("reason", "turn_failed"),
            ("conversation", ""),
            ("count", count),
        ]
    };
    let with = |count, more: &[(&'static str, &'static str)]| {
        let mut fields: Vec<(&str, &str)> = choice(count);
        fields.extend(more);
        fields
    };
    let mut wrong = with("1", &[]);
    wrong.push(("until", &until));
    let refused = anna.post("/letters/replay", &wrong).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert_eq!(rig.dead().await, 2);
    let mut silent = with("2", &[("because", " ")]);
    silent.push(("until", &until));
    assert_eq!(
        anna.post("/letters/discard", &silent).await.status(),
        StatusCode::CONFLICT
    );
    let mut right = with("2", &[]);
    right.push(("until", &until));
    assert_eq!(
        anna.submit("/letters/replay", &right).await,
        "/letters?done=replay"
    );
    assert_eq!(rig.dead().await, 0);
    assert_eq!(rig.waiting_for_worker().await.len(), 2);
    rig.dies(PHONE, "turn_failed");
    let until = Timestamp::now().as_millisecond().to_string();
    let mut gone = with("1", &[("because", "dubbel")]);
    gone.push(("until", &until));
    assert_eq!(
        anna.submit("/letters/discard", &gone).await,
        "/letters?done=discard"
    );
    assert_eq!(rig.dead().await, 0);
    let acts = anna.page("/acts").await;
    for shown in [
        "letters.replay",
        "2 of inbound (turn_failed)",
        "letters.discard",
        "dubbel",
    ] {
        assert!(acts.contains(shown), "{shown}: {acts}");
    }
}
