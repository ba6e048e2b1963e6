//! What follows from how a request ended. Pure.

use std::time::Duration;

use shared_types::FailureClass;

use super::step::OUTCOME_UNKNOWN;
use crate::attempt::{Attempt, Refusal, Scope, Trouble};
use crate::retry::schedule::{Schedule, pause_after_rate_limit};
use crate::retry::{Next, Progress, after_failure};

/// What is done next with a part.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Consequence {
    /// It certainly is not there and is sent again after a pause.
    Again {
        progress: Progress,
        after: Duration,
        /// How many attempts a round had that has failed with this.
        failed_round: Option<u32>,
    },
    /// It may be there, and is looked up after a pause.
    Doubt { progress: Progress, after: Duration },
    /// It is set aside under this reason.
    GiveUp { reason: &'static str, attempts: u32 },
}

/// What is known of the sender now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SenderNews {
    /// The provider took a message of its, or refused one for a reason of its own.
    Works,
    /// The provider refuses our account or configuration.
    Stop,
    /// The provider wants nothing of its for a while.
    Pause(Duration),
    /// Nothing; whether a request was made.
    Nothing { requested: bool },
}

/// A request that ended without success.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) next: Consequence,
    pub(super) sender: SenderNews,
    /// What is counted, with the provider's code where it answered with one.
    pub(super) class: Option<(FailureClass, Option<String>)>,
    /// For the ledger and the log; what is the provider's is masked.
    pub(super) error: String,
}

/// Decides what follows from an attempt that was not accepted. `rate_limits` is how many requests of
/// this part in a row the provider turned away for their number, this one included.
pub(super) fn consequence(
    attempt: Attempt,
    progress: Progress,
    rate_limits: u32,
    schedule: &Schedule,
    settle: Duration,
) -> Option<Failure> {
    let at_once = Consequence::Again {
        progress,
        after: Duration::ZERO,
        failed_round: None,
    };
    Some(match attempt {
        Attempt::Accepted(_) => return None,
        Attempt::TooLate => Failure {
            next: at_once,
            sender: SenderNews::Nothing { requested: false },
            class: None,
            error: "too late".into(),
        },
        Attempt::NotSent(trouble) => Failure {
            next: again(progress, schedule),
            sender: SenderNews::Nothing { requested: true },
            class: Some((FailureClass::Transient, None)),
            error: trouble.text,
        },
        Attempt::RateLimited { retry_after, text } => {
            let after = retry_after.unwrap_or_else(|| pause_after_rate_limit(rate_limits));
            Failure {
                next: Consequence::Again {
                    progress,
                    after,
                    failed_round: None,
                },
                sender: SenderNews::Pause(after),
                class: None,
                error: text,
            }
        }
        Attempt::Refused(refusal) => refused(refusal, progress, schedule, at_once),
        Attempt::Unknown(trouble) => Failure {
            next: Consequence::Doubt {
                progress,
                after: pause_of_doubt(&trouble, progress, schedule, settle),
            },
            sender: SenderNews::Nothing { requested: true },
            class: Some((FailureClass::Transient, None)),
            error: trouble.text,
        },
    })
}

/// The same for what the message is whole without: only what the provider put off, or what came too late, is
/// tried again, and its failure says nothing of the sender.
pub(super) fn of_extra(
    attempt: Attempt,
    progress: Progress,
    rate_limits: u32,
    schedule: &Schedule,
    settle: Duration,
) -> Option<Failure> {
    let put_off = matches!(attempt, Attempt::RateLimited { .. } | Attempt::TooLate);
    let reason = match attempt {
        Attempt::Unknown(_) => OUTCOME_UNKNOWN,
        _ => "refused",
    };
    let failure = consequence(attempt, progress, rate_limits, schedule, settle)?;
    if put_off {
        return Some(failure);
    }
    let sender = match failure.sender {
        SenderNews::Stop => SenderNews::Nothing { requested: true },
        news => news,
    };
    Some(Failure {
        next: Consequence::GiveUp {
            reason,
            attempts: 1,
        },
        sender,
        ..failure
    })
}

