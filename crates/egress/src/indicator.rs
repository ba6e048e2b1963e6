//! The typing indicator: shown at once or not at all, and nothing depends on it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared_types::{OutboundId, TypingSignal};
use streams::{Delivery, Entry, PartitionKeys, Reads, Settled};

use crate::metrics::EgressMetrics;
use crate::senders::Senders;

/// A signal that waited longer says nothing about now.
const LATE: SignedDuration = SignedDuration::from_secs(5);
/// Of the answer's ledger record: set once the answer is on its way.
const ANSWER_FIELDS: &[&str] = &["state"];

/// Shows typing indicators, where that is switched on.
pub(crate) struct Indicator {
    pub(crate) senders: Arc<Senders>,
    pub(crate) on: bool,
    pub(crate) metrics: EgressMetrics,
}

/// What became of a typing signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignalEnd {
    /// The recipient sees it.
    Shown,
    /// Indicators are switched off.
    Off,
    /// It came too late.
    Late,
    /// The answer is on its way already; an indicator after it would be wrong.
    Answered,
    /// The provider has none, or did not show it.
    Failed,
}

impl Indicator {
    /// Whether the message that is signalled about has its answer.
    pub(crate) fn reads(&self, entry: &Entry, keys: PartitionKeys) -> Reads {
        let Some(signal) = parse(entry) else {
            return Reads::default();
        };
        let answer = OutboundId::of_reply(signal.source, &signal.message_id, 0);
        Reads {
            list: None,
            hashes: vec![(keys.delivery(answer.as_str()), ANSWER_FIELDS)],
        }
    }

    /// Shows one, and ends its entry whatever came of it.
    pub(crate) async fn show(&self, delivery: Delivery) -> Settled {
        if let Some(signal) = parse(&delivery.entry) {
            let answered = delivery.values.field(0, 0).is_some();
            let shown = match verdict(&signal, self.on, answered, Timestamp::now()) {
                Some(not_shown) => not_shown,
                None => self.request(&signal).await,
            };
            self.metrics.typing(signal.source, shown);
        } else {
            tracing::warn!(event = delivery.entry.event, "typing signal cannot be read");
        }
        delivery.acknowledge().await
    }

    async fn request(&self, signal: &TypingSignal) -> SignalEnd {
        let Some(sender) = self.senders.get(signal.source) else {
            return SignalEnd::Failed;
        };
        match sender.show_typing(signal).await {
            Ok(()) => SignalEnd::Shown,
            Err(error) => {
                tracing::debug!(error, source = %signal.source, "typing is not shown");
                SignalEnd::Failed
            }
        }
    }
}

fn parse(entry: &Entry) -> Option<TypingSignal> {
    serde_json::from_str(&entry.payload).ok()
}

/// Why the signal is not shown; none when it is to be.
fn verdict(signal: &TypingSignal, on: bool, answered: bool, now: Timestamp) -> Option<SignalEnd> {
    if !on {
        Some(SignalEnd::Off)
    } else if answered {
        Some(SignalEnd::Answered)
    } else if now.duration_since(signal.at) > LATE {
        Some(SignalEnd::Late)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use shared_types::{Endpoint, Source};

    use super::*;

    #[test]
    fn a_signal_is_shown_only_while_it_tells_something_new() {
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        let signal = TypingSignal {
            source: Source::Twilio,
            to: "whatsapp:+31612345678".parse().unwrap(),
            endpoint: Endpoint::default(),
            message_id: "SM1".parse().unwrap(),
            at,
        };
        let soon = at + SignedDuration::from_secs(1);
        assert_eq!(verdict(&signal, true, false, soon), None);
        assert_eq!(verdict(&signal, false, false, soon), Some(SignalEnd::Off));
        assert_eq!(
            verdict(&signal, true, true, soon),
            Some(SignalEnd::Answered)
        );
        let late = at + SignedDuration::from_secs(6);
        assert_eq!(verdict(&signal, true, false, late), Some(SignalEnd::Late));
    }
}
