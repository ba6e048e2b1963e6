//! What became of the customers' messages, counted as the customers would.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::journal::{Query, Record};
use crate::provider::{Endpoint, Provider};
use crate::world::World;
use crate::xray::{Fate, Xray};

/// How many of the newest entries are counted.
const COUNTED: usize = 5_000;

/// The running count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Messages that customers wrote.
    pub(crate) sent: usize,
    /// Those after which a reply came in their conversation.
    pub(crate) answered: usize,
    /// Those that nothing is said to, for a reason that is known.
    pub(crate) silent: usize,
    /// Those that ingress did not take.
    pub(crate) refused: usize,
    /// Those that something may still come of.
    pub(crate) waiting: usize,
    /// Replies that reached a customer twice.
    pub(crate) doubled: usize,
    /// Those that were taken, and came to nothing.
    pub(crate) lost: usize,
}

/// Counts the newest messages.
pub(crate) fn count(world: &World) -> Counts {
    let query = Query {
        limit: COUNTED,
        ..Query::default()
    };
    let newest_first = world.journal.newest(&query, 0);
    let mut threads: HashMap<(Provider, &str), Vec<&Record>> = HashMap::new();
    for record in newest_first.iter().rev() {
        let entry = &record.entry;
        let is_message = entry.endpoint == Endpoint::Webhook
            || entry.endpoint.is_outgoing() && entry.outcome.is_accepted();
        if is_message {
            let thread = threads.entry((entry.provider, &entry.customer));
            thread.or_default().push(record);
        }
    }
    let mut counts = Counts::default();
    for thread in threads.values() {
        counts.doubled += doubled(thread);
        counts.fates(thread, |record| {
            let xray = Xray::of(world, record.entry.seq);
            xray.map_or(Fate::Waiting, |xray| xray.verdict.fate)
        });
    }
    counts
}

impl Counts {
    /// Counts the messages of a conversation. Messages are handled in order, so that a reply ends every
    /// one before it.
    fn fates(&mut self, thread: &[&Record], judge: impl Fn(&Record) -> Fate) {
        let is_reply = |record: &&Record| record.entry.endpoint == Endpoint::Send;
        let last_reply = thread.iter().rposition(is_reply);
        for (place, record) in thread.iter().enumerate() {
            if record.entry.endpoint != Endpoint::Webhook {
                continue;
            }
            self.sent += 1;
            let fate = match judge(record) {
                Fate::Waiting | Fate::Lost if last_reply.is_some_and(|last| last > place) => {
                    Fate::Answered
                }
                fate => fate,
            };
            *match fate {
                Fate::Answered => &mut self.answered,
                Fate::Silent => &mut self.silent,
                Fate::Refused => &mut self.refused,
                Fate::Waiting => &mut self.waiting,
                Fate::Lost => &mut self.lost,
            } += 1;
        }
    }
}

/// How many replies of a conversation came twice: by the outbound id, or where the provider is told none by
/// the same text without a word of the customer between.
fn doubled(thread: &[&Record]) -> usize {
    let mut seen = HashSet::new();
    let mut before: Option<&str> = None;
    let mut doubled = 0;
    for record in thread {
        let entry = &record.entry;
        if entry.endpoint != Endpoint::Send {
            before = None;
            continue;
        }
        doubled += usize::from(match &entry.oid {
            Some(oid) => !seen.insert(oid),
            None => before == Some(entry.text.as_str()),
        });
        before = Some(&entry.text);
    }
    doubled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::journal::{Call, Journal, MessageStatus};

    fn record(journal: &Journal, endpoint: Endpoint, text: &str, oid: Option<&str>) -> Record {
        let call = Call {
            customer: "+31612345678".to_owned(),
            text: text.to_owned(),
            oid: oid.map(str::to_owned),
            ..Call::new(Provider::Twilio, endpoint)
        };
        let entry = journal.accept(call, "", MessageStatus::Received, None);
        journal.get(entry.seq).unwrap()
    }

    #[test]
    fn a_reply_ends_every_message_before_it() {
        let journal = Journal::new(10, 100_000, Clock::start());
        let thread = [
            record(&journal, Endpoint::Webhook, "een", None),
            record(&journal, Endpoint::Webhook, "twee", None),
            record(&journal, Endpoint::Send, "Hallo", None),
            record(&journal, Endpoint::Webhook, "drie", None),
        ];
        let thread: Vec<&Record> = thread.iter().collect();
        let mut counts = Counts::default();
        counts.fates(&thread, |_| Fate::Lost);
        assert_eq!((counts.sent, counts.answered, counts.lost), (3, 2, 1));
        let mut counts = Counts::default();
        counts.fates(&thread, |_| Fate::Silent);
        assert_eq!((counts.sent, counts.silent), (3, 3));
    }

    #[test]
    fn a_reply_counts_as_doubled_by_its_id_or_its_words() {
        let journal = Journal::new(10, 100_000, Clock::start());
        let sent = |text, oid| record(&journal, Endpoint::Send, text, oid);
        let thread = [
            sent("Hallo", Some("ob_1")),
            sent("Hallo", Some("ob_2")),
            sent("Hallo", Some("ob_1")),
            sent("Dag", None),
            sent("Dag", None),
            record(&journal, Endpoint::Webhook, "Dag", None),
            sent("Dag", None),
        ];
        assert_eq!(doubled(&thread.iter().collect::<Vec<_>>()), 2);
    }
}
