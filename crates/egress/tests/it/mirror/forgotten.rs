//! What the help desk is told of customers who are erased.

use serde_json::json;
use shared_types::MirrorWhat;
use streams::{Queue, Shelf};

use super::customer;
use crate::harness::{CUSTOMER, Rig};

/// The customer is erased: the help desk is told once, also when its answers are lost, and the same
/// conversation goes on with the bot when the customer writes again.
#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_customer_the_help_desk_is_told_once() {
    let rig = Rig::start();
    let egress = rig.mirror(&["request-timeout-ms=1000"]);
    rig.show(CUSTOMER, "1", customer("Hoi")).await;
    rig.mirrored().await;
    let display = rig.shown(CUSTOMER).await["id"].as_u64().unwrap();
    rig.forget(&format!("mirror:{CUSTOMER}"));
    let rule =
        json!({"endpoint": "mirror", "times": 2, "fault": {"kind": "timeout", "accept": true}});
    rig.order("faults", rule).await;
    for display in [display, display + 70] {
        let (conversation, id) = (
            format!("chatwoot:mirror:{display}"),
            format!("forgotten:{display}"),
        );
        rig.show(&conversation, &id, MirrorWhat::Forgotten { display })
            .await;
    }
    rig.mirrored().await;
    let shown = rig.shown(CUSTOMER).await;
    assert_eq!(shown["status"], "resolved");
    let words = rig.words(CUSTOMER).await;
    let told = words.iter().filter(|text| text.contains("was erased"));
    assert_eq!(told.count(), 1, "{words:?}");
    assert_eq!(words.len(), 2);
    // Nothing is kept of it here, and nothing was set aside for a conversation that is not there.
    assert_eq!(egress.metric("postduif_senders_stopped").await, 0.0);
    let letters = rig
        .redis
        .letters(Shelf::Dead(Queue::Mirror), None, 10)
        .await;
    assert!(letters.unwrap().is_empty());
    rig.show(CUSTOMER, "2", customer("Daar ben ik weer")).await;
    rig.mirrored().await;
    let again = rig.shown(CUSTOMER).await;
    assert_eq!(
        (&again["id"], &again["status"]),
        (&json!(display), &json!("pending"))
    );
    egress.stop().await;
}
