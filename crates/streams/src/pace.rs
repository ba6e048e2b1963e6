//! Paced sending: evenly spaced slots of a sender, shared by all processes, on Redis' clock.

use std::time::Duration;

use crate::script::{PACE, PACE_PUSH};
use crate::{Redis, StreamsError};

/// The answer to a request for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The slot is ours; it begins after this wait.
    Granted {
        /// How long until the slot begins.
        wait: Duration,
    },
    /// The next free slot is too far away to reserve. Nothing was reserved.
    TooFar {
        /// How long until the next free slot.
        wait: Duration,
    },
}

impl Redis {
    /// Reserves the next slot of `sender`, at most `max_wait` away. `spacing` is the time between
    /// two slots.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn reserve_slot(
        &self,
        sender: &str,
        spacing: Duration,
        max_wait: Duration,
    ) -> Result<Slot, StreamsError> {
        let (granted, wait_us): (bool, u64) = self
            .run(&PACE, |invocation| {
                invocation.key(self.keys().sender_clock(sender));
                invocation.arg(micros(spacing)).arg(micros(max_wait));
            })
            .await?;
        let wait = Duration::from_micros(wait_us);
        Ok(if granted {
            Slot::Granted { wait }
        } else {
            Slot::TooFar { wait }
        })
    }

    /// Moves the sender's clock: no slot begins before `pause` has passed.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn push_slots(&self, sender: &str, pause: Duration) -> Result<(), StreamsError> {
        self.run(&PACE_PUSH, |invocation| {
            invocation
                .key(self.keys().sender_clock(sender))
                .arg(micros(pause));
        })
        .await
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
