//! Finds the wordings of a language in a message.

use std::cell::RefCell;

use super::grammar::{Choice, DateSaid, Grammar, Meaning, Part, Rules, Step, TimeSaid};
use super::needs::{Kinds, from_each};
use super::words::{Gap, Word};
use crate::domain::{DateMeaning, Hour, Telling, TimeMeaning};

/// How many words a gap may span.
const NEAR: usize = 3;
/// Ordinals up to this one often count things: "the second car".
const FEW: u8 = 10;

/// A wording that was found, and where its words end.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) end: usize,
    /// How much the wording says: of two of the same length, the one that says more counts.
    says: (usize, bool),
    pub(super) said: T,
}

/// What was found at each word that was asked for.
struct Memo<T>(RefCell<Vec<Option<Option<Found<T>>>>>);

impl<T: Clone> Memo<T> {
    fn new(message: &[Word]) -> Self {
        Self(RefCell::new(vec![None; message.len() + 1]))
    }

    fn at(&self, at: usize, find: impl FnOnce() -> Option<Found<T>>) -> Option<Found<T>> {
        if let Some(known) = self.0.borrow().get(at).and_then(Option::as_ref) {
            return known.clone();
        }
        let found = find();
        if let Some(slot) = self.0.borrow_mut().get_mut(at) {
            *slot = Some(found.clone());
        }
        found
    }
}

/// One message under one grammar.
pub(super) struct Scan<'g> {
    pub(super) grammar: &'g Grammar,
    pub(super) message: &'g [Word],
    present: Vec<Kinds>,
    dates: Memo<DateSaid>,
    times: Memo<TimeSaid>,
    plain_times: Memo<TimeSaid>,
    clocks: Memo<TimeSaid>,
}

impl<'g> Scan<'g> {
    pub(super) fn new(grammar: &'g Grammar, message: &'g [Word]) -> Self {
        Self {
            grammar,
            message,
            present: from_each(&grammar.words, message),
            dates: Memo::new(message),
            times: Memo::new(message),
            plain_times: Memo::new(message),
            clocks: Memo::new(message),
        }
    }

    /// The longest wording for days that begins at a word, with what stands around it.
    pub(super) fn date(&self, at: usize) -> Option<Found<DateSaid>> {
        let around = self.longest(
            &self.grammar.around_dates,
            at,
            self.plain_date(at).is_some(),
            |relation, parts| {
                let dates = parts.into_iter().filter_map(|part| match part {
                    Part::Date(date) => Some(date),
                    _ => None,
                });
                Some(DateSaid::Around(*relation, dates.collect()))
            },
        );
        // A wording for the whole is more than its parts: "between Christmas and New Year".
        let plain = self
            .plain_date(at)
            .filter(|found| self.stands_alone(at, found));
        longer(plain, around)
    }

    /// The longest wording for a time of the day that begins at a word.
    pub(super) fn time(&self, at: usize) -> Option<Found<TimeSaid>> {
        self.times.at(at, || {
            let around = self.longest(
                &self.grammar.around_times,
                at,
                self.clock(at).is_some(),
                |relation, parts| {
                    let clocks = parts.into_iter().filter_map(|part| match part {
                        Part::Clock(clock) => Some(clock),
                        Part::Hour {
                            hour,
                            minute,
                            certain,
                        } => Some(clock(hour, minute, certain, 0)),
                        _ => None,
                    });
                    Some(TimeSaid::Around(*relation, clocks.collect()))
                },
            );
            longer(around, self.plain_time(at))
        })
    }

    pub(super) fn plain_date(&self, at: usize) -> Option<Found<DateSaid>> {
        self.dates.at(at, || {
            self.longest(
                &self.grammar.dates,
                at,
                self.is_part(at),
                |meaning, parts| Some(DateSaid::Plain(meaning.clone(), parts)),
            )
        })
    }

    fn plain_time(&self, at: usize) -> Option<Found<TimeSaid>> {
        self.plain_times.at(at, || {
            self.longest(
                &self.grammar.times,
                at,
                self.is_part(at),
                |meaning, parts| time_said(*meaning, &parts),
            )
        })
    }

    /// A time, or an hour without any word that says so.
    pub(super) fn clock(&self, at: usize) -> Option<Found<TimeSaid>> {
        self.clocks.at(at, || {
            let said = self
                .plain_time(at)
                .filter(|found| !matches!(found.said, TimeSaid::Half(_) | TimeSaid::Nothing));
            longer(said, self.bare_hour(at))
        })
    }

    /// An hour without any word that says so, as the last of its clause.
    pub(super) fn last_hour(&self, at: usize) -> Option<Found<TimeSaid>> {
        self.bare_hour(at).filter(|hour| self.starts(hour.end))
    }

