//! Machines that answer every answer: a bounded exchange, then nothing until they say something else.

use sha2::{Digest, Sha256};

use super::Update;
use crate::dialogue::piece::{Piece, Silence, Status};

/// Texts that are compared.
const KEPT: usize = 8;
/// Later than this after the last text, a repetition is a person's.
const CLOSE: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);
/// From how many words on nobody types the same again and again.
const LONG: usize = 4;

impl Update<'_> {
    /// Whether a machine writes. It is answered a few times, then told to a colleague, then not
    /// answered any more.
    pub(super) fn is_machine(&mut self) -> bool {
        let heard = self.heard;
        let words = heard.text.split_whitespace().count();
        if words == 0 {
            return false;
        }
        let echo = &mut self.state.echo;
        if heard.now.duration_since(echo.at) > CLOSE {
            echo.texts.clear();
        }
        let text = fingerprint(heard.text);
        let times = echo.texts.iter().filter(|known| **known == text).count();
        echo.texts.push(text);
        let many = echo.texts.len().saturating_sub(KEPT);
        echo.texts.drain(..many);
        echo.at = heard.now;
        let patience = if words >= LONG { 3 } else { 5 };
        if times < patience {
            return false;
        }
        if times == patience {
            self.tell("machine", false);
            self.owe(Piece::Status(Status::Told));
        } else {
            self.dues.silence = Some(Silence::Machine);
        }
        true
    }
}

/// Letters alone: tickets and clocks in an automatic answer change.
fn fingerprint(text: &str) -> u64 {
    let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    let digest = Sha256::digest(letters.to_lowercase());
    u64::from_be_bytes(digest.first_chunk::<8>().copied().unwrap_or_default())
}
