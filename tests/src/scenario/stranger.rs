use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::judgement::Expected;
use super::{Judgement, Plan};
use crate::attack::Attack;
use crate::{Load, LoadReport, RedisShape, Role, Sent, System, SystemBuilder, rss_kib, tally};

/// Honest customers.
const HONEST: u32 = 100;
/// The most that each of them writes at a time: who answers fifty answers without a pause is taken
/// for a machine.
const MOST_EACH: u32 = 20;
/// What `crates/ingress/README.md` promises of a process under attack. The code of a debug build is four
/// times as large, and mapped.
const MOST_MEMORY_KIB: u64 = if cfg!(debug_assertions) { 160 } else { 128 } * 1024;
const MOST_LOG_BYTES: usize = 1024 * 1024;
/// What one customer may add to Redis, beside what honest ones do.
const MOST_REDIS_BYTES: u64 = 16 * 1024 * 1024;

/// Honest customers write twice: first alone, then while one customer and a peer without any secret
/// do what they can.
pub(super) async fn play(plan: &Plan) -> Judgement {
    let redis = RedisShape::single(&plan.fsync);
    let builder = SystemBuilder::new(plan.settings()).redis(redis);
    let mut system = builder.prepare();
    // As a deployment has it, and not without limits as the other stories.
    let ingress = system.service(Role::Ingress, 0);
    ingress.set([
        ("INGRESS_RATE_LIMIT_PER_MINUTE".to_owned(), "50".to_owned()),
        (
            "INGRESS_TOTAL_LIMIT_PER_MINUTE".to_owned(),
            "60000".to_owned(),
        ),
        ("RUST_LOG".to_owned(), "info".to_owned()),
    ]);
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    let start = Usage::of(&mut system);
    let quiet = write(&system, plan, 0).await;
    system.until_idle(Duration::from_secs(60)).await;
    let before = Usage::of(&mut system);
    let attack = Attack::start(&system.webhooks(), system.service(Role::Ingress, 0));
    let stop = CancellationToken::new();
    let peak = watch(system.service(Role::Ingress, 0).id(), stop.clone());
    let (attacked, peak) = tokio::join!(
        async {
            let attacked = write(&system, plan, quiet.sent.len() as u32).await;
            stop.cancel();
            attacked
        },
        peak
    );
    let deeds = attack.stop().await;
    let after = Usage::of(&mut system);
    let report = LoadReport {
        sent: [quiet.sent.clone(), attacked.sent.clone()].concat(),
        repeated: quiet.repeated + attacked.repeated,
        refused: quiet.refused + attacked.refused,
        limited: quiet.limited + attacked.limited,
    };
    // What the customer got through is answered too, and counts for nobody.
    let mut judgement = Judgement::of(&mut system, &report, Expected::default()).await;
    for (name, value) in deeds {
        judgement.note(name, &value);
    }
    let arrivals = system.simulator().arrivals().await;
    let p99 = |sent: &[Sent]| tally(sent, &arrivals, &Default::default()).wait_ms(0.99);
    let (calm, busy) = (p99(&quiet.sent), p99(&attacked.sent));
    judgement.note("99 % waited at most, quiet", &format!("{calm} ms"));
    judgement.note("99 % waited at most, under attack", &format!("{busy} ms"));
    // Honest customers leave as many lines as when it was quiet.
    let honest = before.log - start.log;
    let log = (after.log - before.log).saturating_sub(honest);
    let redis = after.redis.saturating_sub(before.redis);
    judgement.note("most memory of ingress", &format!("{peak} KiB"));
    judgement.note("log about strangers", &format!("{} KiB", log / 1024));
    judgement.note("growth of Redis", &format!("{} KiB", redis / 1024));
    let broken = [
        (
            peak > MOST_MEMORY_KIB,
            "ingress took more memory than it may",
        ),
        (log > MOST_LOG_BYTES, "ingress logged more than it may"),
        (redis > MOST_REDIS_BYTES, "one customer filled Redis"),
        (report.limited > 0, "honest customers ran into a limit"),
        (
            plan.timed && busy > 2 * calm,
            "honest customers waited more than twice as long",
        ),
    ];
    let broken = broken.iter().filter(|(holds, _)| *holds);
    judgement
        .broken
        .extend(broken.map(|(_, what)| (*what).to_owned()));
    judgement
}

/// Lets the honest customers write; their messages are numbered after `first`.
async fn write(system: &System, plan: &Plan, first: u32) -> LoadReport {
    let load = Load {
        conversations: HONEST,
        messages: plan.messages.min(HONEST * MOST_EACH),
        burst: 1,
        spread: plan.duration,
        duplicates: 0.1,
        seed: plan.seed + u64::from(first),
    };
    let mut report = load
        .run(&system.webhooks(), &CancellationToken::new())
        .await;
    for sent in &mut report.sent {
        sent.place += first;
    }
    report
}

/// What is used up at a moment.
struct Usage {
    log: usize,
    redis: u64,
}

impl Usage {
    fn of(system: &mut System) -> Self {
        let info: String = system.redis.server().run(&["INFO", "memory"]);
        let used = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        Self {
            log: system.service(Role::Ingress, 0).log().len(),
            redis: used.and_then(|bytes| bytes.parse().ok()).expect("a number"),
        }
    }
}

/// The most memory of a process until `stop`.
async fn watch(pid: u32, stop: CancellationToken) -> u64 {
    let mut peak = 0;
    while !stop.is_cancelled() {
        peak = peak.max(rss_kib(pid));
        sleep(Duration::from_millis(20)).await;
    }
    peak
}