    fn bare_hour(&self, at: usize) -> Option<Found<TimeSaid>> {
        let word = self.message.get(at)?;
        let hour = self.grammar.words.hour(word)?;
        let hour = (hour != 1 || !self.is_article(at)).then_some(hour)?;
        let alone = self.is_bare_number(at + 1) && !self.leads_to_an_amount(at + 1);
        alone.then(|| Found {
            end: at + 1,
            says: (1, false),
            said: clock(hour, 0, hour > 12 || word.text.starts_with('0'), 0),
        })
    }

    /// "to 4k" after a number: both are amounts.
    fn leads_to_an_amount(&self, at: usize) -> bool {
        let numbers = [at, at + 1].map(|at| self.message.get(at).map(|word| word.is_number));
        numbers == [Some(false), Some(true)]
            && !self.is_bare_number(at + 2)
            && self.plain_time(at + 1).is_none()
            && self.date(at + 1).is_none()
    }

    /// Whether the number that ends here counts nothing.
    pub(super) fn is_bare_number(&self, end: usize) -> bool {
        let Some(next) = self.message.get(end) else {
            return true;
        };
        if next.before == Gap::Hard || next.text == "-" {
            return true;
        }
        let sign = matches!(next.text.as_str(), "€" | "%" | "$" | "£" | "+" | "/" | "&");
        let counted = self.grammar.numbers.is_unit(&next.text)
            || self.grammar.words.units.contains_key(&next.id);
        let glued = next.glued && !next.is_number && !self.grammar.words.ends_hour(next);
        !(sign || next.before == Gap::Nothing && counted || glued)
    }

    /// Short names that are also other words are believed beside a number, a time, or alone; a bare
    /// ordinal only where no thing follows that it counts.
    fn stands_alone(&self, at: usize, found: &Found<DateSaid>) -> bool {
        let words = &self.grammar.words;
        let next = self.message.get(found.end);
        let ends = |word: Option<&Word>| word.is_none_or(|word| word.before > Gap::Nothing);
        let DateSaid::Plain(meaning, parts) = &found.said else {
            return true;
        };
        if let (DateMeaning::Date, [Part::Day { day: 1..=FEW, .. }]) = (meaning, parts.as_slice()) {
            let goes_on = words
                .told(Telling::AfterDay, self.message, found.end)
                .is_some();
            let date_or_time = next.is_some_and(|next| next.is_number || next.is_dash)
                || self.plain_time(found.end).is_some();
            return ends(next) || goes_on || date_or_time;
        }
        let Some(word) = self.message.get(at).filter(|_| found.end == at + 1) else {
            return true;
        };
        if !words.is_shy(word) && !words.is_very_shy(word) {
            return true;
        }
        let before = at
            .checked_sub(1)
            .and_then(|before| self.message.get(before));
        let introduced = before.is_some_and(|before| {
            word.before > Gap::Nothing
                || words
                    .told(Telling::BeforeShy, self.message, at - 1)
                    .is_some()
                || before.is_dash
        });
        let first = before.is_none() || introduced;
        let timed = |at: usize| {
            let around = &self.grammar.around_times;
            self.plain_time(at).is_some()
                || self.longest(around, at, false, |_, _| Some(())).is_some()
        };
        // "Za dan om kwart over 10".
        let after = words.told(Telling::AfterDay, self.message, found.end);
        let followed = next.is_some_and(|next| next.is_number || next.is_dash)
            || timed(found.end)
            || before.is_none() && after.is_some() && timed(found.end + 1);
        if words.is_very_shy(word) {
            // "So, neuer Versuch" begins a message, and is no Sunday.
            let opens = before.is_none() && next.is_some();
            return first && !opens && (ends(next) || followed && introduced);
        }
        followed || word.dotted || first && ends(next) || introduced && before.is_some()
    }

    /// The longest wording that begins at a word. `begins` tells whether one of its parts can: rules
    /// that begin with a part are tried only then.
    fn longest<M: Meaning, T>(
        &self,
        rules: &Rules<M>,
        at: usize,
        begins: bool,
        say: impl Fn(&M, Vec<Part>) -> Option<T>,
    ) -> Option<Found<T>> {
        let word = self.message.get(at)?;
        let present = self.present.get(at).copied().unwrap_or_default();
        let mut best: Option<Found<T>> = None;
        for rule in rules.starting_with(word, begins, present) {
            let (steps, meaning) = (&rule.steps, &rule.meaning);
            let mut parts = Vec::new();
            let Some(end) = self.advance(steps, at, at, &mut parts) else {
                continue;
            };
            let says = (steps.len(), meaning.says_more());
            let better = best
                .as_ref()
                .is_none_or(|best| (end, says) > (best.end, best.says));
            if better && let Some(said) = say(meaning, parts) {
                best = Some(Found { end, says, said });
            }
        }
        best
    }

