//! By when a colleague answers. Pure.

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::calendar;
use crate::domain::Domain;

/// What a customer may expect who waits for a colleague, on the clock of the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The moment that replies name: the next opening, or today's closing. None without hours.
    pub named: Option<DateTime>,
    /// When the customer should have heard from somebody.
    pub answer_by: DateTime,
}

/// What is promised at a moment.
#[must_use]
pub fn promise(domain: &Domain, local: DateTime) -> Promise {
    let business = &domain.business;
    let within = SignedDuration::from_mins(i64::from(domain.dialogue.answer_minutes));
    let after = |from: DateTime| from.checked_add(within).unwrap_or(DateTime::MAX);
    if calendar::is_open(business, local) {
        let closing = business.hours.open_until(local);
        let answer_by = after(local).min(closing.unwrap_or(DateTime::MAX));
        return Promise {
            named: closing,
            answer_by,
        };
    }
    let opening = calendar::next_opening(business, local);
    Promise {
        named: opening,
        answer_by: after(opening.unwrap_or(local)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(local: &str) -> (Option<String>, String) {
        let domain = Domain::embedded().unwrap();
        let promise = promise(&domain, local.parse().unwrap());
        let named = promise.named.map(|at| at.to_string());
        (named, promise.answer_by.to_string())
    }

    #[test]
    fn a_colleague_answers_within_the_hours_of_the_business() {
        let saturday_evening = at("2026-11-28T19:10");
        let monday = "2026-11-30T09:00:00".to_owned();
        assert_eq!(
            saturday_evening,
            (Some(monday), "2026-11-30T10:00:00".into())
        );
        let closing = Some("2026-12-01T18:00:00".to_owned());
        assert_eq!(
            at("2026-12-01T10:00"),
            (closing.clone(), "2026-12-01T11:00:00".into())
        );
        assert_eq!(
            at("2026-12-01T17:45"),
            (closing, "2026-12-01T18:00:00".into())
        );
    }
}
