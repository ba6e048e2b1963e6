//! Twilio's happy paths, and how long texts are cut.

use shared_types::{DeliveryStatus, OutboundMessage, Template};
use simulator::{Endpoint, Provider, Query};

use crate::harness::{
    CUSTOMER, OTHER_OURS, OURS, PUBLIC, Rig, callback, field, reply, reply_to, texts,
};
use crate::logs;

#[tokio::test]
async fn a_reply_leaves_as_a_form_with_our_id_in_the_status_callback() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    let message = reply("Goedemorgen & tot ziens + 100 %, één 👍");
    rig.queue(&message).await;
    let sent = &rig.sent(CUSTOMER, 1).await[0];
    assert_eq!(field(sent, "To"), CUSTOMER);
    assert_eq!(field(sent, "From"), OURS);
    assert_eq!(field(sent, "Body"), message.text);
    let callback = format!("{PUBLIC}/webhooks/twilio/status?oid={}", message.id);
    assert_eq!(field(sent, "StatusCallback"), callback);
    let ledger = rig
        .ledger_when(&message, |f| f.contains_key("sent_at"))
        .await;
    assert_eq!(
        (ledger["state"].as_str(), &ledger["pid"]),
        ("sent", &sent.entry.id)
    );
    assert_eq!(ledger["accepted_as"], "queued");
    rig.until_empty().await;
    let lines = logs::about(message.id.as_str()).join("\n");
    assert!(lines.contains("Message sent to Twilio"), "{lines}");
    assert!(!lines.contains("Goedemorgen"), "{lines}");
    let sends = r#"postduif_sends_total{outcome="sent",source="twilio"}"#;
    assert!((egress.metric(sends).await - 1.0).abs() < f64::EPSILON);
    egress.stop().await;
}

/// Before Twilio knows of the new token, and after it forgot the old one.
#[tokio::test]
async fn no_message_waits_for_a_token_that_is_rotated() {
    let rig = Rig::start();
    for tokens in [
        [
            "twilio-auth-token=twilio-forgot-it",
            "twilio-extra-auth-tokens=nobody-knows-it,fake-twilio-token",
        ],
        [
            "twilio-auth-token=fake-twilio-token",
            "twilio-extra-auth-tokens=not-promoted-yet",
        ],
    ] {
        let egress = rig.egress(&tokens);
        let before = rig.calls(Provider::Twilio).len();
        for _ in 0..2 {
            rig.queue(&reply("Hallo")).await;
            rig.until_empty().await;
        }
        let refused = rig.calls(Provider::Twilio).len() - before - 2;
        assert_eq!(
            refused,
            if tokens[0].ends_with("forgot-it") {
                2
            } else {
                0
            },
            "each once"
        );
        assert!(egress.metric("postduif_senders_stopped").await < 0.5);
        egress.stop().await;
    }
    rig.letters(0).await;
    rig.sent(CUSTOMER, 4).await;
}

#[tokio::test]
async fn a_reply_that_comes_alone_is_started_by_the_fetch() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    rig.queue(&reply("Hallo")).await;
    rig.sent(CUSTOMER, 1).await;
    rig.until_empty().await;
    let count = async |script: &str| {
        let name = format!(r#"postduif_redis_script_seconds_count{{script="{script}"}}"#);
        egress.metric(&name).await as u32
    };
    // The intent, and that it was sent.
    assert_eq!((count("begin").await, count("record").await), (0, 2));
    egress.stop().await;
}

#[tokio::test]
async fn the_answer_comes_from_the_number_that_was_written_to() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let mut message = reply("Van het andere nummer");
    message.endpoint.address = Some(OTHER_OURS.parse().unwrap());
    rig.queue(&message).await;
    let mut stranger = reply("Van het eerste");
    stranger.endpoint.address = Some("whatsapp:+31209999999".parse().unwrap());
    rig.queue(&stranger).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    assert_eq!(field(&sent[0], "From"), OTHER_OURS);
    assert_eq!(field(&sent[1], "From"), OURS);
}

