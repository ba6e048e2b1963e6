//! The delivery ledger: what is known of each send, as fields of a Redis hash. Pure.
//!
//! The hash is the memory of the retry schedule and of the intent that precedes every request, so a
//! restart goes on where the process ended; and it is what `egress deliveries` shows.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared_types::fields::send::{DOUBT, INTENT, PAYLOAD, PROVIDER_ID, SENT, STATE};
use shared_types::{ConversationId, DeliveryStatus, Receipt, Source, provider_key};
use streams::{Fields, PartitionKeys, Record};

use crate::retry::Progress;
use crate::senders::Part;

const ROUND: &str = "round";
const FAILURES: &str = "failures";
/// When the next step is due, milliseconds since 1970, like the next.
const NEXT_AT: &str = "next_at";
/// When the last request was begun.
const INTENT_AT: &str = "intent_at";

/// The id that the provider is to give the message.
const CHOSEN_ID: &str = "chosen";

/// What is read at the start of a send.
pub(crate) const FIELDS: &[&str] = &[
    STATE,
    PROVIDER_ID,
    ROUND,
    FAILURES,
    NEXT_AT,
    INTENT_AT,
    CHOSEN_ID,
];

/// How many sends of a conversation are listed.
const LISTED: usize = 100;

/// The names under which a message is noted by its provider's id: within its session or account, and
/// by that id alone, as earlier builds did.
pub(crate) fn names(
    source: Source,
    conversation: &ConversationId,
    provider_id: &str,
    keys: PartitionKeys,
) -> [String; 2] {
    let scoped = provider_key(source, conversation, provider_id);
    [scoped.as_str(), provider_id].map(|name| keys.provider_message(source.as_str(), name))
}

/// What the ledger says of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Due at this time, after the failures that the progress tells of.
    Due { progress: Progress, at: Timestamp },
    /// A request was begun at `since` and its outcome was never written down.
    Doubtful {
        progress: Progress,
        since: Timestamp,
        look_at: Timestamp,
    },
    /// The provider has it.
    Sent,
}

impl Stage {
    /// Reads the ledger's hash. A send that it does not know is due now.
    pub(crate) fn read(fields: &Fields, settle: Duration) -> Self {
        let number = |name| fields.get(name)?.parse::<i64>().ok();
        let count = |field| {
            number(field)
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or_default()
        };
        let time = |field| number(field).and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let progress = Progress {
            round: count(ROUND),
            failures: count(FAILURES),
        };
        let start = Timestamp::UNIX_EPOCH;
        match (
            fields.get(STATE).map(String::as_str),
            fields.get(PROVIDER_ID),
        ) {
            (_, Some(_)) => Self::Sent,
            (Some(INTENT), None) => {
                let since = time(INTENT_AT).unwrap_or(start);
                Self::Doubtful {
                    progress,
                    since,
                    look_at: since + settle,
                }
            }
            (Some(DOUBT), None) => Self::Doubtful {
                progress,
                since: time(INTENT_AT).unwrap_or(start),
                look_at: time(NEXT_AT).unwrap_or(start),
            },
            _ => Self::Due {
                progress,
                at: time(NEXT_AT).unwrap_or(start),
            },
        }
    }
}

/// When the last request was begun, as far as the ledger knows.
pub(crate) fn last_request(fields: &Fields) -> Option<Timestamp> {
    let ms = fields.get(INTENT_AT)?.parse().ok()?;
    Timestamp::from_millisecond(ms).ok()
}

/// The id that was chosen before an earlier request.
pub(crate) fn chosen_id(fields: &Fields) -> Option<String> {
    fields.get(CHOSEN_ID).cloned()
}

/// Builds the records of one send.
pub(crate) struct Records<'a> {
    pub(crate) keys: PartitionKeys,
    pub(crate) part: &'a Part,
    pub(crate) ttl: Duration,
    /// W3C `traceparent` of the send, from which reports about it go on.
    pub(crate) trace: Option<String>,
}

fn ms(at: Timestamp) -> String {
    at.as_millisecond().to_string()
}

/// Enough to compare what was sent with what somebody says was sent, without showing it.
fn text_hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    hex::encode(digest.get(..8).unwrap_or_default())
}

