//! What wordings of dates and times mean, as it is written in the domain files.

use std::str::FromStr;

use jiff::civil::Time;

use crate::domain::Feast;

/// Minutes to months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Real ones, also across a change of the clock.
    Minute,
    /// As minutes.
    Hour,
    /// Of the calendar.
    Day,
    /// Seven days.
    Week,
    /// Of the calendar.
    Month,
}

impl FromStr for Unit {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text.strip_suffix('s').unwrap_or(text) {
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            _ => return Err(()),
        })
    }
}

/// How many of a unit: fixed, or as the wording says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Count {
    /// `2 weeks`.
    Fixed(i64, Unit),
    /// `n units`: the number and the unit that the wording holds.
    Said,
    /// `n weeks`: the number that the wording holds.
    SaidOf(Unit),
}

impl FromStr for Count {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, unit) = text.split_once(' ').ok_or(())?;
        match (number, unit) {
            ("n", "units") => Ok(Self::Said),
            ("n", unit) => unit.parse().map(Self::SaidOf),
            (number, unit) => Ok(Self::Fixed(number.parse().map_err(drop)?, unit.parse()?)),
        }
    }
}

/// Which part of a week or a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatePart {
    /// All of it.
    Whole,
    /// The first three days of a week, ten of a month.
    Begin,
    /// Tuesday to Thursday; the 11th to the 19th.
    Middle,
    /// Thursday to Saturday; the 24th to the last.
    End,
}

/// What a wording for a day or some days means.
#[derive(Debug, Clone, PartialEq)]
pub enum DateMeaning {
    /// `day +1`, `day +0 18:00-23:59`: days from today, and a part of that day.
    Day(i32, Option<(Time, Time)>),
    /// `weekday`, `weekday 16:00-18:00`: the first such day after today, and a part of it.
    Weekday(Option<(Time, Time)>),
    /// `weekday next`: as `weekday`; the one after where that one is agreed already.
    NextWeekday,
    /// `weekday after`: the first such day after one that was spoken of.
    WeekdayAfter,
    /// `weekday of week +1`: that day of this week, or of a later one.
    WeekdayOf(i32),
    /// `weekday + 1 week`: as `weekday`, and some time later.
    WeekdayPlus(Count),
    /// `in n units`.
    In(Count),
    /// `within n units`: until then.
    Within(Count),
    /// `begin week +1`, `week +1`.
    Week(DatePart, i32),
    /// `weekend +0`: Saturday and Sunday.
    Weekend(i32),
    /// `end month +0`.
    Month(DatePart, i32),
    /// `middle month`: of the month that the wording names.
    NamedMonth(DatePart),
    /// `week n`: by its ISO number.
    NumberedWeek,
    /// `nth weekday`, `nth weekday month +1`: the first, second, … such day of the month that the
    /// wording names, or of this or a later one.
    NthWeekday(Option<i32>),
    /// `last weekday`, `last weekday month +0`.
    LastWeekday(Option<i32>),
    /// `day of month +1`: the day of a later month.
    DayOf(i32),
    /// `date`: day, and month, year and weekday as far as the wording holds them.
    Date,
    /// `days`: from a day to another of the same month.
    Days,
    /// `12-25`, `easter +1`.
    Feast(Feast),
    /// `12-25/12-26`.
    Feasts(Feast, Feast),
    /// `none`: no date, although its words are.
    Nothing,
}

impl FromStr for DateMeaning {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "weekday" => return Ok(Self::Weekday(None)),
            "weekday next" => return Ok(Self::NextWeekday),
            "weekday after" => return Ok(Self::WeekdayAfter),
            "week n" => return Ok(Self::NumberedWeek),
            "date" => return Ok(Self::Date),
            "days" => return Ok(Self::Days),
            "nth weekday" => return Ok(Self::NthWeekday(None)),
            "last weekday" => return Ok(Self::LastWeekday(None)),
            "none" => return Ok(Self::Nothing),
            _ => {}
        }
        if let Some((first, last)) = text.split_once('/') {
            return Ok(Self::Feasts(first.parse()?, last.parse()?));
        }
        if let Ok(feast) = text.parse() {
            return Ok(Self::Feast(feast));
        }
        let months = |prefix: &str| text.strip_prefix(prefix)?.parse().ok();
        if let Some(months) = months("nth weekday month ") {
            return Ok(Self::NthWeekday(Some(months)));
        }
        if let Some(months) = months("last weekday month ") {
            return Ok(Self::LastWeekday(Some(months)));
        }
        if let Some(months) = months("day of month ") {
            return Ok(Self::DayOf(months));
        }
        if let Some(rest) = text.strip_prefix("weekday of week ") {
            return rest.parse().map(Self::WeekdayOf).map_err(drop);
        }
        if let Some(part) = text
            .strip_prefix("weekday ")
            .and_then(|rest| span(rest).ok())
        {
            return Ok(Self::Weekday(Some(part)));
        }
        if let Some(rest) = text.strip_prefix("weekday + ") {
            return rest.parse().map(Self::WeekdayPlus);
        }
        if let Some(rest) = text.strip_prefix("within ") {
            return rest.parse().map(Self::Within);
        }
        if let Some(rest) = text.strip_prefix("in ") {
            return rest.parse().map(Self::In);
        }
        if let Some(rest) = text.strip_prefix("day ") {
            let (days, part) = match rest.split_once(' ') {
                Some((days, part)) => (days, Some(span(part)?)),
                None => (rest, None),
            };
            return Ok(Self::Day(days.parse().map_err(drop)?, part));
        }
        let (part, rest) = [
            ("begin ", DatePart::Begin),
            ("middle ", DatePart::Middle),
            ("end ", DatePart::End),
        ]
        .into_iter()
        .find_map(|(word, part)| Some((part, text.strip_prefix(word)?)))
        .unwrap_or((DatePart::Whole, text));
        let number = |text: &str| text.parse().map_err(drop);
        match rest.split_once(' ') {
            None if rest == "month" => Ok(Self::NamedMonth(part)),
            Some(("week", offset)) => Ok(Self::Week(part, number(offset)?)),
            Some(("month", offset)) => Ok(Self::Month(part, number(offset)?)),
            Some(("weekend", offset)) if part == DatePart::Whole => {
                Ok(Self::Weekend(number(offset)?))
            }
            _ => Err(()),
        }
    }
}

