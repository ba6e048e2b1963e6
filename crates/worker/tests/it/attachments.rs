//! Messages that are not text, and voice messages that become text.

use std::net::TcpListener;

use serde_json::{Value, json};
use simulator::{Simulator, SimulatorConfig, SimulatorHandle};
use tokio_util::sync::CancellationToken;

use crate::chat::Chat;

fn attachment(content_type: &str) -> Value {
    json!({"attachments": [{"url": "https://example.com/file", "content_type": content_type}]})
}

#[tokio::test]
async fn each_kind_of_message_gets_an_answer_of_its_own() {
    let mut chat = Chat::with_rules().await;
    for kind in [
        "image/jpeg",
        "audio/ogg",
        "video/mp4",
        "application/pdf",
        "text/vcard",
        "image/webp",
    ] {
        chat.sends("", attachment(kind)).await;
    }
    chat.sends(
        "",
        json!({"location": {"latitude": 52.37, "longitude": 4.89, "label": "De Dam"}}),
    )
    .await;
    chat.sends("Ja", json!({"button": {"text": "Ja", "payload": "yes"}}))
        .await;
    chat.sends(
        "deze golf bedoel ik, wat kost die?",
        attachment("image/jpeg"),
    )
    .await;
    insta::assert_snapshot!(chat.transcript);
}

/// The first message of somebody who clicked is mostly a greeting, and a card says nothing of a car.
#[tokio::test]
async fn what_came_before_there_was_a_lead_is_noted_with_it() {
    let mut chat = Chat::with_rules().await;
    let ad = json!({"referral": {"click_id": "ARA1", "headline": "Onze voorraad"}});
    chat.sends("Hallo", ad).await;
    let card =
        json!({"attachments": [{"content_type": "text/vcard", "text": "Piet, +31611111111"}]});
    chat.sends("", card).await;
    assert_eq!(chat.noted("ad_click_id").await, None);
    chat.says("Ik zoek een Golf").await;
    assert_eq!(chat.noted("ad_click_id").await.as_deref(), Some("ARA1"));
    let shared = chat.noted("shared_contact").await;
    assert_eq!(shared.as_deref(), Some("Piet, +31611111111"));
    assert!(chat.known.memory.carried.is_empty(), "once");
}

fn simulator() -> SimulatorHandle {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = SimulatorConfig::for_ingress("http://127.0.0.1:9");
    Simulator::new(config, listener, CancellationToken::new())
        .start()
        .unwrap()
}

/// Twilio's media are the simulator's: its URL is the API's base URL.
async fn listening_chat(simulator: &SimulatorHandle) -> Chat {
    listening_chat_with(simulator, &["--twilio-auth-token", "fake-twilio-token"]).await
}

async fn listening_chat_with(simulator: &SimulatorHandle, tokens: &[&str]) -> Chat {
    let (url, model) = (simulator.url(), format!("{}/v1", simulator.url()));
    let flags = [
        "--transcribe-base-url",
        &model,
        "--transcribe-timeout-ms",
        "1000",
        "--twilio-api-base-url",
        url,
        "--twilio-account-sid",
        "AC00000000000000000000000000000000",
    ];
    Chat::with(&[&flags, tokens].concat()).await
}

/// Lets the simulator keep a file; gives its address.
async fn kept(simulator: &SimulatorHandle, content_type: &str, content: &str) -> String {
    let file = json!({"content_type": content_type, "content": content});
    let posted = simulator::CustomerMessage {
        media: vec![serde_json::from_value(file).unwrap()],
        ..simulator::CustomerMessage::text(simulator::Provider::Twilio, "+31612345678", "")
    };
    // Nothing listens at the ingress: the file is kept all the same.
    drop(simulator.post(posted).await);
    let written = simulator.transcript("+31612345678");
    let request = written.last().unwrap().entry.request.to_string();
    let url = request
        .split('"')
        .find(|part| part.starts_with(simulator.url()));
    url.unwrap().to_owned()
}