impl Records<'_> {
    fn record(&self, fields: Vec<(&'static str, String)>) -> Record {
        let key = self.keys.send(self.part.id.as_str());
        Record {
            key,
            fields,
            ttl: self.ttl,
            ..Record::default()
        }
    }

    /// A request is about to be made. Refused when a status callback has told meanwhile that the
    /// message arrived.
    pub(crate) fn intent(&self, progress: Progress, now: Timestamp) -> Record {
        let message = self.part.as_message();
        let conversation = message.conversation_id.as_str();
        let mut fields = vec![
            (STATE, INTENT.into()),
            (INTENT_AT, ms(now)),
            (ROUND, progress.round.to_string()),
            (FAILURES, progress.failures.to_string()),
            ("source", message.source.to_string()),
            ("to", message.to.to_string()),
            ("conv", conversation.to_owned()),
            ("text_sha256", text_hash(&message.text)),
            (PAYLOAD, serde_json::to_string(&message).unwrap_or_default()),
        ];
        fields.extend(self.trace.clone().map(|trace| ("trace", trace)));
        let chosen = self.part.chosen_id.clone();
        fields.extend(chosen.map(|id| (CHOSEN_ID, id)));
        let list = (
            self.keys.sends(conversation),
            self.part.id.to_string(),
            LISTED,
        );
        Record {
            unless: Some(PROVIDER_ID),
            list: Some(list),
            // An acknowledgement may come before anybody has read the answer.
            index: self.part.chosen_id.as_deref().map(|id| self.index(id)),
            ..self.record(fields)
        }
    }

    /// Changes nothing, and tells whether a status callback has said that it was sent.
    pub(crate) fn nothing_unless_sent(&self) -> Record {
        Record {
            unless: Some(PROVIDER_ID),
            ..self.record(Vec::new())
        }
    }

    /// Nothing was sent; the next attempt is due at `at`.
    pub(crate) fn deferred(&self, progress: Progress, at: Timestamp, error: &str) -> Record {
        self.record(vec![
            (STATE, "due".into()),
            (ROUND, progress.round.to_string()),
            (FAILURES, progress.failures.to_string()),
            (NEXT_AT, ms(at)),
            ("error", error.to_owned()),
        ])
    }

    /// Nobody knows whether it was sent; it is looked up at `look_at`.
    pub(crate) fn doubtful(&self, progress: Progress, look_at: Timestamp, error: &str) -> Record {
        let state = (STATE, DOUBT.into());
        let mut record = self.deferred(progress, look_at, error);
        record.fields.retain(|(name, _)| *name != STATE);
        record.fields.push(state);
        record
    }

    /// It is given up and set aside. Who puts it back starts a new schedule; when the provider may
    /// have it, with a look-up.
    pub(crate) fn set_aside(&self, in_doubt: bool, now: Timestamp, error: &str) -> Record {
        let progress = Progress::default();
        if in_doubt {
            return self.doubtful(progress, now, error);
        }
        let mut record = self.deferred(progress, now, error);
        record.fields.retain(|(name, _)| *name != STATE);
        record.fields.push((STATE, "failed".into()));
        record
    }

    /// The provider has it.
    pub(crate) fn sent(&self, receipt: &Receipt, now: Timestamp) -> Record {
        let provider_id = receipt.provider_id();
        let mut fields = vec![
            (STATE, SENT.into()),
            (PROVIDER_ID, provider_id.clone()),
            ("sent_at", ms(now)),
            ("error", String::new()),
        ];
        if let Receipt::Twilio { twilio_status, .. } = receipt {
            fields.push(("accepted_as", twilio_status.clone()));
        }
        Record {
            index: Some(self.index(&provider_id)).filter(|_| !provider_id.is_empty()),
            ..self.record(fields)
        }
    }

    /// The name under which it is found by its provider's id.
    fn index(&self, provider_id: &str) -> (String, String) {
        let message = &self.part.message;
        let conversation = &message.conversation_id;
        let [name, _] = names(message.source, conversation, provider_id, self.keys);
        (name, self.part.id.to_string())
    }
}

/// The field in which the time of a status is kept.
pub(crate) const fn status_field(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Accepted => "at:accepted",
        DeliveryStatus::Scheduled => "at:scheduled",
        DeliveryStatus::Queued => "at:queued",
        DeliveryStatus::Sending => "at:sending",
        DeliveryStatus::Sent => "at:sent",
        DeliveryStatus::Delivered => "at:delivered",
        DeliveryStatus::PartiallyDelivered => "at:partially_delivered",
        DeliveryStatus::Read => "at:read",
        DeliveryStatus::Failed => "at:failed",
        DeliveryStatus::Undelivered => "at:undelivered",
        DeliveryStatus::Canceled => "at:canceled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&'static str, &str)]) -> Stage {
        let fields = fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Stage::read(&fields.collect(), Duration::from_secs(4))
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    #[test]
    fn an_unknown_send_is_due_at_once() {
        let start = Stage::Due {
            progress: Progress::default(),
            at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(read(&[]), start);
    }

    #[test]
    fn a_schedule_goes_on_after_a_restart() {
        let stage = read(&[
            (STATE, "due"),
            (ROUND, "2"),
            (FAILURES, "1"),
            (NEXT_AT, "5000"),
            (INTENT_AT, "1000"),
        ]);
        let progress = Progress {
            round: 2,
            failures: 1,
        };
        assert_eq!(
            stage,
            Stage::Due {
                progress,
                at: at(5000)
            }
        );
    }

    #[test]
    fn an_intent_without_an_end_is_doubtful_until_it_has_settled() {
        let stage = read(&[(STATE, "intent"), (INTENT_AT, "1000")]);
        let expected = Stage::Doubtful {
            progress: Progress::default(),
            since: at(1000),
            look_at: at(5000),
        };
        assert_eq!(stage, expected);
    }

    #[test]
    fn a_provider_id_means_sent_whatever_else_is_written() {
        let stage = read(&[(STATE, "intent"), (PROVIDER_ID, "SM1"), (INTENT_AT, "1000")]);
        assert_eq!(stage, Stage::Sent);
    }
}
