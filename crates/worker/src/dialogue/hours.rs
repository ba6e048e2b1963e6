//! Opening hours in words. Pure.

use jiff::civil::{Date, Time};

use super::calendar;
use crate::domain::{Business, Replies};

/// All hours, days with the same ones together: `maandag–vrijdag 09:00–18:00, zondag gesloten`.
pub(super) fn week(business: &Business, replies: &Replies, today: Date) -> Option<String> {
    if !business.hours.is_known() {
        return None;
    }
    let mut groups: Vec<(usize, usize, String)> = Vec::new();
    for (place, day) in business.hours.usual_week(today).iter().enumerate() {
        let hours = spans(day, replies);
        match groups.last_mut() {
            Some((_, to, same)) if *same == hours => *to = place,
            _ => groups.push((place, place, hours)),
        }
    }
    let name = |place: usize| {
        replies
            .format
            .weekdays
            .get(place)
            .map_or("", String::as_str)
    };
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
    let open = calendar::spans(business, date);
    let named = business.hours.holiday(date).filter(|_| open.is_empty());
    Some(match named {
        None => spans(&open, replies),
        Some(special) => format!("{} ({special})", replies.format.closed),
    })
}

fn spans(hours: &[(Time, Time)], replies: &Replies) -> String {
    if hours.is_empty() {
        return replies.format.closed.clone();
    }
    let span = |(from, to): &(Time, Time)| format!("{}–{}", clock(*from), clock(*to));
    hours.iter().map(span).collect::<Vec<_>>().join(" / ")
}

/// A time as everybody reads it: `09:00`.
pub(super) fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}
