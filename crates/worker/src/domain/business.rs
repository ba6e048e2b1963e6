use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::section::{Section, Text};

/// Who the worker speaks for: the table `[business]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Business {
    /// As customers know it.
    pub name: String,
    /// Street and town, in one line.
    pub address: Option<String>,
    /// As it is shown to customers.
    pub phone: Option<String>,
    /// As it is shown to customers.
    pub email: Option<String>,
    /// As it is shown to customers.
    pub website: Option<String>,
    /// The time zone that hours and dates are in.
    pub time_zone: TimeZone,
    /// When it is open.
    pub hours: Hours,
}

/// Opening hours by day of the week, and days on which everything is closed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hours {
    days: [Vec<(Time, Time)>; 7],
    closed: Vec<(Date, String)>,
}

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

fn place(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or_default()
}

impl Hours {
    /// The hours of an ordinary day of the week; empty when it is closed.
    #[must_use]
    pub fn on_weekday(&self, day: Weekday) -> &[(Time, Time)] {
        self.days.get(place(day)).map_or(&[], Vec::as_slice)
    }

    /// The hours of a date, or the name of the day on which it is closed.
    ///
    /// # Errors
    /// The name of the special day.
    pub fn on_date(&self, date: Date) -> Result<&[(Time, Time)], &str> {
        match self.closed.iter().find(|(closed, _)| *closed == date) {
            Some((_, name)) => Err(name),
            None => Ok(self.on_weekday(date.weekday())),
        }
    }

    /// Whether it is open at this time of a date.
    #[must_use]
    pub fn is_open(&self, date: Date, time: Time) -> bool {
        self.on_date(date)
            .is_ok_and(|hours| hours.iter().any(|(from, to)| (*from..*to).contains(&time)))
    }

    /// Whether any hours are known at all.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.days.iter().any(|day| !day.is_empty())
    }
}

impl Business {
    /// The gaps of texts that can be filled whatever the conversation.
    pub(super) fn gaps(&self) -> Vec<&'static str> {
        let given = [
            ("address", self.address.is_some()),
            ("phone", self.phone.is_some()),
            ("email", self.email.is_some()),
            ("website", self.website.is_some()),
            ("hours", self.hours.is_known()),
            ("today", self.hours.is_known()),
            ("business", true),
            ("when", true),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(gap, _)| gap).collect()
    }
}

/// Reads `[business]`.
pub(super) fn read(root: &Section<'_>) -> Option<Business> {
    let Some(section) = root.section("business") else {
        root.problem(1, "the table [business] is missing");
        return None;
    };
    let text = |key: &str| section.text(key).map(|text| text.value.to_owned());
    let zone = section.required_text("timezone");
    let time_zone = zone.and_then(|zone| {
        let found = TimeZone::get(zone.value).ok();
        if found.is_none() {
            section.problem(
                zone.line,
                "`business.timezone` is no time zone such as Europe/Amsterdam",
            );
        }
        found
    });
    let business = Business {
        name: section
            .required_text("name")
            .map_or_else(String::new, |text| text.value.to_owned()),
        address: text("address"),
        phone: text("phone"),
        email: text("email"),
        website: text("website"),
        time_zone: time_zone.unwrap_or(TimeZone::UTC),
        hours: hours(&section),
    };
    section.close();
    Some(business)
}

fn hours(business: &Section<'_>) -> Hours {
    let mut hours = Hours::default();
    if let Some(section) = business.section("hours") {
        for (name, day) in DAYS {
            let Some(text) = section.text(name) else {
                continue;
            };
            match day_hours(text.value) {
                Some(read) => {
                    if let Some(slot) = hours.days.get_mut(place(day)) {
                        *slot = read;
                    }
                }
                None => section.problem(
                    text.line,
                    format!("`business.hours.{name}` must be \"closed\" or hours such as \"09:00-12:30, 13:00-18:00\""),
                ),
            }
        }
        section.close();
    }
    if let Some(section) = business.section("closed") {
        for key in section.keys() {
            hours.closed.extend(closed_day(&section, key));
        }
        section.close();
    }
    hours
}

fn closed_day(section: &Section<'_>, key: Text<'_>) -> Option<(Date, String)> {
    let name = section.text(key.value)?;
    let date = key.value.parse().ok();
    if date.is_none() {
        section.problem(
            key.line,
            "days in [business.closed] are written \"2026-12-25\"",
        );
    }
    Some((date?, name.value.to_owned()))
}

fn day_hours(text: &str) -> Option<Vec<(Time, Time)>> {
    if text == "closed" {
        return Some(Vec::new());
    }
    let span = |span: &str| {
        let (from, to) = span.trim().split_once('-')?;
        let (from, to): (Time, Time) = (time(from)?, time(to)?);
        (from < to).then_some((from, to))
    };
    text.split(',').map(span).collect()
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_with_breaks() {
        let hours = day_hours("09:00-12:30, 13:00-18:00").unwrap();
        assert_eq!(hours.len(), 2);
        assert_eq!(day_hours("closed"), Some(vec![]));
        for bad in ["", "9-5", "18:00-09:00", "25:00-26:00", "09:00"] {
            assert_eq!(day_hours(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_special_day_is_closed_whatever_its_weekday() {
        let date: Date = "2026-12-25".parse().unwrap();
        let mut hours = Hours {
            closed: vec![(date, "Kerst".into())],
            ..Hours::default()
        };
        hours.days[place(Weekday::Friday)] = day_hours("09:00-18:00").unwrap();
        let noon = Time::new(12, 0, 0, 0).unwrap();
        assert!(!hours.is_open(date, noon));
        assert_eq!(hours.on_date(date), Err("Kerst"));
        assert!(hours.is_open("2026-12-18".parse().unwrap(), noon));
    }
}
