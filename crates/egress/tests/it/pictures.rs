//! A picture behind a text: it goes along where the channel takes it, and never costs the text.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shared_types::{DeliveryStatus, OutboundMessage, Picture};
use simulator::{Endpoint, Fault, FaultRule, Provider, Record};
use tokio::runtime::Runtime;

use crate::harness::{CUSTOMER, Rig, callback, chatwoot_reply, field, reply, texts, waha_reply};

const CHAT: &str = "31612345678@c.us";
const URL: &str = "https://deduif.test/foto/golf-1.jpg?v=2";

fn with_picture(message: OutboundMessage) -> OutboundMessage {
    OutboundMessage {
        picture: Some(Picture {
            url: URL.into(),
            caption: "Volkswagen Golf".into(),
        }),
        ..message
    }
}

/// Misbehaves at the picture, and not at the text.
fn at_picture(rig: &Rig, provider: Provider, fault: Fault) {
    let mut rule = FaultRule::for_sends(provider, 10, fault);
    rule.matching.text = Some("Volkswagen Golf".into());
    rig.simulator.add_fault(rule).unwrap();
}

#[tokio::test]
async fn twilio_and_waha_fetch_it_from_its_address() {
    let rig = Rig::start();
    let egress = rig.egress(&["waha-typing-speed=1000"]);
    rig.queue(&with_picture(reply("Deze staat er nog"))).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    assert_eq!(texts(&sent), ["Deze staat er nog", "Volkswagen Golf"]);
    assert_eq!(
        (field(&sent[0], "MediaUrl"), field(&sent[1], "MediaUrl")),
        (String::new(), URL.into())
    );
    rig.queue(&with_picture(waha_reply(CHAT, "Deze staat er nog")))
        .await;
    rig.until_empty().await;
    let posts = rig.calls(Provider::Waha);
    let picture = &posts.last().unwrap().entry;
    assert_eq!(picture.text, "Volkswagen Golf");
    assert_eq!(picture.request["file"]["url"], URL);
    assert_eq!(picture.request["file"]["filename"], "golf-1.jpg");
    assert_eq!(picture.request["file"]["mimetype"], "image/jpeg");
    assert!(picture.request["reply_to"].is_null());
    rig.letters(0).await;
    egress.stop().await;
}

/// A server that answers every request with this, and how often it was asked.
fn server(answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    serve(move |_| {
        let head = format!("200 OK\r\ncontent-length: {}", answer.len());
        (head, answer)
    })
}

/// A server that answers each path with status and header lines, and a body; and how often it was asked.
fn serve(
    answer: impl Fn(&str) -> (String, &'static [u8]) + Send + 'static,
) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.unwrap();
            let mut head = [0; 4_096];
            let read = stream.read(&mut head).unwrap_or(0);
            let asked = String::from_utf8_lossy(&head[..read]).into_owned();
            let (head, body) = answer(asked.split(' ').nth(1).unwrap_or_default());
            let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
            drop(stream.write_all(&[head.as_bytes(), body].concat()));
        }
    });
    (port, asked)
}

/// Sends Chatwoot a text with the picture at an address; what it was sent.
async fn sent_to_chatwoot(rig: &Rig, flag: &str, url: String) -> Vec<Record> {
    rig.chatwoot_conversation().await;
    let egress = rig.egress(&[flag]);
    let message = OutboundMessage {
        picture: Some(Picture {
            url,
            caption: "Volkswagen Golf".into(),
        }),
        ..chatwoot_reply("Deze staat er nog")
    };
    rig.queue(&message).await;
    rig.until_empty().await;
    rig.letters(0).await;
    assert_eq!(rig.ledger(&message).await["state"], "sent");
    egress.stop().await;
    let posts = rig.calls(Provider::Chatwoot).into_iter();
    posts
        .filter(|call| call.entry.endpoint == Endpoint::Send)
        .collect()
}

#[tokio::test]
async fn chatwoot_is_sent_the_file() {
    let rig = Rig::start();
    let (port, asked) = server(b"\xff\xd8\xffa picture\r\n--with lines\r\n");
    let url = format!("http://127.0.0.1:{port}/foto/golf-1.php?v=2");
    let sent = sent_to_chatwoot(&rig, "pictures-allow-private=true", url).await;
    assert_eq!(texts(&sent), ["Deze staat er nog", "Volkswagen Golf"]);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let request = &sent[1].entry.request;
    assert_eq!(request["message_type"], "outgoing");
    assert_eq!(request["content_attributes"]["postduif"], true);
    let file = &request["attachments"][0];
    assert_eq!(
        (file["filename"].as_str(), file["content_type"].as_str()),
        (Some("golf-1.jpg"), Some("image/jpeg"))
    );
    let kept = reqwest::get(file["data_url"].as_str().unwrap()).await;
    let kept = kept.unwrap().bytes().await.unwrap();
    assert_eq!(&kept[..], b"\xff\xd8\xffa picture\r\n--with lines\r\n");
}

#[tokio::test]
async fn what_is_no_picture_or_within_the_network_is_left_out_of_chatwoot() {
    let (page, asked) = server(b"<!doctype html><title>Sorry</title>");
    for (flag, fetched) in [("true", 1), ("false", 1)] {
        let rig = Rig::start();
        let flag = format!("pictures-allow-private={flag}");
        let url = format!("http://127.0.0.1:{page}/golf-1.jpg");
        let sent = sent_to_chatwoot(&rig, &flag, url).await;
        assert_eq!(texts(&sent), ["Deze staat er nog"]);
        assert_eq!(asked.load(Ordering::SeqCst), fetched, "{flag}");
    }
}

