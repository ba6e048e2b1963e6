use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Microseconds since the simulator started, by a clock that never goes back.
    #[serde(rename = "arrived_us")]
    pub micros: u64,
    /// Wall-clock time.
    pub at: Timestamp,
}

/// The two clocks of a running simulator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment {
            micros: micros(self.started.elapsed()),
            at: Timestamp::now(),
        }
    }
}

/// A duration in whole microseconds, the largest number when it does not fit.
pub(crate) fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