#[tokio::test]
async fn a_voice_message_is_answered_as_if_it_were_typed() {
    let simulator = simulator();
    simulator.add_llm_rule(
        serde_json::from_value(json!({"match": {"file": "message"}, "reply": {"kind": "text", "text": "Ik zoek een Golf"}})).unwrap(),
    );
    let mut chat = listening_chat(&simulator).await;
    let url = kept(&simulator, "audio/ogg", "beep").await;
    let reply = chat
        .sends(
            "",
            json!({"attachments": [{"url": url, "content_type": "audio/ogg"}]}),
        )
        .await
        .unwrap();
    let page = chat.metrics.page().unwrap();
    assert!(reply.text.contains("Golf"), "{}\n{page}", reply.text);
    assert_eq!(chat.known.history[0].text, "Ik zoek een Golf");
}

/// Before Twilio knows of the new token, and after it forgot the old one; with neither it is not fetched.
#[tokio::test]
async fn no_voice_message_is_lost_to_a_token_that_is_rotated() {
    for (token, further, outcome) in [
        ("fake-twilio-token", "not-promoted-yet", "done"),
        (
            "twilio-forgot-it",
            "nobody-knows-it,fake-twilio-token",
            "done",
        ),
        ("twilio-forgot-it", "nobody-knows-it", "not_fetched"),
    ] {
        let simulator = simulator();
        let tokens = [
            "--twilio-auth-token",
            token,
            "--twilio-extra-auth-tokens",
            further,
        ];
        let mut chat = listening_chat_with(&simulator, &tokens).await;
        let url = kept(&simulator, "audio/ogg", "beep").await;
        let voice = json!({"attachments": [{"url": url, "content_type": "audio/ogg"}]});
        assert!(chat.sends("", voice).await.is_some());
        let page = chat.metrics.page().unwrap();
        let counted = format!("postduif_transcriptions_total{{outcome=\"{outcome}\"}} 1");
        assert!(page.contains(&counted), "{token}, {further}: {page}");
    }
}

/// Twilio hands contacts over as files.
#[tokio::test]
async fn a_contact_that_is_a_file_is_kept_with_its_number() {
    let simulator = simulator();
    let mut chat = listening_chat(&simulator).await;
    chat.says("Ik zoek een Golf").await;
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Piet Jansen\r\nTEL;type=CELL;waid=31611111111:+31 6 11111111\r\nEND:VCARD";
    let url = kept(&simulator, "text/vcard", card).await;
    let file =
        json!({"attachments": [{"url": url, "content_type": "text/x-vcard; charset=utf-8"}]});
    assert!(chat.sends("", file).await.is_some());
    let line = &chat.known.history.iter().rev().nth(1).unwrap().text;
    assert_eq!(line, "[contact] Piet Jansen, +31611111111");
    let elsewhere = json!({"attachments": [
        {"url": "https://localhost/piet.vcf", "content_type": "text/vcard"},
        {"url": kept(&simulator, "text/vcard", "no card").await, "content_type": "text/vcard"},
    ]});
    assert!(chat.sends("", elsewhere).await.is_some());
    let page = chat.metrics.page().unwrap();
    for outcome in ["done", "not_fetched", "empty"] {
        let counted = format!("postduif_contact_cards_total{{outcome=\"{outcome}\"}} 1");
        assert!(page.contains(&counted), "{page}");
    }
}

#[tokio::test]
async fn recordings_elsewhere_are_not_fetched_and_still_answered() {
    let simulator = simulator();
    let mut chat = listening_chat(&simulator).await;
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "https://localhost/secret.ogg",
        "https://media.twiliocdn.com.evil.example/a.ogg",
        "file:///etc/passwd",
    ] {
        let reply = chat
            .sends(
                "",
                json!({"attachments": [{"url": url, "content_type": "audio/ogg"}]}),
            )
            .await;
        assert!(
            reply.is_some_and(|reply| reply.text.contains("spraakbericht")),
            "{url}"
        );
    }
    let page = chat.metrics.page().unwrap();
    assert!(
        page.contains(r#"postduif_transcriptions_total{outcome="not_fetched"} 4"#),
        "{page}"
    );
}
