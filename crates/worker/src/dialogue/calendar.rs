//! What the opening hours say about moments. Pure.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, ToSpan};

use super::act::{Dates, Times, When};
use super::piece::Obstacle;
use crate::domain::Business;

/// How far ahead an opening is looked for.
const HORIZON: i32 = 60;
/// Nobody comes in the last minutes.
const LAST: SignedDuration = SignedDuration::from_mins(30);

/// The spans of a day; none when it is closed.
pub fn spans(business: &Business, day: Date) -> Vec<(Time, Time)> {
    let open = business.hours.on(day).into_iter();
    open.map(|opening| {
        let same_day = opening.until.date() == day;
        let until = if same_day {
            opening.until.time()
        } else {
            Time::MAX
        };
        (opening.from.time(), until)
    })
    .collect()
}

/// Whether it is open at a moment; at the minute of closing it is not.
pub fn is_open(business: &Business, at: DateTime) -> bool {
    business.hours.is_open(at)
}

/// The next moment at which it opens, after this one. None without hours.
pub fn next_opening(business: &Business, after: DateTime) -> Option<DateTime> {
    days_from(after.date()).find_map(|day| {
        let openings = spans(business, day).into_iter();
        let mut openings = openings.map(|(from, _)| day.to_datetime(from));
        openings.find(|opening| *opening > after)
    })
}

/// When it closes, if it is open now.
pub fn closes(business: &Business, now: DateTime) -> Option<Time> {
    business.hours.open_until(now).map(|until| until.time())
}

fn days_from(day: Date) -> impl Iterator<Item = Date> {
    (0..HORIZON).filter_map(move |ahead| day.checked_add(ahead.days()).ok())
}

fn days_before(day: Date) -> impl Iterator<Item = Date> {
    (1..HORIZON).filter_map(move |back| day.checked_sub(back.days()).ok())
}

/// What can be made of a wished moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Possible {
    /// It can be.
    Yes(Option<Dates>, Option<Times>),
    /// It cannot; the nearest that can.
    No(Obstacle, Vec<DateTime>),
    /// Weekday and day do not fit, or there is no such day.
    Conflict,
}

/// Whether somebody can come at a moment.
pub fn possible(business: &Business, when: &When, now: DateTime) -> Possible {
    let yes = Possible::Yes(when.date, when.time);
    let day = match when.date {
        Some(Dates::Conflict) => return Possible::Conflict,
        None => return yes,
        Some(Dates::On(day)) => day,
        Some(Dates::Until(last)) if last < now.date() => {
            return no(
                business,
                Obstacle::Past,
                last.to_datetime(wished(when)),
                now,
            );
        }
        Some(Dates::Between(first, last)) if business.hours.is_known() => {
            let can =
                |day: &Date| *day >= now.date() && comes(business, *day, when.time, now).is_some();
            let days = days_from(first).take_while(|day| *day <= last);
            let open: Vec<Date> = days.filter(can).collect();
            match (open.first(), open.last()) {
                (None, _) | (_, None) => {
                    let why = if last < now.date() {
                        Obstacle::Past
                    } else {
                        Obstacle::Closed(last)
                    };
                    return no(business, why, last.to_datetime(wished(when)), now);
                }
                (Some(only), Some(last)) if only == last => *only,
                // A week in which it is closed on its last days ends before them.
                (Some(first), Some(last)) => {
                    return Possible::Yes(Some(Dates::Between(*first, *last)), when.time);
                }
            }
        }
        Some(Dates::Between(..) | Dates::From(_) | Dates::Until(_)) => return yes,
    };
    let at = day.to_datetime(wished(when));
    let is_over = match when.time {
        Some(Times::At(_)) => at <= now,
        _ => day < now.date(),
    };
    if is_over {
        return no(business, Obstacle::Past, at, now);
    }
    if !business.hours.is_known() || comes(business, day, when.time, now).is_some() {
        return Possible::Yes(Some(Dates::On(day)), when.time);
    }
    let why = match when.time {
        Some(Times::At(time)) if !spans(business, day).is_empty() => Obstacle::ClosedAt(day, time),
        _ if spans(business, day).is_empty() => Obstacle::Closed(day),
        Some(Times::From(time) | Times::Between(time, _)) => Obstacle::ClosedAt(day, time),
        Some(Times::Until(time) | Times::At(time)) => Obstacle::ClosedAt(day, time),
        None => Obstacle::Past,
    };
    no(business, why, at, now)
}

/// The time that is meant by a wish, to look for others near it.
fn wished(when: &When) -> Time {
    match when.time {
        Some(Times::At(time) | Times::From(time) | Times::Between(time, _)) => time,
        Some(Times::Until(time)) => time.saturating_sub(LAST),
        None => Time::midnight(),
    }
}

/// The first moment of a day at which somebody can come within the wished times.
fn comes(business: &Business, day: Date, time: Option<Times>, now: DateTime) -> Option<DateTime> {
    let (from, to) = match time {
        None => (Time::MIN, Time::MAX),
        Some(Times::At(time)) => (time, time),
        Some(Times::Between(from, to)) => (from, to),
        Some(Times::From(from)) => (from, Time::MAX),
        Some(Times::Until(to)) => (Time::MIN, to),
    };
    let open = spans(business, day);
    let starts = open.iter().filter_map(|(opens, closes)| {
        let last = match time {
            Some(Times::At(_)) => closes.saturating_sub(SignedDuration::from_secs(1)),
            _ => closes.saturating_sub(LAST),
        };
        let start = (*opens).max(from);
        (start <= last.min(to)).then(|| day.to_datetime(start))
    });
    let last_of_today = |start: DateTime| match time {
        Some(Times::At(_)) => start > now,
        _ if day == now.date() => open
            .iter()
            .any(|(_, end)| now.time() < end.saturating_sub(LAST)),
        _ => true,
    };
    starts.into_iter().find(|start| last_of_today(*start))
}

