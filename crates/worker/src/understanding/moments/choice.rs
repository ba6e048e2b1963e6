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
    /// Denied.
    Denied,
    /// Replaced by another, or told as past.
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
        if is_nothing(said) || self.is_of_something_else(said, *from, *to) {
            return Standing::None;
        }
        let weak = self.is_weak(said, *from, *to) && !self.is_beside_date(said, *from, *to);
        if weak && self.anywhere(Telling::Money) {
            return Standing::None;
        }
        let bare = matches!(said, Said::Time(TimeSaid::Clock { .. }));
        let mut after = *to..self.words.len();
        let sentence = after.find(|at| self.cut(*at) >= Gap::Hard);
        // "9 uur dan. Duurt het lang?" tells an hour, and asks later.
        let before = sentence.unwrap_or(self.words.len());
        if bare && self.told_in(Telling::Duration, 0, before) {
            return Standing::None;
        }
        if self.is_greeting(*from) {
            return Standing::None;
        }
        let (start, end) = self.clause(*from, *to);
        let past =
            self.told_in(Telling::Past, start, end) && !self.told_in(Telling::Wish, start, end);
        // "Thursday is no good": the "no" that denies it replaces nothing.
        if !past && (is_denial(said) || self.is_denied(*from, *to, end)) {
            return Standing::Denied;
        }
        match past || self.is_replaced(place) {
            true => Standing::Unwanted,
            false => Standing::Wanted,
        }
    }

    fn told(&self, telling: Telling, at: usize) -> Option<usize> {
        self.grammar.words.told(telling, self.words, at)
    }

    /// The length of the longest phrase of a list that stands here and ends in time.
    fn told_within(&self, telling: Telling, at: usize, end: usize) -> Option<usize> {
        let words = self.words.get(..end.min(self.words.len()))?;
        self.grammar.words.told(telling, words, at)
    }

    fn told_in(&self, telling: Telling, from: usize, to: usize) -> bool {
        (from..to).any(|at| self.told_within(telling, at, to).is_some())
    }

    fn anywhere(&self, telling: Telling) -> bool {
        self.words.iter().any(|word| word.text == "€") || self.told_in(telling, 0, self.words.len())
    }

    /// "bouwjaar maart 2019", "apk tot mei".
    fn is_of_something_else(&self, said: &Said, from: usize, to: usize) -> bool {
        let unsure = matches!(said, Said::Date(_)) || self.is_weak(said, from, to);
        let start = from.saturating_sub(FAR);
        let start = (start..=from)
            .rev()
            .find(|at| self.cut(*at) >= Gap::Hard)
            .unwrap_or(start);
        unsure
            && (start.min(from)..from).any(|at| self.told_within(Telling::Never, at, to).is_some())
    }

    /// Hours that nothing but a preposition tells: "rond 13" may be an amount, as may a number after
    /// a word that is a day only sometimes ("so 4 bis 5 tausend").
    fn is_weak(&self, said: &Said, from: usize, to: usize) -> bool {
        let mut inside = self.words.iter().take(to).skip(from);
        let shy = |word: &Word| word.is_number || self.grammar.words.is_shy(word);
        if matches!(said, Said::Date(_)) {
            return to - from > 1 && inside.all(shy);
        }
        let written_out = |word: &Word| word.is_number && word.text.contains(':');
        matches!(
            said,
            Said::Time(TimeSaid::Clock { .. } | TimeSaid::Around(..))
        ) && !self.told_in(Telling::Hour, from, to)
            && !self.words.iter().take(to).skip(from).any(written_out)
    }

    /// "Tomorrow at 3": an hour right beside a day is no amount.
    fn is_beside_date(&self, said: &Said, from: usize, to: usize) -> bool {
        let beside = |(other, start, end): &Stretch| {
            let touches = *end == from && self.cut(from) == Gap::Nothing
                || *start == to && self.cut(to) == Gap::Nothing;
            let shy = || {
                let mut words = self.words.iter().take(*end).skip(*start);
                words.any(|word| self.grammar.words.is_shy(word))
            };
            touches && matches!(other, Said::Date(_)) && !shy()
        };
        matches!(said, Said::Time(_)) && self.stretches.iter().any(beside)
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
        let other = |from: usize, to: usize| {
            let mut stretches = self.stretches.iter();
            stretches.any(|(_, start, _)| (from..to).contains(start))
        };
        let joined =
            |from: usize, to: usize| (from..to).any(|at| self.told(Telling::Joiner, at).is_some());
        let before = (from.saturating_sub(NEAR + 1)..from).any(|at| {
            let length = self.told_within(Telling::NotBefore, at, from);
            length.is_some_and(|length| {
                let until = at + length;
                let apart = (at + 1..=from).any(|at| self.cut(at) > Gap::Nothing);
                from - until < NEAR && !apart && !other(until, from) && !joined(until, from)
            })
        });
        let after = (to..end.min(to + NEAR)).any(|at| {
            let length = self.told_within(Telling::NotAfter, at, end);
            // "Is dinsdag niet mogelijk?" asks; "dinsdag niet, woensdag dan?" denies.
            let asked = self.asks && length == Some(1) && !other(to, self.words.len());
            length.is_some() && !asked && !other(to, at)
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

fn is_denial(said: &Said) -> bool {
    matches!(
        said,
        Said::Date(DateSaid::Around(Relation::Not, _))
            | Said::Time(TimeSaid::Around(Relation::Not, _))
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
