//! Questions about opening hours, and their answers.

use std::fmt;

use jiff::Zoned;
use jiff::civil::{Date, DateTime, Time};

use super::moments::{Days, Times, When};
use crate::domain::{Hours, Opening, Question};

/// What a message asks about opening hours, before it is known of which day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HoursAsked {
    open: bool,
    now: bool,
    hours: bool,
    span: bool,
    opens: bool,
    closes: bool,
    week: bool,
    unless: bool,
}

/// What is answered to a question about opening hours. Written as `kind` and answer, see
/// [`HoursAnswer::kind`] and its `Display`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoursAnswer {
    /// It is open, until then.
    OpenNow(DateTime),
    /// It is closed; when it opens next, where it ever does.
    ClosedNow(Option<DateTime>),
    /// Whether it is open on a day, or at a time of it.
    OpenOn {
        /// The answer.
        open: bool,
        /// The day asked about.
        day: Date,
        /// The hour asked about.
        time: Option<Time>,
    },
    /// The hours of a day; none when it is closed.
    HoursOn(Date, Vec<Opening>),
    /// When it opens.
    Opens(DateTime),
    /// When it closes on a day; none when it is closed all day.
    Closes(Date, Option<DateTime>),
}

impl HoursAsked {
    /// Adds what a pattern tells.
    pub(super) fn add(&mut self, question: Question) {
        match question {
            Question::Open => self.open = true,
            Question::Now => self.now = true,
            Question::Hours => self.hours = true,
            Question::Span => self.span = true,
            Question::Opens => self.opens = true,
            Question::Closes => self.closes = true,
            Question::Week => self.week = true,
            Question::Unless => self.unless = true,
        }
    }

    /// Whether anything is asked.
    #[must_use]
    pub fn is_asked(self) -> bool {
        !self.unless && (self.open || self.hours || self.span || self.opens || self.closes)
    }

    /// Whether the hours of every day are asked: "op welke dagen", "doordeweeks".
    #[must_use]
    pub fn is_week(self) -> bool {
        self.week
    }

    /// The answer; none when nothing is asked that has one, such as the hours of the whole week.
    #[must_use]
    pub fn answer(self, when: &When, hours: &Hours, now: &Zoned) -> Option<HoursAnswer> {
        if self.week || !self.is_asked() || !hours.is_known() || when.days == Some(Days::Conflict) {
            return None;
        }
        let inquiry = Inquiry {
            when,
            hours,
            now: now.datetime(),
        };
        match (self, when.days) {
            (Self { span: true, .. }, Some(_)) => Some(inquiry.hours_on()),
            (Self { span: true, .. }, None) => None,
            (Self { closes: true, .. }, _) => Some(inquiry.closes()),
            (Self { opens: true, .. }, None | Some(Days::From(_))) => inquiry.opens(),
            (Self { opens: true, .. } | Self { hours: true, .. }, Some(_)) => {
                Some(inquiry.hours_on())
            }
            (Self { open: true, .. }, None) if when.times.is_none() => Some(inquiry.open_now()),
            (
                Self {
                    open: true,
                    now: true,
                    ..
                },
                None,
            ) if !when.exact => Some(inquiry.open_now()),
            (Self { open: true, .. }, _) => Some(inquiry.open_on()),
            _ => None,
        }
    }
}

/// A question together with what it is about.
struct Inquiry<'a> {
    when: &'a When,
    hours: &'a Hours,
    now: DateTime,
}

