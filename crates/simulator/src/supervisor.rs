//! Services that somebody else started and can start again, such as the demo: it tells of them, and asks for
//! orders.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// A process of the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Such as `worker`.
    pub name: String,
    /// Whether it runs.
    pub is_up: bool,
    /// How often it was started again.
    #[serde(default)]
    pub restarts: u32,
}

/// What somebody wants done with a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Which service.
    pub service: String,
    /// What.
    pub action: Action,
}

/// What can be done with a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// SIGTERM: it ends what it has begun, and is started again.
    Restart,
    /// SIGKILL: it ends in the middle of what it does, and is started again a little later.
    Kill,
}

#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    inner: Mutex<Inner>,
    ordered: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    services: Vec<Service>,
    orders: VecDeque<Order>,
}

impl Supervisor {
    const MOST_ORDERS: usize = 16;

    /// The services that can be restarted; none without a supervisor.
    pub(crate) fn services(&self) -> Vec<Service> {
        self.lock().services.clone()
    }

    pub(crate) fn tell(&self, services: Vec<Service>) {
        self.lock().services = services;
    }

    /// Leaves an order for the supervisor.
    ///
    /// # Errors
    /// One line when there is no such service, or too many orders wait.
    pub(crate) fn order(&self, order: Order) -> Result<(), &'static str> {
        let mut inner = self.lock();
        if !inner
            .services
            .iter()
            .any(|service| service.name == order.service)
        {
            return Err("nobody can restart a service of that name");
        }
        if inner.orders.len() >= Self::MOST_ORDERS {
            return Err("too many orders wait");
        }
        inner.orders.push_back(order);
        drop(inner);
        self.ordered.notify_one();
        Ok(())
    }

    /// The next order, as soon as there is one.
    pub(crate) async fn next(&self, patience: Duration) -> Option<Order> {
        let next = async {
            loop {
                let ordered = self.ordered.notified();
                if let Some(order) = self.lock().orders.pop_front() {
                    return order;
                }
                ordered.await;
            }
        };
        tokio::time::timeout(patience, next).await.ok()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restart() -> Order {
        Order {
            service: "worker".to_owned(),
            action: Action::Restart,
        }
    }

    #[tokio::test]
    async fn an_order_waits_for_who_can_carry_it_out() {
        let supervisor = Supervisor::default();
        assert!(supervisor.order(restart()).is_err(), "nobody is there");
        supervisor.tell(vec![Service {
            name: "worker".to_owned(),
            is_up: true,
            restarts: 0,
        }]);
        assert_eq!(supervisor.order(restart()), Ok(()));
        let patience = Duration::from_secs(5);
        assert_eq!(supervisor.next(patience).await, Some(restart()));
        assert_eq!(supervisor.next(Duration::ZERO).await, None);
    }
}
