//! How many logins may be refused: of one address, and of all together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Refused logins of one address within [`WINDOW`].
const OF_ONE: usize = 5;
/// Refused logins of all addresses together.
const OF_ALL: usize = 50;
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// The logins that were refused lately.
#[derive(Debug, Default)]
pub(crate) struct Limit(Mutex<HashMap<IpAddr, Vec<Instant>>>);

impl Limit {
    /// How long an address has to wait before its next try; none when it may try.
    pub(crate) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|_, times| {
            times.retain(|at| now.duration_since(*at) < WINDOW);
            !times.is_empty()
        });
        let all: Vec<Instant> = refused.values().flatten().copied().collect();
        let own = refused.get(&address).map_or(&[][..], Vec::as_slice);
        let of_own = room_at(own, OF_ONE);
        let of_all = room_at(&all, OF_ALL);
        let at = of_own.max(of_all)?;
        Some(at.saturating_duration_since(now))
    }

    /// Counts a login that was refused.
    pub(crate) fn refused(&self, address: IpAddr, now: Instant) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.entry(address).or_default().push(now);
    }
}

/// When there is room again among at most `most`; none when there is some.
fn room_at(times: &[Instant], most: usize) -> Option<Instant> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let leaving = times.len().checked_sub(most)?;
    times.get(leaving).map(|at| *at + WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_too_often_waits_and_others_do_not() {
        let (limit, now) = (Limit::default(), Instant::now());
        let one = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..OF_ONE {
            assert_eq!(limit.wait(one, now), None);
            limit.refused(one, now);
        }
        assert_eq!(limit.wait(one, now), Some(WINDOW));
        assert_eq!(limit.wait(IpAddr::from([192, 0, 2, 2]), now), None);
        assert_eq!(limit.wait(one, now + WINDOW), None);
    }

    #[test]
    fn many_addresses_together_have_a_limit_too() {
        let (limit, now) = (Limit::default(), Instant::now());
        for number in 0..OF_ALL {
            let address = IpAddr::from([10, 0, 0, u8::try_from(number).unwrap()]);
            limit.refused(address, now);
        }
        assert!(limit.wait(IpAddr::from([192, 0, 2, 1]), now).is_some());
    }
}
