use std::time::Duration;

use tokio::time::sleep;

use super::judgement::Expected;
use super::{Judgement, Plan, under_load};
use crate::fault::restart_redis;
use crate::{Fault, RedisShape, Settings, SystemBuilder};

/// How often it happens.
const ROUNDS: u32 = 5;

/// Without a spool: webhooks are refused while Redis is away, and come again.
pub(super) async fn play(plan: &Plan) -> Judgement {
    let settings = Settings {
        workers: 2,
        ..plan.settings()
    };
    let redis = RedisShape::single(&plan.fsync);
    let mut system = SystemBuilder::new(settings).redis(redis).start().await;
    let mut expected = Expected::default();
    let report = under_load(&mut system, &plan.load(), async |system, _written| {
        for round in 1..=ROUNDS {
            sleep(plan.duration / (ROUNDS + 1)).await;
            restart_redis(system, Duration::from_millis(200) * round).await;
            *expected.faults.entry(Fault::KillRedis).or_default() += 1;
        }
    })
    .await;
    Judgement::of(&mut system, &report, expected).await
}