#[tokio::test]
async fn a_server_within_the_network_leads_to_no_other_one() {
    let (other, asked) = server(b"\xff\xd8\xffa picture");
    for (to, sent_on) in [
        ("/moved.jpg".to_owned(), 1),
        (format!("http://127.0.0.1:{other}/x.jpg"), 0),
    ] {
        let (port, _) = serve(move |path| match path {
            "/golf.jpg" => (
                format!("302 Found\r\nlocation: {to}\r\ncontent-length: 0"),
                &b""[..],
            ),
            _ => (
                "200 OK\r\ncontent-length: 12".into(),
                &b"\xff\xd8\xffa picture"[..],
            ),
        });
        let rig = Rig::start();
        let url = format!("http://127.0.0.1:{port}/golf.jpg");
        let sent = sent_to_chatwoot(&rig, "pictures-allow-private=true", url).await;
        assert_eq!(sent.len(), 1 + sent_on);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn one_that_the_provider_refuses_or_says_nothing_of_is_left_out_and_not_tried_again() {
    let (port, _) = server(b"\xff\xd8\xffa picture");
    let refused = |status, code| Fault::Error {
        status,
        code,
        message: Some("no".into()),
    };
    let cases = [
        (Provider::Twilio, refused(400, Some(21_620))),
        (Provider::Twilio, refused(401, Some(20_003))),
        (Provider::Twilio, Fault::Timeout { accept: true }),
        (Provider::Twilio, Fault::Timeout { accept: false }),
        (Provider::Waha, refused(404, None)),
        (Provider::Waha, refused(422, None)),
        (Provider::Waha, Fault::Reset { accept: false }),
        (Provider::Chatwoot, refused(422, None)),
        (Provider::Chatwoot, refused(401, None)),
        (Provider::Chatwoot, Fault::Timeout { accept: true }),
    ];
    // Each waits for its own services.
    std::thread::scope(|scope| {
        for (provider, fault) in cases {
            scope.spawn(move || {
                let runtime = Runtime::new().unwrap();
                runtime.block_on(is_left_out(port, provider, fault));
            });
        }
    });
}

/// With the fault at its picture, a message goes without it, and the one behind it goes too.
async fn is_left_out(port: u16, provider: Provider, fault: Fault) {
    let rig = Rig::start();
    let egress = rig.egress(&["pictures-allow-private=true"]);
    at_picture(&rig, provider, fault.clone());
    if provider == Provider::Chatwoot {
        rig.chatwoot_conversation().await;
    }
    let reply_with = |text: &str| match provider {
        Provider::Twilio => reply(text),
        Provider::Chatwoot => chatwoot_reply(text),
        _ => waha_reply(CHAT, text),
    };
    let mut message = with_picture(reply_with("De tekst"));
    if let Some(picture) = message
        .picture
        .as_mut()
        .filter(|_| provider == Provider::Chatwoot)
    {
        picture.url = format!("http://127.0.0.1:{port}/golf.jpg");
    }
    for message in [&message, &reply_with("Daarna")] {
        rig.queue(message).await;
        rig.until_empty().await;
    }
    rig.letters(0).await;
    let calls = rig.calls(provider);
    let pictures = calls
        .iter()
        .filter(|call| call.entry.text == "Volkswagen Golf");
    assert!(pictures.count() <= 1, "{fault:?}");
    let texts = calls.iter().filter(|call| call.entry.outcome.is_accepted());
    let texts: Vec<_> = texts.map(|call| call.entry.text.as_str()).collect();
    assert!(
        texts.contains(&"De tekst") && texts.contains(&"Daarna"),
        "{fault:?}: {texts:?}"
    );
    assert!(
        egress.metric("postduif_senders_stopped").await < 0.5,
        "{fault:?}"
    );
    assert_eq!(rig.ledger(&message).await["state"], "sent");
    egress.stop().await;
}

#[tokio::test]
async fn one_that_fails_after_it_was_accepted_sends_nothing_anew() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    let message = with_picture(reply("De tekst"));
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    rig.until_empty().await;
    let mut failed = callback(&message, &sent[1].entry.id, DeliveryStatus::Undelivered);
    failed.outbound_id = Some(message.id.part(2));
    // 63019: the picture could not be fetched. 30008 would be sent anew.
    for code in ["63019", "30008"] {
        failed.error_code = Some(code.into());
        rig.report(&failed).await;
        rig.until_empty().await;
    }
    rig.sent(CUSTOMER, 2).await;
    rig.letters(0).await;
    egress.stop().await;
}

#[tokio::test]
async fn a_text_that_is_sent_anew_goes_without_its_picture() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    let message = with_picture(reply("De tekst"));
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    rig.until_empty().await;
    let mut failed = callback(&message, &sent[0].entry.id, DeliveryStatus::Undelivered);
    failed.error_code = Some("63012".into());
    rig.report(&failed).await;
    let sent = rig.sent(CUSTOMER, 3).await;
    assert_eq!(texts(&sent), ["De tekst", "Volkswagen Golf", "De tekst"]);
    rig.until_empty().await;
    egress.stop().await;
}

#[tokio::test]
async fn outside_of_the_window_the_template_goes_alone() {
    let rig = Rig::start();
    let egress = rig.egress(&["twilio-window-template-sid=HX00000000000000000000000000000001"]);
    let mut message = with_picture(reply("De tekst"));
    message.created_at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(25);
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    assert!(field(&sent[0], "ContentSid").starts_with("HX"));
    rig.until_empty().await;
    assert_eq!(rig.calls(Provider::Twilio).len(), 1);
    egress.stop().await;
}
