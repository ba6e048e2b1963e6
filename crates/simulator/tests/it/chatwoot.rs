use serde_json::{Value, json};
use simulator::chatwoot::sign;
use simulator::{CustomerMessage, Provider};

use crate::support::{Received, Rig, json};

const BOT: &str = "fake-chatwoot-bot-token";
const USER: &str = "fake-chatwoot-user-token";
const MESSAGES: &str = "/api/v1/accounts/1/conversations/1/messages";
const TOGGLE: &str = "/api/v1/accounts/1/conversations/1/toggle_status";

impl Rig {
    /// A rig in which a customer has written, so that conversation 1 exists.
    async fn with_conversation() -> Self {
        let rig = Self::start();
        let message =
            CustomerMessage::text(Provider::Chatwoot, "+31612345678", "Hoi").with_name("Jan");
        rig.simulator.post(message).await.unwrap();
        rig
    }

    fn chatwoot(&self, token: &str, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.http.post(self.url(path));
        request.header("api_access_token", token).json(body)
    }
}

fn is_signed(webhook: &Received) -> bool {
    let timestamp = webhook.header("x-chatwoot-timestamp").unwrap();
    let expected = sign(
        "fake-chatwoot-secret",
        timestamp.parse().unwrap(),
        &webhook.body,
    );
    webhook.header("x-chatwoot-signature") == Some(expected.as_str())
}

#[tokio::test]
async fn a_customer_comes_in_as_a_signed_event_of_a_pending_conversation() {
    let rig = Rig::with_conversation().await;
    let webhook = rig.ingress.wait_for(1).await.remove(0);
    assert_eq!(webhook.path, "/webhooks/chatwoot");
    assert!(is_signed(&webhook));
    assert!(webhook.header("x-chatwoot-delivery").is_some());
    let event = webhook.json();
    assert_eq!(event["event"], "message_created");
    assert_eq!(event["sender"]["name"], "Jan");
    assert_eq!(event["conversation"]["status"], "pending");
}

#[tokio::test]
async fn the_bot_creates_messages_and_hears_of_them() {
    let rig = Rig::with_conversation().await;
    let body = json!({
        "content": "Goedemiddag", "message_type": "outgoing", "private": true,
        "content_attributes": { "external_id": "out_1" },
    });
    let (status, message) = json(rig.chatwoot(BOT, MESSAGES, &body)).await;
    assert_eq!(status, 200);
    assert_eq!(message["content"], "Goedemiddag");
    assert_eq!(message["message_type"], 1);
    assert_eq!(message["private"], true);
    assert_eq!(message["conversation_id"], 1);
    let echo = rig.ingress.wait_for(2).await.remove(1);
    assert!(is_signed(&echo));
    let echo = echo.json();
    assert_eq!(echo["id"], message["id"]);
    assert_eq!(echo["message_type"], "outgoing");
    assert_eq!(echo["private"], true);
    assert_eq!(echo["sender"]["type"], "agent_bot");

    let (_, again) = json(rig.chatwoot(BOT, MESSAGES, &body)).await;
    assert_ne!(again["id"], message["id"]);
    assert_eq!(rig.simulator.stats().senders[0].duplicates, 1);
}

#[tokio::test]
async fn the_bot_may_not_list_and_a_human_may() {
    let rig = Rig::with_conversation().await;
    json(rig.chatwoot(BOT, MESSAGES, &json!({ "content": "Dag" }))).await;
    let get = |token: &str| {
        let request = rig.http.get(rig.url(MESSAGES));
        request.header("api_access_token", token)
    };
    let (status, error) = json(get(BOT)).await;
    assert_eq!(status, 401);
    assert!(
        error["error"]
            .as_str()
            .unwrap()
            .contains("not authorized for bots")
    );
    let (status, list) = json(get(USER)).await;
    assert_eq!(status, 200);
    let shown: Vec<_> = list["payload"].as_array().unwrap().iter().collect();
    assert_eq!(shown.len(), 2);
    assert_eq!(
        (&shown[0]["content"], &shown[0]["message_type"]),
        (&json!("Hoi"), &json!(0))
    );
    assert_eq!(
        (&shown[1]["content"], &shown[1]["message_type"]),
        (&json!("Dag"), &json!(1))
    );
}

