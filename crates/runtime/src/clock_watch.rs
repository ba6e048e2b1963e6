//! Whether Redis' clock steps back: leases, paces and rate limits are counted on it.

use std::time::{Duration, Instant};

/// Less may be a correction of the clock; nobody needs to know of it.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// Compares a server's clock with the time that passed here.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch {
    last: Option<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    answered: Instant,
    server_ms: i64,
}

impl ClockWatch {
    /// Takes a reading that was asked for and answered at these times, in milliseconds since 1970.
    /// Gives by how much at least the clock was set back since the reading before, if it was.
    pub(crate) fn read(
        &mut self,
        asked: Instant,
        answered: Instant,
        server_ms: i64,
    ) -> Option<Duration> {
        let last = self.last.replace(Reading {
            answered,
            server_ms,
        })?;
        let passed = asked.saturating_duration_since(last.answered).as_millis();
        let due_ms = last
            .server_ms
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        let back = u64::try_from(due_ms.saturating_sub(server_ms)).unwrap_or_default();
        Some(Duration::from_millis(back)).filter(|back| *back >= WORTH_SAYING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings as seconds: asked, answered, the server's clock.
    fn steps(readings: &[(u64, u64, i64)]) -> Vec<Option<u64>> {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = ClockWatch::default();
        let read = |(asked, answered, server): &(u64, u64, i64)| {
            let back = watch.read(at(*asked), at(*answered), server * 1000);
            back.map(|back| back.as_secs())
        };
        readings.iter().map(read).collect()
    }

    #[test]
    fn a_step_back_is_told_once_with_its_length() {
        let readings = [(0, 0, 7000), (10, 10, 3410), (20, 20, 3420)];
        assert_eq!(steps(&readings), [None, Some(3600), None]);
    }

    #[test]
    fn a_slow_answer_a_step_ahead_and_a_small_correction_are_no_step_back() {
        assert_eq!(steps(&[(0, 9, 1000), (9, 20, 1001)]), [None, None]);
        assert_eq!(steps(&[(0, 0, 1000), (1, 1, 9000)]), [None, None]);
        let start = Instant::now();
        let mut watch = ClockWatch::default();
        watch.read(start, start, 1_000);
        assert_eq!(watch.read(start, start, 100), None);
    }
}
