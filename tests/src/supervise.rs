//! Restarts services when the simulator's page asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use simulator::{Action, Order, Service};
use tokio::sync::Mutex;

use crate::{Role, SimulatorClient, System};

const REDIS: &str = "redis";
const ROLES: [Role; 3] = [Role::Ingress, Role::Worker, Role::Egress];
/// How long a killed service stays away.
const AWAY: Duration = Duration::from_secs(1);

/// Carries out orders of the page as long as it is polled.
pub async fn supervise(system: Arc<Mutex<System>>, simulator: SimulatorClient) {
    let mut restarts: BTreeMap<String, u32> = BTreeMap::new();
    loop {
        simulator.tell_services(&services(&restarts, None)).await;
        let Some(order) = simulator.next_order().await else {
            continue;
        };
        simulator
            .tell_services(&services(&restarts, Some(&order.service)))
            .await;
        let mut system = system.lock().await;
        carry_out(&mut system, &order).await;
        *restarts.entry(order.service).or_default() += 1;
    }
}

fn services(restarts: &BTreeMap<String, u32>, down: Option<&str>) -> Vec<Service> {
    let names = ROLES.map(Role::as_str).into_iter().chain([REDIS]);
    let service = |name: &str| Service {
        name: name.to_owned(),
        is_up: down != Some(name),
        restarts: restarts.get(name).copied().unwrap_or_default(),
    };
    names.map(service).collect()
}

async fn carry_out(system: &mut System, order: &Order) {
    if order.service == REDIS {
        system.redis.server().kill();
        tokio::time::sleep(AWAY).await;
        system.redis.server().restart();
        return;
    }
    let Some(role) = ROLES
        .into_iter()
        .find(|role| role.as_str() == order.service)
    else {
        return;
    };
    let service = system.service(role, 0);
    match order.action {
        Action::Restart => drop(service.terminate().await),
        Action::Kill => {
            service.kill();
            tokio::time::sleep(AWAY).await;
        }
    }
    system.start(role).await;
}
