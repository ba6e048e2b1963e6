use serde_json::json;
use simulator::twilio::sign;
use simulator::{DeliveryPlan, MessageStatus};

use crate::support::{CUSTOMER, NUMBER, PATIENCE, Received, Rig, TOKEN, json};

impl Rig {
    /// Sends a message that asks for status callbacks to the ingress.
    async fn send_with_callback(&self, oid: &str) -> String {
        let callback = format!("{}/webhooks/twilio/status?oid={oid}", self.ingress.url);
        let request = self.twilio(&[
            ("From", NUMBER),
            ("To", CUSTOMER),
            ("Body", "Hoi"),
            ("StatusCallback", &callback),
        ]);
        let (status, message) = json(request).await;
        assert_eq!(status, 201);
        message["sid"].as_str().unwrap().to_owned()
    }
}

fn statuses(callbacks: &[Received]) -> Vec<String> {
    callbacks
        .iter()
        .map(|callback| callback.field("MessageStatus").unwrap())
        .collect()
}

#[tokio::test]
async fn callbacks_are_signed_with_their_query_and_come_in_order() {
    let rig = Rig::start();
    let sid = rig.send_with_callback("out_1").await;
    let callbacks = rig.ingress.wait_for(3).await;
    assert_eq!(statuses(&callbacks), ["sent", "delivered", "read"]);
    for callback in &callbacks {
        assert_eq!(callback.path, "/webhooks/twilio/status");
        assert_eq!(callback.query, "oid=out_1");
        let url = format!("{}{}?{}", rig.ingress.url, callback.path, callback.query);
        let expected = sign(TOKEN, &url, &callback.form());
        assert_eq!(
            callback.header("x-twilio-signature"),
            Some(expected.as_str())
        );
        assert_eq!(callback.field("MessageSid"), Some(sid.clone()));
        assert_eq!(callback.field("SmsSid"), Some(sid.clone()));
        assert_eq!(callback.field("To").as_deref(), Some(CUSTOMER));
        assert_eq!(callback.field("From").as_deref(), Some(NUMBER));
        assert_eq!(callback.field("ChannelPrefix").as_deref(), Some("whatsapp"));
        assert_eq!(callback.field("ErrorCode"), None);
    }
    assert_eq!(callbacks[2].field("EventType").as_deref(), Some("READ"));
    let path = format!("Messages/{sid}.json");
    let (_, message) = json(rig.twilio_get(&path)).await;
    assert_eq!(message["status"], "read");
    assert!(message["date_sent"].is_string());
}

#[tokio::test]
async fn a_late_failure_is_told_with_its_code() {
    let rig = Rig::start();
    let rule = json!({
        "endpoint": "delivery", "match": { "to": CUSTOMER }, "times": 1,
        "fault": { "kind": "delivery", "statuses": ["failed"], "error_code": 63016, "delay_ms": 1 },
    });
    rig.command("/simulator/faults", &rule).await;
    let sid = rig.send_with_callback("out_1").await;
    let callbacks = rig.ingress.wait_for(1).await;
    assert_eq!(statuses(&callbacks), ["failed"]);
    assert_eq!(callbacks[0].field("ErrorCode").as_deref(), Some("63016"));
    let path = format!("Messages/{sid}.json");
    let (_, message) = json(rig.twilio_get(&path)).await;
    assert_eq!(message["status"], "failed");
    assert_eq!(message["error_code"], 63_016);

    rig.send_with_callback("out_2").await;
    assert_eq!(
        statuses(&rig.ingress.wait_for(4).await[1..]),
        ["sent", "delivered", "read"]
    );
}

#[tokio::test]
async fn callbacks_can_be_doubled_and_lost() {
    let rig = Rig::start();
    let plan = DeliveryPlan {
        statuses: vec![MessageStatus::Sent],
        delay_ms: 1,
        copies: 2,
        ..DeliveryPlan::default()
    };
    rig.simulator.set_deliveries(plan.clone()).unwrap();
    rig.send_with_callback("out_1").await;
    assert_eq!(statuses(&rig.ingress.wait_for(2).await), ["sent", "sent"]);

    let lost = json!({ "statuses": ["sent"], "delay_ms": 1, "drop": 1.0 });
    let request = rig.http.put(rig.url("/simulator/deliveries")).json(&lost);
    assert_eq!(json(request).await.0, 200);
    let sid = rig.send_with_callback("out_2").await;
    let mut changes = rig.events().await;
    while json(rig.twilio_get(&format!("Messages/{sid}.json")))
        .await
        .1["status"]
        != "sent"
    {
        changes.chunk().await.unwrap();
    }
    assert_eq!(rig.ingress.all().len(), 2, "delivered, and nobody was told");
}

#[tokio::test]
async fn shuffled_callbacks_leave_the_furthest_status() {
    let rig = Rig::start();
    let plan = DeliveryPlan {
        delay_ms: 1,
        shuffle: true,
        seed: 3,
        ..DeliveryPlan::default()
    };
    rig.simulator.set_deliveries(plan).unwrap();
    let sid = rig.send_with_callback("out_1").await;
    let mut told = statuses(&rig.ingress.wait_for(3).await);
    told.sort();
    assert_eq!(told, ["delivered", "read", "sent"]);
    let (_, message) = json(rig.twilio_get(&format!("Messages/{sid}.json"))).await;
    assert_eq!(message["status"], "read");
}

#[tokio::test]
async fn waha_acknowledges_what_it_sent() {
    let rig = Rig::start();
    let request = rig
        .http
        .post(rig.url("/api/sendText"))
        .header("x-api-key", "fake-waha-key")
        .json(&json!({ "session": "default", "chatId": "31612345678@c.us", "text": "Hoi" }));
    assert_eq!(json(request).await.0, 201);
    let acks: Vec<_> = rig
        .ingress
        .wait_for(3)
        .await
        .iter()
        .map(|webhook| webhook.json()["payload"]["ackName"].clone())
        .collect();
    assert_eq!(acks, ["SERVER", "DEVICE", "READ"]);
}

#[tokio::test]
async fn a_reset_keeps_callbacks_of_the_past_away() {
    let rig = Rig::start_with(|config| config.status_delay_ms = 3_600_000);
    rig.send_with_callback("out_1").await;
    rig.simulator.reset();
    let plan = DeliveryPlan {
        statuses: vec![MessageStatus::Sent],
        delay_ms: 1,
        ..DeliveryPlan::default()
    };
    rig.simulator.set_deliveries(plan).unwrap();
    rig.send_with_callback("out_2").await;
    assert_eq!(rig.ingress.wait_for(1).await[0].query, "oid=out_2");
    let sent = rig.simulator.wait_for_sent(CUSTOMER, 1, PATIENCE).await;
    assert_eq!(sent.len(), 1);
}
