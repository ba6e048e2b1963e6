use jiff::tz::TimeZone;

use super::feast::Feast;
use super::hours::Hours;
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

/// `hours` in the notation of OpenStreetMap, and the days that `PH` stands for.
fn hours(business: &Section<'_>) -> Hours {
    let mut holidays = Vec::new();
    if let Some(section) = business.section("holidays") {
        for key in section.keys() {
            holidays.extend(holiday(&section, key));
        }
        section.close();
    }
    let Some(text) = business.text("hours") else {
        return Hours::default();
    };
    Hours::parse(text.value, holidays).unwrap_or_else(|why| {
        business.problem(text.line, format!("`business.hours` {why}"));
        Hours::default()
    })
}

fn holiday(section: &Section<'_>, key: Text<'_>) -> Option<(Feast, String)> {
    let name = section.text(key.value)?;
    let day = key.value.parse().ok();
    if day.is_none() {
        section.problem(
            key.line,
            "days in [business.holidays] are written \"12-25\" or \"easter +1\"",
        );
    }
    Some((day?, name.value.to_owned()))
}
