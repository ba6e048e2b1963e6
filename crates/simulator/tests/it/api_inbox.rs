//! Chatwoot's API inbox: what mirrors into it, and what its webhook tells of each kind of message.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::chatwoot::sign;

use crate::support::{PATIENCE, Received, Rig, json};

const BOT: &str = "fake-chatwoot-bot-token";
const USER: &str = "fake-chatwoot-user-token";
const CUSTOMER: &str = "whatsapp:+31612345678";

/// A mirrored conversation.
struct Mirror {
    rig: Rig,
    conversation: u64,
}

impl Mirror {
    async fn start() -> Self {
        let rig = Rig::start();
        let contact = json!({"inbox_id": 2, "source_id": CUSTOMER, "name": "Jan", "phone_number": "+31612345678"});
        let (status, made) = call(&rig, USER, "contacts", &contact).await;
        assert_eq!(status, 200, "{made}");
        let contact = made["payload"]["contact"]["id"].as_u64().unwrap();
        let body = json!({"inbox_id": 2, "source_id": CUSTOMER, "contact_id": contact, "status": "pending"});
        let (_, made) = call(&rig, BOT, "conversations", &body).await;
        let (_, again) = call(&rig, BOT, "conversations", &body).await;
        assert_eq!(
            made["id"], again["id"],
            "the inbox is locked to one conversation"
        );
        Self {
            conversation: made["id"].as_u64().unwrap(),
            rig,
        }
    }

    async fn call(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("conversations/{}/{path}", self.conversation);
        call(&self.rig, token, &path, body).await
    }

    async fn control(&self, path: &str, body: &Value) -> (u16, Value) {
        self.rig.command(&format!("/simulator/{path}"), body).await
    }

    async fn write(&self, by: &str, text: &str) -> Value {
        let body = json!({"to": "+31612345678", "by": by, "text": text});
        let (status, message) = self.control("chatwoot/inbox/write", &body).await;
        assert_eq!(status, 200, "{message}");
        message
    }

    async fn events(&self, count: usize) -> Vec<Value> {
        let all = self.rig.ingress.wait_for(count).await;
        all.iter().map(Received::json).collect()
    }
}

async fn call(rig: &Rig, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let url = rig.url(&format!("/api/v1/accounts/1/{path}"));
    json(
        rig.http
            .post(url)
            .header("api_access_token", token)
            .json(body),
    )
    .await
}

#[tokio::test]
async fn what_is_mirrored_comes_back_with_its_mark_and_signed() {
    let mirror = Mirror::start().await;
    let body = json!({"content": "Dag", "message_type": "outgoing", "source_id": "pd:ob_1",
        "content_attributes": {"external_created_at": "2026-11-28T20:00:00Z"}});
    let (status, message) = mirror.call(BOT, "messages", &body).await;
    assert_eq!((status, &message["source_id"]), (200, &json!("pd:ob_1")));
    let webhook = mirror.rig.ingress.wait_for(1).await.remove(0);
    let stamp = webhook.header("x-chatwoot-timestamp").unwrap();
    let expected = sign("fake-mirror-secret", stamp.parse().unwrap(), &webhook.body);
    assert_eq!(
        webhook.header("x-chatwoot-signature"),
        Some(expected.as_str())
    );
    let event = webhook.json();
    assert_eq!(event["source_id"], "pd:ob_1");
    assert_eq!(event["sender"]["type"], "agent_bot");
    assert_eq!(event["inbox"]["id"], 2);
    assert_eq!(
        event["conversation"]["contact_inbox"]["source_id"],
        CUSTOMER
    );
    let incoming = json!({"content": "Hoi", "message_type": "incoming", "source_id": "pd:SM1"});
    mirror.call(BOT, "messages", &incoming).await;
    let event = mirror.events(2).await.remove(1);
    assert_eq!(event["message_type"], "incoming");
    assert_eq!(event["sender"]["type"], Value::Null);
}

#[tokio::test]
async fn each_kind_of_message_has_the_marks_that_chatwoot_gives_it() {
    let mirror = Mirror::start().await;
    let kinds = [
        "user",
        "echo",
        "macro",
        "automation",
        "campaign",
        "template",
        "survey",
        "note",
    ];
    for (number, by) in kinds.into_iter().enumerate() {
        mirror.write(by, by).await;
        let event = mirror.events(number + 1).await.remove(number);
        let sender = event["sender"]["type"].as_str();
        let marks = (
            event["message_type"].as_str().unwrap(),
            sender,
            event["private"] == true,
        );
        let expected = match by {
            "user" | "campaign" => ("outgoing", Some("user"), false),
            "note" => ("outgoing", Some("user"), true),
            "template" => ("template", None, false),
            _ => ("outgoing", None, false),
        };
        assert_eq!(marks, expected, "{event}");
        assert_eq!(event["source_id"], Value::Null);
    }
    // A status line is told to nobody.
    mirror.write("activity", "Petra took it").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(mirror.events(kinds.len()).await.len(), kinds.len());
}

