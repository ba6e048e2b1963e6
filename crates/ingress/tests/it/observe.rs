//! Observe mode: signatures are checked and counted, nothing is refused, and nobody can miss it.

use crate::http::Request;
use crate::signing::{
    WHATSAPP, chatwoot, chatwoot_message, encode, text_message, twilio_form, waha,
};
use crate::support::{Rig, length};

#[tokio::test]
async fn observe_mode_counts_bad_signatures_and_refuses_nothing() {
    let rig = Rig::start(&["--observe-only", "true", "--rate-limit-per-minute", "2"]);
    rig.ingress.until_ready_says(200, "degraded").await;
    assert_eq!(rig.ingress.ready().1["checks"]["observe_only"], "degraded");
    assert_eq!(rig.ingress.metric("postduif_ingress_observe_only"), 1.0);

    let unsigned = Request::post(WHATSAPP, encode(&text_message("SM1", "hoi")))
        .header("Content-Type", crate::signing::FORM);
    assert_eq!(unsigned.send(rig.port()).status, 200);
    let mut foreign = text_message("SM2", "hoi");
    foreign[1].1 = "AC00000000000000000000000000000002";
    assert_eq!(twilio_form(WHATSAPP, &foreign).send(rig.port()).status, 200);
    let event = crate::signing::waha_message("A1", "hoi").to_string();
    let badly_signed = waha(event).without("X-Webhook-Hmac");
    assert_eq!(
        badly_signed
            .header("X-Webhook-Hmac", "00")
            .send(rig.port())
            .status,
        200
    );
    let event = chatwoot_message(1, "hoi").to_string();
    let untimed = chatwoot(event).without("X-Chatwoot-Timestamp");
    assert_eq!(untimed.send(rig.port()).status, 200);

    assert_eq!(length(&rig.redis, "in:0"), 4);
    let errors = |source: &str| {
        let name = format!("webhook_signature_errors_total{{source=\"{source}\"}}");
        rig.ingress.metric(&name)
    };
    assert_eq!(["twilio", "waha", "chatwoot"].map(errors), [2.0, 1.0, 1.0]);
    let fifth = Request {
        body: encode(&text_message("SM5", "hoi")).into(),
        ..unsigned
    };
    assert_eq!(
        fifth.send(rig.port()).status,
        429,
        "the rate limit holds all the same"
    );
}

#[tokio::test]
async fn observe_mode_is_off_unless_it_is_asked_for() {
    let rig = Rig::start(&[]);
    rig.ingress.until_ready_says(200, "ready").await;
    assert_eq!(rig.ingress.metric("postduif_ingress_observe_only"), 0.0);
}
