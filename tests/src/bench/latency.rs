//! How long a message takes from its webhook to the provider.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use streams::Queue;
use tokio::time::{Instant, sleep_until};

use super::figures::{Figures, quantile};
use super::shape::{Shape, until_empty};
use super::watch::Watch;
use crate::{Role, outbound_id, question};

const WARM_UP: u32 = 50;

/// Messages come at this rate, each from another customer, whether earlier ones are answered or not: the
/// time counts from when a message was due.
pub async fn measure_latency(shape: &Shape, messages: u32, per_second: u32) -> Figures {
    let mut measured = shape.start().await;
    measured.system.simulator().deliver(&[], 0).await;
    let webhooks = measured.system.webhooks();
    let between = Duration::from_secs(1) / per_second;
    let roles = [Role::Ingress, Role::Worker, Role::Egress];
    let watch = Watch::of(&mut measured.system, &roles);
    let (began, began_at) = (Instant::now(), Timestamp::now());
    let write = async |number: u32| {
        let due = between * number;
        sleep_until(began + due).await;
        let sid = format!("SM{number:032x}");
        let from = format!("+3161{number:07}");
        let status = webhooks.post(&sid, &from, &question(number)).await;
        assert!(matches!(status, Ok(200)), "{status:?}");
        (outbound_id(&sid), began_at + due)
    };
    let sent = join_all((0..WARM_UP + messages).map(write)).await;
    until_empty(&measured.system.client(), &Queue::ALL).await;
    let arrivals = measured.system.simulator().arrivals().await;
    let arrived: HashMap<_, _> = arrivals
        .into_iter()
        .filter_map(|arrival| Some((arrival.oid?, arrival.at)))
        .collect();
    let took = sent.iter().skip(WARM_UP as usize).map(|(id, due)| {
        let arrived = arrived.get(id).expect("a reply to each");
        arrived.duration_since(*due).as_secs_f64() * 1e3
    });
    let mut took: Vec<_> = took.collect();
    let mut figures = Figures::new(format!(
        "Webhook to provider, {messages} messages at {per_second} a second, {}",
        shape.name()
    ));
    figures.add("p50", quantile(&mut took, 0.5), "ms");
    figures.add("p99", quantile(&mut took, 0.99), "ms");
    let server = measured.system.redis.server();
    watch.add_costs(&mut figures, server, u64::from(WARM_UP + messages));
    figures
}
