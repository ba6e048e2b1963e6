//! The waits between attempts. The only place that knows the crate `backoff`, which is no longer
//! maintained (see `deny.toml`).

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;

/// How often a send is tried, and how long the waits are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Attempts in a round.
    pub attempts: u32,
    /// The wait after the first attempt of a round; it doubles.
    pub first_pause: Duration,
    /// Rounds after the first one.
    pub extra_rounds: u32,
    /// The wait before the first extra round; it doubles.
    pub first_round_pause: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_pause: Duration::from_secs(1),
            extra_rounds: 3,
            first_round_pause: Duration::from_secs(4),
        }
    }
}

/// The longest wait of any schedule.
const LONGEST: Duration = Duration::from_secs(300);
const FIRST_RATE_LIMIT_PAUSE: Duration = Duration::from_millis(500);

impl Schedule {
    /// The wait after attempt number `attempt` (from 1) of a round.
    pub(crate) fn pause_after_attempt(&self, attempt: u32) -> Duration {
        doubled(self.first_pause, attempt, 0.0)
    }

    /// The wait before extra round number `round` (from 1).
    pub(crate) fn pause_before_round(&self, round: u32) -> Duration {
        doubled(self.first_round_pause, round, 0.0)
    }
}

/// The wait after the `times`th 429 in a row that names no time, spread so that replicas do not come
/// back together.
pub(crate) fn pause_after_rate_limit(times: u32) -> Duration {
    doubled(FIRST_RATE_LIMIT_PAUSE, times, 0.5)
}

fn doubled(first: Duration, times: u32, randomization_factor: f64) -> Duration {
    let mut backoff = ExponentialBackoff {
        current_interval: first,
        initial_interval: first,
        randomization_factor,
        multiplier: 2.0,
        max_interval: LONGEST,
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    let mut pause = first;
    for _ in 0..times.clamp(1, 32) {
        pause = backoff.next_backoff().unwrap_or(LONGEST);
    }
    // The crate adds up to a nanosecond.
    Duration::from_millis(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_waits_are_exact() {
        let schedule = Schedule::default();
        let seconds = |pause: Duration| pause.as_millis();
        assert_eq!(
            [1, 2].map(|n| seconds(schedule.pause_after_attempt(n))),
            [1000, 2000]
        );
        assert_eq!(
            [1, 2, 3].map(|n| seconds(schedule.pause_before_round(n))),
            [4000, 8000, 16_000]
        );
        assert_eq!(schedule.pause_before_round(30), LONGEST);
    }

    #[test]
    fn waits_after_rate_limits_spread() {
        let pauses: std::collections::HashSet<_> = (0..20)
            .map(|_| pause_after_rate_limit(3).as_millis())
            .collect();
        assert!(pauses.len() > 1);
        assert!(
            pauses.iter().all(|ms| (1000..=3001).contains(ms)),
            "{pauses:?}"
        );
    }
}
