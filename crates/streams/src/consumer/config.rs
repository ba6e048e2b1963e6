use std::time::Duration;

use crate::{MemberId, Queue};

/// How a consumer works.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// The queue to consume.
    pub queue: Queue,
    /// This process.
    pub member: MemberId,
    /// How long a dead owner's partitions stay closed.
    pub lease_ttl: Duration,
    /// The most waiting entries of a partition held in memory whole.
    pub window: usize,
    /// The most entries of a partition known at all. Those beyond the window are known by their id
    /// and read again when their turn comes, so that a blocked mailbox or lane with a long queue
    /// does not hide the others.
    pub held: usize,
    /// The most mailboxes of a partition with something started.
    pub concurrency: usize,
    /// The most of them in one lane (see [`crate::Handler::lane`]).
    pub lane: usize,
    /// The most entries being worked on in the whole process.
    pub in_flight: usize,
    /// After this many starts an entry becomes a dead letter. A start that ended because its process
    /// stopped does not count.
    pub max_attempts: u32,
    /// From this many starts that never ended, its own included, an entry runs alone in the process,
    /// so that a crash blames only it.
    pub suspect_from: u32,
    /// The pause after the first failure; it doubles with each further one.
    pub first_retry: Duration,
    /// The longest pause between attempts.
    pub longest_retry: Duration,
    /// How many history lines a dead letter's note leaves.
    pub history_cap: usize,
    /// How long a history is kept that only such a note began.
    pub history_ttl: Duration,
}

/// The consumer's settings contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsumerConfigError {
    /// A step that may outlast the lease would regularly be done twice.
    #[error("the lease of {lease_ms} ms must be longer than the longest step of {step_ms} ms")]
    LeaseTooShort {
        /// The lease's time to live.
        lease_ms: u128,
        /// The longest step.
        step_ms: u128,
    },
    /// Nothing could ever be in flight.
    #[error("window, held, concurrency, lane and in-flight limits must be at least 1")]
    Zero,
}

impl ConsumerConfig {
    /// The settings that fit most deployments.
    pub fn new(queue: Queue, member: MemberId) -> Self {
        Self {
            queue,
            member,
            lease_ttl: Duration::from_secs(10),
            window: 128,
            held: 128,
            concurrency: 32,
            lane: 32,
            in_flight: 256,
            max_attempts: 5,
            suspect_from: 3,
            first_retry: Duration::from_millis(500),
            longest_retry: Duration::from_secs(30),
            history_cap: 40,
            history_ttl: Duration::from_secs(30 * 24 * 60 * 60),
        }
    }

    /// Checks the settings against each other and against the longest step of the handler.
    ///
    /// # Errors
    /// Says which setting is wrong.
    pub fn check(&self, longest_step: Duration) -> Result<(), ConsumerConfigError> {
        if self.lease_ttl <= longest_step {
            return Err(ConsumerConfigError::LeaseTooShort {
                lease_ms: self.lease_ttl.as_millis(),
                step_ms: longest_step.as_millis(),
            });
        }
        let limits = [
            self.window,
            self.held,
            self.concurrency,
            self.lane,
            self.in_flight,
        ];
        if limits.contains(&0) {
            return Err(ConsumerConfigError::Zero);
        }
        Ok(())
    }

    /// How often leases are renewed and members counted.
    pub(super) fn tick(&self) -> Duration {
        self.lease_ttl / 4
    }

    pub(super) fn retry_pause(&self, attempt: u32) -> Duration {
        let doubled = self
            .first_retry
            .saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.longest_retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ConsumerConfig {
        ConsumerConfig::new(Queue::Inbound, MemberId::unique("test"))
    }

    #[test]
    fn a_lease_shorter_than_the_longest_step_is_refused_at_start() {
        assert!(config().check(Duration::from_secs(8)).is_ok());
        let error = config().check(Duration::from_secs(10)).unwrap_err();
        assert!(matches!(error, ConsumerConfigError::LeaseTooShort { .. }));
    }

    #[test]
    fn retry_pauses_double_up_to_the_longest() {
        let pauses = [1, 2, 3, 20].map(|attempt| config().retry_pause(attempt).as_millis());
        assert_eq!(pauses, [500, 1000, 2000, 30_000]);
    }
}
