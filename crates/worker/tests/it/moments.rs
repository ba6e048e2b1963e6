//! When customers mean, what they ask about opening hours, and which numbers are none of a car.

use std::path::Path;
use std::sync::Arc;

use jiff::Zoned;
use jiff::civil::DateTime;
use worker::domain::Hours;
use worker::understanding::Understander;

use crate::dealer;

const AMSTERDAM: &str = "Europe/Amsterdam";

fn understander() -> Arc<Understander> {
    dealer::understander()
}

fn at(text: &str) -> Zoned {
    let local: DateTime = text.parse().expect("a local time");
    local.in_tz(AMSTERDAM).expect("a time of the business")
}

/// The lines of a fixture: the moment at which each was said, its text and what follows it.
fn lines(name: &str) -> Vec<(Zoned, String, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/moments");
    let text = std::fs::read_to_string(path.join(name)).expect("the fixture is there");
    let mut now = at("2026-12-02T11:05");
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Some(moment) = line.strip_prefix("@ ") {
            now = at(moment);
        } else if !line.is_empty() && !line.starts_with('#') {
            let mut parts = line.split(" |").map(|part| part.trim().to_owned());
            let text = parts.next().unwrap_or_default();
            lines.push((now.clone(), text, parts.collect()));
        }
    }
    lines
}

/// Fails when fewer lines are right than this share, and says which are not.
#[track_caller]
fn assert_floor(name: &str, floor: f64, said: impl Fn(&Zoned, &str) -> Vec<String>) {
    let lines = lines(name);
    let wrong: Vec<String> = lines
        .iter()
        .filter_map(|(now, text, expected)| {
            let found = said(now, text);
            (found != *expected).then(|| format!("{text}: {found:?}, not {expected:?}"))
        })
        .collect();
    let right = 1.0 - wrong.len() as f64 / lines.len() as f64;
    assert!(right >= floor, "{name}: {right}\n{}", wrong.join("\n"));
}

fn when(understander: &Understander, now: &Zoned, text: &str) -> Vec<String> {
    let when = understander.understand(text).moments.at(now);
    [when.date_text(), when.time_text()]
        .map(Option::unwrap_or_default)
        .to_vec()
}

#[test]
fn dates_and_times_are_read_in_three_languages() {
    let understander = understander();
    for name in ["nl.txt", "de.txt", "en.txt"] {
        assert_floor(name, 0.99, |now, text| when(&understander, now, text));
    }
    assert_floor("more.txt", 0.97, |now, text| when(&understander, now, text));
    assert_floor("sentences.txt", 0.98, |now, text| {
        when(&understander, now, text)
    });
}

/// The hours that the questions in the fixture are about.
const HOURS: &str = "Mo-Fr 09:00-18:00; Sa 09:00-17:00; Dec 24 09:00-15:00; Dec 25-26 off; \
                     Jan 1 off; Apr 27 off";

#[test]
fn questions_about_opening_hours_get_the_hours_of_the_day_asked_about() {
    let understander = understander();
    let hours = Hours::parse(HOURS, Vec::new()).unwrap();
    assert_floor("hours.txt", 0.98, |now, text| {
        let understanding = understander.understand(text);
        let when = understanding.moments.at(now);
        let answer = understanding.hours_asked.answer(&when, &hours, now);
        answer.map_or_else(
            || vec![String::new(), String::new()],
            |answer| vec![answer.kind().to_owned(), answer.to_string()],
        )
    });
}

/// A bare weekday is the first one after today, whatever today is, and a week later when it is today.
#[test]
fn weekdays_are_counted_from_every_day_of_the_week() {
    let understander = understander();
    let names = [
        [
            "maandag",
            "dinsdag",
            "woensdag",
            "donderdag",
            "vrijdag",
            "zaterdag",
            "zondag",
        ],
        [
            "Montag",
            "Dienstag",
            "Mittwoch",
            "Donnerstag",
            "Freitag",
            "Samstag",
            "Sonntag",
        ],
        [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ],
    ];
    let next_week = ["volgende week ", "nächste Woche ", "next week "];
    let monday: jiff::civil::Date = "2026-11-30".parse().unwrap();
    for today in 0..7_i64 {
        let date = monday + jiff::Span::new().days(today);
        let now = at(&format!("{date}T11:05"));
        for (language, weekdays) in names.iter().enumerate() {
            for (place, name) in (0_i64..).zip(weekdays) {
                let after = (place - today + 6).rem_euclid(7) + 1;
                let next = date + jiff::Span::new().days(after);
                let said = when(&understander, &now, name);
                assert_eq!(said[0], next.to_string(), "{name} on {date}");
                let later = monday + jiff::Span::new().days(7 + place);
                let text = format!("{}{name}", next_week[language]);
                let said = when(&understander, &now, &text);
                assert_eq!(said[0], later.to_string(), "{text} on {date}");
            }
        }
    }
}

