use std::time::Duration;

use futures_util::future::join_all;
use streams::Slot;
use test_support::RedisServer;

use crate::harness::redis_at;

const SPACING: Duration = Duration::from_millis(20);
const FAR: Duration = Duration::from_secs(2);

fn wait(slot: Slot) -> Duration {
    match slot {
        Slot::Granted { wait } => wait,
        Slot::TooFar { wait } => panic!("refused with {wait:?}"),
    }
}

#[tokio::test]
async fn slots_of_a_sender_are_evenly_spaced_over_all_processes() {
    let server = RedisServer::start();
    let processes = [redis_at(&server), redis_at(&server), redis_at(&server)];
    let started = std::time::Instant::now();
    let requests = (0..30).map(|n| processes[n % 3].reserve_slot("s", SPACING, FAR));
    let mut waits: Vec<_> = join_all(requests)
        .await
        .into_iter()
        .map(|slot| wait(slot.unwrap()))
        .collect();
    let elapsed = started.elapsed();
    waits.sort_unstable();
    // Whatever time the requests took, the last slot lies 29 spacings behind the first.
    let last = *waits.last().unwrap();
    assert!(last + elapsed >= SPACING * 29, "{last:?}");
    assert!(last <= SPACING * 29, "{last:?}");
}

#[tokio::test]
async fn senders_do_not_wait_for_each_other() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    wait(redis.reserve_slot("a", FAR, FAR).await.unwrap());
    assert!(wait(redis.reserve_slot("b", FAR, FAR).await.unwrap()).is_zero());
}

#[tokio::test]
async fn a_slot_too_far_away_is_not_reserved() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let minute = Duration::from_secs(60);
    wait(redis.reserve_slot("s", minute, FAR).await.unwrap());
    for _ in 0..3 {
        let slot = redis.reserve_slot("s", minute, FAR).await.unwrap();
        let Slot::TooFar { wait } = slot else {
            panic!("{slot:?}")
        };
        assert!(wait <= minute && wait > Duration::from_secs(50), "{wait:?}");
    }
}

#[tokio::test]
async fn a_pushed_clock_holds_the_sender_back() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    redis.push_slots("s", Duration::from_secs(1)).await.unwrap();
    let pushed = wait(redis.reserve_slot("s", SPACING, FAR).await.unwrap());
    assert!(pushed > Duration::from_millis(500), "{pushed:?}");
}
