use serde_json::{Value, json};
use simulator::twilio::{Algorithm, sign, sign_with};
use simulator::{CustomerMessage, MessageStatus, Provider, Tamper};

use crate::support::{Received, Rig, TOKEN};

const PATH: &str = "/webhooks/twilio/whatsapp";

fn text(text: &str) -> CustomerMessage {
    CustomerMessage::text(Provider::Twilio, "+31612345678", text)
}

/// Whether the signature fits the body, over the URL that Twilio would call.
fn is_signed(rig: &Rig, webhook: &Received) -> bool {
    let url = format!("{}{PATH}", rig.ingress.url);
    let expected = sign(TOKEN, &url, &webhook.form());
    webhook.header("x-twilio-signature") == Some(expected.as_str())
}

#[tokio::test]
async fn a_message_is_signed_and_posted_and_its_answer_told() {
    let rig = Rig::start();
    let message = json!({ "from": "+31612345678", "name": "Jan", "text": "Ik zoek een Golf" });
    let (status, result) = rig.command("/simulator/messages", &message).await;
    assert_eq!(status, 200);
    assert_eq!(result["status"], 200);
    assert_eq!(result["body"], "<Response/>");
    assert!(result["elapsed_us"].as_u64().unwrap() > 0);
    let webhook = rig.ingress.wait_for(1).await.remove(0);
    assert_eq!(webhook.path, PATH);
    assert!(is_signed(&rig, &webhook));
    assert_eq!(
        webhook.field("MessageSid").unwrap(),
        result["id"].as_str().unwrap()
    );
    assert_eq!(webhook.field("ProfileName").unwrap(), "Jan");
    let shown = rig.simulator.transcript("+31612345678");
    assert_eq!(shown[0].progress.status, MessageStatus::Received);
    assert_eq!(shown[0].progress.code, Some(200));
}

#[tokio::test]
async fn tampering_reaches_the_ingress_and_shows_there() {
    let rig = Rig::start();
    let tampers = [
        Tamper::BadSignature,
        Tamper::MissingSignature,
        Tamper::WrongToken,
        Tamper::AlteredBody,
        Tamper::WrongUrl,
        Tamper::WrongAlgorithm,
    ];
    for tamper in tampers {
        let message = CustomerMessage {
            tamper: Some(tamper),
            ..text("Hoi")
        };
        rig.simulator.post(message).await.unwrap();
    }
    let webhooks = rig.ingress.wait_for(tampers.len()).await;
    assert!(webhooks.iter().all(|webhook| !is_signed(&rig, webhook)));
    assert_eq!(webhooks[1].header("x-twilio-signature"), None);
    let url = format!("{}{PATH}", rig.ingress.url);
    let sha256 = sign_with(Algorithm::HmacSha256, TOKEN, &url, &webhooks[5].form());
    assert_eq!(
        webhooks[5].header("x-twilio-signature"),
        Some(sha256.as_str())
    );
}

#[tokio::test]
async fn a_repeated_message_keeps_its_id() {
    let rig = Rig::start();
    for at_once in [false, true] {
        let message = json!({
            "from": "+31612345678", "text": "Hoi", "id": "SM1", "repeat": 20, "at_once": at_once,
        });
        let (_, result) = rig.command("/simulator/messages", &message).await;
        assert_eq!(result["repeats"].as_array().unwrap().len(), 19);
        assert_eq!(result["repeats"][18]["status"], 200);
    }
    let webhooks = rig.ingress.wait_for(40).await;
    assert_eq!(webhooks.len(), 40);
    let same = |webhook: &Received| webhook.field("MessageSid").as_deref() == Some("SM1");
    assert!(webhooks.iter().all(same));
    let shown = rig.simulator.transcript("+31612345678");
    assert_eq!(shown.len(), 2, "repetitions are no further messages");
}

#[tokio::test]
async fn a_batch_in_order_arrives_in_order() {
    let rig = Rig::start();
    let batch: Vec<Value> = (0..25)
        .map(|number| json!({ "from": "+31612345678", "text": number.to_string() }))
        .collect();
    let (status, results) = rig.command("/simulator/messages", &json!(batch)).await;
    assert_eq!(status, 200);
    assert_eq!(results.as_array().unwrap().len(), 25);
    let arrived: Vec<String> = rig
        .ingress
        .wait_for(25)
        .await
        .iter()
        .map(|webhook| webhook.field("Body").unwrap())
        .collect();
    let expected: Vec<String> = (0..25).map(|number| number.to_string()).collect();
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn a_concurrent_batch_gives_its_results_in_order() {
    let rig = Rig::start();
    let batch: Vec<Value> = (0..50)
        .map(|number| json!({ "from": "+31612345678", "text": "x", "id": format!("SM{number}") }))
        .collect();
    let path = "/simulator/messages?concurrency=16";
    let (_, results) = rig.command(path, &json!(batch)).await;
    let ids: Vec<&str> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 50);
    assert_eq!((ids[0], ids[49]), ("SM0", "SM49"));
    assert_eq!(rig.ingress.wait_for(50).await.len(), 50);
}

