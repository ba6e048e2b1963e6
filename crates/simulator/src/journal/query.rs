use jiff::Timestamp;

use super::entry::Record;
use crate::provider::{Endpoint, Provider};

/// Which entries are asked for. Empty: every one.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only this provider.
    pub provider: Option<Provider>,
    /// Only this customer, in the form of [`crate::address::customer`].
    pub to: Option<String>,
    /// Only this sender number, session or inbox.
    pub from: Option<String>,
    /// Only this kind of call.
    pub endpoint: Option<Endpoint>,
    /// What colleagues sent as well, where sends are asked for.
    pub colleagues: bool,
    /// Only what was accepted (`true`) or refused (`false`).
    pub accepted: Option<bool>,
    /// Only entries after this number.
    pub since: u64,
    /// Only entries that arrived at or after this time.
    pub arrived_from: Option<Timestamp>,
    /// Only entries that arrived at or before this time.
    pub arrived_to: Option<Timestamp>,
    /// At most this many.
    pub limit: usize,
}

impl Query {
    /// How many entries one answer holds unless it says otherwise.
    pub const DEFAULT_LIMIT: usize = 1_000;

    /// The messages that providers accepted for customers.
    pub fn accepted_messages() -> Self {
        Self {
            endpoint: Some(Endpoint::Send),
            accepted: Some(true),
            limit: Self::DEFAULT_LIMIT,
            ..Self::default()
        }
    }

    pub(super) fn matches(&self, record: &Record) -> bool {
        let entry = &record.entry;
        entry.seq > self.since
            && self.provider.is_none_or(|wanted| wanted == entry.provider)
            && self.endpoint.is_none_or(|wanted| {
                wanted == entry.endpoint
                    || self.colleagues && wanted.is_outgoing() && entry.endpoint.is_outgoing()
            })
            && self
                .accepted
                .is_none_or(|wanted| wanted == entry.outcome.is_accepted())
            && self.to.as_ref().is_none_or(|to| *to == entry.customer)
            && self
                .from
                .as_ref()
                .is_none_or(|from| *from == entry.business)
            && self
                .arrived_from
                .is_none_or(|from| entry.arrived.at >= from)
            && self.arrived_to.is_none_or(|to| entry.arrived.at <= to)
    }
}
