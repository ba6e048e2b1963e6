use std::time::Duration;

use tokio::time::sleep;

use super::judgement::Expected;
use super::{Judgement, Plan, under_load};
use crate::{RedisShape, SystemBuilder};

pub(super) async fn play(plan: &Plan) -> Judgement {
    let redis = RedisShape::single(&plan.fsync);
    let builder = SystemBuilder::new(plan.settings()).redis(redis);
    let mut system = builder.start().await;
    let mut flushed = 0_u32;
    let report = under_load(&mut system, &plan.load(), async |system, written| {
        while !written.is_cancelled() {
            system.redis.server().run::<String>(&["SCRIPT", "FLUSH"]);
            flushed += 1;
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let mut judgement = Judgement::of(&mut system, &report, Expected::default()).await;
    judgement.note("SCRIPT FLUSH", &flushed);
    judgement
}
