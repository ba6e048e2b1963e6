//! What may not be sent, and what goes instead.

use jiff::{SignedDuration, Timestamp};
use shared_types::{DeliveryStatus, OutboundMessage, Purpose};

use crate::harness::{CUSTOMER, OURS, Rig, callback, field, reply, texts};

fn hours_ago(hours: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn after_an_opt_out_only_its_confirmation_leaves() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    rig.set(&rig.keys(CUSTOMER).contact(CUSTOMER), "opted_out", "1");
    let notice = OutboundMessage {
        purpose: Purpose::OptOutNotice,
        ..reply("U bent afgemeld")
    };
    rig.queue(&reply("Nog een aanbieding")).await;
    rig.queue(&notice).await;
    assert_eq!(texts(&rig.sent(CUSTOMER, 1).await), ["U bent afgemeld"]);
    assert_eq!(rig.letters(1).await[0].reason, "opted_out");
    let refused = r#"postduif_sends_refused_total{reason="opted_out",source="twilio"}"#;
    assert!((egress.metric(refused).await - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn while_a_human_is_in_charge_the_bot_is_silent() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    let conversation = rig.keys(CUSTOMER).conversation(CUSTOMER);
    rig.set(
        &conversation,
        "human_until",
        &until.as_millisecond().to_string(),
    );
    rig.queue(&reply("Ik ben er nog")).await;
    let notice = OutboundMessage {
        purpose: Purpose::HandoffNotice,
        ..reply("Een collega neemt het over")
    };
    rig.queue(&notice).await;
    assert_eq!(
        texts(&rig.sent(CUSTOMER, 1).await),
        ["Een collega neemt het over"]
    );
    assert_eq!(rig.letters(1).await[0].reason, "human_in_charge");
    rig.set(&conversation, "human_until", "1");
    rig.queue(&reply("Daar ben ik weer")).await;
    rig.sent(CUSTOMER, 2).await;
}

#[tokio::test]
async fn outside_the_window_the_template_goes_or_the_message_is_set_aside() {
    let rig = Rig::start();
    let late = |text: &str| OutboundMessage {
        created_at: hours_ago(25),
        ..reply(text)
    };
    let egress = rig.egress(&[]);
    rig.queue(&late("Te laat")).await;
    assert_eq!(rig.letters(1).await[0].reason, "window_closed");
    egress.stop().await;

    let _egress = rig.egress(&["twilio-window-template-sid=HX9"]);
    rig.queue(&late("Ook te laat")).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    assert_eq!(
        (field(&sent[0], "ContentSid"), field(&sent[0], "Body")),
        ("HX9".into(), String::new())
    );

    // The customer wrote again since, to the same number: the window is open.
    let conversation = rig.keys(CUSTOMER).conversation(CUSTOMER);
    rig.set(
        &conversation,
        "last_in",
        &hours_ago(1).as_millisecond().to_string(),
    );
    rig.set(&conversation, "last_in_to", OURS);
    rig.queue(&late("Toch nog op tijd")).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    assert_eq!(field(&sent[1], "Body"), "Toch nog op tijd");
}

#[tokio::test]
async fn a_late_report_of_the_closed_window_sends_the_template_or_sets_the_message_aside() {
    let rig = Rig::start();
    let egress = rig.egress(&["twilio-window-template-sid=HX9"]);
    let message = reply("Hallo");
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    let mut report = callback(&message, &sent[0].entry.id, DeliveryStatus::Failed);
    report.error_code = Some("63016".into());
    rig.report(&report).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    assert_eq!(field(&sent[1], "ContentSid"), "HX9");
    assert_ne!(sent[0].entry.oid, sent[1].entry.oid);
    rig.until_empty().await;
    egress.stop().await;

    let _egress = rig.egress(&[]);
    let message = reply("Nog eens");
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 3).await;
    let mut report = callback(&message, &sent[2].entry.id, DeliveryStatus::Failed);
    report.error_code = Some("63016".into());
    rig.report(&report).await;
    let letter = &rig.letters(1).await[0];
    assert_eq!(letter.reason, "undelivered");
    assert!(letter.error.contains("63016"), "{}", letter.error);
}
