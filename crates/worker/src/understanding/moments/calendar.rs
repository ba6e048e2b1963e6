//! From what was said to days of the calendar. Pure: the moment at which it was said is given.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{ToSpan, Zoned};

use super::grammar::{DateSaid, Part};
use super::spans::{counted, month_of, part_of_month, part_of_week, plus, span, year_of};
use crate::domain::{DateMeaning, DatePart, Feast, Relation, TimeUnit as Unit};

/// The days that a wording means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// One day.
    On(Date),
    /// From the first to the last, both included.
    Between(Date, Date),
    /// From that day on.
    From(Date),
    /// That day at the latest.
    Until(Date),
    /// Weekday and day of the month do not fit, or there is no such day.
    Conflict,
}

/// What a wording for days means at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meant {
    Days(Days),
    /// A day and a time that real minutes were counted to.
    Moment(DateTime),
    /// A day and a part of it.
    PartOfDay(Date, (Time, Time)),
    /// A day and an hour, or from one to another: "vrijdag 10-12".
    Hours(Date, u8, Option<u8>),
    /// What has been, or is no date.
    Nothing,
}

/// The days that were said at a moment of the business' local time.
pub(super) fn resolve(said: &DateSaid, now: &Zoned) -> Meant {
    let calendar = Calendar {
        now,
        today: now.date(),
    };
    calendar.resolve(said).unwrap_or(Meant::Nothing)
}

/// Nobody comes in so many months.
const FEW_MONTHS: f64 = 12.0;

struct Calendar<'n> {
    now: &'n Zoned,
    today: Date,
}

