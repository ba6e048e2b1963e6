use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::resource;
use crate::address;
use crate::faults::Fault;
use crate::journal::Query;
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// The query of a message list, as Twilio documents it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListQuery {
    to: Option<String>,
    from: Option<String>,
    sent_from: Option<Timestamp>,
    sent_to: Option<Timestamp>,
    page_size: usize,
    page: usize,
}

impl ListQuery {
    const MAX_PAGE_SIZE: usize = 1_000;

    pub(super) fn parse(query: &str) -> Self {
        let mut list = Self {
            to: None,
            from: None,
            sent_from: None,
            sent_to: None,
            page_size: 50,
            page: 0,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "To" => list.to = Some(address::customer(&value)),
                "From" => list.from = Some(value),
                "DateSent" => {
                    list.sent_from = day_start(&value);
                    list.sent_to = day_end(&value);
                }
                // `DateSent>=2026-11-22` arrives as the name `DateSent>`.
                "DateSent>" => list.sent_from = time(&value).or_else(|| day_start(&value)),
                "DateSent<" => list.sent_to = time(&value).or_else(|| day_end(&value)),
                "PageSize" => list.page_size = number(&value).clamp(1, Self::MAX_PAGE_SIZE),
                "Page" => list.page = number(&value),
                _ => {}
            }
        }
        list
    }

    /// The page, newest message first. `DateSent` is compared with the time of acceptance. With a
    /// [`Fault::Stale`] the newest messages are not known yet.
    pub(super) fn answer(&self, world: &World, fault: Option<&Fault>) -> Value {
        let known_until = fault.and_then(|fault| fault.known_until(Timestamp::now()));
        let query = Query {
            provider: Some(Provider::Twilio),
            arrived_from: self.sent_from,
            arrived_to: self.sent_to.into_iter().chain(known_until).min(),
            // One more, to know whether there is a next page.
            limit: self.page_size + 1,
            ..self.direction(world)
        };
        let start = self.page.saturating_mul(self.page_size);
        let found = world.journal.newest(&query, start);
        let more = found.len() > self.page_size;
        let sid = &world.config.twilio.account_sid;
        let messages: Vec<Value> = found
            .iter()
            .take(self.page_size)
            .map(|record| resource::message(sid, record))
            .collect();
        let page_uri = |page: usize| self.uri(sid, page);
        json!({
            "end": start + messages.len().saturating_sub(1),
            "first_page_uri": page_uri(0),
            "next_page_uri": more.then(|| page_uri(self.page + 1)),
            "page": self.page,
            "page_size": self.page_size,
            "previous_page_uri": self.page.checked_sub(1).map(page_uri),
            "start": start,
            "uri": page_uri(self.page),
            "messages": messages,
        })
    }

    /// What customers wrote to a number of ours, else what was sent. Without either end Twilio lists
    /// both ways; nobody asks for that here.
    fn direction(&self, world: &World) -> Query {
        let ours = |number: &&String| self.to.as_ref() == Some(&address::customer(number));
        match world.config.twilio.numbers.iter().find(ours) {
            Some(number) => Query {
                endpoint: Some(Endpoint::Webhook),
                from: Some(address::whatsapp(number)),
                to: self.from.as_deref().map(address::customer),
                ..Query::default()
            },
            None => Query {
                to: self.to.clone(),
                from: self.from.clone(),
                colleagues: true,
                ..Query::accepted_messages()
            },
        }
    }

    fn uri(&self, sid: &str, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(to) = &self.to {
            query.append_pair("To", &address::whatsapp(to));
        }
        if let Some(from) = &self.from {
            query.append_pair("From", from);
        }
        if let Some(time) = self.sent_from {
            query.append_pair("DateSent>", &time.to_string());
        }
        if let Some(time) = self.sent_to {
            query.append_pair("DateSent<", &time.to_string());
        }
        query.append_pair("PageSize", &self.page_size.to_string());
        query.append_pair("Page", &page.to_string());
        format!(
            "/2010-04-01/Accounts/{sid}/Messages.json?{}",
            query.finish()
        )
    }
}

fn number(value: &str) -> usize {
    value.parse().unwrap_or(0)
}

fn time(value: &str) -> Option<Timestamp> {
    value.parse().ok()
}

fn day_start(value: &str) -> Option<Timestamp> {
    let date: Date = value.parse().ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn day_end(value: &str) -> Option<Timestamp> {
    let next = day_start(value)?.checked_add(24.hours()).ok()?;
    next.checked_sub(1.nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_bound_the_list() {
        let day = ListQuery::parse("DateSent=2026-11-22");
        assert_eq!(day.sent_from, time("2026-11-22T00:00:00Z"));
        assert_eq!(day.sent_to, time("2026-11-22T23:59:59.999999999Z"));
        let moment =
            ListQuery::parse("DateSent%3E=2026-11-22T10%3A00%3A00Z&To=whatsapp:%2B3161234567");
        assert_eq!(moment.sent_from, time("2026-11-22T10:00:00Z"));
        assert_eq!(moment.sent_to, None);
        assert_eq!(moment.to.as_deref(), Some("+3161234567"));
    }

    #[test]
    fn page_sizes_stay_within_bounds() {
        assert_eq!(ListQuery::parse("").page_size, 50);
        assert_eq!(ListQuery::parse("PageSize=0").page_size, 1);
        assert_eq!(ListQuery::parse("PageSize=5000").page_size, 1_000);
    }
}
