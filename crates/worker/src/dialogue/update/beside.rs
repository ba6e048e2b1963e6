//! What comes beside the words that are understood: a file, a language that is not served.

use super::Update;
use super::remarks::MAX_QUOTE;
use crate::dialogue::act::{Act, Asked, Does, Origin};
use crate::dialogue::piece::{Passed, Piece};

impl Update<'_> {
    pub(super) fn note_file(&mut self) {
        if self.heard.withheld {
            self.owe(Piece::Withheld);
        }
        if let Some(kind) = self.heard.attachment {
            let with_words = !self.heard.text.trim().is_empty();
            self.owe(Piece::Attachment { kind, with_words });
        }
    }

    /// A language that is not served gets its sentence once; what was written goes to a colleague.
    pub(super) fn note_language(&mut self) {
        let Some(code) = self.heard.unserved else {
            return;
        };
        let words: String = self.heard.text.chars().take(MAX_QUOTE).collect();
        if self.state.excused.iter().any(|excused| excused == code) {
            if self.dues.pieces.is_empty() {
                self.owe(Piece::PassOn(Passed::Words(words)));
            }
            return;
        }
        self.state.excused.push(code.to_owned());
        self.owe(Piece::Excuse(code.to_owned()));
        let all = Act {
            does: Does::Unclear { candidates: vec![] },
            confidence: 1.0,
            words: 0..self.heard.text.len(),
            clause: 0,
            origin: Origin::Rules,
        };
        self.pass_on_words(&all, Asked::Other);
    }
}
