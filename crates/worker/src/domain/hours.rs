use std::sync::{Arc, Mutex, PoisonError};

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};
use opening_hours::localization::NoLocation;
use opening_hours::{Context, ContextHolidays, OpeningHours, RuleKind};

use super::feast::Feast;

/// Years whose holidays are known to `PH`.
const YEARS: std::ops::RangeInclusive<i16> = 2020..=2080;
const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];
/// How many weeks are looked at to tell what an ordinary week is.
const WEEKS: i32 = 5;

/// When a business is open, in its own local time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hours {
    rules: Option<OpeningHours<NoLocation>>,
    holidays: Vec<(Feast, String)>,
    usual: Usual,
}

/// The hours of a day: from when until when, in order.
type Spans = Vec<(Time, Time)>;

/// The usual hours of the days from Monday on, around the date that was asked for last. Any reply
/// may tell them, and what is usual takes the hours of five weeks.
#[derive(Debug, Default)]
struct Usual(Mutex<Option<(Date, [Spans; 7])>>);

impl Clone for Usual {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Usual {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// From when until when it is open; at `until` it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The first open minute.
    pub from: DateTime,
    /// The first closed minute after it; past midnight on the next day.
    pub until: DateTime,
}

impl Hours {
    /// Reads hours in the notation of OpenStreetMap (wiki.openstreetmap.org/wiki/Key:opening_hours).
    /// `PH` stands for the holidays.
    ///
    /// # Errors
    /// A sentence saying what is wrong.
    pub fn parse(text: &str, holidays: Vec<(Feast, String)>) -> Result<Self, String> {
        let rules: OpeningHours<NoLocation> = text
            .parse()
            .map_err(|_| "are no opening hours such as \"Mo-Fr 09:00-18:00; Dec 25-26 off\"")?;
        let names = |name: &str| {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| word.eq_ignore_ascii_case(name))
        };
        if names("SH") {
            return Err("name school holidays (`SH`), which are not known; name the dates".into());
        }
        if names("PH") && holidays.is_empty() {
            return Err("name public holidays (`PH`), but [business.holidays] has none".into());
        }
        let days = YEARS.flat_map(|year| holidays.iter().filter_map(move |(day, _)| day.on(year)));
        let public: Vec<NaiveDate> = days.filter_map(naive_date).collect();
        let known = ContextHolidays::new(Arc::new(public.into_iter().collect()), Arc::default());
        let rules = rules.with_context(Context::default().with_holidays(known));
        Ok(Self {
            rules: Some(rules),
            holidays,
            usual: Usual::default(),
        })
    }

    /// Whether any hours are known at all.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.rules.is_some()
    }

    /// The hours of a date, in order; empty when it is closed.
    #[must_use]
    pub fn on(&self, date: Date) -> Vec<Opening> {
        let Some((rules, day)) = self.rules.as_ref().zip(naive_date(date)) else {
            return Vec::new();
        };
        let midnight = date.to_datetime(Time::midnight());
        let at = |minutes: u16| midnight.checked_add(i64::from(minutes).minutes()).ok();
        let open = rules.schedule_at(day).into_iter();
        let open = open.filter(|range| range.kind == RuleKind::Open);
        open.filter_map(|range| {
            Some(Opening {
                from: at(range.range.start.mins_from_midnight())?,
                until: at(range.range.end.mins_from_midnight())?,
            })
        })
        .collect()
    }

    /// The usual hours of the days from Monday on, around a date: those that most of the next weeks
    /// have.
    #[must_use]
    pub fn usual_week(&self, around: Date) -> [Spans; 7] {
        let mut usual = self.usual.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*usual {
            Some((date, week)) if *date == around => week.clone(),
            _ => {
                let week = WEEK.map(|day| self.usually_on(day, around));
                *usual = Some((around, week.clone()));
                week
            }
        }
    }

    fn usually_on(&self, weekday: Weekday, around: Date) -> Spans {
        let days = (1..=WEEKS).filter_map(|nth| around.nth_weekday(nth, weekday).ok());
        let all: Vec<Spans> = days
            .map(|day| {
                let spans = self.on(day).into_iter();
                spans
                    .map(|span| (span.from.time(), span.until.time()))
                    .collect()
            })
            .collect();
        let count = |hours: &&Spans| all.iter().filter(|other| other == hours).count();
        all.iter().max_by_key(count).cloned().unwrap_or_default()
    }

    /// Whether it is open at a moment.
    #[must_use]
    pub fn is_open(&self, at: DateTime) -> bool {
        self.rules
            .as_ref()
            .zip(naive(at))
            .is_some_and(|(rules, at)| rules.is_open(at))
    }

    /// When it closes, if it is open at a moment; none also when it never closes.
    #[must_use]
    pub fn open_until(&self, at: DateTime) -> Option<DateTime> {
        let (rules, now) = self.rules.as_ref().zip(naive(at))?;
        let change = rules.is_open(now).then(|| rules.next_change(now))??;
        civil(change)
    }

    /// The first open minute at or after a moment; none when it never opens again.
    #[must_use]
    pub fn next_opening(&self, at: DateTime) -> Option<DateTime> {
        let (rules, from) = self.rules.as_ref().zip(naive(at))?;
        let mut ranges = rules.iter_from(from);
        let open = ranges.find(|range| range.kind == RuleKind::Open)?;
        civil(open.range.start)
    }

    /// The name of the holiday that a date is.
    #[must_use]
    pub fn holiday(&self, date: Date) -> Option<&str> {
        let mut days = self.holidays.iter();
        let found = days.find(|(day, _)| day.on(date.year()) == Some(date));
        found.map(|(_, name)| name.as_str())
    }
}

