use serde_json::{Value, json};
use simulator::waha::{Engine, SessionStatus, sign};
use simulator::{CustomerMessage, Media, Provider};

use crate::support::{Rig, json};

const CHAT: &str = "31612345678@c.us";

impl Rig {
    fn waha(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http
            .post(self.url(path))
            .header("x-api-key", "fake-waha-key")
            .json(body)
    }

    fn waha_get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http
            .get(self.url(path))
            .header("x-api-key", "fake-waha-key")
    }
}

fn text(text: &str) -> Value {
    json!({ "session": "default", "chatId": CHAT, "text": text })
}

#[tokio::test]
async fn a_text_is_sent_and_answered_in_the_shape_of_the_engine() {
    for (engine, pointer) in [
        (Engine::Webjs, "/id/_serialized"),
        (Engine::Noweb, "/key/id"),
        (Engine::Gows, "/id"),
    ] {
        let rig = Rig::start_with(|config| config.waha.engine = engine);
        let (status, answer) = json(rig.waha("/api/sendText", &text("Hoi"))).await;
        assert_eq!(status, 201);
        let id = answer.pointer(pointer).and_then(Value::as_str).unwrap();
        let sent = rig.simulator.transcript("+31612345678");
        assert!(sent[0].entry.id.ends_with(id), "{id}");
        assert_eq!(sent[0].entry.text, "Hoi");
        assert_eq!(rig.accepted(), 1);
    }
}

#[tokio::test]
async fn wrong_keys_sessions_states_and_bodies_are_refused() {
    let rig = Rig::start();
    let stranger = rig.http.post(rig.url("/api/sendText")).json(&text("x"));
    let (status, error) = json(stranger).await;
    assert_eq!(status, 401);
    assert_eq!(
        error,
        json!({ "statusCode": 401, "message": "Unauthorized" })
    );

    let unknown = json!({ "session": "other", "chatId": CHAT, "text": "x" });
    let (status, error) = json(rig.waha("/api/sendText", &unknown)).await;
    assert_eq!((status, &error["statusCode"]), (404, &json!(404)));

    let (status, error) = json(rig.waha("/api/sendText", &json!({ "session": "default" }))).await;
    assert_eq!(status, 422);
    assert_eq!(error["message"][0], "chatId should not be empty");

    let garbled = rig
        .http
        .post(rig.url("/api/sendText"))
        .header("x-api-key", "fake-waha-key")
        .body("{");
    assert_eq!(json(garbled).await.0, 400);

    rig.simulator
        .set_waha_session("default", SessionStatus::Starting);
    let (status, error) = json(rig.waha("/api/sendText", &text("x"))).await;
    assert_eq!(status, 422);
    assert_eq!(error["status"], "STARTING");
    assert_eq!(error["expected"], json!(["WORKING"]));
    assert_eq!(error["session"], "default");
    assert_eq!(rig.accepted(), 0);
}

#[tokio::test]
async fn seen_and_typing_are_taken_and_written_down() {
    let rig = Rig::start();
    let chat = json!({ "session": "default", "chatId": CHAT });
    for path in ["/api/sendSeen", "/api/startTyping", "/api/stopTyping"] {
        let (status, answer) = json(rig.waha(path, &chat)).await;
        assert_eq!((status, answer), (201, json!({ "result": true })), "{path}");
    }
    let presence = json!({ "chatId": CHAT, "presence": "offline" });
    assert_eq!(
        json(rig.waha("/api/default/presence", &presence)).await.0,
        201
    );
    let transcript = rig.simulator.transcript("+31612345678");
    let texts: Vec<_> = transcript
        .iter()
        .map(|record| record.entry.text.as_str())
        .collect();
    assert_eq!(texts, ["", "start", "stop", "offline"]);
}

