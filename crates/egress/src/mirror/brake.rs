//! How hard a Chatwoot is asked that does not answer: by one try in a while, whatever waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::api::Trouble;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Shared by all steps of this process.
#[derive(Debug, Default)]
pub(super) struct Brake(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
}

fn doubled(failures: u32) -> Duration {
    let factor = 1_u32 << failures.saturating_sub(1).min(7);
    (FIRST * factor).min(LONGEST)
}

impl Brake {
    /// Waits until somebody may ask.
    pub(super) async fn wait(&self) {
        loop {
            let until = self.lock().until;
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => return,
            }
        }
    }

    /// Chatwoot answers.
    pub(super) fn released(&self) {
        *self.lock() = State::default();
    }

    /// A try failed, the `tries`th of its step. How long the step waits: trouble of one conversation holds
    /// up no other.
    pub(super) fn failed(&self, trouble: &Trouble, tries: u32) -> Duration {
        if trouble.of_conversation {
            return doubled(tries);
        }
        let now = Instant::now();
        let mut state = self.lock();
        // Those that were on the way together fail as one.
        if state.until.is_none_or(|until| until <= now) {
            state.failures += 1;
            let pause = trouble.after.unwrap_or_else(|| doubled(state.failures));
            state.until = Some(now + pause.min(LONGEST));
        }
        let until = state.until.unwrap_or(now);
        until.saturating_duration_since(now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_fail_together_slow_down_as_one_and_an_answer_ends_it() {
        let brake = Brake::default();
        let down = Trouble::of_server("down");
        let first = brake.failed(&down, 1);
        for _ in 0..20 {
            assert!(brake.failed(&down, 1) <= first);
        }
        assert_eq!(brake.lock().failures, 1);
        brake.released();
        assert!(brake.lock().until.is_none());
        assert_eq!(doubled(1), FIRST);
        assert_eq!(doubled(40), LONGEST);
    }

    #[test]
    fn a_conversation_that_is_full_holds_up_no_other() {
        let brake = Brake::default();
        let full = Trouble {
            of_conversation: true,
            ..Trouble::of_server("full")
        };
        assert_eq!(brake.failed(&full, 3), FIRST * 4);
        assert!(brake.lock().until.is_none());
    }
}
