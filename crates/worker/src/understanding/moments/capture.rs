//! What the parts of a wording hold: weekdays, days of the month, hours.

use super::grammar::{Capture, DateSaid, Part};
use super::scan::Scan;
use super::words::{Gap, Word};
use crate::domain::DateMeaning;

impl Scan<'_> {
    /// Reads a part of a wording, adds it to `parts`, and gives where its words end.
    pub(super) fn capture(
        &self,
        capture: Capture,
        at: usize,
        parts: &mut Vec<Part>,
    ) -> Option<usize> {
        let words = &self.grammar.words;
        let word = self.message.get(at)?;
        let (part, end) = match capture {
            Capture::Weekday => (Part::Weekday(*words.weekdays.get(&word.id)?), at + 1),
            Capture::Month => (Part::Month(*words.months.get(&word.id)?), at + 1),
            Capture::Day | Capture::Ordinal => {
                let (day, end, ordinal) = words.day(self.message, at)?;
                let counts = !ordinal && (!self.is_bare_number(end) || self.is_an_hour(at, end));
                if capture == Capture::Ordinal && !ordinal || counts {
                    return None;
                }
                (Part::Day { day, ordinal }, end)
            }
            Capture::Year => (Part::Year(year(word)?), at + 1),
            Capture::Numeric => self.numeric(at)?,
            Capture::Number => (Part::Number(self.number(word)?), at + 1),
            Capture::Unit => (Part::Unit(*words.units.get(&word.id)?), at + 1),
            Capture::Hour => {
                let hour = words.hour(word)?;
                if hour == 1 && self.is_article(at) {
                    return None;
                }
                let certain = hour > 12 || word.text.starts_with('0');
                (
                    Part::Hour {
                        hour,
                        minute: 0,
                        certain,
                    },
                    at + 1,
                )
            }
            Capture::Minute => self.minutes(at)?,
            Capture::MinuteWord => self.minutes(at).filter(|_| !word.is_number)?,
            Capture::HourAndMinute => {
                let (hour, minute) = hour_and_minute(word)?;
                let certain = hour > 12 || hour == 0 || word.text.starts_with('0');
                (
                    Part::Hour {
                        hour,
                        minute,
                        certain,
                    },
                    at + 1,
                )
            }
            Capture::Date | Capture::Feast => {
                let found = self.plain_date(at)?;
                let feast = matches!(
                    &found.said,
                    DateSaid::Plain(DateMeaning::Feast(_) | DateMeaning::Feasts(..), _)
                );
                if capture == Capture::Feast && !feast {
                    return None;
                }
                (Part::Date(found.said), found.end)
            }
            Capture::Clock => {
                let found = self.clock(at)?;
                (Part::Clock(found.said), found.end)
            }
        };
        parts.push(part);
        Some(end)
    }

    /// "9" in "donderdag 9 tot 11", unless a month follows: "9 tot 11 december".
    fn is_an_hour(&self, at: usize, end: usize) -> bool {
        let is_month = |word: &Word| self.grammar.words.months.contains_key(&word.id);
        self.time(at)
            .is_some_and(|time| time.end > end && !self.message.get(time.end).is_some_and(is_month))
    }

    fn number(&self, word: &Word) -> Option<f64> {
        if word.is_number {
            return word
                .text
                .replace(',', ".")
                .parse()
                .ok()
                .filter(|n| *n < 1000.0);
        }
        word.value.filter(|n| *n < 1000.0)
    }

    /// The "een" of "voor een proefrit": it stands before a word that belongs to no wording.
    pub(super) fn is_article(&self, at: usize) -> bool {
        let spelled = self.message.get(at).is_some_and(|word| !word.is_number);
        let next = self.message.get(at + 1);
        let thing = |next: &Word| next.id == 0 && !next.is_number && next.before == Gap::Nothing;
        spelled && next.is_some_and(thing)
    }

    /// Up to 59, in one word or two: `twenty-five`.
    fn minutes(&self, at: usize) -> Option<(Part, usize)> {
        if self.is_article(at) {
            return None;
        }
        let whole = |n: &f64| (1.0..60.0).contains(n) && n.fract() == 0.0;
        let first = self.number(self.message.get(at)?).filter(whole)?;
        let next = self.message.get(at + 1);
        let next_at = at + 1 + usize::from(next.is_some_and(|next| next.is_dash));
        let ones = self.message.get(next_at).filter(|next| !next.is_number);
        let ones = ones
            .and_then(|next| self.number(next))
            .filter(|ones| *ones < 10.0);
        let tens = first >= 20.0 && first % 10.0 == 0.0;
        Some(match ones.filter(|_| tens) {
            Some(ones) => (Part::Number(first + ones), next_at + 1),
            None => (Part::Number(first), at + 1),
        })
    }

    /// `12/12`, `12-12-2026`, `12.12.`
    fn numeric(&self, at: usize) -> Option<(Part, usize)> {
        let word = self.message.get(at).filter(|word| word.is_number)?;
        let make = |numbers: &[&str], hyphen: bool, slashed: bool| {
            let (first, second, third) = match numbers {
                [year, month, day] if year.len() == 4 => (day, month, Some(*year)),
                [day, month, year] => (day, month, Some(*year)),
                [day, month] => (day, month, None),
                _ => return None,
            };
            let short = |text: &str| text.parse::<u8>().ok().filter(|_| text.len() <= 2);
            let (first, second) = (short(first)?, short(second)?);
            let (day, month) = if second > 12 && first <= 12 && slashed {
                (second, first)
            } else {
                (first, second)
            };
            let year = match third {
                Some(text) => Some(match (text.len(), text.parse::<i16>().ok()?) {
                    (2, year) => 2000 + year,
                    (4, year) => year,
                    _ => return None,
                }),
                None => None,
            };
            let valid = (1..=31).contains(&day) && (1..=12).contains(&month);
            valid.then_some(Part::Numeric {
                day,
                month,
                year,
                hyphen,
            })
        };
        let dots: Vec<&str> = word.text.split('.').collect();
        if dots.len() > 1 {
            let (end, joined) = match self.message.get(at + 1) {
                // "4.12. 2026"
                Some(next)
                    if dots.len() == 2 && word.dotted && next.text.len() == 4 && next.is_number =>
                {
                    (at + 2, Some(next.text.as_str()))
                }
                _ => (at + 1, None),
            };
            let numbers: Vec<&str> = dots.iter().copied().chain(joined).collect();
            let certain = numbers.len() == 3 || word.dotted || self.is_dotted_date(at);
            return Some((make(&numbers, false, false).filter(|_| certain)?, end));
        }
        let sign = self
            .message
            .get(at + 1)
            .filter(|sign| matches!(sign.text.as_str(), "-" | "/"))?;
        let second = self.message.get(at + 2).filter(|word| word.is_number)?;
        let third = self
            .message
            .get(at + 3)
            .filter(|next| next.text == sign.text);
        let third = third
            .and_then(|_| self.message.get(at + 4))
            .filter(|word| word.is_number);
        let numbers: Vec<&str> = [Some(word), Some(second), third]
            .into_iter()
            .flatten()
            .map(|word| word.text.as_str())
            .collect();
        let end = at + 2 * numbers.len() - 1;
        let part = make(&numbers, sign.text == "-", sign.text == "/")?;
        self.is_bare_number(end).then_some((part, end))
    }

    /// `12.12` is a date after a weekday or a preposition, else a time.
    fn is_dotted_date(&self, at: usize) -> bool {
        let before = at
            .checked_sub(1)
            .and_then(|before| self.message.get(before));
        let dated =
            before.is_some_and(|before| self.grammar.words.weekdays.contains_key(&before.id));
        dated && self.is_bare_number(at + 1)
    }
}

fn year(word: &Word) -> Option<i16> {
    let year: i16 = word
        .text
        .parse()
        .ok()
        .filter(|_| word.is_number && word.text.len() == 4)?;
    (1950..=2100).contains(&year).then_some(year)
}

fn hour_and_minute(word: &Word) -> Option<(u8, u8)> {
    let (hour, minute) = word.text.split_once([':', '.'])?;
    let hour: u8 = hour.parse().ok().filter(|_| hour.len() <= 2)?;
    let minute: u8 = minute.parse().ok().filter(|_| minute.len() == 2)?;
    (word.is_number && hour < 24 && minute < 60).then_some((hour, minute))
}
