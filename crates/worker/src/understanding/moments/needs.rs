//! What a wording cannot be without. Most wordings that begin with a common word are ruled out by it, and
//! need not be matched.

use super::grammar::{Capture, Choice, Step};
use super::words::{Word, Words};

/// Kinds of words, some to a bit: one that is set tells nothing, one that is not tells that there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds(u128);

const WEEKDAY: Kinds = Kinds(1 << 127);
const MONTH: Kinds = Kinds(1 << 126);
const UNIT: Kinds = Kinds(1 << 125);
const NUMBER: Kinds = Kinds(1 << 124);
/// The rest of the bits are for words by their number.
const WORDS: u32 = 124;
const ANY: Kinds = Kinds(u128::MAX);

impl Kinds {
    const fn of_id(id: u32) -> Self {
        Self(1 << (id % WORDS))
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The kinds of words of a message from each of its words on.
pub(super) fn from_each(words: &Words, message: &[Word]) -> Vec<Kinds> {
    let mut all = vec![Kinds::default(); message.len() + 1];
    let mut behind = Kinds::default();
    for (kinds, word) in all.iter_mut().zip(message).rev() {
        behind = behind.or(of_word(words, word));
        *kinds = behind;
    }
    all
}

fn of_word(words: &Words, word: &Word) -> Kinds {
    let number = word.is_number || word.value.is_some() || word.ordinal.is_some();
    let marks = [
        (WEEKDAY, words.weekdays.contains_key(&word.id)),
        (MONTH, words.months.contains_key(&word.id)),
        (UNIT, words.units.contains_key(&word.id)),
        (NUMBER, number || words.names_hour(word)),
    ];
    let marks = marks
        .into_iter()
        .filter_map(|(kind, is)| is.then_some(kind));
    marks.fold(
        Kinds::of_id(word.id).or(Kinds::of_id(word.exact)),
        Kinds::or,
    )
}

/// One of each of these must be there.
pub(super) fn needs(steps: &[Step]) -> Vec<Kinds> {
    let of_step = |step: &Step| match step {
        Step::OneOf(choices) => Some(
            choices
                .iter()
                .map(of_choice)
                .fold(Kinds::default(), Kinds::or),
        ),
        Step::Optional(_) | Step::Gap | Step::Start | Step::End => None,
    };
    let needs = steps.iter().filter_map(of_step);
    needs.filter(|needed| *needed != ANY).collect()
}

/// Whether all that is needed may be there.
pub(super) fn are_met(needs: &[Kinds], present: Kinds) -> bool {
    needs.iter().all(|needed| needed.meets(present))
}

fn of_choice(choice: &Choice) -> Kinds {
    match choice {
        Choice::Word(id) | Choice::Exact(id) => Kinds::of_id(*id),
        Choice::Phrase(steps) => needs(steps).first().copied().unwrap_or(ANY),
        Choice::Capture(capture) => match capture {
            Capture::Weekday => WEEKDAY,
            Capture::Month => MONTH,
            Capture::Unit => UNIT,
            Capture::Day
            | Capture::Ordinal
            | Capture::Year
            | Capture::Numeric
            | Capture::Number
            | Capture::Hour
            | Capture::Minute
            | Capture::MinuteWord
            | Capture::HourAndMinute => NUMBER,
            Capture::Date | Capture::Feast | Capture::Clock => ANY,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_is_ruled_out_only_by_what_it_cannot_be_without() {
        let word = |id| Step::OneOf(vec![Choice::Word(id)]);
        let steps = [
            word(1),
            Step::Optional(vec![Choice::Word(2)]),
            Step::Gap,
            Step::OneOf(vec![Choice::Capture(Capture::Month), Choice::Word(3)]),
            Step::OneOf(vec![Choice::Capture(Capture::Date)]),
        ];
        let needs = needs(&steps);
        let one = Kinds::of_id(1);
        assert!(!are_met(&needs, one));
        assert!(are_met(&needs, one.or(MONTH)));
        assert!(are_met(&needs, one.or(Kinds::of_id(3))));
        assert!(!are_met(&needs, MONTH));
    }
}
