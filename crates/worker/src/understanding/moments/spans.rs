//! Days that are so many days, weeks or months away, and parts of weeks and months.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::calendar::Days;
use super::grammar::Part;
use crate::domain::{Count, DatePart, TimeUnit as Unit};

pub(super) fn plus(date: Date, span: Span) -> Option<Date> {
    date.checked_add(span).ok()
}

pub(super) fn span(number: f64, unit: Unit) -> Option<Span> {
    let whole = number.round() as i64;
    let span = Span::new();
    match unit {
        Unit::Day => span.try_days(whole),
        Unit::Week => span.try_days((number * 7.0).round() as i64),
        Unit::Month => span.try_months(whole),
        Unit::Minute | Unit::Hour => return None,
    }
    .ok()
}

pub(super) fn counted(count: Count, parts: &[Part]) -> Option<(f64, Unit)> {
    let number = || {
        parts.iter().find_map(|part| match part {
            Part::Number(number) => Some(*number),
            _ => None,
        })
    };
    let unit = || {
        parts.iter().find_map(|part| match part {
            Part::Unit(unit) => Some(*unit),
            _ => None,
        })
    };
    match count {
        Count::Fixed(number, unit) => Some((number as f64, unit)),
        Count::Said => Some((number()?, unit()?)),
        Count::SaidOf(unit) => Some((number()?, unit)),
    }
}

pub(super) fn month_of(parts: &[Part]) -> Option<i8> {
    parts.iter().find_map(|part| match part {
        Part::Month(month) => i8::try_from(*month).ok(),
        _ => None,
    })
}

pub(super) fn year_of(parts: &[Part]) -> Option<i16> {
    parts.iter().find_map(|part| match part {
        Part::Year(year) => Some(*year),
        _ => None,
    })
}

pub(super) fn part_of_week(part: DatePart, monday: Date) -> Option<Days> {
    let (first, last) = match part {
        DatePart::Whole => (0, 6),
        DatePart::Begin => (0, 2),
        DatePart::Middle => (1, 3),
        DatePart::End => (3, 5),
    };
    Some(Days::Between(
        plus(monday, first.days())?,
        plus(monday, last.days())?,
    ))
}

pub(super) fn part_of_month(part: DatePart, first: Date) -> Option<Days> {
    let (from, to) = match part {
        DatePart::Whole => (1, first.days_in_month()),
        DatePart::Begin => (1, 10),
        DatePart::Middle => (11, 19),
        DatePart::End => (24, first.days_in_month()),
    };
    let day = |day: i8| first.with().day(day).build().ok();
    Some(Days::Between(day(from)?, day(to)?))
}
