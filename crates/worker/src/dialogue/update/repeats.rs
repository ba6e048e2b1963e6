//! Machines that answer every answer: a bounded exchange, then nothing until they say something else.

use sha2::{Digest, Sha256};

use super::Update;
use crate::dialogue::piece::{Piece, Silence, Status};

/// Texts that are compared.
const KEPT: usize = 8;
/// Later than this after the last answer, a repetition is a person's.
const CLOSE: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);
/// The same where it is known when the text came: a machine answers an answer at once, and a person
/// who sends the same again has waited for a while.
const AT_ONCE: jiff::SignedDuration = jiff::SignedDuration::from_secs(20);
/// From how many words on nobody types the same again and again.
const LONG: usize = 4;

/// Nobody reads an answer and types the next message in this time.
const NO_PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_secs(3);
/// As many messages in a row, each after an answer and without a pause, are a machine's. Whoever only
/// writes fast does not wait for each answer.
const HURRIED: u32 = 50;

impl Update<'_> {
    /// Whether a machine writes. It is answered a few times, then told to a colleague, then not
    /// answered any more.
    pub(super) fn is_machine(&mut self) -> bool {
        let words = self.heard.text.split_whitespace().count();
        if words == 0 {
            return false;
        }
        if self.state.is_with_human(self.heard.now) {
            // Who writes to a colleague answers nothing of ours.
            let echo = &mut self.state.echo;
            echo.texts.clear();
            (echo.hurried, echo.at) = (0, self.heard.now);
            return false;
        }
        let patience = if words >= LONG { 3 } else { 5 };
        let repeated = self.repeated().checked_sub(patience);
        let hurried = self.hurried().checked_sub(HURRIED);
        self.state.echo.at = self.heard.now;
        match repeated.max(hurried) {
            None => return false,
            Some(0) => {
                self.tell("machine", false);
                self.owe(Piece::Status(Status::Told));
            }
            Some(_) => self.dues.silence = Some(Silence::Machine),
        }
        true
    }

    /// How often the same text came before this one, each time in answer to an answer. Another text in
    /// between, or a human pause, begins anew.
    fn repeated(&mut self) -> u32 {
        let echo = &mut self.state.echo;
        let waited = match self.heard.came {
            Some(came) => came.duration_since(echo.at) > AT_ONCE,
            None => self.heard.now.duration_since(echo.at) > CLOSE,
        };
        let text = fingerprint(self.heard.text);
        if waited || echo.texts.last().is_some_and(|last| *last != text) {
            echo.texts.clear();
        }
        let times = echo.texts.len();
        echo.texts.push(text);
        let many = echo.texts.len().saturating_sub(KEPT);
        echo.texts.drain(..many);
        u32::try_from(times).unwrap_or(u32::MAX)
    }

    /// How many messages in a row came right after the answer to the one before.
    fn hurried(&mut self) -> u32 {
        let echo = &mut self.state.echo;
        let pause = self.heard.came.map(|came| came.duration_since(echo.at));
        match pause {
            Some(pause) if pause.is_positive() && pause < NO_PAUSE => echo.hurried += 1,
            Some(_) | None => echo.hurried = 0,
        }
        echo.hurried
    }
}

/// Letters alone: tickets and clocks in an automatic answer change.
fn fingerprint(text: &str) -> u64 {
    let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    let digest = Sha256::digest(letters.to_lowercase());
    u64::from_be_bytes(digest.first_chunk::<8>().copied().unwrap_or_default())
}
