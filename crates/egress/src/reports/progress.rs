//! Which reports move a message's status. Pure.

use shared_types::DeliveryStatus::{
    self, Accepted, Canceled, Delivered, Failed, PartiallyDelivered, Queued, Read, Scheduled,
    Sending, Sent, Undelivered,
};

/// What a report does to the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// It becomes the status.
    Forward,
    /// It is old news.
    Stay,
}

/// How far a status is; failures are ends of their own.
const fn rank(status: DeliveryStatus) -> u8 {
    match status {
        Scheduled => 0,
        Accepted => 1,
        Queued => 2,
        Sending => 3,
        Sent => 4,
        Failed | Undelivered | Canceled => 5,
        PartiallyDelivered => 6,
        Delivered => 7,
        Read => 8,
    }
}

/// Reports come doubled and in any order. A message that was delivered after all, after a failure
/// had been reported, was delivered.
pub(super) fn next_status(current: Option<DeliveryStatus>, reported: DeliveryStatus) -> Move {
    match current {
        Some(current) if rank(reported) <= rank(current) => Move::Stay,
        _ => Move::Forward,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(reports: &[DeliveryStatus]) -> Option<DeliveryStatus> {
        reports.iter().fold(None, |current, reported| {
            match next_status(current, *reported) {
                Move::Forward => Some(*reported),
                Move::Stay => current,
            }
        })
    }

    #[test]
    fn the_status_only_moves_forwards_whatever_the_order() {
        assert_eq!(after(&[Queued, Sent, Delivered, Read]), Some(Read));
        assert_eq!(after(&[Read, Sent, Delivered, Queued]), Some(Read));
        assert_eq!(after(&[Delivered, Delivered, Sent]), Some(Delivered));
    }

    #[test]
    fn a_late_delivery_overrides_a_failure_and_not_the_other_way_round() {
        assert_eq!(after(&[Sent, Failed, Delivered]), Some(Delivered));
        assert_eq!(after(&[Delivered, Undelivered]), Some(Delivered));
        assert_eq!(after(&[Failed, Sent]), Some(Failed));
    }
}
