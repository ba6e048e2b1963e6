//! From what was said to times of the day.

use jiff::civil::Time;

use super::grammar::TimeSaid;
use crate::domain::Relation;

/// The hours that a business' day is taken to have: a bare "3 uur" is in the afternoon.
const DAY: (i32, i32) = (9 * 60, 18 * 60);
const NOON: i32 = 12 * 60;

/// The time of the day that a wording means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// At a time.
    At(Time),
    /// Between two.
    Between(Time, Time),
    /// From then on.
    From(Time),
    /// Before.
    Until(Time),
}

/// What tells in which half of the day an hour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    Half(bool),
    Part(Time, Time),
}

/// The times that were said; none for what is no time by itself.
pub(super) fn resolve(said: &TimeSaid, hint: Option<Hint>) -> Option<Times> {
    match said {
        TimeSaid::Clock { minutes, certain } => {
            time(placed(*minutes, *certain, hint)).map(Times::At)
        }
        TimeSaid::At(time) => Some(Times::At(*time)),
        TimeSaid::Part(from, to) => Some(Times::Between(*from, *to)),
        TimeSaid::Half(later) => {
            let (from, to) = if *later {
                (NOON, DAY.1)
            } else {
                (NOON / 2, NOON)
            };
            Some(Times::Between(time(from)?, time(to)?))
        }
        TimeSaid::Nothing => None,
        TimeSaid::Around(relation, clocks) => around(*relation, clocks, hint),
    }
}

/// Whether a wording names an hour, and not only a part of the day.
pub(super) fn is_exact(said: &TimeSaid) -> bool {
    match said {
        TimeSaid::Clock { .. } | TimeSaid::At(_) => true,
        TimeSaid::Around(_, clocks) => clocks.iter().any(is_exact),
        TimeSaid::Part(..) | TimeSaid::Half(_) | TimeSaid::Nothing => false,
    }
}

fn around(relation: Relation, clocks: &[TimeSaid], hint: Option<Hint>) -> Option<Times> {
    let mut times = clocks.iter().map(|clock| resolve(clock, hint));
    let first = times.next()??;
    let second = times.next().flatten();
    let start = |times: Times| match times {
        Times::At(time) | Times::From(time) | Times::Until(time) | Times::Between(time, _) => time,
    };
    let end = |times: Times| match times {
        Times::At(time) | Times::From(time) | Times::Until(time) | Times::Between(_, time) => time,
    };
    match relation {
        Relation::At | Relation::First | Relation::Or | Relation::Not => Some(first),
        Relation::Second => second,
        Relation::From => Some(Times::From(start(first))),
        Relation::After => Some(Times::From(end(first))),
        Relation::Until => Some(Times::Until(end(first))),
        Relation::Before => Some(Times::Until(start(first))),
        Relation::Between => {
            let (mut from, mut to) = (start(first), end(second?));
            // "7 to 9 pm"
            let later = time(minutes_of(from) + NOON).filter(|later| *later < to);
            let open = matches!(clocks.first(), Some(TimeSaid::Clock { certain: false, .. }));
            if open && minutes_of(from) < DAY.0 {
                from = later.unwrap_or(from);
            }
            if to <= from {
                to = time(minutes_of(to) + NOON).filter(|later| *later > from)?;
            }
            Some(Times::Between(from, to))
        }
        Relation::Week | Relation::Shift(_) | Relation::Nothing => None,
    }
}

/// Puts an hour of twelve into the half of the day that is meant.
fn placed(minutes: i32, certain: bool, hint: Option<Hint>) -> i32 {
    let minutes = minutes.rem_euclid(2 * NOON);
    if certain {
        return minutes;
    }
    let (morning, later) = (minutes % NOON, minutes % NOON + NOON);
    match hint {
        Some(Hint::Half(false)) => return morning,
        Some(Hint::Half(true)) => return later,
        Some(Hint::Part(from, to)) => {
            let (from, to) = (minutes_of(from), minutes_of(to));
            let inside = |at: &i32| (from..=to).contains(at);
            if let Some(at) = [morning, later].into_iter().find(inside) {
                return at;
            }
            if to <= NOON {
                return morning;
            }
            if from >= NOON {
                return later;
            }
        }
        None => {}
    }
    let open = |at: &i32| (DAY.0..=DAY.1).contains(at);
    [morning, later].into_iter().find(open).unwrap_or(morning)
}

fn minutes_of(time: Time) -> i32 {
    i32::from(time.hour()) * 60 + i32::from(time.minute())
}

pub(super) fn time(minutes: i32) -> Option<Time> {
    let hour = i8::try_from(minutes.div_euclid(60) % 24).ok()?;
    let minute = i8::try_from(minutes.rem_euclid(60)).ok()?;
    Time::new(hour, minute, 0, 0).ok()
}
