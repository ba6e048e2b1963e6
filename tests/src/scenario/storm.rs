use std::time::Duration;

use streams::{Ingest, NewEntry, Queue};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::judgement::Expected;
use super::{Judgement, Plan, interjections, under_load};
use crate::echo::POISON;
use crate::{RedisShape, Role, Settings, System, SystemBuilder, schedule, strike};

/// How often it is looked whether a process ended by itself.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn play(plan: &Plan) -> Judgement {
    let settings = Settings {
        workers: 3,
        egresses: 2,
        spool: true,
        answer_each: plan.answer_each,
        ..plan.settings()
    };
    let redis = RedisShape::single(&plan.fsync);
    let mut system = SystemBuilder::new(settings).redis(redis).prepare();
    if plan.colleagues {
        system.connect_every_provider();
        system
            .service(Role::Ingress, 0)
            .set(interjections::settings());
        let own_events = ("SIMULATOR_WAHA_OWN_EVENTS".to_owned(), "true".to_owned());
        system.service(Role::Simulator, 0).set([own_events]);
    }
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&["delivered"], 50).await;
    let mut expected = Expected {
        dead_letters: 1,
        merged: !plan.answer_each,
        silenced: plan.colleagues,
        ..Expected::default()
    };
    // Enough for ten faults in a short run and forty and more in a long one.
    let pause = (plan.duration / 20).clamp(Duration::from_secs(1), Duration::from_secs(3));
    let simulator = system.simulator();
    let talks = async {
        match plan.colleagues {
            true => interjections::write(&simulator, plan.seed, plan.duration).await,
            false => Vec::new(),
        }
    };
    let load = plan.load();
    let storm = under_load(&mut system, &load, async |system, written| {
        poison(system, plan).await;
        for next in schedule(plan.seed, pause) {
            watch(system, next.after, &mut expected, &written).await;
            if written.is_cancelled() {
                break;
            }
            *expected.faults.entry(next.fault).or_default() += 1;
            strike(system, next).await;
        }
    });
    let (report, interjections) = tokio::join!(storm, talks);
    let mut judgement = Judgement::of(&mut system, &report, expected).await;
    if plan.colleagues {
        interjections::judge(&mut judgement, &system, &interjections).await;
    }
    judgement
}

/// Lets `pause` go by, and starts again what ends by itself meanwhile.
async fn watch(
    system: &mut System,
    pause: Duration,
    expected: &mut Expected,
    written: &CancellationToken,
) {
    let until = Instant::now() + pause;
    while Instant::now() < until && !written.is_cancelled() {
        expected.ended.extend(system.revive());
        sleep(LOOK_EVERY).await;
    }
}

/// One message that nobody can handle. The echo dies of it; the worker cannot read it.
async fn poison(system: &System, plan: &Plan) {
    if plan.consumer == "echo" {
        let sid = format!("SM{:032x}", plan.seed);
        let posted = system.webhooks().post(&sid, "+31600000000", POISON).await;
        assert_eq!(posted.expect("ingress answers"), 200);
        return;
    }
    let entry = NewEntry {
        kind: "message".into(),
        event: "twilio:message:poison".into(),
        conversation: "whatsapp:+31600000000".into(),
        payload: "{".into(),
        ..NewEntry::default()
    };
    let ingest = Ingest::unlimited(Queue::Inbound, &entry);
    system
        .client()
        .ingest(&ingest)
        .await
        .expect("Redis answers");
}
