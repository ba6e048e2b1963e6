use test_support::SentinelSetup;
use tokio::time::sleep;

use super::judgement::Expected;
use super::{Judgement, Plan, under_load};
use crate::{RedisShape, Settings, SystemBuilder};

/// A 200 waits for the replica. The master is killed at a moment at which the replica has
/// everything: what a failover may lose beyond that is Redis' promise and not ours.
pub(super) async fn play(plan: &Plan) -> Judgement {
    let settings = Settings {
        workers: 2,
        wait_replicas: 1,
        ..plan.settings()
    };
    let redis = RedisShape::Sentinel(tokio::task::block_in_place(SentinelSetup::start));
    let mut system = SystemBuilder::new(settings).redis(redis).start().await;
    let report = under_load(&mut system, &plan.load(), async |system, _written| {
        sleep(plan.duration / 3).await;
        let RedisShape::Sentinel(setup) = &mut system.redis else {
            return;
        };
        tokio::task::block_in_place(|| setup.fail_over());
        tokio::task::block_in_place(|| setup.bring_back());
    })
    .await;
    let mut judgement = Judgement::of(&mut system, &report, Expected::default()).await;
    judgement.note("failovers", &1);
    judgement
}
