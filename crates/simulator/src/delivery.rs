//! What becomes of a message after a provider took it: its status moves, and callbacks tell so.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use crate::journal::{Entry, MessageStatus};
use crate::provider::Provider;
use crate::webhook::Webhook;
use crate::world::World;
use crate::{twilio, waha};

/// The course of delivery of an accepted message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryPlan {
    /// The statuses in their true order. Empty: nothing is ever heard of the message.
    pub statuses: Vec<MessageStatus>,
    /// Milliseconds before each of them.
    pub delay_ms: u64,
    /// Error code told with `failed` and `undelivered`, such as 63016.
    pub error_code: Option<u32>,
    /// Whether callbacks are posted in a random order.
    pub shuffle: bool,
    /// Start of the random order and of the losses.
    pub seed: u64,
    /// How often each callback is posted.
    pub copies: u8,
    /// Chance that a callback is lost, 0 to 1.
    pub drop: f64,
}

impl Default for DeliveryPlan {
    fn default() -> Self {
        Self {
            statuses: vec![
                MessageStatus::Sent,
                MessageStatus::Delivered,
                MessageStatus::Read,
            ],
            delay_ms: 400,
            error_code: None,
            shuffle: false,
            seed: 0,
            copies: 1,
            drop: 0.0,
        }
    }
}

/// One moment of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    status: MessageStatus,
    error_code: Option<u32>,
    copies: u8,
}

impl DeliveryPlan {
    /// Nothing is ever heard of a message. For load runs.
    pub fn silent() -> Self {
        Self {
            statuses: Vec::new(),
            ..Self::default()
        }
    }

    /// Refuses what cannot be done.
    ///
    /// # Errors
    ///
    /// One line that names the field.
    pub fn validate(&self) -> Result<(), String> {
        if (0.0..=1.0).contains(&self.drop) {
            Ok(())
        } else {
            Err("drop must lie between 0 and 1".to_owned())
        }
    }

    /// The callbacks in the order in which they are posted. Lost ones have no copies.
    fn steps(&self, rng: &mut StdRng) -> Vec<Step> {
        let failed = |status| matches!(status, MessageStatus::Failed | MessageStatus::Undelivered);
        let mut steps: Vec<Step> = self
            .statuses
            .iter()
            .map(|status| Step {
                status: *status,
                error_code: self.error_code.filter(|_| failed(*status)),
                copies: if rng.random::<f64>() < self.drop {
                    0
                } else {
                    self.copies
                },
            })
            .collect();
        if self.shuffle {
            steps.shuffle(rng);
        }
        steps
    }
}

/// Lets an accepted message take its course in the background. `callback` is where Twilio tells of
/// it; WAHA's acks go to the ingress.
pub(crate) fn begin(
    world: &Arc<World>,
    entry: &Arc<Entry>,
    plan: &DeliveryPlan,
    callback: Option<String>,
) {
    let mut rng = StdRng::seed_from_u64(plan.seed ^ entry.seq);
    let steps = plan.steps(&mut rng);
    if steps.is_empty() {
        return;
    }
    let pause = Duration::from_millis(plan.delay_ms);
    let (world_of_task, entry) = (Arc::clone(world), Arc::clone(entry));
    world.spawn(async move {
        let world = world_of_task;
        for step in steps {
            tokio::time::sleep(pause).await;
            world.journal.update(entry.seq, |progress| {
                if step.status > progress.status {
                    progress.status = step.status;
                    progress.code = step.error_code;
                }
            });
            let Some(webhook) = notice(&world, &entry, step, callback.as_deref()) else {
                continue;
            };
            for _ in 0..step.copies {
                world.post_notice(&webhook).await;
            }
        }
    });
}

fn notice(world: &World, entry: &Entry, step: Step, callback: Option<&str>) -> Option<Webhook> {
    match entry.provider {
        Provider::Twilio => {
            let form = twilio::status_form(
                &world.config.twilio.account_sid,
                entry,
                step.status,
                step.error_code,
            );
            Some(twilio::status_webhook(&world.config, callback?, &form))
        }
        Provider::Waha => {
            let ack = waha::ack_of(step.status)?;
            Some(waha::ack_webhook(
                world,
                &entry.business,
                &entry.id,
                &entry.customer,
                ack,
            ))
        }
        Provider::Chatwoot | Provider::Llm => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(plan: &DeliveryPlan, seed: u64) -> Vec<MessageStatus> {
        plan.steps(&mut StdRng::seed_from_u64(seed))
            .into_iter()
            .map(|step| step.status)
            .collect()
    }

    #[test]
    fn callbacks_come_in_the_true_order_unless_they_are_shuffled() {
        let mut plan = DeliveryPlan::default();
        assert_eq!(statuses(&plan, 1), plan.statuses);
        plan.shuffle = true;
        assert!((0..20).any(|seed| statuses(&plan, seed) != plan.statuses));
        let mut sorted = statuses(&plan, 3);
        sorted.sort_unstable();
        assert_eq!(sorted, plan.statuses);
    }

    #[test]
    fn lost_callbacks_have_no_copies_and_only_failures_have_a_code() {
        let plan = DeliveryPlan {
            statuses: vec![MessageStatus::Sent, MessageStatus::Undelivered],
            error_code: Some(63_016),
            copies: 2,
            drop: 1.0,
            ..DeliveryPlan::default()
        };
        let steps = plan.steps(&mut StdRng::seed_from_u64(1));
        assert!(steps.iter().all(|step| step.copies == 0));
        let codes: Vec<_> = steps.iter().map(|step| step.error_code).collect();
        assert_eq!(codes, [None, Some(63_016)]);
    }
}
