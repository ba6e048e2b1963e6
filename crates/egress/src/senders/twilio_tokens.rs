//! The account's auth tokens. While one is rotated there are two: one may be good no longer, or not yet, and
//! no message waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::StatusCode;
use secrecy::SecretString;

use super::Answer;

pub(super) struct Tokens {
    all: Vec<SecretString>,
    /// The place of the one that Twilio took last.
    good: AtomicUsize,
}

impl Tokens {
    pub(super) fn new(all: Vec<SecretString>) -> Self {
        Self {
            all,
            good: AtomicUsize::new(0),
        }
    }

    /// Each with its place, the one that Twilio took last first.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = (usize, &SecretString)> {
        let good = self.good.load(Ordering::Relaxed);
        let others = (0..self.all.len()).filter(move |place| *place != good);
        let places = std::iter::once(good).chain(others);
        places.filter_map(|place| Some((place, self.all.get(place)?)))
    }

    /// Whether an answer was about the message, and not about the token in this place.
    pub(super) fn is_taken(&self, place: usize, answer: &Answer) -> bool {
        if answer.status == StatusCode::UNAUTHORIZED {
            return false;
        }
        if self.good.swap(place, Ordering::Relaxed) != place {
            tracing::warn!(
                token = if place == 0 {
                    "TWILIO_AUTH_TOKEN"
                } else {
                    "TWILIO_EXTRA_AUTH_TOKENS"
                },
                "Twilio refuses one of the auth tokens and takes this one: end the rotation"
            );
        }
        true
    }
}
