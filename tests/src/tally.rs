//! What was acknowledged, compared with what arrived. Pure.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::{Arrival, Sent};

/// The comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that ingress acknowledged, each counted once.
    pub sent: usize,
    /// Of these, the ones with a reply.
    pub answered: usize,
    /// Of these, the ones without, and not set aside.
    pub missing: usize,
    /// Replies that arrived more than once.
    pub duplicated: usize,
    /// Replies that arrived after a reply to a later message of their conversation.
    pub out_of_order: usize,
    /// The times from the 200 of a webhook to the arrival of its reply, in milliseconds, ascending.
    pub waits_ms: Vec<i64>,
    /// When the message was acknowledged that waited longest.
    pub longest_since: Timestamp,
}

impl Tally {
    /// The time that this share of the messages, from 0 to 1, did not wait longer than.
    pub fn wait_ms(&self, share: f64) -> i64 {
        let last = self.waits_ms.len().saturating_sub(1);
        let index = (last as f64 * share).round() as usize;
        self.waits_ms.get(index).copied().unwrap_or_default()
    }

    /// Whether every message was answered once and in order.
    pub const fn is_clean(&self) -> bool {
        self.missing == 0 && self.duplicated == 0 && self.out_of_order == 0
    }
}

/// Compares. `set_aside` holds the outbound ids of messages that became dead letters on purpose.
pub fn tally(sent: &[Sent], arrivals: &[Arrival], set_aside: &HashSet<String>) -> Tally {
    let by_id: HashMap<&str, &Sent> = sent
        .iter()
        .map(|sent| (sent.outbound_id.as_str(), sent))
        .collect();
    let mut tally = Tally {
        sent: sent.len(),
        ..Tally::default()
    };
    let mut seen = HashSet::new();
    let mut longest = 0;
    let mut latest: HashMap<&str, u32> = HashMap::new();
    for arrival in arrivals {
        let Some(sent) = arrival.oid.as_deref().and_then(|id| by_id.get(id)) else {
            continue;
        };
        if !seen.insert(sent.outbound_id.as_str()) {
            tally.duplicated += 1;
            continue;
        }
        let latest = latest.entry(sent.from.as_str()).or_default();
        if sent.place < *latest {
            tally.out_of_order += 1;
        }
        *latest = sent.place.max(*latest);
        let waited = wait(sent.acknowledged_at, arrival.at);
        if waited > longest {
            (longest, tally.longest_since) = (waited, sent.acknowledged_at);
        }
        tally.waits_ms.push(waited);
    }
    tally.waits_ms.sort_unstable();
    tally.answered = seen.len();
    let unanswered = |sent: &&Sent| {
        let id = sent.outbound_id.as_str();
        !seen.contains(id) && !set_aside.contains(id)
    };
    tally.missing = sent.iter().filter(unanswered).count();
    tally
}

fn wait(acknowledged: Timestamp, arrived: Timestamp) -> i64 {
    let waited: SignedDuration = arrived.duration_since(acknowledged);
    i64::try_from(waited.as_millis()).unwrap_or(i64::MAX).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(from: &str, place: u32) -> Sent {
        Sent {
            from: from.into(),
            place,
            event: String::new(),
            outbound_id: format!("{from}{place}"),
            acknowledged_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn arrivals(ids: &[&str]) -> Vec<Arrival> {
        let arrival = |(n, id): (usize, &&str)| Arrival {
            seq: n as u64 + 1,
            at: Timestamp::from_second(n as i64).unwrap(),
            id: String::new(),
            oid: Some((*id).to_owned()),
            customer: String::new(),
            text: String::new(),
        };
        ids.iter().enumerate().map(arrival).collect()
    }

    fn count(ids: &[&str]) -> Tally {
        let sent = [sent("a", 1), sent("a", 2), sent("a", 3), sent("b", 1)];
        tally(&sent, &arrivals(ids), &HashSet::new())
    }

    #[test]
    fn all_answered_once_and_in_order_is_clean() {
        let tally = count(&["a1", "b1", "a2", "a3"]);
        assert!(tally.is_clean());
        assert_eq!((tally.sent, tally.answered), (4, 4));
        assert_eq!(tally.waits_ms, [0, 1000, 2000, 3000]);
        assert_eq!((tally.wait_ms(0.0), tally.wait_ms(1.0)), (0, 3000));
    }

    #[test]
    fn each_kind_of_damage_is_counted() {
        assert_eq!(count(&["a1", "a2", "a3"]).missing, 1);
        assert_eq!(count(&["a1", "a1", "a2", "a3", "b1"]).duplicated, 1);
        assert_eq!(count(&["a2", "a1", "a3", "b1"]).out_of_order, 1);
        assert_eq!(count(&["a3", "a1", "a2", "b1"]).out_of_order, 2);
    }

    #[test]
    fn a_message_that_was_set_aside_is_not_missing() {
        let sent = [sent("a", 1), sent("a", 2)];
        let set_aside = HashSet::from(["a1".to_owned()]);
        assert!(tally(&sent, &arrivals(&["a2"]), &set_aside).is_clean());
    }
}
