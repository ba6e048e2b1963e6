//! Which of several moments of a message is meant. Pure.

use std::ops::Range;

use jiff::civil::Date;

use super::dates;
use crate::dialogue::act::{Act, Dates, Does, Social};
use crate::dialogue::state::{OursAbout, State};
use crate::understanding::{Days, Moment};

/// The most words of a message whose number is a day that we offered, at the hour that was agreed.
const FEW_WORDS: usize = 8;

/// Leaves the moments that say when the customer would come.
pub(super) fn keep_meant(state: &State, (text, acts): (&str, &[Act]), moments: &mut Vec<Moment>) {
    drop_deadlines(acts, moments);
    drop_standing_day(state, moments);
    keep_offered_day(state, moments);
    keep_day_of_hour(text, moments);
    drop_wider(moments);
}

/// "The MOT is due on 22 December" says no day to come.
fn drop_deadlines(acts: &[Act], moments: &mut Vec<Moment>) {
    // "I'll call you tomorrow at 10" says when to call.
    let due = |act: &&Act| matches!(act.does, Does::Social(Social::Deadline | Social::Calls));
    let due: Vec<Range<usize>> = acts
        .iter()
        .filter(due)
        .map(|act| act.words.clone())
        .collect();
    let inside = |moment: &Moment| {
        let mut due = due.iter();
        due.any(|words| words.start <= moment.bytes.start && moment.bytes.end <= words.end)
    };
    moments.retain(|moment| !inside(moment));
}

/// Beside another day, that of the appointment is the one that does not suit: "Samstag ist Vereinsfest,
/// ginge auch Freitag?"
fn drop_standing_day(state: &State, moments: &mut Vec<Moment>) {
    let standing = state.appointment().and_then(|one| one.date);
    let is_standing = |moment: &Moment| standing.is_some() && moment.days.map(dates) == standing;
    let other = |moment: &Moment| moment.days.is_some() && !is_standing(moment);
    if moments.iter().any(other) {
        moments.retain(|moment| !is_standing(moment));
    }
}

/// Beside a day that we offered, another one is talked about: "bei uns ist sonntags Schautag, dann Samstag".
fn keep_offered_day(state: &State, moments: &mut Vec<Moment>) {
    let ours = state.ours.as_ref();
    let Some(ours) = ours.filter(|ours| ours.about == OursAbout::Moment) else {
        return;
    };
    let offered = |moment: &Moment| {
        let days = ours.moments.iter().map(|offered| Dates::On(offered.date()));
        moment
            .days
            .is_some_and(|day| days.into_iter().any(|one| one == dates(day)))
    };
    if moments.iter().any(offered) {
        moments.retain(|moment| moment.days.is_none() || offered(moment));
    }
}

/// "Ja der 2. dann, uhrzeit wie gehabt", "the 31st": a number that is the day of one of the moments
/// that we offered, and cannot be an hour.
pub(super) fn offered_day(state: &State, (text, acts): (&str, &[Act])) -> Option<Moment> {
    let ours = state.ours.as_ref();
    let ours = ours.filter(|ours| ours.about == OursAbout::Moment)?;
    let digits = |c: char| c.is_ascii_digit();
    let start = text.find(digits)?;
    let length = text.get(start..)?.find(|c| !digits(c));
    let end = length.map_or(text.len(), |length| start + length);
    let rest = text.get(end..)?;
    let day: i8 = text.get(start..end)?.parse().ok()?;
    let mut days = ours.moments.iter().map(|moment| moment.date());
    let date = days.find(|date| date.day() == day)?;
    let same_hour = |act: &Act| act.does == Does::Social(Social::SameHour);
    acts.iter().find(|act| same_hour(act))?;
    let short = text.split_whitespace().count() <= FEW_WORDS && !rest.contains(digits);
    short.then_some(Moment {
        days: Some(Days::On(date)),
        times: None,
        exact: false,
        wanted: true,
        denied: false,
        next: false,
        after: false,
        counted: false,
        bytes: start..end,
    })
}

/// "Ah, New Year, silly me. Saturday at 10 then": the day that is said together with the hour.
fn keep_day_of_hour(text: &str, moments: &mut Vec<Moment>) {
    let place = |moment: &Moment| sentence(text, moment.bytes.start);
    let mut exact = moments.iter().filter(|moment| moment.exact);
    let (Some(hour), None) = (exact.next(), exact.next()) else {
        return;
    };
    let last = place(hour);
    let beside = |moment: &Moment| moment.days.is_some() && place(moment) == last;
    if moments.iter().any(beside) {
        moments.retain(|moment| moment.days.is_none() || beside(moment));
    }
}

/// "Between Christmas and New Year, on the 30th", "not before Christmas, the first Monday of January": the
/// day, not the days around it.
fn drop_wider(moments: &mut Vec<Moment>) {
    let days = moments.iter().filter_map(|moment| match moment.days? {
        Days::On(day) => Some(day),
        _ => None,
    });
    let days: Vec<Date> = days.collect();
    let holds_one = |around: Days| match around {
        Days::Between(from, to) => days.iter().any(|day| (from..=to).contains(day)),
        Days::From(from) => days.iter().any(|day| from <= *day),
        Days::Until(to) => days.iter().any(|day| *day <= to),
        Days::On(_) | Days::Conflict => false,
    };
    moments.retain(|moment| !moment.days.is_some_and(holds_one) || moment.times.is_some());
}

/// The bytes of the sentence around a byte. A number with a full stop ends one where a space follows.
pub(super) fn sentence(text: &str, at: usize) -> Range<usize> {
    let ends = |(place, c): (usize, char)| {
        let after = place + c.len_utf8();
        let next = text.get(after..).and_then(|rest| rest.chars().next());
        let apart = next.is_none_or(char::is_whitespace);
        (c == '\n' || matches!(c, '.' | '!' | '?') && apart).then_some(after)
    };
    let mut start = 0;
    for end in text.char_indices().filter_map(ends) {
        if at < end {
            return start..end;
        }
        start = end;
    }
    start..text.len()
}
