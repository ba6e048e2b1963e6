use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// A day that comes back every year, written `12-25`, `easter +1` or `05 sunday 2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feast {
    /// Month and day.
    Fixed(i8, i8),
    /// Days after Easter Sunday.
    Easter(i32),
    /// Month, day of the week, and which of them; from the end when negative.
    Weekday(i8, Weekday, i8),
}

impl Feast {
    /// The day in a year; none when that year has no such day.
    #[must_use]
    pub fn on(self, year: i16) -> Option<Date> {
        match self {
            Self::Fixed(month, day) => Date::new(year, month, day).ok(),
            Self::Easter(days) => easter(year)?.checked_add(days.days()).ok(),
            Self::Weekday(month, weekday, nth) => Date::new(year, month, 1)
                .ok()?
                .nth_weekday_of_month(nth, weekday)
                .ok(),
        }
    }

    /// The first one that is not before a day.
    #[must_use]
    pub fn from(self, day: Date) -> Option<Date> {
        (0..=8)
            .filter_map(|years| self.on(day.year().checked_add(years)?))
            .find(|date| *date >= day)
    }
}

/// Easter Sunday of the Gregorian calendar, by the anonymous algorithm (Meeus, Astronomical
/// Algorithms, chapter 8).
fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let golden = year_number % 19;
    let (century, rest) = (year_number / 100, year_number % 100);
    let moon = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    let (month, day) = (days / 31, days % 31 + 1);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

impl FromStr for Feast {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["easter"] => Ok(Self::Easter(0)),
            ["easter", days] => days.parse().map(Self::Easter).map_err(drop),
            [month, day, nth] => Ok(Self::Weekday(
                month.parse().map_err(drop)?,
                weekday(day).ok_or(())?,
                nth.parse().map_err(drop)?,
            )),
            [date] => {
                let (month, day) = date.split_once('-').ok_or(())?;
                let feast = Self::Fixed(month.parse().map_err(drop)?, day.parse().map_err(drop)?);
                // A leap year, so that 29 February is a day.
                feast.on(2024).map(|_| feast).ok_or(())
            }
            _ => Err(()),
        }
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feasts_fall_on_the_days_of_the_calendar() {
        for (text, year, date) in [
            ("easter", 2026, "2026-04-05"),
            ("easter +1", 2027, "2027-03-29"),
            ("easter", 2038, "2038-04-25"),
            ("easter -2", 2024, "2024-03-29"),
            ("12-25", 2026, "2026-12-25"),
            ("05 sunday 2", 2027, "2027-05-09"),
            ("10 monday -1", 2026, "2026-10-26"),
        ] {
            let feast: Feast = text.parse().unwrap();
            assert_eq!(feast.on(year), date.parse().ok(), "{text}");
        }
        for bad in ["", "12-32", "easter monday", "05 noday 2", "christmas"] {
            assert!(bad.parse::<Feast>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_next_one_may_be_next_year() {
        let feast: Feast = "01-01".parse().unwrap();
        let from = |day: &str| feast.from(day.parse().unwrap()).unwrap().to_string();
        assert_eq!(from("2026-12-31"), "2027-01-01");
        assert_eq!(from("2027-01-01"), "2027-01-01");
    }
}
