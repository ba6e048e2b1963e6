//! Appointments that move by so much. Pure.

use jiff::{SignedDuration, ToSpan};

use crate::dialogue::act::{Dates, Times, When};
use crate::dialogue::state::Appointment;

/// "The day after at 10": a shift by days with an hour of its own.
pub(super) fn at_hour(shifted: When, hour: Option<Times>, minutes: Option<i32>) -> When {
    let by_days = minutes.is_some_and(|minutes| minutes % (24 * 60) == 0);
    let hour = hour.filter(|hour| by_days && matches!(hour, Times::At(_)));
    When {
        time: hour.or(shifted.time),
        ..shifted
    }
}

/// Whether a moment is the one that is agreed: "Saturday comes to nothing".
pub(super) fn stands(known: &Appointment, when: &When) -> bool {
    let same_time = when.time.is_none() || when.time == known.time;
    known.date.is_some() && when.date == known.date && same_time
}

/// The moment of an appointment, later or earlier by some minutes.
pub(super) fn shifted((day, time): (Option<Dates>, Option<Times>), minutes: i32) -> Option<When> {
    let Some(Dates::On(day)) = day else {
        return None;
    };
    if minutes % (24 * 60) == 0 {
        let day = day.checked_add((minutes / (24 * 60)).days()).ok()?;
        return Some(When {
            date: Some(Dates::On(day)),
            time,
        });
    }
    let by = SignedDuration::from_mins(i64::from(minutes));
    let move_by = |time: jiff::civil::Time| time.checked_add(by).ok();
    let time = match time? {
        Times::At(time) => Times::At(move_by(time)?),
        Times::From(time) => Times::From(move_by(time)?),
        Times::Until(time) => Times::Until(move_by(time)?),
        Times::Between(from, to) => Times::Between(move_by(from)?, move_by(to)?),
    };
    Some(When {
        date: Some(Dates::On(day)),
        time: Some(time),
    })
}
