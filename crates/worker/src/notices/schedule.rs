//! When a notice is tried again. Pure.

use std::time::Duration;

/// The pauses before the second and later tries, as Standard Webhooks recommends them.
const PAUSES: [u64; 9] = [
    5,
    5 * 60,
    30 * 60,
    2 * 3600,
    5 * 3600,
    10 * 3600,
    14 * 3600,
    20 * 3600,
    24 * 3600,
];
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The pause after so many tries, none when there is no further one. `asked` is what the receiver
/// wants; `dice`, from 0 to 1, adds up to a tenth so that not all come at once.
#[must_use]
pub(super) fn pause(tries: i64, asked: Option<Duration>, dice: f64) -> Option<Duration> {
    let place = usize::try_from(tries).ok()?.checked_sub(1)?;
    let planned = Duration::from_secs(*PAUSES.get(place)?);
    let planned = planned.mul_f64(1.0 + dice.clamp(0.0, 1.0) / 10.0);
    Some(planned.max(asked.unwrap_or_default().min(LONGEST_RETRY_AFTER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let secs = |tries| pause(tries, None, 0.0).map(|pause| pause.as_secs());
        assert_eq!(secs(1), Some(5));
        assert_eq!(secs(4), Some(7200));
        assert_eq!(secs(9), Some(86_400));
        assert_eq!(secs(10), None);
        assert!(pause(1, None, 1.0).unwrap() > Duration::from_secs(5));
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_ever() {
        let asked = |secs| pause(1, Some(Duration::from_secs(secs)), 0.0).unwrap();
        assert_eq!(asked(1), Duration::from_secs(5));
        assert_eq!(asked(60), Duration::from_secs(60));
        assert_eq!(asked(u64::MAX), LONGEST_RETRY_AFTER);
    }
}