#[tokio::test]
async fn failures_are_told_and_retried_as_each_provider_would() {
    let rig = Rig::start();
    rig.ingress.answer_with(503);
    for (provider, retried) in [
        (Provider::Twilio, 2),
        (Provider::Waha, 2),
        // Chatwoot takes a 503 for final.
        (Provider::Chatwoot, 0),
    ] {
        let message = CustomerMessage {
            provider,
            retries: 2,
            ..text("Hoi")
        };
        let result = rig.simulator.post(message).await.unwrap();
        assert_eq!(result.posted.status, Some(503));
        assert_eq!(result.retried, retried, "{provider}");
    }
    let shown = rig.simulator.transcript("+31612345678");
    assert_eq!(shown[0].progress.status, MessageStatus::Rejected);
    let tokens: Vec<_> = rig.ingress.all()[..3]
        .iter()
        .map(|webhook| {
            webhook
                .header("i-twilio-idempotency-token")
                .map(str::to_owned)
        })
        .collect();
    assert!(tokens[0].is_some() && tokens[0] == tokens[1] && tokens[1] == tokens[2]);
}

#[tokio::test]
async fn an_absent_ingress_is_no_failure_of_the_simulator() {
    // Nothing listens on port 9 of this address.
    let rig = Rig::start_with(|config| config.ingress_url = "http://127.0.0.1:9".to_owned());
    let message = json!({ "from": "+31612345678", "text": "Hoi" });
    let (status, result) = rig.command("/simulator/messages", &message).await;
    assert_eq!(status, 200);
    assert_eq!(result["status"], Value::Null);
    assert!(
        result["error"]
            .as_str()
            .unwrap()
            .starts_with("cannot connect")
    );
    let shown = rig.simulator.transcript("+31612345678");
    assert_eq!(shown[0].progress.status, MessageStatus::Unreachable);
}

#[tokio::test]
async fn extra_fields_go_along_and_are_signed() {
    let rig = Rig::start();
    let message = json!({
        "from": "+31612345678", "text": "Hoi",
        "remove_params": ["ProfileName", "WaId"],
        "raw_params": [["Body", "nog een"], ["ExternalUserId", "whatsapp:ID.4566"]],
    });
    rig.command("/simulator/messages", &message).await;
    let webhook = rig.ingress.wait_for(1).await.remove(0);
    assert!(is_signed(&rig, &webhook));
    assert_eq!(webhook.field("WaId"), None);
    assert_eq!(webhook.field("ExternalUserId").unwrap(), "whatsapp:ID.4566");
    let form = webhook.form();
    assert_eq!(form.iter().filter(|(name, _)| name == "Body").count(), 2);

    let message = json!({
        "provider": "waha", "from": "+31612345678", "text": "Hoi",
        "raw_fields": { "payload": { "fromMe": true, "ack": null }, "me": null },
    });
    rig.command("/simulator/messages", &message).await;
    let event = rig.ingress.wait_for(2).await.remove(1).json();
    assert_eq!(event["payload"]["fromMe"], true);
    assert!(event["payload"].get("ack").is_none() && event.get("me").is_none());
}

#[tokio::test]
async fn messages_that_make_no_sense_are_refused_by_name() {
    let rig = Rig::start();
    for (message, word) in [
        (json!({ "text": "Hoi" }), "from"),
        (json!({ "from": "+316", "txt": "Hoi" }), "txt"),
        (json!({ "from": "+316", "provider": "fax" }), "fax"),
        (json!({ "from": "+316", "provider": "llm" }), "provider"),
        (
            json!({ "from": "+316", "provider": "chatwoot", "id": "x" }),
            "id",
        ),
        (
            json!({ "from": "+316", "media": [{ "base64": "%" }] }),
            "base64",
        ),
        (json!([{ "from": "" }]), "from"),
    ] {
        let (status, answer) = rig.command("/simulator/messages", &message).await;
        assert_eq!(status, 400, "{message}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
    assert!(rig.ingress.all().is_empty());
}

#[tokio::test]
async fn commands_from_foreign_pages_are_not_obeyed() {
    let rig = Rig::start();
    let request = rig
        .http
        .post(rig.url("/simulator/messages"))
        .header("content-type", "text/plain")
        .body(r#"{"from":"+31612345678","text":"Hoi"}"#);
    assert_eq!(request.send().await.unwrap().status(), 400);
    assert!(rig.ingress.all().is_empty());
}
