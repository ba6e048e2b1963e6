//! What the patterns about acts found in a message, and where.

use super::lattice::Span;
use crate::domain::{ActCue, MoodCue, QuestionCue};

/// Something that a pattern found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Question(QuestionCue),
    Act(ActCue),
    /// Place of an attribute of the domain.
    Attribute(usize),
    /// Place of an alarm of the domain.
    Alarm(usize),
    /// Inside it the alarm at this place is none.
    Harmless(usize),
    Mood(MoodCue),
    Offer(OfferCue),
}

/// What a pattern of `[offers]` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfferCue {
    /// A wish for the attribute at this place.
    Wish(usize),
    /// The same, of this number.
    WishOf(usize, i64),
    /// The order at this place.
    Order(usize),
    /// Further in that order than what was offered.
    Than(usize),
    /// Points at something that was offered.
    Point,
    /// A number that is meant about.
    Near,
}

/// Everything that was found, each with its stretch from the first word to the last.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<(Mark, Span)>);

impl Marks {
    pub(super) fn add(&mut self, mark: Mark, span: Span) {
        self.0.push((mark, span));
    }

    /// Drops what is not to be heard now.
    pub(super) fn retain(&mut self, keeps: impl Fn(Mark) -> bool) {
        self.0.retain(|(mark, _)| keeps(*mark));
    }

    /// What begins inside a stretch.
    pub(super) fn within(&self, clause: Span) -> impl Iterator<Item = (Mark, Span)> {
        let inside = move |span: Span| clause.start <= span.start && span.start < clause.end;
        self.0
            .iter()
            .copied()
            .filter(move |(_, span)| inside(*span))
    }

    /// Where an act's pattern matched in a stretch.
    pub(super) fn act(&self, cue: ActCue, clause: Span) -> Option<Span> {
        self.find(Mark::Act(cue), clause)
    }

    pub(super) fn question(&self, cue: QuestionCue, clause: Span) -> Option<Span> {
        self.find(Mark::Question(cue), clause)
    }

    fn find(&self, mark: Mark, clause: Span) -> Option<Span> {
        let mut found = self.within(clause);
        found
            .find(|(other, _)| *other == mark)
            .map(|(_, span)| span)
    }

    /// Whether what tells of the alarm at a place does so only inside something harmless.
    pub(super) fn is_harmless(&self, alarm: usize, told: Span) -> bool {
        let mut harmless = self.0.iter();
        harmless.any(|(mark, span)| *mark == Mark::Harmless(alarm) && span.covers(told))
    }

    /// Whether something of this kind begins just here.
    pub(super) fn starts(&self, at: usize, is_one: impl Fn(QuestionCue) -> bool) -> Option<Span> {
        let fits = |mark: Mark| matches!(mark, Mark::Question(cue) if is_one(cue));
        let mut here = self.0.iter().filter(|(_, span)| span.start == at);
        here.find(|(mark, _)| fits(*mark)).map(|(_, span)| *span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_inside_something_harmless_is_none() {
        let mut marks = Marks::default();
        marks.add(Mark::Harmless(1), Span::new(0, 6));
        assert!(marks.is_harmless(1, Span::new(2, 6)));
        assert!(!marks.is_harmless(0, Span::new(2, 6)), "another alarm");
        assert!(!marks.is_harmless(1, Span::new(5, 8)), "goes on behind it");
    }
}