fn no(business: &Business, why: Obstacle, wished: DateTime, now: DateTime) -> Possible {
    Possible::No(why, nearest(business, wished, now))
}

/// The nearest moments that can be: one before and one after, or two after.
fn nearest(business: &Business, wished: DateTime, now: DateTime) -> Vec<DateTime> {
    let wished = wished.max(now);
    let on = |day: Date| {
        let same = day.to_datetime(wished.time());
        if is_open(business, same) {
            return Some(same);
        }
        let after = |(from, _): &&(Time, Time)| *from >= wished.time();
        let open = spans(business, day);
        let (last_from, last_to) = open.last()?;
        let next = open.iter().find(after).map(|(from, _)| *from);
        let time = next.unwrap_or_else(|| last_to.saturating_sub(LAST).max(*last_from));
        Some(day.to_datetime(time))
    };
    let ahead = |moment: &DateTime| *moment > now;
    let here = on(wished.date()).filter(ahead);
    let before = days_before(wished.date())
        .take_while(|day| *day >= now.date())
        .filter_map(on)
        .find(ahead);
    let later = |place: usize| {
        let days = days_from(wished.date()).skip(1);
        days.filter_map(on).filter(ahead).nth(place)
    };
    let mut moments: Vec<DateTime> = match (here, before) {
        (Some(here), _) => vec![Some(here), later(0)],
        (None, Some(before)) => vec![Some(before), later(0)],
        (None, None) => vec![later(0), later(1)],
    }
    .into_iter()
    .flatten()
    .collect();
    moments.sort();
    moments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Domain;

    /// A Saturday evening after closing time.
    const NOW: &str = "2026-11-28T19:10";

    fn tried(date: &str, time: Option<Times>) -> Possible {
        let domain = Domain::embedded().unwrap();
        let when = When {
            date: Some(Dates::On(date.parse().unwrap())),
            time,
        };
        possible(&domain.business, &when, NOW.parse().unwrap())
    }

    fn at(hour: i8, minute: i8) -> Option<Times> {
        Some(Times::At(Time::constant(hour, minute, 0, 0)))
    }

    fn shown(possible: Possible) -> Vec<String> {
        match possible {
            Possible::No(_, moments) => moments.iter().map(ToString::to_string).collect(),
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn closed_days_give_the_two_nearest_open_ones() {
        assert_eq!(
            shown(tried("2026-11-29", at(11, 0))),
            ["2026-11-30T11:00:00", "2026-12-01T11:00:00"]
        );
        assert_eq!(
            shown(tried("2026-12-25", at(10, 0))),
            ["2026-12-24T10:00:00", "2026-12-28T10:00:00"]
        );
    }

    #[test]
    fn impossible_hours_give_the_nearest_possible_ones() {
        assert_eq!(
            shown(tried("2026-12-01", at(18, 30))),
            ["2026-12-01T17:30:00", "2026-12-02T17:30:00"]
        );
        assert_eq!(
            shown(tried("2026-12-01", at(7, 30))),
            ["2026-12-01T09:00:00", "2026-12-02T09:00:00"]
        );
    }

    #[test]
    fn open_moments_can_be_and_past_ones_cannot() {
        let open = tried("2026-12-01", at(17, 59));
        assert!(matches!(open, Possible::Yes(..)), "{open:?}");
        let past = tried("2026-11-28", at(11, 0));
        assert!(matches!(past, Possible::No(Obstacle::Past, _)), "{past:?}");
        let afternoon = Some(Times::Between(
            Time::constant(12, 0, 0, 0),
            Time::constant(18, 0, 0, 0),
        ));
        let open = tried("2026-12-05", afternoon);
        assert!(matches!(open, Possible::Yes(..)), "{open:?}");
    }

    #[test]
    fn weekend_of_which_one_day_is_left_is_that_day() {
        let domain = Domain::embedded().unwrap();
        let day = |text: &str| text.parse().unwrap();
        let weekend = When {
            date: Some(Dates::Between(day("2026-12-05"), day("2026-12-06"))),
            time: None,
        };
        let found = possible(&domain.business, &weekend, NOW.parse().unwrap());
        let saturday = Possible::Yes(Some(Dates::On(day("2026-12-05"))), None);
        assert_eq!(found, saturday);
        let gone = When {
            date: Some(Dates::Between(day("2026-11-28"), day("2026-11-29"))),
            time: None,
        };
        let found = possible(&domain.business, &gone, NOW.parse().unwrap());
        assert!(
            matches!(found, Possible::No(Obstacle::Closed(_), _)),
            "{found:?}"
        );
    }

    #[test]
    fn next_opening_skips_closed_days() {
        let domain = Domain::embedded().unwrap();
        let next = |text: &str| {
            let next = next_opening(&domain.business, text.parse().unwrap());
            next.unwrap().to_string()
        };
        assert_eq!(next(NOW), "2026-11-30T09:00:00");
        assert_eq!(next("2026-12-24T19:00"), "2026-12-28T09:00:00");
    }
}