fn naive_date(date: Date) -> Option<NaiveDate> {
    let part = |part: i8| u32::try_from(part).ok();
    NaiveDate::from_ymd_opt(date.year().into(), part(date.month())?, part(date.day())?)
}

fn naive(at: DateTime) -> Option<NaiveDateTime> {
    let part = |part: i8| u32::try_from(part).ok();
    let time = NaiveTime::from_hms_opt(part(at.hour())?, part(at.minute())?, 0)?;
    Some(naive_date(at.date())?.and_time(time))
}

fn civil(at: NaiveDateTime) -> Option<DateTime> {
    let part = |part: u32| i8::try_from(part).ok();
    DateTime::new(
        i16::try_from(at.year()).ok()?,
        part(at.month())?,
        part(at.day())?,
        part(at.hour())?,
        part(at.minute())?,
        0,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEALER: &str = "Mo-Fr 09:00-18:00; Sa 09:00-17:00; Dec 24 09:00-15:00; Dec 25-26 off; Jan 1 off; Apr 27 off";

    fn at(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_rule_wins() {
        let hours = Hours::parse(DEALER, Vec::new()).unwrap();
        let on = |date: &str| -> Vec<String> {
            let spans = hours.on(date.parse().unwrap()).into_iter();
            spans
                .map(|span| format!("{}-{}", span.from.time(), span.until.time()))
                .collect()
        };
        assert_eq!(on("2026-12-23"), ["09:00:00-18:00:00"]);
        assert_eq!(on("2026-12-24"), ["09:00:00-15:00:00"]);
        assert!(on("2026-12-25").is_empty() && on("2026-12-27").is_empty());
        assert_eq!(on("2027-05-05"), ["09:00:00-18:00:00"]);
    }

    #[test]
    fn at_the_minute_of_closing_it_is_closed() {
        let hours = Hours::parse(DEALER, Vec::new()).unwrap();
        assert!(hours.is_open(at("2026-12-05T16:59")));
        assert!(!hours.is_open(at("2026-12-05T17:00")));
        assert_eq!(hours.open_until(at("2026-12-05T17:00")), None);
        let closes = hours.open_until(at("2026-12-05T09:00"));
        assert_eq!(closes, Some(at("2026-12-05T17:00")));
    }

    #[test]
    fn the_next_opening_skips_closed_days() {
        let hours = Hours::parse(DEALER, Vec::new()).unwrap();
        let next = |from: &str| hours.next_opening(at(from)).unwrap().to_string();
        assert_eq!(next("2026-12-24T15:00"), "2026-12-28T09:00:00");
        assert_eq!(next("2026-12-24T14:59"), "2026-12-24T14:59:00");
        let closed = Hours::parse("Mo-Su off", Vec::new()).unwrap();
        assert_eq!(closed.next_opening(at("2026-12-24T15:00")), None);
    }

    #[test]
    fn public_holidays_are_those_that_the_owner_names() {
        let easter_monday = || vec![("easter +1".parse().unwrap(), "Tweede paasdag".to_owned())];
        let hours = Hours::parse("Mo-Fr 09:00-18:00; PH off", easter_monday()).unwrap();
        let monday: Date = "2027-03-29".parse().unwrap();
        assert!(hours.on(monday).is_empty());
        assert_eq!(hours.holiday(monday), Some("Tweede paasdag"));
        assert!(!hours.on("2026-12-25".parse().unwrap()).is_empty());
        for around in ["2027-03-27", "2027-04-27", "2027-03-27"] {
            let week = hours.usual_week(around.parse().unwrap());
            assert_eq!((week[0].len(), week[6].len()), (1, 0), "{around}");
        }
        for (bad, why) in [
            ("PH off", "[business.holidays]"),
            ("SH off", "school"),
            ("9-5", "no opening hours"),
        ] {
            let error = Hours::parse(bad, Vec::new()).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