    /// Matches steps from a word on; the end of the first way that fits.
    fn advance(
        &self,
        steps: &[Step],
        from: usize,
        at: usize,
        parts: &mut Vec<Part>,
    ) -> Option<usize> {
        let Some((step, rest)) = steps.split_first() else {
            return Some(at);
        };
        let depth = parts.len();
        match step {
            Step::OneOf(choices) | Step::Optional(choices) => {
                for choice in choices {
                    parts.truncate(depth);
                    let next = self.choice(choice, from, at, parts);
                    if let Some(end) = next.and_then(|next| self.advance(rest, from, next, parts)) {
                        return Some(end);
                    }
                }
                parts.truncate(depth);
                matches!(step, Step::Optional(_))
                    .then(|| self.advance(rest, from, at, parts))
                    .flatten()
            }
            Step::Start | Step::End => self
                .starts(at)
                .then(|| self.advance(rest, from, at, parts))
                .flatten(),
            Step::Gap => (at..=at + NEAR).find_map(|next| {
                parts.truncate(depth);
                let cut = self
                    .message
                    .get(at..next)?
                    .iter()
                    .any(|word| word.before == Gap::Hard);
                if cut {
                    return None;
                }
                self.advance(rest, from, next, parts)
            }),
        }
    }

    fn is_part(&self, at: usize) -> bool {
        let word = self.message.get(at);
        word.is_some_and(|word| self.grammar.words.is_part(word))
    }

    /// Whether a clause begins here, or the message ends.
    fn starts(&self, at: usize) -> bool {
        at == 0
            || self
                .message
                .get(at)
                .is_none_or(|word| word.before > Gap::Nothing)
    }

    fn choice(
        &self,
        choice: &Choice,
        from: usize,
        at: usize,
        parts: &mut Vec<Part>,
    ) -> Option<usize> {
        let word = self.message.get(at)?;
        let allowed = match (at == from, word.before) {
            (true, _) | (_, Gap::Nothing) => true,
            (_, Gap::Comma) => parts.last().is_some_and(may_have_a_comma),
            (_, Gap::Hard) => false,
        };
        if !allowed {
            return None;
        }
        let fits = match choice {
            Choice::Word(id) => (word.id == *id).then_some(at + 1),
            Choice::Exact(id) => (word.exact == *id).then_some(at + 1),
            Choice::Phrase(steps) => self.advance(steps, from, at, parts),
            Choice::Capture(capture) => self.capture(*capture, at, parts),
        };
        if fits.is_none() && word.is_dash && at > from {
            return self.choice(choice, from, at + 1, parts);
        }
        fits
    }
}

fn may_have_a_comma(part: &Part) -> bool {
    !matches!(
        part,
        Part::Number(_) | Part::Unit(_) | Part::Date(_) | Part::Hour { .. } | Part::Clock(_)
    )
}

fn longer<T>(first: Option<Found<T>>, second: Option<Found<T>>) -> Option<Found<T>> {
    match (first, second) {
        (Some(first), Some(second)) => Some(if second.end > first.end {
            second
        } else {
            first
        }),
        (first, second) => first.or(second),
    }
}

fn clock(hour: u8, minute: u8, certain: bool, more: i32) -> TimeSaid {
    TimeSaid::Clock {
        minutes: i32::from(hour) * 60 + i32::from(minute) + more,
        certain,
    }
}

fn time_said(meaning: TimeMeaning, parts: &[Part]) -> Option<TimeSaid> {
    Some(match meaning {
        TimeMeaning::At(time) => TimeSaid::At(time),
        TimeMeaning::Part(from, to) => TimeSaid::Part(from, to),
        TimeMeaning::Half(evening) => TimeSaid::Half(evening),
        TimeMeaning::Nothing => TimeSaid::Nothing,
        TimeMeaning::Clock(Hour {
            minutes,
            said,
            half,
        }) => {
            let hour = parts.iter().find_map(|part| match part {
                Part::Hour {
                    hour,
                    minute,
                    certain,
                } => Some((*hour, *minute, *certain)),
                _ => None,
            });
            let number = parts.iter().find_map(|part| match part {
                Part::Number(number) => Some(*number as i32),
                _ => None,
            });
            let (hour, minute, certain) = hour?;
            let after_the_hour =
                i32::from(minute) + if said == 0 { number.unwrap_or(0) } else { 0 };
            let more = minutes + said * number.unwrap_or(0) + after_the_hour;
            match half.filter(|_| !certain) {
                Some(later) => clock(hour % 12 + if later { 12 } else { 0 }, 0, true, more),
                None => clock(hour, 0, certain, more),
            }
        }
    })
}