#[test]
fn real_minutes_are_counted_across_a_change_of_the_clock() {
    let understander = understander();
    for (now, text, expected) in [
        // In the night of 28 March 2027 the hour from two to three does not exist.
        (
            "2027-03-28T01:45",
            "over een half uur",
            ["2027-03-28", "03:15"],
        ),
        (
            "2027-03-28T01:45",
            "in einer Stunde",
            ["2027-03-28", "03:45"],
        ),
        ("2027-03-27T12:00", "in 24 hours", ["2027-03-28", "13:00"]),
        // In the night of 25 October 2026 it comes twice.
        (
            "2026-10-25T01:45",
            "in half an hour",
            ["2026-10-25", "02:15"],
        ),
        ("2026-10-25T01:45", "over 2 uur", ["2026-10-25", "02:45"]),
        // Days are days of the calendar, however long.
        ("2027-03-27T12:00", "over een dag", ["2027-03-28", ""]),
        (
            "2026-12-31T23:50",
            "over 20 minuten",
            ["2027-01-01", "00:10"],
        ),
    ] {
        assert_eq!(
            when(&understander, &at(now), text),
            expected,
            "{text} at {now}"
        );
    }
}

#[test]
fn the_year_changes_where_it_must() {
    let understander = understander();
    for (now, text, expected) in [
        ("2026-12-31T10:00", "morgen", "2027-01-01"),
        ("2026-12-30T10:00", "overmorgen", "2027-01-01"),
        ("2026-12-31T10:00", "heute in einer Woche", "2027-01-07"),
        ("2026-12-31T10:00", "on the 3rd", "2027-01-03"),
        ("2026-12-31T10:00", "31 december", "2026-12-31"),
        ("2027-01-01T10:00", "31 december", "2027-12-31"),
        ("2027-01-01T10:00", "nieuwjaarsdag", "2027-01-01"),
        (
            "2026-12-28T10:00",
            "volgende maand",
            "2027-01-01/2027-01-31",
        ),
        ("2026-12-30T10:00", "nächste Woche", "2027-01-04/2027-01-10"),
        ("2026-12-30T10:00", "vrijdag", "2027-01-01"),
        ("2027-01-31T10:00", "over een maand", "2027-02-28"),
        ("2028-02-28T10:00", "tomorrow", "2028-02-29"),
        ("2026-12-02T10:00", "29 februari", "conflict"),
        ("2027-12-02T10:00", "29 februari", "2028-02-29"),
    ] {
        assert_eq!(
            when(&understander, &at(now), text)[0],
            expected,
            "{text} at {now}"
        );
    }
}

#[test]
fn moments_know_where_they_stand() {
    let text = "Ik zoek een Polo, kan ik vrijdagmiddag langskomen?";
    let moments = understander()
        .understand(text)
        .moments
        .all(&at("2026-12-02T11:05"));
    let places: Vec<&str> = moments
        .iter()
        .filter_map(|moment| text.get(moment.bytes.clone()))
        .collect();
    assert_eq!(places, ["vrijdagmiddag", "vrijdagmiddag"]);
}

/// The slots that numbers can fill, without those that the line is not about.
#[test]
fn numbers_are_read_whole_and_only_where_they_are_meant() {
    const AMOUNTS: [&str; 5] = [
        "price_min",
        "price_max",
        "mileage_max",
        "year_min",
        "year_max",
    ];
    let understander = understander();
    assert_floor("numbers.txt", 0.98, |_, text| {
        let understanding = understander.understand(text);
        let filled = AMOUNTS.iter().filter_map(|name| {
            let value = understanding.slots.get(*name)?;
            Some(format!("{name}={value}"))
        });
        let filled: Vec<String> = filled.collect();
        vec![filled.join(" ")]
    });
}

#[test]
fn a_customer_is_followed_into_another_language_by_more_than_a_word() {
    let understander = understander();
    assert_floor("language.txt", 0.97, |_, line| {
        let (before, text) = line.split_once(", ").expect("the language before");
        let understanding = understander.understand(text);
        let lang = understanding.lang_after(Some(before)).to_owned();
        vec![lang, understanding.unserved.unwrap_or_default()]
    });
    let polish = understander.understand("Szukam Toyota Yaris do 10000 euro");
    assert_eq!(polish.slots["car_model"].to_string(), "Yaris");
    assert_eq!(polish.slots["price_max"].to_string(), "10000");
}
