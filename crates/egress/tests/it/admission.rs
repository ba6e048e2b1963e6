//! What may not be sent, and what goes instead.

use jiff::{SignedDuration, Timestamp};
use shared_types::{DeliveryStatus, OutboundId, OutboundMessage, Purpose, Template};

use crate::harness::{CUSTOMER, OURS, Rig, callback, field, fresh_id, reply, texts};
use simulator::{Endpoint, Fault, FaultRule, Provider};
use streams::{Person, Place};

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

    let _egress = rig.egress(&["twilio-window-template-sid=HX00000000000000000000000000000009"]);
    rig.queue(&late("Ook te laat")).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    assert_eq!(
        (field(&sent[0], "ContentSid"), field(&sent[0], "Body")),
        ("HX00000000000000000000000000000009".into(), String::new())
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
async fn a_template_that_a_colleague_chose_goes_also_outside_of_the_window() {
    let rig = Rig::start();
    let _egress = rig.egress(&["twilio-window-template-sid=HX00000000000000000000000000000009"]);
    let conversation = rig.keys(CUSTOMER).conversation(CUSTOMER);
    let last = hours_ago(25).as_millisecond().to_string();
    rig.set(&conversation, "last_in", &last);
    let words = OutboundMessage {
        purpose: Purpose::Colleague,
        ..reply("Dag Sanne, schrijf terug")
    };
    rig.queue(&words).await;
    assert_eq!(rig.letters(1).await[0].reason, "window_closed");
    let chosen = OutboundMessage {
        id: fresh_id(),
        template: Some(Template {
            content_sid: "HX00000000000000000000000000000001".into(),
            variables: [("1".to_owned(), "Sanne".to_owned())].into(),
        }),
        ..words
    };
    rig.queue(&chosen).await;
    let sent = &rig.sent(CUSTOMER, 1).await[0];
    assert_eq!(
        (field(sent, "ContentSid"), field(sent, "Body")),
        ("HX00000000000000000000000000000001".into(), String::new())
    );
    assert_eq!(field(sent, "ContentVariables"), r#"{"1":"Sanne"}"#);
}

#[tokio::test]
async fn a_late_report_of_the_closed_window_sends_the_template_or_sets_the_message_aside() {
    let rig = Rig::start();
    let egress = rig.egress(&["twilio-window-template-sid=HX00000000000000000000000000000009"]);
    let message = reply("Hallo");
    rig.queue(&message).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    let mut report = callback(&message, &sent[0].entry.id, DeliveryStatus::Failed);
    report.error_code = Some("63016".into());
    rig.report(&report).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    assert_eq!(
        field(&sent[1], "ContentSid"),
        "HX00000000000000000000000000000009"
    );
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

/// Refused for the account, so that the sender stops and its messages wait.
const BAD_TOKEN: Fault = Fault::Error {
    status: 401,
    code: Some(20_003),
    message: None,
};

#[tokio::test]
async fn what_waited_for_its_sender_does_not_leave_after_an_opt_out() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    let rule = FaultRule::for_sends(Provider::Twilio, u64::MAX, BAD_TOKEN);
    rig.simulator.add_fault(rule).unwrap();
    let message = reply("Nog een aanbieding");
    rig.queue(&message).await;
    rig.ledger_when(&message, |f| {
        f.get("error").is_some_and(|e| e.contains("20003"))
    })
    .await;
    rig.set(&rig.keys(CUSTOMER).contact(CUSTOMER), "opted_out", "1");
    rig.simulator.clear_faults();
    assert_eq!(rig.letters(1).await[0].reason, "opted_out");
    assert!(
        rig.simulator
            .wait_for_sent(CUSTOMER, 0, std::time::Duration::ZERO)
            .await
            .is_empty()
    );
    egress.stop().await;
}

#[tokio::test]
async fn a_colleague_who_takes_over_amid_a_long_message_is_not_talked_over() {
    let rig = Rig::start();
    let _egress = rig.egress(&["first-pause-ms=300"]);
    let mut rule = FaultRule::for_sends(Provider::Twilio, 1, BUSY);
    rule.skip = 1;
    rig.simulator.add_fault(rule).unwrap();
    let message = reply(&"Deze zin heeft een aantal woorden en een punt. ".repeat(60));
    rig.queue(&message).await;
    failed_once(&rig, &message.id.part(2)).await;
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    let conversation = rig.keys(CUSTOMER).conversation(CUSTOMER);
    rig.set(
        &conversation,
        "human_until",
        &until.as_millisecond().to_string(),
    );
    assert_eq!(rig.letters(1).await[0].reason, "human_in_charge");
    rig.sent(CUSTOMER, 1).await;
}

async fn failed_once(rig: &Rig, part: &OutboundId) {
    test_support::eventually(async || {
        let ledger = rig.ledger_of(CUSTOMER, part.as_str()).await;
        match ledger.get("failures") {
            Some(failures) if failures == "1" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// The sender's queue is full: tried again later.
const BUSY: Fault = Fault::Error {
    status: 400,
    code: Some(21_611),
    message: None,
};

#[tokio::test]
async fn a_window_that_closes_while_a_message_waits_sends_the_template_under_an_id_of_its_own() {
    let rig = Rig::start();
    let _egress = rig.egress(&[
        "twilio-window-template-sid=HX00000000000000000000000000000009",
        "first-pause-ms=300",
    ]);
    let mut rule = FaultRule::for_sends(Provider::Twilio, 1, BUSY);
    rule.skip = 1;
    rig.simulator.add_fault(rule).unwrap();
    let wrote = |hours| {
        let at = hours_ago(hours).as_millisecond().to_string();
        rig.set(&rig.keys(CUSTOMER).conversation(CUSTOMER), "last_in", &at);
    };
    wrote(1);
    let message = OutboundMessage {
        created_at: hours_ago(30),
        ..reply(&"Deze zin heeft een aantal woorden en een punt. ".repeat(60))
    };
    rig.queue(&message).await;
    failed_once(&rig, &message.id.part(2)).await;
    wrote(25);
    let sent = rig.sent(CUSTOMER, 2).await;
    assert_eq!(
        field(&sent[1], "ContentSid"),
        "HX00000000000000000000000000000009"
    );
    let template = message.id.template();
    assert_eq!(sent[1].entry.oid.as_deref(), Some(template.as_str()));
    rig.until_empty().await;
    rig.letters(0).await;
}

/// The customer, as `worker erase` would find them.
struct Customer;

impl Person for Customer {
    fn has(&self, address: &str) -> bool {
        address == CUSTOMER
    }

    fn is_in(&self, payload: &str) -> bool {
        payload.contains(CUSTOMER)
    }

    fn is_named_in(&self, text: &str) -> bool {
        text.contains(CUSTOMER)
    }
}

#[tokio::test]
async fn what_is_held_for_somebody_who_is_erased_is_not_sent() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    let stopped = Fault::Error {
        status: 401,
        code: Some(20003),
        message: None,
    };
    let rule = FaultRule {
        endpoint: Some(Endpoint::Send),
        ..FaultRule::always(stopped)
    };
    rig.simulator.add_fault(rule).unwrap();
    let held = reply("Aan wie gewist wordt");
    rig.queue(&held).await;
    rig.ledger_when(&held, |f| {
        f.get("state").is_some_and(|state| state == "due")
    })
    .await;
    let erased = rig.redis.erase(&Customer, false).await.unwrap();
    assert_eq!(erased[&Place::Waiting], 1);
    // To the same recipient: it is tried when all that was to come of the other has come, also of a
    // request that was on its way.
    let later = reply("Aan wie weer schrijft");
    rig.queue(&later).await;
    rig.ledger_when(&later, |f| {
        f.get("state").is_some_and(|state| state == "due")
    })
    .await;
    rig.simulator.clear_faults();
    let sent = rig.sent(CUSTOMER, 1).await;
    assert_eq!(texts(&sent), ["Aan wie weer schrijft"]);
    assert!(
        rig.ledger(&held).await.is_empty(),
        "nothing is written of it"
    );
}
