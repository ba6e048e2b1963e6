//! What is known of the model's server: what it takes, and how it last failed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::dialect::{Dialect, Settings};
use super::failure::Failure;
use crate::openai::Words;

/// Shared by all questions.
#[derive(Debug)]
pub(super) struct Health {
    settings: Settings,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    dialect: Dialect,
    /// What was logged last: the same again says nothing new.
    failing: Option<String>,
}

impl Health {
    pub(super) fn new(settings: Settings) -> Self {
        let state = State {
            dialect: settings.first(),
            failing: None,
        };
        Self {
            settings,
            state: Mutex::new(state),
        }
    }

    /// What the server takes, as far as is known.
    pub(super) fn dialect(&self) -> Dialect {
        self.lock().dialect
    }

    /// Whether it is worth asking again after `used` was refused: with less, from now on.
    pub(super) fn adapts(&self, model: &str, used: Dialect, status: u16, words: &Words) -> bool {
        let mut state = self.lock();
        if state.dialect != used {
            // Another question was faster.
            return true;
        }
        let Some(next) = self.settings.next(used, status, words) else {
            return false;
        };
        state.dialect = next;
        tracing::warn!(
            model,
            status,
            "the model's server refuses a parameter; from now on: {next}"
        );
        true
    }

    /// Logs what is new. `asked` is kept out of it.
    pub(super) fn note(&self, model: &str, asked: &str, outcome: &Result<(), &Failure>) {
        let mut state = self.lock();
        match outcome {
            Ok(()) => {
                if state.failing.take().is_some() {
                    tracing::info!(model, "the model answers again");
                }
            }
            // One odd answer is no news of the server.
            Err(Failure::Useless | Failure::Declined) => {}
            Err(failure) => {
                let kind = failure.status();
                if state.failing.as_ref() != Some(&kind) {
                    let error = failure.without(asked);
                    tracing::error!(model, %error, "the model cannot be used; the rules answer");
                    state.failing = Some(kind);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
