//! How far messages got, for the help desk: a colleague sees it beside what they wrote. Pure.

use jiff::Timestamp;
use shared_types::{
    DeliveryStatus, MirrorStep, MirrorWhat, OutboundMessage, Source, TickStatus, Ticked,
};
use streams::{NewEntry, PartitionKeys, Queue, Record};

/// What is told of which messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticks {
    /// Whether what we say is shown in a help desk.
    pub(crate) mirrors: bool,
}

impl Ticks {
    /// The record that tells of a message; none where nobody wants to know. Of our own messages only
    /// failures are told.
    pub(crate) fn record(
        self,
        message: &OutboundMessage,
        status: TickStatus,
        error: Option<String>,
        keys: PartitionKeys,
    ) -> Option<Record> {
        let of = match message.mirrored {
            Some(theirs) => Ticked::Theirs(theirs),
            None if self.mirrors
                && status == TickStatus::Failed
                && message.source != Source::Chatwoot =>
            {
                // Parts, templates and resends are one message there.
                let id = message.id.as_str().split(['.', '~']).next();
                Ticked::Ours(id.unwrap_or_default().to_owned())
            }
            None => return None,
        };
        let step = MirrorStep {
            conversation_id: message.conversation_id.clone(),
            id: format!("{}:{}", message.id, status.as_str()),
            at: Timestamp::now(),
            what: MirrorWhat::Tick { of, status, error },
        };
        let event = format!("mirror:{}", step.id);
        let entry = NewEntry::new(&step, event, message.conversation_id.as_str()).ok()?;
        Some(Record {
            entry: Some((keys.stream(Queue::Mirror), entry.into_fields())),
            ..Record::default()
        })
    }
}

/// What a provider's report means there; acceptance is told already.
pub(crate) fn reported(status: DeliveryStatus) -> Option<TickStatus> {
    match status {
        DeliveryStatus::Delivered => Some(TickStatus::Delivered),
        DeliveryStatus::Read => Some(TickStatus::Read),
        _ => None,
    }
}

/// Why a message was set aside, for somebody who knows neither WhatsApp's rules nor ours.
pub(crate) fn in_words(reason: &str, error: &str) -> String {
    match reason {
        "opted_out" => "The customer wants no more messages.".into(),
        "window_closed" => {
            "WhatsApp takes free text only within 24 hours of the customer's last message.".into()
        }
        "human_in_charge" | "colleague_wrote" => {
            "Not sent: a colleague took the conversation over before it left.".into()
        }
        "empty_message" => "There is no text to send.".into(),
        "too_long" => "The text is too long.".into(),
        "not_configured" => "The channel is not connected.".into(),
        "outcome_unknown" => {
            "Nobody knows whether the customer has it: the channel did not answer.".into()
        }
        _ => format!("The channel did not take it: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_ours_has_words_for_people() {
        for reason in ["opted_out", "window_closed", "colleague_wrote", "too_long"] {
            let words = in_words(reason, "21211");
            assert!(!words.contains("21211") && !words.contains('_'), "{words}");
        }
        assert!(in_words("refused", "21211: no number").contains("21211"));
    }
}
