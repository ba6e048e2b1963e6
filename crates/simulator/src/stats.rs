use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde::Serialize;

use crate::journal::{Entry, Outcome};
use crate::provider::{Endpoint, Provider};

/// Counters per sender, and calls per endpoint. Pure: fed with entries in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    senders: HashMap<(Provider, String), Sender>,
    calls: BTreeMap<String, u64>,
    oids: HashSet<String>,
}

#[derive(Debug, Default)]
struct Sender {
    accepted: u64,
    refused: BTreeMap<String, u64>,
    duplicates: u64,
    busiest_second: usize,
    /// Arrivals of the last second, in microseconds.
    window: VecDeque<u64>,
}

/// What one sender number, session or inbox sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SenderStats {
    /// Through whom.
    pub provider: Provider,
    /// Sender number, WAHA session or Chatwoot inbox.
    pub sender: String,
    /// Messages that the provider took.
    pub accepted: u64,
    /// Messages that it did not take, by error code, else HTTP status, else fault.
    pub refused: BTreeMap<String, u64>,
    /// Messages taken whose outbound id had been taken before.
    pub duplicates: u64,
    /// Most messages taken in any half-open second.
    pub busiest_second: usize,
}

impl Tally {
    const SECOND: u64 = 1_000_000;

    pub(crate) fn count(&mut self, entry: &Entry) {
        if matches!(entry.endpoint, Endpoint::Webhook | Endpoint::Colleague) {
            return;
        }
        let call = format!("{}.{}", entry.provider, entry.endpoint.as_str());
        *self.calls.entry(call).or_default() += 1;
        if entry.endpoint != Endpoint::Send {
            return;
        }
        let seen = entry.oid.as_ref().is_some_and(|oid| match entry.outcome {
            Outcome::Accepted => !self.oids.insert(oid.clone()),
            Outcome::Refused { .. } => false,
        });
        let sender = self
            .senders
            .entry((entry.provider, entry.business.clone()))
            .or_default();
        match &entry.outcome {
            Outcome::Accepted => sender.accept(entry.arrived.micros, seen),
            Outcome::Refused { code } => *sender.refused.entry(code.clone()).or_default() += 1,
        }
    }

    /// Forgets the outbound id of an entry that left the journal.
    pub(crate) fn forget(&mut self, entry: &Entry) {
        if let (Some(oid), true) = (&entry.oid, entry.outcome.is_accepted()) {
            self.oids.remove(oid);
        }
    }

    pub(crate) fn senders(&self) -> Vec<SenderStats> {
        let mut senders: Vec<SenderStats> = self
            .senders
            .iter()
            .map(|((provider, name), sender)| SenderStats {
                provider: *provider,
                sender: name.clone(),
                accepted: sender.accepted,
                refused: sender.refused.clone(),
                duplicates: sender.duplicates,
                busiest_second: sender.busiest_second,
            })
            .collect();
        senders.sort_by(|a, b| (a.provider, &a.sender).cmp(&(b.provider, &b.sender)));
        senders
    }

    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.clone()
    }
}

impl Sender {
    fn accept(&mut self, at: u64, seen: bool) {
        self.accepted += 1;
        self.duplicates += u64::from(seen);
        while self
            .window
            .front()
            .is_some_and(|first| at.saturating_sub(*first) >= Tally::SECOND)
        {
            self.window.pop_front();
        }
        self.window.push_back(at);
        self.busiest_second = self.busiest_second.max(self.window.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busiest(arrivals: &[u64]) -> usize {
        let mut sender = Sender::default();
        for at in arrivals {
            sender.accept(*at, false);
        }
        sender.busiest_second
    }

    #[test]
    fn the_busiest_second_is_half_open() {
        assert_eq!(busiest(&[]), 0);
        assert_eq!(busiest(&[0, 1_000_000]), 1);
        assert_eq!(busiest(&[0, 999_999]), 2);
        assert_eq!(busiest(&[0, 600_000, 1_100_000, 1_599_999, 9_000_000]), 3);
    }
}
