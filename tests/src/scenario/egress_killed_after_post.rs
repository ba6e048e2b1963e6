use std::time::Duration;

use serde_json::json;
use test_support::eventually;

use super::judgement::Expected;
use super::{Judgement, Plan};
use crate::{
    Fault, LoadReport, RedisShape, Role, Sent, SystemBuilder, inbound_event, outbound_id, question,
};

/// How often it happens.
const ROUNDS: u32 = 5;
/// Longer than egress lives: the provider has the message, and its answer never arrives.
const ANSWER_DELAY: Duration = Duration::from_secs(60);

/// Nothing is heard of the messages, so that only a look-up can tell what became of them.
pub(super) async fn play(plan: &Plan) -> Judgement {
    let redis = RedisShape::single(&plan.fsync);
    let builder = SystemBuilder::new(plan.settings()).redis(redis);
    let mut system = builder.start().await;
    let simulator = system.simulator();
    simulator.deliver(&[], 0).await;
    let mut report = LoadReport::default();
    let mut expected = Expected::default();
    for round in 1..=ROUNDS {
        let fault = json!({ "kind": "delay", "ms": ANSWER_DELAY.as_millis() });
        let rule = json!({ "provider": "twilio", "endpoint": "send", "times": 1, "fault": fault });
        simulator.misbehave(rule).await;
        let (from, sid) = ("+31612345678", format!("SM{:016x}{round:016x}", plan.seed));
        let posted = system.webhooks().post(&sid, from, &question(round)).await;
        assert_eq!(posted.expect("ingress answers"), 200);
        report.sent.push(Sent {
            from: from.into(),
            place: round,
            event: inbound_event(&sid),
            outbound_id: outbound_id(&sid),
            acknowledged_at: jiff::Timestamp::now(),
        });
        eventually(async || match simulator.arrivals().await.len() {
            arrived if arrived >= round as usize => Ok(()),
            arrived => Err(arrived),
        })
        .await;
        let egress = system.service(Role::Egress, 0);
        egress.kill();
        egress.start();
        *expected
            .faults
            .entry(Fault::Kill(Role::Egress))
            .or_default() += 1;
        system.until_idle(Duration::from_secs(30)).await;
    }
    Judgement::of(&mut system, &report, expected).await
}
