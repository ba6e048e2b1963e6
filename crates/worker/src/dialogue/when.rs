//! Moments as customers say them, and as appointments keep them. Pure data.

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// A moment in the business' time, with the grain that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct When {
    /// A day, a span of days, from or until a day; a conflict of weekday and day.
    pub date: Option<Dates>,
    /// A time, or a span of times.
    pub time: Option<Times>,
}

impl When {
    /// Whether it is a day and an hour.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        matches!(
            (self.date, self.time),
            (Some(Dates::On(_)), Some(Times::At(_)))
        )
    }
}

/// The days of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// One day.
    On(Date),
    /// First and last day, both included.
    Between(Date, Date),
    /// From that day on.
    From(Date),
    /// That day at the latest.
    Until(Date),
    /// Weekday and day of the month do not fit, or there is no such day.
    Conflict,
}

/// A span of more days than these still needs a day.
const FEW_DAYS: i32 = 2;

impl Dates {
    /// Whether it is a day, or two that leave no choice worth a question.
    #[must_use]
    pub fn is_narrow(self) -> bool {
        match self {
            Self::Between(from, to) => from.until(to).is_ok_and(|span| span.get_days() < FEW_DAYS),
            _ => true,
        }
    }

    /// Without the days of it that are over.
    pub(super) fn not_before(self, today: Date) -> Self {
        match self {
            Self::Between(from, to) if from < today && today <= to => Self::Between(today, to),
            other => other,
        }
    }
}

/// The hours of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    /// A time of the day.
    At(Time),
    /// Between two times.
    Between(Time, Time),
    /// From then on.
    From(Time),
    /// Before then.
    Until(Time),
}