#[tokio::test]
async fn sessions_numbers_and_lids_can_be_asked_for() {
    let rig = Rig::start();
    let (status, session) = json(rig.waha_get("/api/sessions/default")).await;
    assert_eq!((status, &session["status"]), (200, &json!("WORKING")));
    assert_eq!(session["me"]["id"], "14155238886@c.us");
    assert_eq!(json(rig.waha_get("/api/sessions/other")).await.0, 404);

    let exists = "/api/contacts/check-exists?phone=%2B31612345678&session=default";
    let (_, answer) = json(rig.waha_get(exists)).await;
    assert_eq!(answer, json!({ "numberExists": true, "chatId": CHAT }));
    let number = json!({ "phone": "31612345678", "exists": false });
    rig.command("/simulator/waha/numbers", &number).await;
    let (_, answer) = json(rig.waha_get(exists)).await;
    assert_eq!(answer, json!({ "numberExists": false }));

    let lid = json!({ "lid": "4711@lid", "phone": "+31612345678" });
    rig.command("/simulator/waha/lids", &lid).await;
    let (_, answer) = json(rig.waha_get("/api/default/lids/4711%40lid")).await;
    assert_eq!(answer, json!({ "lid": "4711@lid", "pn": CHAT }));
    let (_, answer) = json(rig.waha_get("/api/default/lids/99")).await;
    assert_eq!(answer, json!({ "lid": "99@lid", "pn": null }));
    let (_, answer) = json(rig.waha_get("/api/default/lids/pn/31612345678")).await;
    assert_eq!(answer, json!({ "lid": "4711@lid", "pn": CHAT }));
}

#[tokio::test]
async fn the_history_of_a_chat_shows_both_sides_newest_first() {
    let rig = Rig::start();
    let message = CustomerMessage::text(Provider::Waha, "+31612345678", "Hallo?");
    rig.simulator.post(message).await.unwrap();
    json(rig.waha("/api/sendText", &text("Goedemiddag"))).await;
    json(rig.waha("/api/startTyping", &text("x"))).await;
    let path = "/api/default/chats/31612345678%40c.us/messages";
    let (status, messages) = json(rig.waha_get(path)).await;
    assert_eq!(status, 200);
    let shown: Vec<_> = messages.as_array().unwrap().iter().collect();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0]["body"], "Goedemiddag");
    assert_eq!(shown[0]["fromMe"], true);
    assert_eq!(shown[1]["from"], CHAT);
    let ours = format!("{path}?filter.fromMe=true&limit=5");
    let (_, messages) = json(rig.waha_get(&ours)).await;
    assert_eq!(messages.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_customer_comes_in_as_a_signed_event_with_media() {
    let rig = Rig::start();
    let message = CustomerMessage {
        media: vec![Media {
            content_type: "audio/ogg".to_owned(),
            content: Some("OggS".to_owned()),
            ..Media::default()
        }],
        ..CustomerMessage::text(Provider::Waha, "4711@lid", "luister")
    };
    let posted = rig.simulator.post(message).await.unwrap();
    assert_eq!(posted.posted.status, Some(200));
    let webhook = rig.ingress.wait_for(1).await.remove(0);
    assert_eq!(webhook.path, "/webhooks/waha");
    let expected = sign("fake-waha-secret", &webhook.body);
    assert_eq!(webhook.header("x-webhook-hmac"), Some(expected.as_str()));
    assert_eq!(webhook.header("x-webhook-hmac-algorithm"), Some("sha512"));
    let event = webhook.json();
    assert_eq!(event["payload"]["from"], "4711@lid");
    assert_eq!(event["payload"]["id"], posted.id);
    let url = event["payload"]["media"]["url"].as_str().unwrap();
    let path = url.strip_prefix(rig.simulator.url()).unwrap();
    let file = rig.waha_get(path).send().await.unwrap();
    assert_eq!(file.text().await.unwrap(), "OggS");
    assert_eq!(json(rig.http.get(url)).await.0, 401);
}

#[tokio::test]
async fn session_states_and_acks_are_told_to_the_ingress() {
    let rig = Rig::start_with(|config| config.status_delay_ms = 3_600_000);
    let failed = json!({ "status": "FAILED" });
    let (status, _) = rig.command("/simulator/waha/session-status", &failed).await;
    assert_eq!(status, 200);
    let event = rig.ingress.wait_for(1).await.remove(0).json();
    assert_eq!(event["event"], "session.status");
    assert_eq!(event["payload"]["status"], "FAILED");
    assert_eq!(event["payload"]["statuses"].as_array().unwrap().len(), 2);

    rig.simulator
        .set_waha_session("default", SessionStatus::Working);
    json(rig.waha("/api/sendText", &text("Hoi"))).await;
    let id = rig.simulator.transcript("+31612345678")[0].entry.id.clone();
    let ack = json!({ "id": id, "ack": "READ" });
    rig.command("/simulator/waha/ack", &ack).await;
    let event = rig.ingress.wait_for(2).await.remove(1).json();
    assert_eq!(event["event"], "message.ack");
    assert_eq!(event["payload"]["id"], id);
    assert_eq!(event["payload"]["ack"], 3);
    let nobody = json!({ "id": "true_x", "ack": "READ" });
    assert_eq!(rig.command("/simulator/waha/ack", &nobody).await.0, 404);
}
