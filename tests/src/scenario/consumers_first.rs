use super::judgement::Expected;
use super::{Judgement, Plan, under_load};
use crate::{RedisShape, Role, SystemBuilder};

pub(super) async fn play(plan: &Plan) -> Judgement {
    let redis = RedisShape::single(&plan.fsync);
    let mut system = SystemBuilder::new(plan.settings()).redis(redis).prepare();
    for role in [Role::Simulator, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    // Then Redis loses everything, groups included, while the consumers hold their leases.
    system.redis.server().run::<()>(&["FLUSHALL"]);
    system.start(Role::Ingress).await;
    let report = under_load(&mut system, &plan.load(), async |_, _| {}).await;
    Judgement::of(&mut system, &report, Expected::default()).await
}
