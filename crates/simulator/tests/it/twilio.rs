use serde_json::{Value, json};
use simulator::{CustomerMessage, Media, Provider};

use crate::support::{ACCOUNT, CUSTOMER, NUMBER, Rig, TOKEN, json};

#[tokio::test]
async fn a_message_is_created_as_documented() {
    let rig = Rig::start();
    let (status, message) = json(rig.send("Één 👍")).await;
    assert_eq!(status, 201);
    let sid = message["sid"].as_str().unwrap();
    assert!(sid.starts_with("SM") && sid.len() == 34, "{sid}");
    let uri = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json");
    for (name, expected) in [
        ("account_sid", json!(ACCOUNT)),
        ("api_version", json!("2010-04-01")),
        ("body", json!("Één 👍")),
        ("direction", json!("outbound-api")),
        ("error_code", Value::Null),
        ("error_message", Value::Null),
        ("from", json!(NUMBER)),
        ("to", json!(CUSTOMER)),
        ("messaging_service_sid", Value::Null),
        ("num_media", json!("0")),
        ("num_segments", json!("1")),
        ("price", Value::Null),
        ("price_unit", Value::Null),
        ("status", json!("queued")),
        ("date_sent", Value::Null),
        ("uri", json!(uri)),
        (
            "subresource_uris",
            json!({ "media": uri.replace(".json", "/Media.json") }),
        ),
    ] {
        assert_eq!(message[name], expected, "{name}");
    }
    for name in ["date_created", "date_updated"] {
        let date = message[name].as_str().unwrap();
        assert!(jiff::fmt::rfc2822::parse(date).is_ok(), "{date}");
    }
}

#[tokio::test]
async fn a_messaging_service_accepts_and_picks_the_sender_later() {
    let rig = Rig::start();
    let fields = [
        ("MessagingServiceSid", "MG1"),
        ("To", CUSTOMER),
        ("MediaUrl", "https://example.nl/golf.jpg"),
    ];
    let (status, message) = json(rig.twilio(&fields)).await;
    assert_eq!(status, 201);
    assert_eq!(message["status"], "accepted");
    assert_eq!(message["from"], Value::Null);
    assert_eq!(message["num_media"], "1");
    assert!(message["sid"].as_str().unwrap().starts_with("MM"));
}

#[tokio::test]
async fn mistakes_are_refused_with_code_and_documented_body() {
    let rig = Rig::start();
    let long = "a".repeat(1_601);
    for (fields, code) in [
        (vec![("From", NUMBER), ("Body", "x")], 21_604),
        (
            vec![("From", NUMBER), ("To", "whatsapp:0612"), ("Body", "x")],
            21_211,
        ),
        (
            vec![("From", NUMBER), ("To", CUSTOMER), ("Body", &long)],
            21_617,
        ),
        (vec![("From", NUMBER), ("To", CUSTOMER)], 21_602),
        (
            vec![
                ("From", "whatsapp:+15550001111"),
                ("To", CUSTOMER),
                ("Body", "x"),
            ],
            63_007,
        ),
    ] {
        let (status, error) = json(rig.twilio(&fields)).await;
        assert_eq!((status, &error["code"]), (400, &json!(code)));
        assert_eq!(error["status"], 400);
        assert!(error["message"].is_string());
        let more_info = format!("https://www.twilio.com/docs/errors/{code}");
        assert_eq!(error["more_info"], more_info);
    }
    let stats = rig.simulator.stats();
    let ours = stats.senders.iter().find(|sender| sender.sender == NUMBER);
    let refused = &ours.unwrap().refused;
    assert_eq!(refused["21617"], 1);
    assert_eq!(rig.accepted(), 0);
}

#[tokio::test]
async fn strangers_and_foreign_accounts_are_turned_away() {
    let rig = Rig::start();
    let post = |account: &str, token: &str| {
        let path = format!("/2010-04-01/Accounts/{account}/Messages.json");
        let request = rig.http.post(rig.url(&path));
        let fields = [("From", NUMBER), ("To", CUSTOMER), ("Body", "x")];
        request.basic_auth(ACCOUNT, Some(token)).form(&fields)
    };
    let (status, error) = json(post(ACCOUNT, "wrong")).await;
    assert_eq!((status, &error["code"]), (401, &json!(20_003)));
    let (status, error) = json(post("AC1", TOKEN)).await;
    assert_eq!((status, &error["code"]), (404, &json!(20_404)));
    assert_eq!(rig.accepted(), 0);
}

