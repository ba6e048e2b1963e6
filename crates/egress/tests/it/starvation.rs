//! Who is blocked holds up nobody else, not even within one partition.

use simulator::{CallMatch, Endpoint, Fault, FaultRule, Provider, Query};
use test_support::eventually;

use crate::harness::{CUSTOMER, OTHER_OURS, OURS, PATIENCE, Rig, Running, reply, reply_to};

/// More than a partition holds in memory or runs at once.
const MANY: usize = 300;

/// Customers whose messages lie in the same partition as those of [`CUSTOMER`].
fn neighbours(rig: &Rig) -> impl Iterator<Item = String> {
    let partitions = rig.redis.partitions();
    let own = partitions.partition_of(CUSTOMER);
    let numbers = (0..).map(|n| format!("whatsapp:+3165{n:07}"));
    numbers.filter(move |number| partitions.partition_of(number) == own)
}

fn refuse(rig: &Rig, matching: CallMatch, status: u16, code: u32) {
    let rule = FaultRule {
        provider: Some(Provider::Twilio),
        endpoint: Some(Endpoint::Send),
        matching,
        ..FaultRule::always(Fault::Error {
            status,
            code: Some(code),
            message: None,
        })
    };
    rig.simulator.add_fault(rule).unwrap();
}

#[tokio::test]
async fn a_blocked_recipient_with_a_long_queue_starves_no_neighbour() {
    let rig = Rig::start();
    let to = Some(CUSTOMER.to_owned());
    refuse(
        &rig,
        CallMatch {
            to,
            ..CallMatch::default()
        },
        400,
        21_611,
    );
    for number in 0..MANY {
        rig.queue(&reply(&number.to_string())).await;
    }
    let neighbour = neighbours(&rig).next().unwrap();
    rig.queue(&reply_to(&neighbour, "Ik kan wel")).await;
    let _egress = rig.egress(&["first-pause-ms=250", "extra-rounds=20"]);
    rig.sent(&neighbour, 1).await;
    rig.simulator.clear_faults();
    let sent = rig.sent(CUSTOMER, MANY).await;
    let texts: Vec<usize> = sent.iter().map(|r| r.entry.text.parse().unwrap()).collect();
    assert_eq!(
        texts,
        (0..MANY).collect::<Vec<_>>(),
        "all of them, in order"
    );
}

async fn stopped(egress: &Running) {
    eventually(
        async || match egress.metric("postduif_senders_stopped").await {
            senders if senders > 0.5 => Ok(()),
            senders => Err(senders),
        },
    )
    .await;
}

#[tokio::test]
async fn a_stopped_sender_with_many_recipients_starves_no_other_sender() {
    let rig = Rig::start();
    let from = Some(OURS.to_owned());
    refuse(
        &rig,
        CallMatch {
            from,
            ..CallMatch::default()
        },
        401,
        20_003,
    );
    let customers: Vec<_> = neighbours(&rig).take(MANY).collect();
    for customer in &customers {
        rig.queue(&reply_to(customer, "Ik wacht")).await;
    }
    let egress = rig.egress(&[]);
    stopped(&egress).await;
    let mut other = reply("Van het andere nummer");
    other.endpoint.address = Some(OTHER_OURS.parse().unwrap());
    rig.queue(&other).await;
    rig.sent(CUSTOMER, 1).await;
    rig.simulator.clear_faults();
    for customer in &customers {
        rig.sent(customer, 1).await;
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_one_sender_leaves_places_to_the_others() {
    let rig = Rig::start();
    let silence = FaultRule {
        endpoint: Some(Endpoint::Send),
        matching: CallMatch {
            from: Some(OURS.into()),
            ..CallMatch::default()
        },
        ..FaultRule::always(Fault::Timeout { accept: false })
    };
    rig.simulator.add_fault(silence).unwrap();
    let _egress = rig.egress(&["in-flight=8", "request-timeout-ms=5000", "lease-ms=6000"]);
    for number in 0..50 {
        rig.queue(&reply_to(
            &format!("whatsapp:+316000000{number:02}"),
            "Stil",
        ))
        .await;
    }
    let query = Query {
        accepted: Some(false),
        limit: 100,
        ..Query::default()
    };
    rig.simulator.wait(&query, 2, PATIENCE).await;
    let mut other = reply("Van het andere nummer");
    other.endpoint.address = Some(OTHER_OURS.parse().unwrap());
    rig.queue(&other).await;
    let sent = rig.sent(CUSTOMER, 1).await;
    let silent = rig.simulator.sent(&query).into_iter();
    let before = silent
        .filter(|request| request.entry.seq < sent[0].entry.seq)
        .count();
    assert!(before < 8, "{before} requests had to end first");
}
