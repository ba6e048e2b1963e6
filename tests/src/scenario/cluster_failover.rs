use test_support::RedisCluster;
use tokio::time::sleep;

use super::judgement::Expected;
use super::{Judgement, Plan, under_load};
use crate::{RedisShape, Settings, SystemBuilder};

/// See [`super::sentinel_failover`] for what is waited for.
pub(super) async fn play(plan: &Plan) -> Judgement {
    let settings = Settings {
        workers: 2,
        ..plan.settings()
    };
    let redis = RedisShape::Cluster(tokio::task::block_in_place(RedisCluster::start));
    let mut system = SystemBuilder::new(settings).redis(redis).start().await;
    let report = under_load(&mut system, &plan.load(), async |system, _written| {
        sleep(plan.duration / 3).await;
        let RedisShape::Cluster(cluster) = &mut system.redis else {
            return;
        };
        tokio::task::block_in_place(|| cluster.fail_over(0));
        tokio::task::block_in_place(|| cluster.bring_back(0));
    })
    .await;
    let mut judgement = Judgement::of(&mut system, &report, Expected::default()).await;
    judgement.note("failovers", &1);
    judgement
}