#[tokio::test]
async fn mistakes_are_refused_as_documented() {
    let rig = Rig::with_conversation().await;
    let other = "/api/v1/accounts/1/conversations/99/messages";
    let account = "/api/v1/accounts/2/conversations/1/messages";
    for (token, path, body, status) in [
        ("wrong", MESSAGES, json!({ "content": "x" }), 401),
        (BOT, other, json!({ "content": "x" }), 404),
        (BOT, account, json!({ "content": "x" }), 404),
        (BOT, MESSAGES, json!({ "content": "" }), 422),
        (
            BOT,
            MESSAGES,
            json!({ "content": "x".repeat(150_001) }),
            422,
        ),
        (
            BOT,
            MESSAGES,
            json!({ "content": "x", "message_type": "incoming" }),
            422,
        ),
        (BOT, TOGGLE, json!({ "status": "sideways" }), 422),
    ] {
        let (found, error) = json(rig.chatwoot(token, path, &body)).await;
        assert_eq!(found, status, "{path}");
        assert!(error["error"].is_string(), "{error}");
    }
    assert_eq!(rig.accepted(), 0);
}

#[tokio::test]
async fn the_flood_guard_stops_one_conversation() {
    let rig = Rig::start_with(|config| config.chatwoot.flood_limit = 2);
    let message = CustomerMessage::text(Provider::Chatwoot, "+31612345678", "Hoi");
    rig.simulator.post(message).await.unwrap();
    let body = json!({ "content": "x" });
    for expected in [200, 200, 422] {
        let (status, answer) = json(rig.chatwoot(BOT, MESSAGES, &body)).await;
        assert_eq!(status, expected, "{answer}");
    }
    assert_eq!(rig.accepted(), 2);
}

#[tokio::test]
async fn a_handoff_is_told_to_the_ingress_and_a_human_gives_back() {
    let rig = Rig::with_conversation().await;
    let (status, answer) = json(rig.chatwoot(BOT, TOGGLE, &json!({ "status": "open" }))).await;
    assert_eq!(status, 200);
    assert_eq!(answer["payload"]["current_status"], "open");
    let events = rig.ingress.wait_for(3).await;
    let names: Vec<Value> = events
        .iter()
        .map(|event| event.json()["event"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "message_created",
            "conversation_status_changed",
            "conversation_opened"
        ]
    );
    assert!(events.iter().all(is_signed));

    let back = json!({ "from": "+31612345678", "status": "pending" });
    let (status, _) = rig.command("/simulator/chatwoot/status", &back).await;
    assert_eq!(status, 200);
    let event = rig.ingress.wait_for(4).await.remove(3).json();
    assert_eq!(event["status"], "pending");
    let changed = &event["changed_attributes"][0]["status"];
    assert_eq!(changed["previous_value"], "open");

    let taken = json!({ "conversation": 1, "status": "open", "assignee": "Petra" });
    rig.command("/simulator/chatwoot/status", &taken).await;
    let event = rig.ingress.wait_for(5).await.remove(4).json();
    assert_eq!(event["meta"]["assignee"]["name"], "Petra");
    let nobody = json!({ "from": "+31600000000", "status": "open" });
    assert_eq!(
        rig.command("/simulator/chatwoot/status", &nobody).await.0,
        404
    );
}

#[tokio::test]
async fn without_a_status_the_call_toggles() {
    let rig = Rig::with_conversation().await;
    for expected in ["open", "resolved", "open"] {
        let (_, answer) = json(rig.chatwoot(BOT, TOGGLE, &json!({}))).await;
        assert_eq!(answer["payload"]["current_status"], expected);
    }
}

#[tokio::test]
async fn a_conversation_whose_bot_fails_goes_to_humans_but_a_forgery_changes_nothing() {
    let rig = Rig::start();
    rig.ingress.answer_with(503);
    let message = CustomerMessage::text(Provider::Chatwoot, "+31612345678", "Hoi");
    let forged = CustomerMessage {
        tamper: Some(simulator::Tamper::BadSignature),
        ..message.clone()
    };
    let status = async || {
        let transcript = rig.ask("/simulator/conversations/%2B31612345678").await;
        transcript["chatwoot"]["status"].clone()
    };
    rig.simulator.post(forged).await.unwrap();
    assert_eq!(status().await, "pending");
    rig.simulator.post(message).await.unwrap();
    assert_eq!(status().await, "open");
}

#[tokio::test]
async fn a_multipart_message_may_have_attachments_and_no_content() {
    let rig = Rig::with_conversation().await;
    let body = "--B\r\nContent-Disposition: form-data; name=\"attachments[]\"; \
                filename=\"a.txt\"\r\n\r\nhallo\r\n--B--\r\n";
    let request = rig
        .http
        .post(rig.url(MESSAGES))
        .header("api_access_token", BOT)
        .header("content-type", "multipart/form-data; boundary=B")
        .body(body);
    assert_eq!(json(request).await.0, 200);
    assert_eq!(rig.accepted(), 1);
}
