//! What a message costs each process on its way from the webhook to the provider.

use streams::Queue;
use tokio::task::JoinSet;

use super::figures::Figures;
use super::shape::{Shape, until_empty};
use super::watch::Watch;
use crate::front_door::{CONNECTIONS, post_one_by_one, signed_requests};
use crate::{Role, rss_kib};

/// Before counting: connections are made, scripts loaded, tables read.
const WARM_UP: u32 = 500;

/// What a provider tells of a reply after it has taken it.
const REPORTS: [&str; 3] = ["sent", "delivered", "read"];

/// Each of so many customers writes once, as fast as ingress takes it in. With `reports` the provider tells
/// how the replies get on.
pub async fn measure_turns(shape: &Shape, customers: u32, reports: bool) -> Figures {
    let mut measured = shape.start().await;
    let system = &mut measured.system;
    let told: &[&str] = if reports { &REPORTS } else { &[] };
    system.simulator().deliver(told, 0).await;
    let redis = system.client();
    let url = system.service(Role::Ingress, 0).url();
    let all = WARM_UP + customers;
    let mut requests = signed_requests(&url, 1, all, all).into_iter();
    post(&url, requests.by_ref().take(WARM_UP as usize).collect()).await;
    until_empty(&redis, &Queue::ALL).await;
    let watch = Watch::of(system, &[Role::Ingress, Role::Worker, Role::Egress]);
    post(&url, requests.collect()).await;
    until_empty(&redis, &Queue::ALL).await;
    let took = watch.elapsed();
    let with = if reports {
        ", 3 delivery reports each"
    } else {
        ""
    };
    let name = format!(
        "One of {customers} messages in a burst{with}, {}",
        shape.name()
    );
    let mut figures = Figures::new(name);
    watch.add_costs(&mut figures, system.redis.server(), u64::from(customers));
    let speed = f64::from(customers) / took.as_secs_f64();
    figures.add("speed", speed, "msg/s");
    for role in [Role::Worker, Role::Egress] {
        let resident = rss_kib(system.service(role, 0).id()) as f64 / 1024.0;
        let name = format!("{} resident after", role.as_str());
        figures.add(name, resident, "MB");
    }
    figures
}

async fn post(url: &str, requests: Vec<Vec<u8>>) {
    let address = url.trim_start_matches("http://");
    let mut connections = JoinSet::new();
    let share = requests.len().div_ceil(CONNECTIONS as usize);
    let mut requests = requests.into_iter();
    for place in 0..CONNECTIONS {
        let mine: Vec<_> = requests.by_ref().take(share).collect();
        connections.spawn(post_one_by_one(address.to_owned(), mine, place, None));
    }
    connections.join_all().await;
}
