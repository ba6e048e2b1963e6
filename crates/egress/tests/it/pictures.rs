//! A picture behind a text: it goes along where the channel takes it, and never costs the text.

use shared_types::{DeliveryStatus, OutboundMessage, Picture};
use simulator::{Endpoint, Fault, FaultRule, Provider};

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
async fn twilio_and_waha_fetch_it_from_its_address_and_chatwoot_is_sent_the_text() {
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
    rig.chatwoot_conversation().await;
    rig.queue(&with_picture(chatwoot_reply("Deze staat er nog")))
        .await;
    rig.until_empty().await;
    let posts = rig.calls(Provider::Chatwoot).into_iter();
    let posts = posts.filter(|call| call.entry.endpoint == Endpoint::Send);
    let posts: Vec<_> = posts.collect();
    assert_eq!(texts(&posts), ["Deze staat er nog"]);
    rig.letters(0).await;
    egress.stop().await;
}

#[tokio::test]
async fn one_that_the_provider_refuses_or_says_nothing_of_is_left_out_and_not_tried_again() {
    let refused = |status, code| Fault::Error {
        status,
        code,
        message: Some("no".into()),
    };
    for (provider, fault) in [
        (Provider::Twilio, refused(400, Some(21_620))),
        (Provider::Twilio, refused(401, Some(20_003))),
        (Provider::Twilio, Fault::Timeout { accept: true }),
        (Provider::Twilio, Fault::Timeout { accept: false }),
        (Provider::Waha, refused(404, None)),
        (Provider::Waha, refused(422, None)),
        (Provider::Waha, Fault::Reset { accept: false }),
    ] {
        let rig = Rig::start();
        let egress = rig.egress(&[]);
        at_picture(&rig, provider, fault.clone());
        let (to, message) = match provider {
            Provider::Twilio => (CUSTOMER, reply("De tekst")),
            _ => (CHAT, waha_reply(CHAT, "De tekst")),
        };
        let message = with_picture(message);
        rig.queue(&message).await;
        rig.until_empty().await;
        let next = match provider {
            Provider::Twilio => reply("Daarna"),
            _ => waha_reply(CHAT, "Daarna"),
        };
        rig.queue(&next).await;
        rig.until_empty().await;
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
            "{to}: {texts:?}"
        );
        assert!(
            egress.metric("postduif_senders_stopped").await < 0.5,
            "{fault:?}"
        );
        assert_eq!(rig.ledger(&message).await["state"], "sent");
        egress.stop().await;
    }
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
