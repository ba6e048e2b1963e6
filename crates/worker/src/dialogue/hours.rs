//! Opening hours in words. Pure.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};

use crate::domain::{Business, Replies};

const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// All hours, days with the same ones together: `maandag–vrijdag 09:00–18:00, zondag gesloten`.
pub(super) fn week(business: &Business, replies: &Replies, today: Date) -> Option<String> {
    if !business.hours.is_known() {
        return None;
    }
    let mut groups: Vec<(usize, usize, String)> = Vec::new();
    for (place, day) in WEEK.into_iter().enumerate() {
        let hours = spans(&business.hours.usually_on(day, today), replies);
        match groups.last_mut() {
            Some((_, to, same)) if *same == hours => *to = place,
            _ => groups.push((place, place, hours)),
        }
    }
    let name = |place: usize| replies.weekdays.get(place).map_or("", String::as_str);
    let group = |(from, to, hours): &(usize, usize, String)| {
        if from == to {
            format!("{} {hours}", name(*from))
        } else {
            format!("{}–{} {hours}", name(*from), name(*to))
        }
    };
    Some(groups.iter().map(group).collect::<Vec<_>>().join(", "))
}

/// The hours of a date: `09:00–18:00`, `gesloten`, `gesloten (Koningsdag)`.
pub(super) fn on(date: Date, business: &Business, replies: &Replies) -> Option<String> {
    if !business.hours.is_known() {
        return None;
    }
    let open = business.hours.on(date).into_iter();
    let open: Vec<(Time, Time)> = open
        .map(|opening| (opening.from.time(), opening.until.time()))
        .collect();
    let named = business.hours.holiday(date).filter(|_| open.is_empty());
    Some(match named {
        None => spans(&open, replies),
        Some(special) => format!("{} ({special})", replies.closed),
    })
}

/// The day that a text names, with its name: today, tomorrow, or the next such weekday.
pub(crate) fn named_day(
    text: &str,
    business: &Business,
    replies: &Replies,
    now: Timestamp,
) -> Option<(String, Date)> {
    let today = now.to_zoned(business.time_zone.clone()).date();
    let text = text.to_lowercase();
    for (place, name) in replies.weekdays.iter().enumerate() {
        let day = *WEEK.get(place)?;
        if super::wording::contains_word(&text, &name.to_lowercase()) {
            let date = if today.weekday() == day {
                today
            } else {
                today.nth_weekday(1, day).ok()?
            };
            return Some((name.clone(), date));
        }
    }
    for (days, words) in replies.relative_days.iter().enumerate() {
        if words
            .iter()
            .any(|word| super::wording::contains_word(&text, word))
        {
            let date = today
                .saturating_add(jiff::Span::new().days(i64::try_from(days).unwrap_or_default()));
            let place = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
            return Some((replies.weekdays.get(place)?.clone(), date));
        }
    }
    None
}

fn spans(hours: &[(Time, Time)], replies: &Replies) -> String {
    if hours.is_empty() {
        return replies.closed.clone();
    }
    let clock = |time: &Time| format!("{:02}:{:02}", time.hour(), time.minute());
    let span = |(from, to): &(Time, Time)| format!("{}–{}", clock(from), clock(to));
    hours.iter().map(span).collect::<Vec<_>>().join(" / ")
}
