//! Times as a person reads them. Pure.

use std::fmt;

use askama::filters::HtmlSafe;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::lang::Lang;

/// Now, as operators see it.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
    pub(crate) lang: Lang,
}

/// A moment, short and exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// For programs: RFC 3339.
    pub(crate) machine: String,
    /// `5 min ago`, `in 2 h`.
    pub(crate) near: String,
    /// `29-11-2026 14:05:10`
    pub(crate) exact: String,
    /// `14:05`, with the day when it is not today.
    pub(crate) clock: String,
    /// Whether it is past.
    pub(crate) is_past: bool,
}

/// As a page shows it. No part of it is from elsewhere.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (machine, exact, near) = (&self.machine, &self.exact, &self.near);
        write!(
            f,
            "<time datetime=\"{machine}\" title=\"{exact}\">{near}</time>"
        )
    }
}

impl HtmlSafe for When {}

impl Clock {
    /// A moment that the CRM has as a text.
    pub(crate) fn read(&self, at: &str) -> Option<When> {
        at.parse().ok().map(|at| self.when(at))
    }

    pub(crate) fn when(&self, at: Timestamp) -> When {
        let local = at.to_zoned(self.zone.clone());
        let today = self.now.to_zoned(self.zone.clone()).date();
        let seconds = self.now.as_second() - at.as_second();
        let clock = if local.date() == today {
            local.strftime("%H:%M")
        } else {
            local.strftime("%d-%m %H:%M")
        };
        When {
            machine: format!("{at:.0}"),
            near: self.near(seconds),
            exact: local.strftime("%d-%m-%Y %H:%M:%S").to_string(),
            clock: clock.to_string(),
            is_past: seconds >= 0,
        }
    }

    fn near(&self, seconds: i64) -> String {
        let span = seconds.abs();
        let (minutes, hours, days) = (span / 60, span / 3600, span / 86_400);
        let amount = match (days, hours, minutes) {
            (0, 0, 0) => return self.lang.say("just now", "zojuist").to_owned(),
            (0, 0, minutes) => format!("{minutes} min"),
            (0, hours, _) => format!("{hours} {}", self.lang.say("h", "u")),
            (1, ..) => self.lang.say("1 day", "1 dag").to_owned(),
            (days, ..) => format!("{days} {}", self.lang.say("days", "dagen")),
        };
        match (seconds > 0, self.lang) {
            (true, Lang::En) => format!("{amount} ago"),
            (true, Lang::Nl) => format!("{amount} geleden"),
            (false, Lang::En) => format!("in {amount}"),
            (false, Lang::Nl) => format!("over {amount}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_near_and_exact() {
        let clock = Clock {
            now: "2026-11-29T12:00:00Z".parse().unwrap(),
            zone: TimeZone::get("Europe/Amsterdam").unwrap(),
            lang: Lang::Nl,
        };
        let near = |at: &str| clock.read(at).unwrap().near;
        assert_eq!(near("2026-11-29T11:59:30Z"), "zojuist");
        assert_eq!(near("2026-11-29T11:55:00Z"), "5 min geleden");
        assert_eq!(near("2026-11-29T14:10:00Z"), "over 2 u");
        assert_eq!(near("2026-11-27T12:00:00Z"), "2 dagen geleden");
        let when = clock.read("2026-11-28T22:30:00Z").unwrap();
        assert_eq!(when.exact, "28-11-2026 23:30:00");
        assert_eq!(when.clock, "28-11 23:30");
        assert_eq!(clock.read("soon"), None);
    }
}
