//! The typing indicator: shown at once or not at all, and nothing depends on it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared_types::fields::send;
use shared_types::{Outbound, OutboundId, TypingSignal};
use streams::{Job, PartitionKeys, Reads, Settled};

use crate::metrics::{EgressMetrics, TypingOutcome};
use crate::senders::Senders;

/// A signal that waited longer says nothing about now.
const LATE: SignedDuration = SignedDuration::from_secs(5);

/// Shows typing indicators, where that is switched on.
pub(crate) struct Indicator {
    pub(crate) senders: Arc<Senders>,
    pub(crate) on: bool,
    pub(crate) metrics: EgressMetrics,
}

impl Indicator {
    /// Whether the message that is signalled about has its answer.
    pub(crate) fn reads(signal: &TypingSignal, keys: PartitionKeys) -> Reads {
        let answer = OutboundId::of_reply(signal.source, &signal.message_id, 0);
        Reads {
            list: None,
            hashes: vec![(keys.send(answer.as_str()), &[send::STATE])],
        }
    }

    /// Shows one, and ends its entry whatever came of it.
    pub(crate) async fn show(&self, job: Job<Outbound>, signal: &TypingSignal) -> Settled {
        let answered = job.values.field(0, send::STATE).is_some();
        let shown = match verdict(signal, self.on, answered, Timestamp::now()) {
            Some(not_shown) => not_shown,
            None => self.request(signal).await,
        };
        self.metrics.typing(signal.source, shown);
        job.acknowledge().await
    }

    async fn request(&self, signal: &TypingSignal) -> TypingOutcome {
        let Some(sender) = self.senders.get(signal.source) else {
            return TypingOutcome::Failed;
        };
        match sender.show_typing(signal).await {
            Ok(()) => TypingOutcome::Shown,
            Err(error) => {
                tracing::debug!(error, source = %signal.source, "typing is not shown");
                TypingOutcome::Failed
            }
        }
    }
}

/// Why the signal is not shown; none when it is to be.
fn verdict(
    signal: &TypingSignal,
    on: bool,
    answered: bool,
    now: Timestamp,
) -> Option<TypingOutcome> {
    if !on {
        Some(TypingOutcome::Off)
    } else if answered {
        Some(TypingOutcome::Answered)
    } else if now.duration_since(signal.at) > LATE {
        Some(TypingOutcome::Late)
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
        assert_eq!(
            verdict(&signal, false, false, soon),
            Some(TypingOutcome::Off)
        );
        assert_eq!(
            verdict(&signal, true, true, soon),
            Some(TypingOutcome::Answered)
        );
        let late = at + SignedDuration::from_secs(6);
        assert_eq!(
            verdict(&signal, true, false, late),
            Some(TypingOutcome::Late)
        );
    }
}
