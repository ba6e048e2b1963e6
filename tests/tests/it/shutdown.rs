use std::collections::HashSet;
use std::time::Duration;

use e2e_tests::{Load, Role, Settings, SystemBuilder, tally};
use test_support::eventually;
use tokio_util::sync::CancellationToken;

/// SIGTERM of every service, each while hundreds of messages are on their way.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_with_many_messages_in_flight_loses_none() {
    let mut system = SystemBuilder::new(Settings::default()).start().await;
    let load = Load {
        conversations: 60,
        messages: 300,
        burst: 5,
        spread: Duration::ZERO,
        duplicates: 0.1,
        seed: 1,
    };
    let webhooks = system.webhooks();
    let stop = CancellationToken::new();
    let terminate = async {
        for role in [Role::Worker, Role::Egress, Role::Ingress] {
            let code = system.service(role, 0).terminate().await;
            assert_eq!(code, Some(0), "{role:?}");
            system.start(role).await;
        }
    };
    let (report, ()) = tokio::join!(load.run(&webhooks, &stop), terminate);
    assert_eq!(report.sent.len(), 300);
    let simulator = system.simulator();
    eventually(async || {
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