fn refused(
    refusal: Refusal,
    progress: Progress,
    schedule: &Schedule,
    at_once: Consequence,
) -> Failure {
    let (next, sender) = match (refusal.class, refusal.scope) {
        // The message waits for the sender.
        (FailureClass::Configuration, Scope::Sender) => (at_once, SenderNews::Stop),
        (FailureClass::Transient, _) => (again(progress, schedule), SenderNews::Works),
        (class, _) => {
            let reason = match class {
                FailureClass::Configuration => "configuration",
                FailureClass::Window => "window_closed",
                FailureClass::Permanent | FailureClass::Transient => "refused",
            };
            let attempts = progress.failures + 1;
            (Consequence::GiveUp { reason, attempts }, SenderNews::Works)
        }
    };
    Failure {
        next,
        sender,
        class: Some((refusal.class, Some(refusal.code))),
        error: refusal.text,
    }
}

/// What comes after one more failure of a message that certainly is not there.
pub(super) fn again(progress: Progress, schedule: &Schedule) -> Consequence {
    match after_failure(progress, schedule) {
        Next::Again { progress, after } => Consequence::Again {
            progress,
            after,
            failed_round: None,
        },
        Next::NewRound {
            progress,
            after,
            attempts,
        } => Consequence::Again {
            progress,
            after,
            failed_round: Some(attempts),
        },
        Next::GiveUp { attempts } => Consequence::GiveUp {
            reason: "rounds_exhausted",
            attempts,
        },
    }
}

/// A provider that answered has settled its records; the pause before the retry will do.
fn pause_of_doubt(
    trouble: &Trouble,
    progress: Progress,
    schedule: &Schedule,
    settle: Duration,
) -> Duration {
    match after_failure(progress, schedule) {
        Next::Again { after, .. } | Next::NewRound { after, .. } if trouble.answered => after,
        Next::Again { after, .. } | Next::NewRound { after, .. } => after.max(settle),
        Next::GiveUp { .. } => settle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(4);

    fn after(attempt: Attempt) -> Failure {
        let schedule = Schedule::default();
        consequence(attempt, Progress::default(), 1, &schedule, SETTLE).unwrap()
    }

    #[test]
    fn only_an_outcome_that_is_not_known_is_looked_up() {
        let doubt = after(Attempt::Unknown(Trouble::without_answer("reset")));
        assert!(matches!(doubt.next, Consequence::Doubt { after, .. } if after == SETTLE));
        let answered = after(Attempt::Unknown(Trouble::with_answer("500")));
        let soon = Duration::from_secs(1);
        assert!(matches!(answered.next, Consequence::Doubt { after, .. } if after == soon));
        let not_sent = after(Attempt::NotSent(Trouble::without_answer("refused")));
        assert!(matches!(not_sent.next, Consequence::Again { .. }));
    }

    #[test]
    fn a_picture_is_tried_once_and_stops_no_sender() {
        let after = |attempt| {
            let schedule = Schedule::default();
            of_extra(attempt, Progress::default(), 1, &schedule, SETTLE).unwrap()
        };
        let class = FailureClass::Configuration;
        let refused = after(Attempt::Refused(Refusal::of_sender(class, "404", "no")));
        assert!(matches!(refused.sender, SenderNews::Nothing { .. }));
        let unknown = after(Attempt::Unknown(Trouble::without_answer("reset")));
        for failure in [refused, unknown] {
            assert!(matches!(failure.next, Consequence::GiveUp { .. }));
        }
        let later = after(Attempt::RateLimited {
            retry_after: None,
            text: "429".into(),
        });
        assert!(matches!(later.next, Consequence::Again { .. }));
    }

    #[test]
    fn a_wrong_sender_stops_and_its_message_waits_uncounted() {
        let class = FailureClass::Configuration;
        let failure = after(Attempt::Refused(Refusal::of_sender(class, "20003", "no")));
        assert_eq!(failure.sender, SenderNews::Stop);
        assert_eq!(failure.class, Some((class, Some("20003".to_owned()))));
        let uncounted = |progress| progress == Progress::default();
        assert!(matches!(failure.next, Consequence::Again { progress, .. } if uncounted(progress)));
        let failure = after(Attempt::Refused(Refusal::of_message(class, "21608", "no")));
        assert_eq!(failure.sender, SenderNews::Works);
        assert!(matches!(
            failure.next,
            Consequence::GiveUp {
                reason: "configuration",
                ..
            }
        ));
    }
}