impl Calendar<'_> {
    fn resolve(&self, said: &DateSaid) -> Option<Meant> {
        match said {
            DateSaid::Plain(meaning, parts) => self.plain(meaning, parts),
            DateSaid::Around(relation, dates) => self.around(*relation, dates),
        }
    }

    fn around(&self, relation: Relation, dates: &[DateSaid]) -> Option<Meant> {
        if relation == Relation::Nothing {
            return None;
        }
        let mut dates = dates.iter();
        let first = self.resolve(dates.next()?)?;
        if matches!(relation, Relation::At | Relation::First | Relation::Not) {
            return Some(first);
        }
        let second = dates.next();
        if relation == Relation::Second {
            return self.resolve(second?);
        }
        let second = second.and_then(|date| self.following(first, date));
        let (from, to) = match first {
            Meant::Days(days) => days.ends()?,
            Meant::PartOfDay(day, _) | Meant::Hours(day, ..) => (day, day),
            Meant::Moment(at) => (at.date(), at.date()),
            Meant::Nothing => return None,
        };
        let days = match relation {
            Relation::From => Days::From(from),
            Relation::After => Days::From(to.tomorrow().ok()?),
            Relation::Until => Days::Until(to),
            Relation::Before => Days::Until(from.yesterday().ok()?),
            Relation::Week => {
                let since = i32::from(from.weekday().to_monday_zero_offset());
                part_of_week(DatePart::Whole, plus(from, (-since).days())?)?
            }
            Relation::Shift(days) if days < 0 => Days::On(plus(from, days.days())?),
            Relation::Shift(days) => Days::On(plus(to, days.days())?),
            Relation::Between | Relation::Or => {
                let Some(Meant::Days(second)) = second else {
                    return Some(first);
                };
                return Some(self.two(relation, first, from, second));
            }
            Relation::At
            | Relation::First
            | Relation::Second
            | Relation::Not
            | Relation::Nothing => return None,
        };
        Some(Meant::Days(days))
    }

    /// "volgende week maandag t/m woensdag": the second weekday is counted from the first.
    fn following(&self, first: Meant, second: &DateSaid) -> Option<Meant> {
        let weekday = matches!(
            second,
            DateSaid::Plain(
                DateMeaning::Weekday(_) | DateMeaning::NextWeekday | DateMeaning::WeekdayAfter,
                _,
            )
        );
        let today = match first {
            Meant::Days(days) if weekday => days.ends().map(|(from, _)| from),
            _ => None,
        };
        let calendar = Calendar {
            now: self.now,
            today: today.unwrap_or(self.today),
        };
        calendar.resolve(second)
    }

    fn two(&self, relation: Relation, first: Meant, from: Date, second: Days) -> Meant {
        let Some((_, to)) = second.ends() else {
            return Meant::Days(Days::Conflict);
        };
        let follows = from
            .tomorrow()
            .is_ok_and(|next| Some(next) == second.ends().map(|ends| ends.0));
        if relation == Relation::Or && !follows {
            // "zaterdag of dinsdag": the one named first.
            return first;
        }
        Meant::Days(match to {
            _ if to < from => {
                // "van donderdag t/m dinsdag", where the first such Tuesday comes before.
                plus(to, 1.week())
                    .filter(|later| *later >= from)
                    .map_or(Days::On(from), |later| Days::Between(from, later))
            }
            _ if to == from => Days::On(from),
            _ => Days::Between(from, to),
        })
    }

    fn plain(&self, meaning: &DateMeaning, parts: &[Part]) -> Option<Meant> {
        let today = self.today;
        let weekday = parts.iter().find_map(|part| match part {
            Part::Weekday(day) => Weekday::from_monday_zero_offset(i8::try_from(*day).ok()?).ok(),
            _ => None,
        });
        let day = match meaning {
            DateMeaning::Nothing => return None,
            DateMeaning::Day(days, None) => plus(today, (*days).days())?,
            DateMeaning::Day(days, Some(part)) => {
                return Some(Meant::PartOfDay(plus(today, (*days).days())?, *part));
            }
            DateMeaning::Weekday(part) => {
                let day = today.nth_weekday(1, weekday?).ok()?;
                match part {
                    Some(part) => return Some(Meant::PartOfDay(day, *part)),
                    None => day,
                }
            }
            DateMeaning::NextWeekday | DateMeaning::WeekdayAfter => self.first(weekday?)?,
            DateMeaning::WeekdayOf(weeks) => self.weekday_of(*weeks, weekday?)?,
            DateMeaning::WeekdayPlus(count) => {
                let (number, unit) = counted(*count, parts)?;
                let first = today.nth_weekday(1, weekday?).ok()?;
                plus(first, span(number, unit)?)?
            }
            DateMeaning::In(count) => {
                let (number, unit) = counted(*count, parts)?;
                return self.after(number, unit);
            }
            DateMeaning::Within(count) => {
                let (number, unit) = counted(*count, parts)?;
                let until = match self.after(number, unit)? {
                    Meant::Days(days) => days.ends()?.1,
                    Meant::Moment(at) => at.date(),
                    Meant::PartOfDay(..) | Meant::Hours(..) | Meant::Nothing => return None,
                };
                return Some(Meant::Days(Days::Until(until)));
            }
            DateMeaning::Week(part, weeks) => {
                return self.week(*part, *weeks).map(Meant::Days);
            }
            DateMeaning::Weekend(weeks) => {
                return self.weekend(*weeks).map(Meant::Days);
            }
            DateMeaning::Month(part, months) => {
                let first = plus(today.first_of_month(), (*months).months())?;
                let days = part_of_month(*part, first)?;
                let is_over = *part != DatePart::Whole && *months == 0 && days.ends()?.1 < today;
                let later = is_over.then(|| part_of_month(*part, plus(first, 1.month())?));
                return Some(Meant::Days(later.flatten().unwrap_or(days)));
            }
            DateMeaning::NamedMonth(part) => return self.named_month(*part, parts),
            DateMeaning::NumberedWeek => return self.numbered_week(parts),
            DateMeaning::Date => return self.date(parts, weekday),
            DateMeaning::Days => return self.days(parts),
            DateMeaning::NthWeekday(months) => {
                let nth = parts.iter().find_map(|part| match part {
                    Part::Day { day, .. } => i8::try_from(*day).ok(),
                    _ => None,
                });
                return self.weekday_of_month(nth, *months, parts, weekday?);
            }
            DateMeaning::LastWeekday(months) => {
                return self.weekday_of_month(Some(-1), *months, parts, weekday?);
            }
            DateMeaning::DayOf(months) => {
                let day = parts.iter().find_map(|part| match part {
                    Part::Day { day, .. } => i8::try_from(*day).ok(),
                    _ => None,
                })?;
                let first = plus(today.first_of_month(), (*months).months())?;
                match first.with().day(day).build() {
                    Ok(day) => day,
                    Err(_) => return Some(Meant::Days(Days::Conflict)),
                }
            }
            DateMeaning::Feast(feast) => feast.from(today)?,
            DateMeaning::Feasts(first, last) => return self.feasts(*first, *last),
        };
        Some(Meant::Days(Days::On(day)))
    }

    /// The Monday of this week, or of a later one.
    fn monday(&self, weeks: i32) -> Option<Date> {
        let since = i32::from(self.today.weekday().to_monday_zero_offset());
        plus(self.today, (weeks * 7 - since).days())
    }

    fn weekday_of(&self, weeks: i32, weekday: Weekday) -> Option<Date> {
        let offset = i32::from(weekday.to_monday_zero_offset());
        let day = plus(self.monday(weeks)?, offset.days())?;
        // "deze week maandag", said on a Tuesday, is over.
        if day < self.today {
            plus(day, 1.week())
        } else {
            Some(day)
        }
    }

    fn week(&self, part: DatePart, weeks: i32) -> Option<Days> {
        let days = part_of_week(part, self.monday(weeks)?)?;
        let is_over = days.ends()?.1 < self.today;
        let later = is_over.then(|| part_of_week(part, self.monday(weeks + 1)?));
        Some(later.flatten().unwrap_or(days))
    }

    fn weekend(&self, weeks: i32) -> Option<Days> {
        // On a Sunday the weekend that is meant is the next one.
        let weeks = weeks + i32::from(self.today.weekday() == Weekday::Sunday);
        let saturday = plus(self.monday(weeks)?, 5.days())?;
        Some(Days::Between(saturday, saturday.tomorrow().ok()?))
    }

    /// Counted in real minutes below a day, on the calendar from there on.
    fn after(&self, number: f64, unit: Unit) -> Option<Meant> {
        let minutes = match unit {
            Unit::Minute => number,
            Unit::Hour => number * 60.0,
            // "Over 48 maanden" is how long something is paid off.
            Unit::Month if number >= FEW_MONTHS => return None,
            Unit::Day | Unit::Week | Unit::Month => {
                let day = plus(self.today, span(number, unit)?)?;
                return Some(Meant::Days(Days::On(day)));
            }
        };
        let then = self
            .now
            .checked_add((minutes.round() as i64).minutes())
            .ok()?;
        Some(Meant::Moment(then.datetime()))
    }

    fn named_month(&self, part: DatePart, parts: &[Part]) -> Option<Meant> {
        let month = month_of(parts)?;
        let year = year_of(parts);
        let this = self.today.with().day(1).month(month);
        let this = this.year(year.unwrap_or(self.today.year())).build().ok()?;
        let days = part_of_month(part, this)?;
        let is_over = days.ends()?.1 < self.today;
        if is_over && year.is_some() {
            return None;
        }
        let later = is_over.then(|| part_of_month(part, plus(this, 1.year())?));
        Some(Meant::Days(later.flatten().unwrap_or(days)))
    }

    /// The nth such day of the month that is named, or of a later one; from the end when negative, and
    /// the first that is to come without a number: "a Saturday in January".
    fn weekday_of_month(
        &self,
        nth: Option<i8>,
        months: Option<i32>,
        parts: &[Part],
        weekday: Weekday,
    ) -> Option<Meant> {
        let first = match months {
            Some(months) => plus(self.today.first_of_month(), months.months())?,
            None => self
                .today
                .with()
                .day(1)
                .month(month_of(parts)?)
                .build()
                .ok()?,
        };
        let step = if months.is_some() {
            1.month()
        } else {
            1.year()
        };
        let to_come = |first: Date| {
            let before = first.yesterday().ok()?.max(self.today);
            let day = before.nth_weekday(1, weekday).ok()?;
            (day.first_of_month() == first).then_some(day)
        };
        let in_month = |first: Date| match nth {
            Some(nth) => first.nth_weekday_of_month(nth, weekday).ok(),
            None => to_come(first),
        };
        let day = in_month(first).filter(|day| *day >= self.today);
        let day = day.or_else(|| in_month(plus(first, step)?));
        day.map(|day| Meant::Days(Days::On(day)))
    }

    fn numbered_week(&self, parts: &[Part]) -> Option<Meant> {
        let number = parts.iter().find_map(|part| match part {
            Part::Number(number) => Some(*number as i8),
            _ => None,
        })?;
        let in_year = |year: i16| {
            let monday = jiff::civil::ISOWeekDate::new(year, number, Weekday::Monday).ok()?;
            part_of_week(DatePart::Whole, monday.date())
        };
        let year = self.today.iso_week_date().year();
        let days = in_year(year)?;
        let days = match days.ends()?.1 < self.today {
            true => in_year(year.checked_add(1)?)?,
            false => days,
        };
        Some(Meant::Days(days))
    }

    fn feasts(&self, first: Feast, last: Feast) -> Option<Meant> {
        let last = last.from(self.today)?;
        let mut first = first.on(last.year())?;
        if first > last {
            first = first.with().year(last.year() - 1).build().ok()?;
        }
        Some(Meant::Days(Days::Between(first, last)))
    }

    fn date(&self, parts: &[Part], weekday: Option<Weekday>) -> Option<Meant> {
        let numeric = parts.iter().find_map(|part| match part {
            Part::Numeric {
                day,
                month,
                year,
                hyphen,
            } => Some((*day, *month, *year, *hyphen)),
            _ => None,
        });
        let mut bare = None;
        let (day, month, year) = match numeric {
            Some((day, month, year, _)) => (day, Some(i8::try_from(month).ok()?), year),
            None => {
                let day = parts.iter().find_map(|part| match part {
                    Part::Day { day, ordinal } => Some((*day, *ordinal)),
                    _ => None,
                });
                let year = year_of(parts);
                let (day, ordinal) = day?;
                bare = (!ordinal && month_of(parts).is_none()).then_some(day);
                (day, month_of(parts), year)
            }
        };
        let day = i8::try_from(day).ok()?;
        let Some(date) = self.next(day, month, year) else {
            return Some(Meant::Days(Days::Conflict));
        };
        if date < self.today {
            return None;
        }
        let fits = weekday.is_none_or(|weekday| date.weekday() == weekday);
        // "vrijdag 10-12", "dinsdag 2": hours, where the day is none of that name.
        let hours = match (numeric, bare.filter(|hour| *hour < 24)) {
            (Some((first, second, None, true)), _) => Some((first, Some(second))),
            (_, Some(hour)) => Some((hour, None)),
            _ => None,
        };
        if let (false, Some(weekday), Some((first, second))) = (fits, weekday, hours) {
            let day = self.today.nth_weekday(1, weekday).ok()?;
            return Some(Meant::Hours(day, first, second));
        }
        Some(Meant::Days(if fits {
            Days::On(date)
        } else {
            Days::Conflict
        }))
    }

    /// The first such day after today.
    fn first(&self, weekday: Weekday) -> Option<Date> {
        self.today.nth_weekday(1, weekday).ok()
    }

    /// The next such day from today on; one that said its year as it is.
    fn next(&self, day: i8, month: Option<i8>, year: Option<i16>) -> Option<Date> {
        if let (Some(month), Some(year)) = (month, year) {
            return Date::new(year, month, day).ok();
        }
        let this = self.today.year();
        match month {
            Some(month) => (this..=this.saturating_add(8))
                .filter_map(|year| Date::new(year, month, day).ok())
                // 29 February of a later year is no day that anybody means.
                .find(|date| *date >= self.today)
                .filter(|date| date.year() <= this.saturating_add(1)),
            None => (0..12)
                .filter_map(|months| plus(self.today.first_of_month(), months.months()))
                .filter_map(|first| first.with().day(day).build().ok())
                .find(|date| *date >= self.today),
        }
    }

    fn days(&self, parts: &[Part]) -> Option<Meant> {
        let mut days = parts.iter().filter_map(|part| match part {
            Part::Day { day, .. } => i8::try_from(*day).ok(),
            _ => None,
        });
        let (first, last) = (days.next()?, days.next()?);
        let month = month_of(parts);
        let to = self.next(last, month, None);
        let from = to.and_then(|to| to.with().day(first).build().ok());
        Some(Meant::Days(match (from, to) {
            (Some(from), Some(to)) if from < to => Days::Between(from, to),
            (Some(from), Some(to)) if month.is_none() => {
                Days::Between(plus(from, (-1).months())?, to)
            }
            _ => Days::Conflict,
        }))
    }
}

impl Days {
    /// The first and the last day; one of them twice where the span is open. None for a conflict.
    #[must_use]
    pub fn ends(self) -> Option<(Date, Date)> {
        match self {
            Self::On(day) | Self::From(day) | Self::Until(day) => Some((day, day)),
            Self::Between(from, to) => Some((from, to)),
            Self::Conflict => None,
        }
    }
}
