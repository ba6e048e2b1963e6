//! What the system takes in a minute of all conversations together. Pure but for its memory.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);

/// Counts verified webhooks by the minute.
#[derive(Debug)]
pub(crate) struct TotalLimit {
    limit: u32,
    minute: Mutex<(Instant, u32)>,
}

/// Whether one more webhook fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Enough,
    /// More than half of the limit is used up. True once for each hundredth of it.
    Scarce(bool),
    /// None until this has passed.
    None(Duration),
}

impl TotalLimit {
    /// `limit` a minute; 0 is no limit.
    pub(crate) fn new(limit: u32, now: Instant) -> Self {
        Self {
            limit,
            minute: Mutex::new((now, 0)),
        }
    }

    pub(crate) fn spend(&self, now: Instant) -> Room {
        if self.limit == 0 {
            return Room::Enough;
        }
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = &mut *minute;
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        if *count >= self.limit {
            return Room::None(WINDOW.saturating_sub(now.duration_since(*since)));
        }
        *count += 1;
        if *count > self.limit / 2 {
            Room::Scarce(count.is_multiple_of((self.limit / 100).max(1)))
        } else {
            Room::Enough
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_comes_before_the_limit_and_a_minute_later_all_is_well() {
        let start = Instant::now();
        let total = TotalLimit::new(4, start);
        let spend = |seconds| total.spend(start + Duration::from_secs(seconds));
        assert_eq!([spend(0), spend(1)], [Room::Enough; 2]);
        assert_eq!([spend(2), spend(3)], [Room::Scarce(true); 2]);
        assert_eq!(spend(10), Room::None(Duration::from_secs(50)));
        assert_eq!(spend(60), Room::Enough);
    }

    #[test]
    fn zero_is_no_limit() {
        let total = TotalLimit::new(0, Instant::now());
        assert!((0..1_000).all(|_| total.spend(Instant::now()) == Room::Enough));
    }
}
