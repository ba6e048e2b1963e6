//! Whether more workers do more, where the agents mostly wait.

use std::time::Duration;

use futures_util::future::join_all;
use streams::{Ingest, Queue};

use super::figures::Figures;
use super::shape::{Shape, until_empty};
use super::watch::Watch;
use crate::{Role, Settings, inbound_entry};

/// A model's time for one answer, on average: the echo takes between a quarter of this and the whole.
const WORK_MS: u32 = 800;
/// For each worker, so that all are busy for some ten seconds.
const MESSAGES_EACH: u32 = 4_000;

/// So many workers answer a backlog of their size, each as many at once as it may.
pub async fn measure_scale(shape: &Shape, workers: &[usize]) -> Figures {
    let heading = format!(
        "Workers whose agents wait for {WORK_MS} ms at most, {}",
        shape.name()
    );
    let mut figures = Figures::new(heading);
    let mut of_one = None;
    for count in workers {
        let (speed, others) = measure(shape, *count).await;
        let each = speed / *count as f64;
        let of_one = *of_one.get_or_insert(each);
        figures.add(format!("{count} workers"), speed, "msg/s");
        figures.add(format!("{count} workers, of linear"), each / of_one, "×");
        figures.others = figures.others.max(others);
    }
    figures
}

async fn measure(shape: &Shape, count: usize) -> (f64, f64) {
    let settings = Settings {
        consumer: "echo",
        workers: count,
        ..Shape::settings()
    };
    let mut measured = shape.prepare(settings);
    let system = &mut measured.system;
    let redis = system.client();
    let claimed = redis.claim_layout().await.expect("Redis answers");
    claimed.expect("an empty Redis");
    for worker in system.all(Role::Worker) {
        worker.set([("ECHO_WORK_MS".to_owned(), WORK_MS.to_string())]);
    }
    system.start(Role::Worker).await;
    let settle = Duration::from_millis(Shape::settings().lease_ms);
    tokio::time::sleep(settle).await;
    let messages = MESSAGES_EACH * u32::try_from(count).unwrap_or(1);
    let watch = Watch::of(system, &[Role::Worker]);
    let add = async |number| {
        let entry = inbound_entry(number, messages);
        let ingest = Ingest::unlimited(Queue::Inbound, &entry);
        redis.ingest(&ingest).await.expect("Redis answers");
    };
    join_all((0..messages).map(add)).await;
    until_empty(&redis, &[Queue::Inbound]).await;
    let speed = f64::from(messages) / watch.elapsed().as_secs_f64();
    let mut costs = Figures::new(String::new());
    watch.add_costs(&mut costs, system.redis.server(), u64::from(messages));
    (speed, costs.others)
}
