//! Days and times in words. Pure.

use jiff::civil::{Date, DateTime, Time};

use super::act::{Dates, Times};
use super::calendar;
use super::hours::clock;
use crate::domain::{Domain, Replies};

/// When a colleague answers: today while it is open, else at the next opening.
pub(super) fn when(domain: &Domain, replies: &Replies, local: DateTime) -> String {
    let moments = &replies.format.moments;
    let business = &domain.business;
    if business.hours.is_known() && calendar::is_open(business, local) {
        return moments.text("soon_today", &[]);
    }
    match calendar::next_opening(business, local) {
        None => moments.text("soon", &[]),
        Some(opening) => {
            let day = near(replies, opening.date(), local.date());
            let time = clock(opening.time());
            moments.text("opening", &[("date", &day), ("time", &time)])
        }
    }
}

/// A day in full: "dinsdag 1 december".
pub(super) fn date(replies: &Replies, day: Date) -> String {
    let format = &replies.format;
    let month = format.months.get(place(day.month() - 1));
    format.moments.text(
        "date",
        &[
            ("weekday", weekday(replies, day)),
            ("day", &day.day().to_string()),
            ("month", month.map_or("", String::as_str)),
        ],
    )
}

/// A day as it is called from another: "vandaag", "dinsdag", and in full when it is a week away.
pub(super) fn near(replies: &Replies, day: Date, today: Date) -> String {
    match today.until(day).map(|span| span.get_days()) {
        Ok(0) => replies.format.moments.today.clone(),
        Ok(1..=6) => weekday(replies, day).to_owned(),
        _ => date(replies, day),
    }
}

/// A month or a day as records have it, `2027-11` or `2027-11-03`, in words; none of another text.
pub(super) fn month_of(replies: &Replies, text: &str) -> Option<String> {
    let parts: Vec<Option<u16>> = text.split('-').map(|part| part.parse().ok()).collect();
    let month = |month: u16| {
        replies
            .format
            .months
            .get(usize::from(month.checked_sub(1)?))
    };
    match parts.as_slice() {
        [Some(year @ 1900..), Some(number)] => Some(format!("{} {year}", month(*number)?)),
        [Some(year @ 1900..), Some(number), Some(day)] => {
            Some(format!("{day} {} {year}", month(*number)?))
        }
        _ => None,
    }
}

fn weekday(replies: &Replies, day: Date) -> &str {
    let name = replies
        .format
        .weekdays
        .get(place(day.weekday().to_monday_zero_offset()));
    name.map_or("", String::as_str)
}

fn place(number: i8) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// Days of an appointment: "op dinsdag 1 december".
pub(super) fn days(replies: &Replies, days: Dates) -> String {
    let moments = &replies.format.moments;
    let date = |day: Date| date(replies, day);
    match days {
        Dates::On(day) => moments.text("on", &[("date", &date(day))]),
        Dates::Between(from, to) => {
            moments.text("days", &[("from", &date(from)), ("to", &date(to))])
        }
        Dates::From(day) => moments.text("from_day", &[("date", &date(day))]),
        Dates::Until(day) => moments.text("until_day", &[("date", &date(day))]),
        Dates::Conflict => String::new(),
    }
}

/// Times of an appointment: "om 10:00 uur".
pub(super) fn hours(replies: &Replies, times: Times) -> String {
    let moments = &replies.format.moments;
    match times {
        Times::At(time) => moments.text("at", &[("time", &clock(time))]),
        Times::Between(from, to) => match part_of_day(from, to) {
            Some(part) => moments.text(part, &[]),
            None => moments.text("between", &[("from", &clock(from)), ("to", &clock(to))]),
        },
        Times::From(time) => moments.text("after", &[("time", &clock(time))]),
        Times::Until(time) => moments.text("before", &[("time", &clock(time))]),
    }
}

/// The day and the time of an appointment, as far as they are known.
pub(super) fn said(replies: &Replies, date: Option<Dates>, time: Option<Times>) -> String {
    let parts = [
        date.map(|date| days(replies, date)),
        time.map(|time| hours(replies, time)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The part of a day that a span is, as the words for parts are understood.
fn part_of_day(from: Time, to: Time) -> Option<&'static str> {
    Some(match (clock(from).as_str(), clock(to).as_str()) {
        ("06:00", "12:00") => "morning",
        ("12:00", "14:00") => "noon",
        ("12:00", "18:00") => "afternoon",
        ("16:00", "18:00") => "late_afternoon",
        ("18:00", "23:59") => "evening",
        _ => return None,
    })
}

/// A moment that is offered: "dinsdag 1 december om 11:00 uur".
pub(super) fn moment(replies: &Replies, at: DateTime, timed: bool) -> String {
    let day = date(replies, at.date());
    if timed {
        format!("{day} {}", hours(replies, Times::At(at.time())))
    } else {
        day
    }
}

/// The hours of a day: "van 09:00 tot 18:00 uur".
pub(super) fn spans(replies: &Replies, spans: &[(Time, Time)]) -> String {
    let spans = spans.iter().map(|(from, to)| {
        let gaps = [("from", clock(*from)), ("to", clock(*to))];
        let gaps = gaps.each_ref().map(|(gap, value)| (*gap, value.as_str()));
        replies.format.moments.text("span", &gaps)
    });
    let and = format!(" {} ", replies.format.and);
    spans.collect::<Vec<_>>().join(&and)
}

/// A day as data: `2026-12-08`,
/// `2026-12-05/2026-12-06`, `2026-12-09/`, `/2026-12-08`.
#[must_use]
pub fn date_code(days: Dates) -> String {
    match days {
        Dates::On(day) => day.to_string(),
        Dates::Between(from, to) => format!("{from}/{to}"),
        Dates::From(day) => format!("{day}/"),
        Dates::Until(day) => format!("/{day}"),
        Dates::Conflict => "conflict".to_owned(),
    }
}

/// The same of times: `14:30`, `10:00/12:00`, `17:00/`, `/12:00`.
#[must_use]
pub fn time_code(times: Times) -> String {
    match times {
        Times::At(time) => clock(time),
        Times::Between(from, to) => format!("{}/{}", clock(from), clock(to)),
        Times::From(time) => format!("{}/", clock(time)),
        Times::Until(time) => format!("/{}", clock(time)),
    }
}
