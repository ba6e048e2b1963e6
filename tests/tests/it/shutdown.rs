//! SIGTERM of each service while a thousand messages are on their way through it.

use std::collections::HashSet;
use std::time::Duration;

use e2e_tests::{Load, LoadReport, Role, Settings, System, SystemBuilder, tally};
use streams::Queue;
use test_support::{eventually, eventually_within};
use tokio_util::sync::CancellationToken;

const MESSAGES: u32 = 1_000;
/// A debug build on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

const fn load(conversations: u32) -> Load {
    Load {
        conversations,
        messages: MESSAGES,
        burst: 5,
        spread: Duration::ZERO,
        duplicates: 0.1,
        seed: 1,
    }
}

/// SIGTERM must end a service well; its successor does the rest.
async fn replace(system: &mut System, role: Role) {
    let code = system.service(role, 0).terminate().await;
    assert_eq!(code, Some(0), "{role:?}");
    system.start(role).await;
}

async fn all_are_answered_once(system: &System, report: &LoadReport) {
    assert_eq!(report.sent.len(), MESSAGES as usize);
    let simulator = system.simulator();
    eventually_within(PATIENCE, async || {
        assert_eq!(system.dead_letters().await, [], "nothing may be set aside");
        let tally = tally(&report.sent, &simulator.arrivals().await, &HashSet::new());
        if tally.missing == 0 {
            Ok(())
        } else {
            Err(tally)
        }
    })
    .await;
    system.until_idle(Duration::from_secs(30)).await;
    let tally = tally(&report.sent, &simulator.arrivals().await, &HashSet::new());
    assert!(tally.is_clean(), "{tally:?}");
}

/// Lets messages pile up before a consumer, starts it, and replaces it in the middle of them.
async fn consumer_is_replaced_amid_a_thousand(role: Role, queue: Queue) {
    let mut system = SystemBuilder::new(Settings::default()).start().await;
    assert_eq!(system.service(role, 0).terminate().await, Some(0));
    let report = load(200)
        .run(&system.webhooks(), &CancellationToken::new())
        .await;
    let redis = system.client();
    let waiting = async || redis.backlog(queue, 0).await.unwrap().entries;
    eventually_within(PATIENCE, async || match waiting().await {
        entries if entries >= u64::from(MESSAGES) => Ok(()),
        entries => Err(entries),
    })
    .await;
    system.start(role).await;
    let simulator = system.simulator();
    eventually(async || match simulator.arrivals().await.len() {
        0 => Err("nothing was answered yet"),
        _ => Ok(()),
    })
    .await;
    let left = waiting().await;
    assert!(left > 0, "everything was done before SIGTERM");
    replace(&mut system, role).await;
    all_are_answered_once(&system, &report).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_of_a_worker_with_a_thousand_messages_waiting_loses_none() {
    consumer_is_replaced_amid_a_thousand(Role::Worker, Queue::Inbound).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_of_an_egress_with_a_thousand_replies_waiting_loses_none() {
    consumer_is_replaced_amid_a_thousand(Role::Egress, Queue::Outbound).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_of_an_ingress_with_a_thousand_webhooks_at_once_loses_none() {
    let mut system = SystemBuilder::new(Settings::default()).start().await;
    let (load, webhooks, stop) = (load(MESSAGES), system.webhooks(), CancellationToken::new());
    let amid_them = async {
        let mut taken_in = || {
            let known: Vec<String> = system.redis.server().run(&["KEYS", "twilio:message:*"]);
            known.len()
        };
        eventually(async || match taken_in() {
            0 => Err("nothing was taken in yet"),
            _ => Ok(()),
        })
        .await;
        let before = taken_in();
        assert!(before < MESSAGES as usize, "all came in before SIGTERM");
        replace(&mut system, Role::Ingress).await;
    };
    let (report, ()) = tokio::join!(load.run(&webhooks, &stop), amid_them);
    all_are_answered_once(&system, &report).await;
}
