//! What this process handed over lately, should Redis forget it.
//!
//! With `appendfsync everysec` a Redis that dies may lose the last second or two that it acknowledged
//! (<https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/>). The message is then found in the queue again and the ledger
//! does not know it; the process that sent it does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use shared_types::{OutboundId, Receipt};

use super::step::Step;
use crate::ledger::Stage;

/// At the highest pace, a minute; about a mebibyte.
const REMEMBERED: usize = 4_096;

/// The latest sends of this process.
#[derive(Default)]
pub(super) struct Recent {
    sends: Mutex<Sends>,
}

#[derive(Default)]
struct Sends {
    by_id: HashMap<OutboundId, Send>,
    oldest_first: VecDeque<OutboundId>,
}

/// A request that was begun, and what the provider answered if it took the message.
#[derive(Clone)]
struct Send {
    begun: Timestamp,
    receipt: Option<Receipt>,
}

impl Recent {
    /// A request is about to be made.
    pub(super) fn begun(&self, id: &OutboundId, begun: Timestamp) {
        let mut sends = self.sends();
        let send = Send {
            begun,
            receipt: None,
        };
        if sends.by_id.insert(id.clone(), send).is_none() {
            sends.oldest_first.push_back(id.clone());
        }
        if sends.oldest_first.len() > REMEMBERED
            && let Some(oldest) = sends.oldest_first.pop_front()
        {
            sends.by_id.remove(&oldest);
        }
    }

    /// The provider took the message.
    pub(super) fn accepted(&self, id: &OutboundId, receipt: &Receipt) {
        if let Some(send) = self.sends().by_id.get_mut(id) {
            send.receipt = Some(receipt.clone());
        }
    }

    /// The provider certainly does not have it.
    pub(super) fn not_sent(&self, id: &OutboundId) {
        let mut sends = self.sends();
        sends.by_id.remove(id);
        sends.oldest_first.retain(|other| other != id);
    }

    /// Where a send goes on, by what the ledger says of it and what it may have lost. `noted` is
    /// when the last request was begun as far as the ledger knows.
    pub(super) fn correct(
        &self,
        id: &OutboundId,
        stage: Stage,
        noted: Option<Timestamp>,
        settle: Duration,
    ) -> Step {
        let Some(send) = self.sends().by_id.get(id).cloned() else {
            return Step::Go(stage);
        };
        // The ledger counts in milliseconds.
        let ms = Timestamp::as_millisecond;
        let is_lost = noted.is_none_or(|noted| ms(noted) < ms(send.begun));
        match (stage, send.receipt) {
            (Stage::Sent, _) => Step::Go(stage),
            (_, Some(receipt)) => Step::Sent(receipt),
            (Stage::Due { progress, .. } | Stage::Doubtful { progress, .. }, None) if is_lost => {
                Step::Go(Stage::Doubtful {
                    progress,
                    since: send.begun,
                    look_at: send.begun + settle,
                })
            }
            (_, None) => Step::Go(stage),
        }
    }

    fn sends(&self) -> MutexGuard<'_, Sends> {
        self.sends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::Progress;

    const SETTLE: Duration = Duration::from_secs(4);

    fn id(number: usize) -> OutboundId {
        format!("ob_{number}.0").parse().unwrap()
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn due() -> Stage {
        Stage::Due {
            progress: Progress::default(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn receipt() -> Receipt {
        Receipt::Waha {
            waha_message_id: "m1".into(),
            to: "31612345678@c.us".into(),
        }
    }

    #[test]
    fn an_accepted_send_stays_sent_whatever_redis_forgot() {
        let recent = Recent::default();
        recent.begun(&id(1), at(1_000));
        recent.accepted(&id(1), &receipt());
        let step = recent.correct(&id(1), due(), None, SETTLE);
        assert!(matches!(step, Step::Sent(found) if found == receipt()));
        let known = recent.correct(&id(1), Stage::Sent, None, SETTLE);
        assert!(matches!(known, Step::Go(Stage::Sent)));
        let other = recent.correct(&id(2), due(), None, SETTLE);
        assert!(matches!(other, Step::Go(stage) if stage == due()));
    }

    #[test]
    fn a_request_that_the_ledger_lost_is_looked_up_and_one_that_it_knows_is_its_own_business() {
        let recent = Recent::default();
        recent.begun(&id(1), at(1_000));
        for lost in [None, Some(at(900))] {
            let step = recent.correct(&id(1), due(), lost, SETTLE);
            let since_then = |stage| matches!(stage, Stage::Doubtful { since, look_at, .. } if since == at(1_000) && look_at == at(5_000));
            assert!(matches!(step, Step::Go(stage) if since_then(stage)));
        }
        let noted = recent.correct(&id(1), due(), Some(at(1_000)), SETTLE);
        assert!(matches!(noted, Step::Go(stage) if stage == due()));
        recent.not_sent(&id(1));
        let refused = recent.correct(&id(1), due(), None, SETTLE);
        assert!(matches!(refused, Step::Go(stage) if stage == due()));
    }

    #[test]
    fn only_the_latest_are_remembered() {
        let recent = Recent::default();
        for number in 0..=REMEMBERED {
            recent.begun(&id(number), at(1_000));
        }
        let sends = recent.sends();
        assert_eq!(sends.by_id.len(), REMEMBERED);
        assert_eq!(sends.oldest_first.len(), REMEMBERED);
        assert!(!sends.by_id.contains_key(&id(0)));
    }
}