#[tokio::test]
async fn an_old_server_drops_attributes_and_events_come_twice_or_never() {
    let mirror = Mirror::start().await;
    let fault = |kind: &str| json!({"times": 1, "fault": {"kind": kind}});
    let old = json!({"fault": {"kind": "old_server"}});
    assert_eq!(mirror.control("faults", &old).await.0, 201);
    let body = json!({"content": "Dag", "source_id": "pd:1", "content_attributes": {"own": 1}});
    let (_, message) = mirror.call(BOT, "messages", &body).await;
    assert_eq!(message["content_attributes"], json!({}));
    let event = mirror.events(1).await.remove(0);
    assert_eq!(event["performed_by"], Value::Null);
    mirror.control("faults", &fault("event_twice")).await;
    mirror.write("user", "Dag").await;
    let events = mirror.events(3).await;
    assert_eq!(events[1]["id"], events[2]["id"]);
    mirror.control("faults", &fault("event_lost")).await;
    mirror.write("user", "weg").await;
    mirror.write("user", "daar").await;
    assert_eq!(mirror.events(4).await[3]["content"], "daar");
}

#[tokio::test]
async fn states_change_hands_and_the_customers_next_message_opens_a_resolved_one() {
    let mirror = Mirror::start().await;
    let open = json!({"status": "open"});
    mirror.call(BOT, "toggle_status", &open).await;
    let event = mirror.events(1).await.remove(0);
    assert_eq!(event["event"], "conversation_status_changed");
    assert_eq!(event["performed_by"]["type"], "agent_bot");
    let hand = json!({"to": CUSTOMER, "status": "resolved", "assignee": "Petra"});
    assert_eq!(mirror.control("chatwoot/inbox/hand", &hand).await.0, 204);
    let event = mirror.events(3).await.remove(2);
    assert_eq!(event["performed_by"]["type"], "user");
    let incoming = json!({"content": "Nog iets", "message_type": "incoming"});
    mirror.call(BOT, "messages", &incoming).await;
    let events = mirror.events(5).await;
    let reopened = events
        .iter()
        .skip(3)
        .find(|event| event["status"] == "open");
    assert_eq!(reopened.unwrap()["performed_by"]["type"], "contact");
}

/// Of a message whose event nobody took Chatwoot says that it failed; "retry" takes that away.
#[tokio::test]
async fn a_report_marks_a_message_and_retry_takes_the_mark_away() {
    let mirror = Mirror::start().await;
    let message = mirror.write("user", "Dag").await;
    let id = message["id"].as_u64().unwrap();
    let url = format!(
        "/api/v1/accounts/1/conversations/{}/messages/{id}",
        mirror.conversation
    );
    let patch = |token: &str, body: &Value| {
        let request = mirror.rig.http.patch(mirror.rig.url(&url));
        json(request.header("api_access_token", token).json(body))
    };
    let failed = json!({"status": "failed", "external_error": "no window"});
    assert_eq!(patch(BOT, &failed).await.0, 401);
    let (status, changed) = patch(USER, &failed).await;
    assert_eq!((status, &changed["status"]), (200, &json!("failed")));
    let event = mirror.events(2).await.remove(1);
    assert_eq!(event["event"], "message_updated");
    assert_eq!(event["content_attributes"]["external_error"], "no window");
    let retry = json!({ "message": id });
    assert_eq!(mirror.control("chatwoot/inbox/retry", &retry).await.0, 204);
    let event = mirror.events(3).await.remove(2);
    assert_eq!(event["content_attributes"], json!({}));
}

#[tokio::test]
async fn a_webhook_that_is_not_taken_paints_its_message_red() {
    let mirror = Mirror::start().await;
    mirror.rig.ingress.answer_with(400);
    let message = mirror.write("user", "Dag").await;
    let painted = tokio::time::timeout(PATIENCE, async {
        loop {
            let inbox = mirror.rig.ask("/simulator/chatwoot/inbox").await;
            let shown = &inbox["conversations"][0]["messages"][0];
            if shown["status"] == "failed" && shown["id"] == message["id"] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    painted.await.unwrap();
}
