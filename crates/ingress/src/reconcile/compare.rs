//! Which messages of a list count, and which of those are lost. Pure.

use std::ops::AddAssign;

use jiff::{SignedDuration, Timestamp};

use crate::config::ReconcileConfig;
use crate::event::{Event, Reading};

/// What was answered is remembered for 24 hours; of what is older nobody can tell whether it came.
pub(crate) const MEMORY: SignedDuration = SignedDuration::from_hours(23);

const ALMOST_A_SECOND: SignedDuration = SignedDuration::from_micros(999_999);

/// The messages that a comparison is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

impl Window {
    /// The window from `since`, as far as anybody remembers, to what is settled.
    pub(crate) fn from(since: Timestamp, now: Timestamp, config: &ReconcileConfig) -> Self {
        Self {
            since: since.max(before(now, MEMORY)),
            until: before(now, config.settle()),
        }
    }

    /// The window behind a comparison that reached to `mark`. Never before `begin`.
    pub(crate) fn after(
        begin: Timestamp,
        mark: Timestamp,
        now: Timestamp,
        config: &ReconcileConfig,
    ) -> Self {
        Self::from(before(mark, config.overlap()).max(begin), now, config)
    }

    pub(crate) fn contains(&self, at: Timestamp) -> bool {
        (self.since..=self.until).contains(&at)
    }
}

pub(super) fn before(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

/// What a message of the list is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was taken in.
    Known,
    /// It never came.
    Found,
    /// It never came, and an answer would come too late: only colleagues are told.
    TooOld,
}

pub(crate) fn verdict(
    taken_in: bool,
    written_at: Timestamp,
    now: Timestamp,
    max_age: SignedDuration,
) -> Verdict {
    if taken_in {
        Verdict::Known
    } else if now.duration_since(written_at) > max_age {
        Verdict::TooOld
    } else {
        Verdict::Found
    }
}

/// Marks a message as late. The time that counts for WhatsApp's window is when it was written.
pub(crate) fn late(reading: Reading, written_at: Timestamp, too_late: bool) -> Reading {
    match reading {
        Reading::Event(Event::Message(mut message)) => {
            message.late = true;
            message.too_late = too_late;
            message.received_at = Some(written_at);
            Reading::Event(Event::Message(message))
        }
        Reading::Event(Event::Control { mut event, dedup }) => {
            event.late = true;
            // Lists know whole seconds: it was within this one.
            event.at = written_at
                .saturating_add(ALMOST_A_SECOND)
                .unwrap_or(written_at);
            Reading::Event(Event::Control { event, dedup })
        }
        other => other,
    }
}

/// How many messages of a list were what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) listed: u64,
    pub(crate) known: u64,
    /// Queued, or in a dry run: would be.
    pub(crate) found: u64,
    pub(crate) too_old: u64,
    /// Genuine and none of our business, as of a webhook.
    pub(crate) ignored: u64,
    /// Kept as rejected, as a webhook would be.
    pub(crate) rejected: u64,
    /// Refused, as a webhook would be: its conversation is beyond its limit.
    pub(crate) rate_limited: u64,
    /// Of those found: without what the list leaves out.
    pub(crate) incomplete: u64,
    /// Queued: what somebody else wrote from a number of ours.
    pub(crate) colleagues: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.known += other.known;
        self.found += other.found;
        self.too_old += other.too_old;
        self.ignored += other.ignored;
        self.rejected += other.rejected;
        self.rate_limited += other.rate_limited;
        self.incomplete += other.incomplete;
        self.colleagues += other.colleagues;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn config() -> ReconcileConfig {
        ReconcileConfig {
            reconcile_interval_secs: 300,
            reconcile_settle_secs: 60,
            reconcile_overlap_secs: 600,
            reconcile_max_age_hours: 12,
        }
    }

    #[test]
    fn a_window_overlaps_the_one_before_and_leaves_the_newest_alone() {
        let now = at("2026-11-28T12:00:00Z");
        let window = Window::after(Timestamp::MIN, at("2026-11-28T11:54:00Z"), now, &config());
        assert_eq!(window.since, at("2026-11-28T11:44:00Z"));
        assert_eq!(window.until, at("2026-11-28T11:59:00Z"));
        assert!(window.contains(window.since) && window.contains(window.until));
        assert!(!window.contains(now));
    }

    #[test]
    fn nobody_looks_before_the_beginning() {
        let (begin, now) = (at("2026-11-28T11:50:00Z"), at("2026-11-28T12:00:00Z"));
        for mark in [begin, at("2026-11-28T11:59:00Z")] {
            assert_eq!(Window::after(begin, mark, now, &config()).since, begin);
        }
    }

    #[test]
    fn nobody_looks_farther_back_than_is_remembered() {
        let now = at("2026-11-28T12:00:00Z");
        for mark in [at("2026-11-20T12:00:00Z"), Timestamp::MIN] {
            let window = Window::after(Timestamp::MIN, mark, now, &config());
            assert_eq!(window.since, at("2026-11-27T13:00:00Z"));
        }
    }

    #[test]
    fn what_came_is_known_at_any_age_and_what_is_too_old_is_not_answered() {
        let now = at("2026-11-28T12:00:00Z");
        let judge =
            |taken_in, written_at| verdict(taken_in, at(written_at), now, config().max_age());
        assert_eq!(judge(false, "2026-11-28T00:00:00Z"), Verdict::Found);
        assert_eq!(judge(false, "2026-11-27T23:59:59Z"), Verdict::TooOld);
        assert_eq!(judge(true, "2026-11-27T23:59:59Z"), Verdict::Known);
        assert_eq!(judge(true, "2026-11-28T11:00:00Z"), Verdict::Known);
    }
}
