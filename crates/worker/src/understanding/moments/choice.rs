//! Which of the dates and times of a message count.

use super::Said;
use super::grammar::{DateSaid, Grammar, TimeSaid};
use super::words::{Gap, Word};
use crate::domain::{DateMeaning, Relation, Telling};

/// How many words a denial may stand away.
const NEAR: usize = 2;
/// How many words a word that takes a moment out ("bouwjaar") may stand before.
const FAR: usize = 3;

/// What a date or time is to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Wanted or asked about.
    Wanted,
    /// Denied, replaced by another, or told as past.
    Unwanted,
    /// No date or time at all: its words belong to something else.
    None,
}

type Stretch = (Said, usize, usize);

/// What each stretch of words is to the message.
pub(super) fn standings(
    grammar: &Grammar,
    words: &[Word],
    stretches: &[Stretch],
    text: &str,
) -> Vec<Standing> {
    let choice = Choice {
        grammar,
        words,
        stretches,
        asks: text.contains('?'),
    };
    (0..stretches.len())
        .map(|place| choice.standing(place))
        .collect()
}

struct Choice<'a> {
    grammar: &'a Grammar,
    words: &'a [Word],
    stretches: &'a [Stretch],
    asks: bool,
}

impl Choice<'_> {
    fn standing(&self, place: usize) -> Standing {
        let Some((said, from, to)) = self.stretches.get(place) else {
            return Standing::None;
        };
        if is_nothing(said) || self.is_of_something_else(*from, said) {
            return Standing::None;
        }
        if let Said::Time(time) = said
            && is_weak(time)
            && self.anywhere(Telling::Money)
        {
            return Standing::None;
        }
        let bare = matches!(said, Said::Time(TimeSaid::Clock { .. }));
        if bare && self.told_in(Telling::Duration, 0, self.words.len()) {
            return Standing::None;
        }
        if self.is_greeting(*from) {
            return Standing::None;
        }
        let (start, end) = self.clause(*from, *to);
        let past =
            self.told_in(Telling::Past, start, end) && !self.told_in(Telling::Wish, start, end);
        if past || self.is_denied(*from, *to, end) || self.is_replaced(place) {
            return Standing::Unwanted;
        }
        Standing::Wanted
    }

    fn told(&self, telling: Telling, at: usize) -> Option<usize> {
        self.grammar.words.told(telling, self.words, at)
    }

    fn told_in(&self, telling: Telling, from: usize, to: usize) -> bool {
        (from..to).any(|at| {
            self.told(telling, at)
                .is_some_and(|length| at + length <= to)
        })
    }

    fn anywhere(&self, telling: Telling) -> bool {
        self.words.iter().any(|word| word.text == "€") || self.told_in(telling, 0, self.words.len())
    }

    /// "bouwjaar maart 2019", "apk tot mei".
    fn is_of_something_else(&self, from: usize, said: &Said) -> bool {
        let unsure = match said {
            Said::Date(_) => true,
            Said::Time(time) => is_weak(time),
        };
        let start = from.saturating_sub(FAR);
        let start = (start..=from)
            .rev()
            .find(|at| self.cut(*at) >= Gap::Hard)
            .unwrap_or(start);
        unsure && self.told_in(Telling::Never, start.min(from), from)
    }

    fn cut(&self, at: usize) -> Gap {
        self.words.get(at).map_or(Gap::Hard, |word| word.before)
    }

    /// "Morgen, ik zoek een Polo": a greeting, as a day is not set off like this.
    fn is_greeting(&self, from: usize) -> bool {
        let greeting = self.told(Telling::Greeting, from).filter(|_| from == 0);
        greeting.is_some_and(|to| self.cut(to) >= Gap::Comma && to < self.words.len())
    }

    /// The words of a clause: up to a comma, the end of a sentence, or a joiner such as "and".
    fn clause(&self, from: usize, to: usize) -> (usize, usize) {
        let joins = |at: usize| self.told(Telling::Joiner, at).is_some();
        let start = (1..=from)
            .rev()
            .find(|at| self.cut(*at) > Gap::Nothing || joins(at - 1));
        let end = (to..self.words.len()).find(|at| self.cut(*at) > Gap::Nothing || joins(*at));
        (start.unwrap_or(0), end.unwrap_or(self.words.len()))
    }

    fn is_denied(&self, from: usize, to: usize, end: usize) -> bool {
        let before = (from.saturating_sub(NEAR + 1)..from).any(|at| {
            self.told(Telling::NotBefore, at).is_some_and(|length| {
                let until = at + length;
                until <= from
                    && from - until < NEAR
                    && (at + 1..=from).all(|at| self.cut(at) == Gap::Nothing)
                    && !self
                        .stretches
                        .iter()
                        .any(|(_, other, _)| (until..from).contains(other))
            })
        });
        let after = (to..end.min(to + NEAR)).any(|at| {
            let length = self.told(Telling::NotAfter, at);
            let asked = self.asks && length == Some(1);
            let between = self
                .stretches
                .iter()
                .any(|(_, other, _)| (to..at).contains(other));
            length.is_some_and(|length| at + length <= end) && !asked && !between
        });
        before || after
    }

    /// Whether a later one of the same kind stands after a word of correction.
    fn is_replaced(&self, place: usize) -> bool {
        let Some((said, _, to)) = self.stretches.get(place) else {
            return false;
        };
        let later = self
            .stretches
            .iter()
            .skip(place + 1)
            .filter(|(other, ..)| !is_nothing(other) && same_kind(said, other));
        let mut later = later.map(|(_, from, _)| *from);
        later.any(|from| self.told_in(Telling::Correction, *to, from))
    }
}

fn same_kind(one: &Said, other: &Said) -> bool {
    matches!(
        (one, other),
        (Said::Date(_), Said::Date(_)) | (Said::Time(_), Said::Time(_))
    )
}

fn is_nothing(said: &Said) -> bool {
    match said {
        Said::Date(DateSaid::Plain(DateMeaning::Nothing, _)) => true,
        Said::Date(DateSaid::Around(relation, dates)) => {
            let mut dates = dates.iter();
            *relation == Relation::Nothing
                || dates.any(|date| matches!(date, DateSaid::Plain(DateMeaning::Nothing, _)))
        }
        Said::Date(DateSaid::Plain(..)) => false,
        Said::Time(TimeSaid::Nothing | TimeSaid::Around(Relation::Nothing, _)) => true,
        Said::Time(_) => false,
    }
}

/// Hours that nothing but a preposition tells.
fn is_weak(said: &TimeSaid) -> bool {
    matches!(said, TimeSaid::Around(_, clocks) if clocks.iter().all(|clock| {
        matches!(clock, TimeSaid::Clock { minutes, .. } if minutes % 60 == 0)
    }))
}