#[tokio::test]
async fn a_messaging_service_sends_what_no_number_of_ours_was_written_to() {
    let rig = Rig::start();
    let _egress = rig.egress(&["twilio-messaging-service-sid=MG00000000000000000000000000000001"]);
    let mut message = reply("Hallo");
    message.endpoint.address = None;
    rig.queue(&message).await;
    let sent = &rig.sent(CUSTOMER, 1).await[0];
    assert_eq!(
        (field(sent, "MessagingServiceSid"), field(sent, "From")),
        ("MG00000000000000000000000000000001".into(), String::new())
    );
    let ledger = rig
        .ledger_when(&message, |f| f.contains_key("accepted_as"))
        .await;
    assert_eq!(ledger["accepted_as"], "accepted");
}

#[tokio::test]
async fn a_template_has_fields_of_its_own() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let template = OutboundMessage {
        template: Some(Template {
            content_sid: "HX1".into(),
            variables: [("1".to_owned(), "Sanne".to_owned())].into(),
        }),
        ..reply("")
    };
    rig.queue(&template).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    assert_eq!(field(&sent[0], "ContentSid"), "HX1");
    assert_eq!(field(&sent[0], "ContentVariables"), r#"{"1":"Sanne"}"#);
    assert_eq!(field(&sent[0], "Body"), "");
}

#[tokio::test]
async fn a_long_text_leaves_in_parts_in_order_each_with_its_own_id() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let sentence = "Deze zin heeft precies een aantal woorden en een punt. ";
    let message = reply(&sentence.repeat(80));
    rig.queue(&message).await;
    rig.queue(&reply("Daarna pas dit")).await;
    let sent = rig.sent(CUSTOMER, 4).await;
    let together: Vec<_> = texts(&sent)[..3]
        .iter()
        .flat_map(|t| t.split_whitespace())
        .collect();
    assert_eq!(
        together,
        message.text.split_whitespace().collect::<Vec<_>>()
    );
    assert!(
        sent.iter()
            .all(|part| part.entry.text.encode_utf16().count() <= 1600)
    );
    assert_eq!(sent[3].entry.text, "Daarna pas dit");
    let ids: Vec<_> = sent[..3]
        .iter()
        .filter_map(|part| part.entry.oid.clone())
        .collect();
    let id = message.id.as_str();
    assert_eq!(ids, [id.to_owned(), format!("{id}.2"), format!("{id}.3")]);
}

#[tokio::test]
async fn a_part_that_fails_later_is_sent_again_alone() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let message = reply(&format!("{}\n\n{}", "a ".repeat(700), "b ".repeat(700)));
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    rig.until_empty().await;
    let mut report = callback(&message, &sent[1].entry.id, DeliveryStatus::Undelivered);
    report.outbound_id = sent[1].entry.oid.as_ref().map(|id| id.parse().unwrap());
    report.error_code = Some("63012".into());
    rig.report(&report).await;
    let sent = rig.sent(CUSTOMER, 3).await;
    assert_eq!(sent[2].entry.text, sent[1].entry.text);
    rig.until_empty().await;
    assert_eq!(
        rig.sent(CUSTOMER, 3).await.len(),
        3,
        "the first part is not repeated"
    );
}

#[tokio::test]
async fn each_conversation_is_answered_in_order_while_they_run_side_by_side() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let customers: Vec<_> = (0..20)
        .map(|n| format!("whatsapp:+3161234560{n:02}"))
        .collect();
    for number in 0..10 {
        for customer in &customers {
            rig.queue(&reply_to(customer, &number.to_string())).await;
        }
    }
    for customer in &customers {
        let expected: Vec<_> = (0..10).map(|n| n.to_string()).collect();
        assert_eq!(texts(&rig.sent(customer, 10).await), expected);
    }
    let looked_up = Query {
        endpoint: Some(Endpoint::List),
        provider: Some(Provider::Twilio),
        limit: 10,
        ..Query::default()
    };
    assert!(
        rig.simulator.sent(&looked_up).is_empty(),
        "nothing was in doubt"
    );
}
