//! A colleague who writes past the services.

use serde_json::{Value, json};

use crate::support::{CUSTOMER, NUMBER, Rig, json};

#[tokio::test]
async fn on_twilio_the_lists_have_it_and_the_numbers_own_callback_tells() {
    let rig = Rig::start();
    let written = json!({ "to": "+31612345678", "text": "Kom morgen langs" });
    let (status, told) = rig.command("/simulator/colleague", &written).await;
    assert_eq!(status, 200);
    let sid = told["id"].as_str().unwrap();
    let reports = rig.ingress.wait_for(3).await;
    for report in &reports {
        assert_eq!(
            (report.path.as_str(), report.query.as_str()),
            ("/webhooks/twilio/status", "")
        );
        assert!(String::from_utf8_lossy(&report.body).contains(sid));
    }
    let (_, message) = json(rig.twilio_get(&format!("Messages/{sid}.json"))).await;
    assert_eq!(message["direction"], "outbound-api");
    assert_eq!(
        (&message["from"], &message["to"]),
        (&json!(NUMBER), &json!(CUSTOMER))
    );
    let listed = rig.twilio_get("Messages.json").query(&[("From", NUMBER)]);
    let (_, list) = json(listed).await;
    assert_eq!(list["messages"][0]["sid"], sid);
    // No service sent it.
    assert_eq!(rig.accepted(), 0);
    assert_eq!(rig.ask("/simulator/sent").await["entries"], json!([]));
}

#[tokio::test]
async fn on_the_telephone_and_in_chatwoot_an_event_tells() {
    let rig = Rig::start();
    let customer =
        |provider: &str| json!({ "provider": provider, "from": "+31612345678", "text": "Hoi" });
    let hers = |provider: &str| json!({ "provider": provider, "to": "+31612345678", "text": "Dag", "by": "Anna" });
    let nobody = rig.command("/simulator/colleague", &hers("chatwoot")).await;
    assert_eq!(nobody.0, 400, "a conversation begins with the customer");
    rig.command("/simulator/messages", &customer("chatwoot"))
        .await;
    let mut events = Vec::new();
    for provider in ["waha", "chatwoot"] {
        let (status, told) = rig.command("/simulator/colleague", &hers(provider)).await;
        assert_eq!((status, &told["status"]), (200, &json!(200)), "{told}");
        let all = rig.ingress.wait_for(2 + events.len()).await;
        let body: Value = serde_json::from_slice(&all.last().unwrap().body).unwrap();
        events.push(body);
    }
    let (waha, chatwoot) = (&events[0], &events[1]);
    assert_eq!(waha["event"], "message.any");
    assert_eq!(waha["payload"]["fromMe"], true);
    assert_eq!(waha["payload"]["to"], "31612345678@c.us");
    assert_eq!(waha["payload"]["body"], "Dag");
    assert_eq!(chatwoot["message_type"], "outgoing");
    assert_eq!(chatwoot["sender"]["name"], "Anna");
    assert_eq!(chatwoot["sender"]["type"], "user");
}
