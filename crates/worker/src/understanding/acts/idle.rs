//! Questions that ask nothing.

use super::{Clause, Talk};
use crate::dialogue::act::Feeling;
use crate::domain::{ActCue, QuestionCue};
use crate::understanding::lattice::Span;
use crate::understanding::marks::Mark;

impl Talk<'_> {
    /// "How are you?": nothing but courtesies.
    pub(super) fn is_courtesy(&self, clause: &Clause) -> bool {
        let courtesy = |mark| {
            matches!(
                mark,
                Mark::Act(
                    ActCue::Hello
                        | ActCue::Thanks
                        | ActCue::Bye
                        | ActCue::Nicety
                        | ActCue::SameHour
                )
            )
        };
        let marks = self.signs.marks.within(clause.span);
        let said: Vec<Span> = marks
            .filter(|(mark, _)| courtesy(*mark))
            .map(|(_, span)| span)
            .collect();
        let covered = |at: usize| said.iter().any(|span| span.start <= at && at < span.end);
        let mut words = clause.span.start..clause.span.end;
        let courteous =
            !said.is_empty() && words.all(|at| covered(at) || self.reading.lattice.is_filler(at));
        courteous || self.is_idle(clause) || self.is_small_talk(clause)
    }

    /// "Und? Noch nichts gehört": the word before asks nothing by itself.
    fn is_idle(&self, clause: &Clause) -> bool {
        let joins = |at| {
            let joiner = |cue| cue == QuestionCue::Joiner;
            self.signs.marks.starts(at, joiner).is_some()
        };
        let leads = clause.span.start == 0 && clause.span.end < self.reading.tokens.len();
        leads && (clause.span.start..clause.span.end).all(joins)
    }

    /// "Freezing out there, isn't it" wants a kind word.
    fn is_small_talk(&self, clause: &Clause) -> bool {
        let talks = ActCue::Feels(Feeling::SmallTalk);
        self.mark(talks, clause).is_some() && !self.known_topic(clause) && clause.said.is_empty()
    }
}