/// Which hour a wording names, counted from the one that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// Minutes from the hour.
    pub minutes: i32,
    /// How often the minutes that the wording holds are added: 1, 0 or -1.
    pub said: i32,
    /// Whether it is in the second half of the day, where the wording tells.
    pub half: Option<bool>,
}

/// What a wording for a time of the day means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TimeMeaning {
    /// `+0`, `-30`, `-30-m`, `+0 pm`: minutes from the hour that the wording holds.
    Clock(Hour),
    /// `12:00`.
    At(Time),
    /// `06:00-12:00`: a part of the day.
    Part(Time, Time),
    /// `am` and `pm`, which tell about an hour beside them.
    Half(bool),
    /// `none`.
    Nothing,
}

impl FromStr for TimeMeaning {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "am" => return Ok(Self::Half(false)),
            "pm" => return Ok(Self::Half(true)),
            "none" => return Ok(Self::Nothing),
            _ => {}
        }
        if let Ok(time) = time(text) {
            return Ok(Self::At(time));
        }
        if let Ok((from, to)) = span(text) {
            return Ok(Self::Part(from, to));
        }
        let (text, half) = match text.split_once(' ') {
            Some((text, "am")) => (text, Some(false)),
            Some((text, "pm")) => (text, Some(true)),
            Some(_) => return Err(()),
            None => (text, None),
        };
        let (minutes, said) = match (text.strip_suffix("+m"), text.strip_suffix("-m")) {
            (Some(rest), _) => (rest, 1),
            (_, Some(rest)) => (rest, -1),
            _ => (text, 0),
        };
        let minutes = match minutes {
            "" => 0,
            minutes => minutes.parse().map_err(drop)?,
        };
        Ok(Self::Clock(Hour {
            minutes,
            said,
            half,
        }))
    }
}

/// What the words around a date or time make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Nothing: "at", "on", "around".
    At,
    /// From it on.
    From,
    /// From the day after it, or after it.
    After,
    /// It at the latest.
    Until,
    /// The day before it at the latest.
    Before,
    /// From one to another.
    Between,
    /// One or the other.
    Or,
    /// The first of two is meant.
    First,
    /// The second of two is meant.
    Second,
    /// The week that it is in.
    Week,
    /// `day -1`: days from it.
    Shift(i32),
    /// It does not suit: "that comes to nothing tomorrow".
    Not,
    /// It is none.
    Nothing,
}

impl FromStr for Relation {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "at" => Self::At,
            "from" => Self::From,
            "after" => Self::After,
            "until" => Self::Until,
            "before" => Self::Before,
            "between" => Self::Between,
            "or" => Self::Or,
            "first" => Self::First,
            "second" => Self::Second,
            "not" => Self::Not,
            "week" => Self::Week,
            "none" => Self::Nothing,
            _ => {
                let days = text.strip_prefix("day ").ok_or(())?;
                Self::Shift(days.parse().map_err(drop)?)
            }
        })
    }
}

fn span(text: &str) -> Result<(Time, Time), ()> {
    let (from, to) = text.split_once('-').ok_or(())?;
    Ok((time(from)?, time(to)?))
}

fn time(text: &str) -> Result<Time, ()> {
    let (hour, minute) = text.split_once(':').ok_or(())?;
    let (hour, minute) = (hour.parse().map_err(drop)?, minute.parse().map_err(drop)?);
    Time::new(hour, minute, 0, 0).map_err(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_are_read_as_written() {
        let date = |text: &str| text.parse::<DateMeaning>();
        assert_eq!(date("day +2"), Ok(DateMeaning::Day(2, None)));
        assert_eq!(date("end week +1"), Ok(DateMeaning::Week(DatePart::End, 1)));
        assert_eq!(date("weekday of week +1"), Ok(DateMeaning::WeekdayOf(1)));
        let month = Count::Fixed(1, Unit::Month);
        assert_eq!(date("in 1 month"), Ok(DateMeaning::In(month)));
        assert_eq!(date("within n units"), Ok(DateMeaning::Within(Count::Said)));
        assert!(matches!(date("12-25/12-26"), Ok(DateMeaning::Feasts(..))));
        for bad in ["", "day", "end weekend +0", "in n", "13-40", "someday"] {
            assert_eq!(date(bad), Err(()), "{bad}");
        }
        let time = |text: &str| text.parse::<TimeMeaning>();
        let clock = |minutes, said, half| {
            let hour = Hour {
                minutes,
                said,
                half,
            };
            Ok(TimeMeaning::Clock(hour))
        };
        assert_eq!(time("-30-m"), clock(-30, -1, None));
        assert_eq!(time("+m"), clock(0, 1, None));
        assert_eq!(time("+0 pm"), clock(0, 0, Some(true)));
        assert!(matches!(time("06:00-12:00"), Ok(TimeMeaning::Part(..))));
        assert_eq!(time("noon"), Err(()));
        assert_eq!("day -1".parse(), Ok(Relation::Shift(-1)));
    }
}