impl Inquiry<'_> {
    /// The first day that is meant; today where none is.
    fn day(&self) -> Date {
        self.when.first_day().unwrap_or(self.now.date())
    }

    fn hours_on(&self) -> HoursAnswer {
        let day = self.day();
        HoursAnswer::HoursOn(day, self.hours.on(day))
    }

    fn open_now(&self) -> HoursAnswer {
        match self.hours.open_until(self.now) {
            Some(until) => HoursAnswer::OpenNow(until),
            None => HoursAnswer::ClosedNow(self.hours.next_opening(self.now)),
        }
    }

    fn opens(&self) -> Option<HoursAnswer> {
        let from = match self.when.first_day() {
            Some(day) if day > self.now.date() => day.to_datetime(Time::midnight()),
            // While it is open, the next opening is that of another day.
            _ => self.hours.open_until(self.now).unwrap_or(self.now),
        };
        self.hours.next_opening(from).map(HoursAnswer::Opens)
    }

    fn closes(&self) -> HoursAnswer {
        let day = self.day();
        let last = self.hours.on(day).last().map(|opening| opening.until);
        HoursAnswer::Closes(day, last)
    }

    fn open_on(&self) -> HoursAnswer {
        let day = self.day();
        let at = |time: Time| day.to_datetime(time);
        let asked = match self.when.times {
            Some(Times::At(time) | Times::From(time) | Times::Until(time)) => Some(time),
            Some(Times::Between(from, _)) if self.when.exact => Some(from),
            _ => None,
        };
        if let Some(time) = asked {
            return HoursAnswer::OpenOn {
                open: self.hours.is_open(at(time)),
                day,
                time: Some(time),
            };
        }
        let (first, last) = self.when.days.and_then(Days::ends).unwrap_or((day, day));
        let overlaps = |day: Date| {
            let mut open = self.hours.on(day).into_iter();
            match self.when.times {
                Some(Times::Between(from, to)) => open.any(|opening| {
                    opening.from < day.to_datetime(to) && day.to_datetime(from) < opening.until
                }),
                _ => open.next().is_some(),
            }
        };
        let mut days = first
            .series(jiff::ToSpan::days(1))
            .take_while(|day| *day <= last);
        let open = days.find(|day| overlaps(*day));
        HoursAnswer::OpenOn {
            open: open.is_some(),
            day: open.unwrap_or(first),
            time: None,
        }
    }
}

impl HoursAnswer {
    /// `open_now`, `open_on`, `hours_on`, `next_opening` or `closes_at`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OpenNow(_) | Self::ClosedNow(_) => "open_now",
            Self::OpenOn { .. } => "open_on",
            Self::HoursOn(..) => "hours_on",
            Self::Opens(_) => "next_opening",
            Self::Closes(..) => "closes_at",
        }
    }
}

/// The answer in one word: `yes;2026-11-30T18:00`, `no;2026-12-25`, `2026-12-05;09:00-17:00`,
/// `2026-12-25;off`.
impl fmt::Display for HoursAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |open: bool| if open { "yes" } else { "no" };
        match self {
            Self::OpenNow(until) => write!(f, "yes;{}", minute(*until)),
            Self::ClosedNow(Some(next)) => write!(f, "no;{}", minute(*next)),
            Self::ClosedNow(None) => f.write_str("no;off"),
            Self::OpenOn {
                open,
                day,
                time: Some(time),
            } => {
                write!(f, "{};{}", yes(*open), minute(day.to_datetime(*time)))
            }
            Self::OpenOn {
                open,
                day,
                time: None,
            } => write!(f, "{};{day}", yes(*open)),
            Self::HoursOn(day, open) if open.is_empty() => write!(f, "{day};off"),
            Self::HoursOn(day, open) => {
                let spans: Vec<String> = open
                    .iter()
                    .map(|span| format!("{}-{}", clock(span.from), clock(span.until)))
                    .collect();
                write!(f, "{day};{}", spans.join(","))
            }
            Self::Opens(at) => f.write_str(&minute(*at)),
            Self::Closes(_, Some(at)) => f.write_str(&minute(*at)),
            Self::Closes(day, None) => write!(f, "{day};off"),
        }
    }
}

fn clock(at: DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

fn minute(at: DateTime) -> String {
    format!("{}T{}", at.date(), clock(at))
}