#[tokio::test]
async fn lists_newest_first_by_recipient_sender_and_page() {
    let rig = Rig::start();
    for text in ["een", "twee", "drie"] {
        assert_eq!(json(rig.send(text)).await.0, 201);
    }
    let other = [
        ("From", NUMBER),
        ("To", "whatsapp:+31687654321"),
        ("Body", "ander"),
    ];
    json(rig.twilio(&other)).await;

    let to = "whatsapp%3A%2B31612345678";
    let first = format!("Messages.json?To={to}&PageSize=2&DateSent%3E=2020-01-01");
    let (status, page) = json(rig.twilio_get(&first)).await;
    assert_eq!(status, 200);
    assert_eq!(bodies(&page), ["drie", "twee"]);
    let next = page["next_page_uri"].as_str().unwrap();
    let next = rig.http.get(rig.url(next));
    let (_, page) = json(next.basic_auth(ACCOUNT, Some(TOKEN))).await;
    assert_eq!(bodies(&page), ["een"]);
    assert_eq!(page["next_page_uri"], Value::Null);

    let (_, all) = json(rig.twilio_get("Messages.json")).await;
    assert_eq!(bodies(&all), ["ander", "drie", "twee", "een"]);
    let foreign = "Messages.json?From=whatsapp%3A%2B15550001111";
    assert!(bodies(&json(rig.twilio_get(foreign)).await.1).is_empty());
    let past = "Messages.json?DateSent%3C=2020-01-01";
    assert!(bodies(&json(rig.twilio_get(past)).await.1).is_empty());
}

/// What customers wrote is listed too, whether or not its webhook came.
#[tokio::test]
async fn lists_what_customers_wrote_to_a_number() {
    let rig = Rig::start();
    let photo = Media {
        content_type: "image/jpeg".to_owned(),
        ..Media::default()
    };
    let lost = CustomerMessage {
        lost: true,
        media: vec![photo],
        ..CustomerMessage::text(Provider::Twilio, CUSTOMER, "verloren")
    };
    let lost = rig.simulator.post(lost).await.unwrap();
    assert_eq!(lost.posted.status, None);
    assert!(rig.ingress.all().is_empty());
    let came = CustomerMessage::text(Provider::Twilio, CUSTOMER, "aangekomen");
    rig.simulator.post(came).await.unwrap();
    json(rig.send("antwoord")).await;

    let to = "Messages.json?To=whatsapp%3A%2B14155238886";
    let (_, page) = json(rig.twilio_get(to)).await;
    assert_eq!(bodies(&page), ["aangekomen", "verloren"]);
    let message = &page["messages"][1];
    for (field, expected) in [
        ("sid", lost.id.as_str()),
        ("direction", "inbound"),
        ("status", "received"),
        ("from", CUSTOMER),
        ("to", NUMBER),
        ("num_media", "1"),
    ] {
        assert_eq!(message[field], expected, "{field}");
    }
    let media = message["subresource_uris"]["media"].as_str().unwrap();
    let media = rig.http.get(rig.url(media));
    let (_, media) = json(media.basic_auth(ACCOUNT, Some(TOKEN))).await;
    let file = &media["media_list"][0];
    assert_eq!(file["content_type"], "image/jpeg");
    let uri = file["uri"].as_str().unwrap();
    let file = rig.http.get(rig.url(uri.trim_end_matches(".json")));
    let file = file.basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert_eq!(file.status(), 200);
}

fn bodies(page: &Value) -> Vec<&str> {
    let messages = page["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["body"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn one_message_is_found_by_its_sid() {
    let rig = Rig::start();
    let (_, message) = json(rig.send("Hoi")).await;
    let path = format!("Messages/{}.json", message["sid"].as_str().unwrap());
    let (status, found) = json(rig.twilio_get(&path)).await;
    assert_eq!(status, 200);
    assert_eq!(found["sid"], message["sid"]);
    let (status, error) = json(rig.twilio_get("Messages/SM0.json")).await;
    assert_eq!((status, &error["code"]), (404, &json!(20_404)));
}

#[tokio::test]
async fn typing_belongs_to_the_customer_who_wrote() {
    let rig = Rig::start();
    let message = CustomerMessage::text(Provider::Twilio, "+31612345678", "Hoi");
    let posted = rig.simulator.post(message).await.unwrap();
    let typing = |channel: &str, id: &str| {
        rig.http
            .post(rig.url("/v2/Indicators/Typing.json"))
            .basic_auth(ACCOUNT, Some(TOKEN))
            .form(&[("channel", channel), ("messageId", id)])
    };
    let (status, answer) = json(typing("whatsapp", &posted.id)).await;
    assert_eq!((status, answer), (200, json!({ "success": true })));
    let transcript = rig.simulator.transcript("+31612345678");
    assert_eq!(transcript.len(), 2);
    assert_eq!(json(typing("sms", &posted.id)).await.0, 400);
}

#[tokio::test]
async fn media_are_downloaded_with_basic_authentication_only() {
    let rig = Rig::start();
    let message = CustomerMessage {
        media: vec![Media {
            content_type: "text/plain".to_owned(),
            content: Some("hallo".to_owned()),
            ..Media::default()
        }],
        ..CustomerMessage::text(Provider::Twilio, "+31612345678", "")
    };
    rig.simulator.post(message).await.unwrap();
    let url = rig.ingress.wait_for(1).await[0].field("MediaUrl0").unwrap();
    let folder = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/MM");
    assert!(
        url.starts_with(&rig.url(&folder)) && url.contains("/Media/ME"),
        "{url}"
    );
    assert_eq!(json(rig.http.get(&url)).await.0, 401);
    let request = rig.http.get(&url).basic_auth(ACCOUNT, Some(TOKEN));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.text().await.unwrap(), "hallo");
}
