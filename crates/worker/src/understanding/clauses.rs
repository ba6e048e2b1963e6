//! Where the clauses of a message begin and end.

use super::lattice::Span;
use super::marks::Marks;
use super::reading::Reading;
use super::tokens::Boundary;
use crate::domain::QuestionCue;

/// How many words may stand before the one that begins a clause: "en wat …", "ok maar hoe …".
const BEFORE: usize = 4;

/// The clauses of a message, in order: they end with sentences, before a joiner or a comma that
/// something follows which begins a clause. A comma in a list ends none.
pub(super) fn clauses(reading: &Reading, marks: &Marks) -> Vec<Span> {
    let length = reading.tokens.len();
    let mut clauses = Vec::new();
    let mut start = 0;
    for at in 1..length {
        let ends = match reading.lattice.boundary_before(at) {
            Boundary::Sentence => true,
            Boundary::Clause => begins(reading, marks, at),
            Boundary::None => {
                let joiner = marks.starts(at, |cue| cue == QuestionCue::Joiner);
                joiner.is_some_and(|joiner| begins(reading, marks, joiner.end))
            }
        };
        if ends {
            clauses.push(Span::new(start, at));
            start = at;
        }
    }
    if start < length {
        clauses.push(Span::new(start, length));
    }
    clauses
}

/// The first word of a clause that says something.
pub(super) fn first_word(reading: &Reading, marks: &Marks, clause: Span) -> usize {
    let mut at = clause.start;
    for _ in 0..BEFORE {
        let begins = |cue| matches!(cue, QuestionCue::Word | QuestionCue::VerbFirst);
        if at >= clause.end || marks.starts(at, begins).is_some() {
            break;
        }
        let passed = |cue| matches!(cue, QuestionCue::Joiner | QuestionCue::Before);
        match marks.starts(at, passed) {
            Some(span) => at = span.end,
            None if reading.lattice.is_filler(at) => at += 1,
            None => break,
        }
    }
    at
}

fn begins(reading: &Reading, marks: &Marks, at: usize) -> bool {
    let first = first_word(reading, marks, Span::new(at, reading.tokens.len()));
    let begins = |cue| {
        matches!(
            cue,
            QuestionCue::Word
                | QuestionCue::VerbFirst
                | QuestionCue::Indirect
                | QuestionCue::Opener
        )
    };
    // Nothing that stands after a boundary of its own belongs to what begins here.
    let cut = (at + 1..=first).any(|at| reading.lattice.boundary_before(at) > Boundary::None);
    let begun = marks.starts(first, begins);
    !cut && begun.is_some_and(|span| is_whole(reading, span))
}

/// "… maar zitten, we hebben …" is no verb with its subject: a comma stands between.
pub(super) fn is_whole(reading: &Reading, span: Span) -> bool {
    let mut inside = span.start + 1..span.end;
    inside.all(|at| reading.lattice.boundary_before(at) == Boundary::None)
}
