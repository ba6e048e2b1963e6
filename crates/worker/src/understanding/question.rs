//! Whether a clause asks something, and how.

use super::clauses::{first_word, is_whole};
use super::lattice::Span;
use super::marks::{Mark, Marks};
use super::reading::Reading;
use crate::dialogue::act::Form;
use crate::domain::{ActCue, QuestionCue};

/// From here on a clause asks.
pub(super) const ENOUGH: f64 = 0.5;

/// What each kind of evidence is worth; taken together as `1 - Π(1 - w)`.
const MARK: f64 = 0.9;
const WORD: f64 = 0.85;
const VERB_FIRST: f64 = 0.8;
const INDIRECT: f64 = 0.9;
const TAG: f64 = 0.8;
const NAME_ALONE: f64 = 0.6;
const POSSIBLE: f64 = 0.6;
const INNER: f64 = 0.7;
/// How many words may stand before a question that follows a statement without a comma.
const STATEMENT: std::ops::RangeInclusive<usize> = 3..=9;
/// What is left of it where it only looks like a question.
const AGAINST: f64 = 0.2;

/// How far a clause asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Asking {
    /// 0 to 1.
    pub(super) sure: f64,
    pub(super) form: Form,
    /// It asks whether something can be.
    pub(super) whether: bool,
}

impl Asking {
    pub(super) fn asks(self) -> bool {
        self.sure >= ENOUGH
    }
}

/// Weighs what speaks for a question. `is_attribute` tells what can only be asked of a thing, so that
/// its name alone asks.
pub(super) fn asking(
    reading: &Reading,
    marks: &Marks,
    clause: Span,
    is_attribute: impl Fn(usize) -> bool,
) -> Asking {
    let first = first_word(reading, marks, clause);
    let begins = |cue| {
        marks
            .starts(first, |other| other == cue)
            .filter(|span| span.start < clause.end && is_whole(reading, *span))
    };
    let anywhere = |cue| marks.question(cue, clause);
    let tokens = || reading.tokens.iter().skip(clause.start).take(clause.len());
    let marked = tokens().any(|token| token.asked);
    let word = begins(QuestionCue::Word).is_some();
    let verb_first = begins(QuestionCue::VerbFirst).is_some();
    let tag =
        anywhere(QuestionCue::Tag).is_some_and(|span| span.end == clause.end && span.start > first);
    let possible = anywhere(QuestionCue::Possible).is_some();
    let evidence = [
        (marked, MARK),
        (word, WORD),
        (verb_first, VERB_FIRST),
        (anywhere(QuestionCue::Indirect).is_some(), INDIRECT),
        (tag || anywhere(QuestionCue::Check).is_some(), TAG),
        (possible, POSSIBLE),
        (is_asked_behind(reading, marks, clause, first), INNER),
        (
            is_name_alone(reading, marks, clause, is_attribute),
            NAME_ALONE,
        ),
    ];
    let doubt: f64 = evidence
        .iter()
        .filter(|(there, _)| *there)
        .map(|(_, weight)| 1.0 - weight)
        .product();
    // "Dan nemen we": what stands before the verb makes a statement of it.
    let passed = (clause.start..=first).any(|at| {
        let against = |other| other == QuestionCue::Against;
        marks
            .starts(at, against)
            .is_some_and(|span| span.start < clause.end)
    });
    // "Am 22. hat mein Mann das Auto" tells what is then.
    let mut moments = reading.moments.spans();
    let dated = moments.any(|moment| clause.start <= moment.start && moment.start < first);
    let passed = passed || dated;
    // "2014, glaub ich?" tells, and doubts.
    let unsure = anywhere(QuestionCue::Unsure).is_some_and(|span| span.end == clause.end);
    let unsure = unsure && !word && !verb_first;
    let against = unsure || !marked && (begins(QuestionCue::Against).is_some() || passed && !word);
    let form = if anywhere(QuestionCue::Check).is_some() {
        Form::Check
    } else if word {
        Form::Which
    } else if anywhere(QuestionCue::Choice).is_some() {
        Form::Choice
    } else {
        Form::YesNo
    };
    Asking {
        sure: (1.0 - doubt) * if against { AGAINST } else { 1.0 },
        form,
        whether: possible || tag,
    }
}

/// "Ich hab eine Vollmacht reicht das": a question behind a statement that tells no day and no value,
/// which would be more than what is asked.
fn is_asked_behind(reading: &Reading, marks: &Marks, clause: Span, first: usize) -> bool {
    let is = |at: usize, cue: QuestionCue| marks.starts(at, |other| other == cue).is_some();
    let mut places = first + STATEMENT.start()..clause.end.min(first + STATEMENT.end() + 1);
    let Some(at) = places.find(|at| is(*at, QuestionCue::Inner)) else {
        return false;
    };
    let before = Span::new(clause.start, at);
    let names = reading.mentions.iter().map(|mention| mention.span);
    let mut told = names.chain(reading.moments.spans());
    // "Ich brauche einen Wagen könnt ihr mir helfen" wants that.
    let wants = [ActCue::Seek, ActCue::Wants].map(|cue| marks.act(cue, before));
    is(first, QuestionCue::Stated)
        && wants.iter().all(Option::is_none)
        && !told.any(|span| before.covers(span))
        && !(first..=at).any(|at| is(at, QuestionCue::Against))
}

/// Nothing but the name of an attribute, with filler.
fn is_name_alone(
    reading: &Reading,
    marks: &Marks,
    clause: Span,
    is_attribute: impl Fn(usize) -> bool,
) -> bool {
    let names: Vec<Span> = marks
        .within(clause)
        .filter(|(mark, _)| matches!(mark, Mark::Attribute(place) if is_attribute(*place)))
        .map(|(_, span)| span)
        .collect();
    let passed = |at: usize| {
        let passed = |cue| matches!(cue, QuestionCue::Joiner | QuestionCue::Before);
        reading.lattice.is_filler(at) || marks.starts(at, passed).is_some()
    };
    let covered = |at: usize| names.iter().any(|span| span.start <= at && at < span.end);
    !names.is_empty() && (clause.start..clause.end).all(|at| covered(at) || passed(at))
}
