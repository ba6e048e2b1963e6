//! What a colleague wrote is not talked over, but by the one request that was on the wire.

use jiff::{SignedDuration, Timestamp};
use shared_types::{OutboundMessage, Purpose};
use simulator::{Fault, FaultRule, Provider};

use crate::harness::{CUSTOMER, Rig, reply, texts};

const REFUSED: &str = "colleague_wrote";

fn seen(id: &str, text: &str) -> OutboundMessage {
    OutboundMessage {
        colleague_seen: Some(id.into()),
        ..reply(text)
    }
}

#[tokio::test]
async fn what_was_committed_before_a_colleague_wrote_is_not_sent() {
    let rig = Rig::start();
    let egress = rig.egress(&[]);
    let word = rig.colleague_writes(CUSTOMER).await;
    rig.queue(&seen("0-0", "Waarmee kan ik helpen?")).await;
    let notice = OutboundMessage {
        purpose: Purpose::HandoffNotice,
        ..seen("0-0", "Een collega neemt het over")
    };
    rig.queue(&notice).await;
    let confirmed = OutboundMessage {
        purpose: Purpose::OptOutNotice,
        ..seen("0-0", "U bent afgemeld")
    };
    rig.queue(&confirmed).await;
    // Released since: the turn knew of the word.
    rig.queue(&seen(&word, "Daar ben ik weer")).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    assert_eq!(texts(&sent), ["U bent afgemeld", "Daar ben ik weer"]);
    let letters = rig.letters(2).await;
    assert!(letters.iter().all(|letter| letter.reason == REFUSED));
    let refused = r#"postduif_sends_refused_total{reason="colleague_wrote",source="twilio"}"#;
    assert!((egress.metric(refused).await - 2.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn replies_of_earlier_builds_are_judged_by_their_time() {
    let rig = Rig::start();
    let _egress = rig.egress(&[]);
    rig.colleague_writes(CUSTOMER).await;
    let written = |minutes, text| OutboundMessage {
        created_at: Timestamp::now() + SignedDuration::from_mins(minutes),
        ..reply(text)
    };
    rig.queue(&written(-1, "Ervoor")).await;
    rig.queue(&written(1, "Erna")).await;
    assert_eq!(texts(&rig.sent(CUSTOMER, 1).await), ["Erna"]);
    assert_eq!(rig.letters(1).await[0].reason, REFUSED);
}

/// A request that hangs: the colleague writes while it is on the wire. It gets out, and nothing else of
/// the message does, whether this process goes on or another one.
#[tokio::test]
async fn only_the_request_on_the_wire_gets_out() {
    for killed in [false, true] {
        let rig = Rig::start();
        let egress = rig.egress(&[]);
        let hangs = Fault::Delay { ms: 1_500 };
        let rule = FaultRule::for_sends(Provider::Twilio, 1, hangs);
        rig.simulator.add_fault(rule).unwrap();
        let text = "Deze zin heeft een aantal woorden en een punt. ".repeat(60);
        let message = seen("0-0", &text);
        rig.queue(&message).await;
        test_support::eventually(async || {
            let ledger = rig.ledger_of(CUSTOMER, message.id.part(1).as_str()).await;
            match ledger.get("state").map(String::as_str) {
                Some("intent") => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        rig.colleague_writes(CUSTOMER).await;
        let _next = if killed {
            egress.kill().await;
            rig.egress(&[])
        } else {
            egress
        };
        assert_eq!(rig.letters(1).await[0].reason, REFUSED);
        rig.sent(CUSTOMER, 1).await;
    }
}
