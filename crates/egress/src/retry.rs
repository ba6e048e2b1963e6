//! When a failed send is tried again. Pure; the numbers come from [`schedule`].

pub(crate) mod schedule;

use std::time::Duration;

use schedule::Schedule;

/// Which try a send is at. Persisted, so that a restart goes on where the process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// The round, from 0.
    pub round: u32,
    /// Failed attempts in this round.
    pub failures: u32,
}

/// What comes after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another attempt of the same round.
    Again {
        /// The progress to note.
        progress: Progress,
        /// How long to wait.
        after: Duration,
    },
    /// The round has failed; another one follows.
    NewRound {
        /// The progress to note.
        progress: Progress,
        /// How long to wait.
        after: Duration,
        /// How many attempts the round had.
        attempts: u32,
    },
    /// All rounds have failed.
    GiveUp {
        /// How many attempts the last round had.
        attempts: u32,
    },
}

/// Decides what comes after one more failure.
pub(crate) fn after_failure(progress: Progress, schedule: &Schedule) -> Next {
    let failures = progress.failures + 1;
    if failures < schedule.attempts {
        let progress = Progress {
            failures,
            ..progress
        };
        return Next::Again {
            progress,
            after: schedule.pause_after_attempt(failures),
        };
    }
    let round = progress.round + 1;
    if round > schedule.extra_rounds {
        return Next::GiveUp { attempts: failures };
    }
    Next::NewRound {
        progress: Progress { round, failures: 0 },
        after: schedule.pause_before_round(round),
        attempts: failures,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_attempts_with_one_and_two_seconds_then_rounds_after_four_eight_and_sixteen() {
        let schedule = Schedule::default();
        let mut progress = Progress::default();
        let mut waits = Vec::new();
        let attempts = loop {
            match after_failure(progress, &schedule) {
                Next::Again {
                    progress: next,
                    after,
                } => {
                    waits.push(after.as_secs());
                    progress = next;
                }
                Next::NewRound {
                    progress: next,
                    after,
                    attempts,
                } => {
                    assert_eq!(attempts, 3);
                    waits.push(after.as_secs());
                    progress = next;
                }
                Next::GiveUp { attempts } => break attempts,
            }
        };
        assert_eq!(waits, [1, 2, 4, 1, 2, 8, 1, 2, 16, 1, 2]);
        assert_eq!(attempts, 3);
    }
}
