use tokio::time::sleep;

use super::judgement::Expected;
use super::{Judgement, Plan, under_load};
use crate::{Fault, RedisShape, Role, Settings, SystemBuilder};

/// How often it happens.
const ROUNDS: u32 = 2;

pub(super) async fn play(plan: &Plan) -> Judgement {
    let settings = Settings {
        workers: 3,
        ..plan.settings()
    };
    let redis = RedisShape::single(&plan.fsync);
    let mut system = SystemBuilder::new(settings).redis(redis).start().await;
    let mut expected = Expected::default();
    let step = plan.duration / (2 * ROUNDS + 1);
    let report = under_load(&mut system, &plan.load(), async |system, _written| {
        for _ in 0..ROUNDS {
            sleep(step).await;
            for index in [1, 2] {
                let code = system.service(Role::Worker, index).terminate().await;
                assert_eq!(code, Some(0), "a worker ended badly");
                *expected
                    .faults
                    .entry(Fault::Terminate(Role::Worker))
                    .or_default() += 1;
            }
            sleep(step).await;
            system.start(Role::Worker).await;
        }
    })
    .await;
    Judgement::of(&mut system, &report, expected).await
}
