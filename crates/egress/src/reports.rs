//! Delivery reports: status callbacks and acks, applied to the ledger forwards only.

mod progress;

use std::time::Duration;

use jiff::Timestamp;
use runtime::traces;
use shared_types::{
    DeliveryEvent, DeliveryStatus, FailureClass, Outbound, OutboundId, OutboundMessage, Source,
    Template,
};
use streams::{Job, NewEntry, PartitionKeys, Queue, Record, Redis, Settled};
use tracing::Instrument;

use crate::ledger::status_field;
use crate::metrics::EgressMetrics;
use crate::senders::twilio_error_class;
use progress::{Move, next_status};

/// A report may overtake the note of the send that it is about.
const WAIT_FOR_THE_SEND: Duration = Duration::from_secs(2);
const WAITS: u32 = 5;
/// How often a message that failed after it was accepted is sent anew.
const MAX_RESENDS: u32 = 2;

/// Applies delivery reports.
pub(crate) struct Reports {
    pub(crate) redis: Redis,
    pub(crate) ledger_ttl: Duration,
    pub(crate) window_template: Option<Template>,
    pub(crate) metrics: EgressMetrics,
}

/// What the ledger says of the message that a report is about.
struct Send {
    id: OutboundId,
    fields: std::collections::BTreeMap<String, String>,
}

impl Reports {
    /// Applies one report.
    pub(crate) async fn apply(&self, mut job: Job<Outbound>, report: &DeliveryEvent) -> Settled {
        self.metrics.report(report.source, report.status);
        let send = match self.find(&mut job, report).await {
            Ok(Some(send)) => send,
            Ok(None) => {
                tracing::debug!(
                    provider_id = report.provider_id,
                    "report about a message that is not in the ledger"
                );
                return job.acknowledge().await;
            }
            Err(settled) => return settled,
        };
        let (sent, told) = (send.fields.get("trace"), job.entry.trace.clone());
        let trace = sent.or(told.as_ref()).map(String::as_str);
        let span = traces::consumer_span(Queue::Outbound, &job.entry.kind, trace);
        traces::link(&span, sent.and(told.as_deref()));
        self.note(job, report, &send).instrument(span).await
    }

    /// Applies a report to the message that it is about.
    async fn note(&self, job: Job<Outbound>, report: &DeliveryEvent, send: &Send) -> Settled {
        let keys = job.keys();
        let mut record = Record {
            key: keys.send(send.id.as_str()),
            fields: vec![(
                status_field(report.status),
                report.at.as_millisecond().to_string(),
            )],
            ttl: self.ledger_ttl,
            ..Record::default()
        };
        if !send.fields.contains_key("pid") {
            let index = keys.provider_message(report.source.as_str(), &report.provider_id);
            record.fields.push(("pid", report.provider_id.clone()));
            record.index = Some((index, send.id.to_string()));
        }
        let current = send
            .fields
            .get("status")
            .and_then(|status| status.parse().ok());
        if next_status(current, report.status) == Move::Forward {
            record
                .fields
                .push(("status", report.status.as_str().to_owned()));
            if let Some(code) = &report.error_code {
                record.fields.push(("error_code", code.clone()));
            }
            if failed(report.status) {
                record.entry = self.after_failure(report, send, keys);
            }
        }
        job.settle(record).await
    }

    /// The ledger's record, by our id or by the provider's. Waits a little when the send has not
    /// been noted yet.
    async fn find(
        &self,
        job: &mut Job<Outbound>,
        report: &DeliveryEvent,
    ) -> Result<Option<Send>, Settled> {
        let keys = job.keys();
        for wait in 0..=WAITS {
            let id = match &report.outbound_id {
                Some(id) => Some(id.clone()),
                None => {
                    let name = keys.provider_message(report.source.as_str(), &report.provider_id);
                    let owners = self.redis.values(&[name]).await.unwrap_or_default();
                    owners
                        .into_iter()
                        .flatten()
                        .next()
                        .and_then(|id| id.parse().ok())
                }
            };
            if let Some(id) = id {
                let fields = self
                    .redis
                    .hash(&keys.send(id.as_str()))
                    .await
                    .unwrap_or_default();
                if !fields.is_empty() {
                    return Ok(Some(Send { id, fields }));
                }
            }
            if wait < WAITS && job.pause(WAIT_FOR_THE_SEND).await.is_err() {
                return Err(Settled::left());
            }
        }
        Ok(None)
    }

    /// What follows when a message failed after it was accepted: sent anew, sent as a template, or
    /// set aside. Gives the entry to add, in the same step as the report.
    fn after_failure(
        &self,
        report: &DeliveryEvent,
        send: &Send,
        keys: PartitionKeys,
    ) -> Option<(String, Vec<(String, String)>)> {
        let payload = send.fields.get("payload")?;
        let mut message: OutboundMessage = serde_json::from_str(payload).ok()?;
        let code = report.error_code.as_deref().unwrap_or_default();
        let class = match report.source {
            Source::Twilio => twilio_error_class(code).0,
            Source::Waha | Source::Chatwoot => FailureClass::Transient,
        };
        tracing::error!(
            outbound.id = %send.id, provider_id = report.provider_id, error.code = code,
            class = class.as_str(), "message accepted but not delivered"
        );
        let resends = resends_of(&send.id);
        let again = match class {
            FailureClass::Transient => resends < MAX_RESENDS,
            FailureClass::Window => {
                message.template = message.template.or_else(|| self.window_template.clone());
                message.text.clear();
                message.template.is_some() && resends == 0
            }
            FailureClass::Permanent | FailureClass::Configuration => false,
        };
        // Under its own id the ledger says that it was sent, also to who replays the dead letter.
        message.id = resend_id(&send.id, resends + 1)?;
        if again {
            let entry = outbound_entry(&message, send)?;
            return Some((keys.stream(Queue::Outbound), entry));
        }
        let mut letter: Vec<(String, String)> = vec![
            ("_reason".into(), "undelivered".into()),
            (
                "_error".into(),
                format!(
                    "{code}: accepted by the provider, then {}",
                    report.status.as_str()
                ),
            ),
            ("_attempts".into(), "1".into()),
            (
                "_failed_at".into(),
                Timestamp::now().as_millisecond().to_string(),
            ),
        ];
        letter.extend(outbound_entry(&message, send)?);
        Some((keys.dead_letters(Queue::Outbound), letter))
    }
}

const fn failed(status: DeliveryStatus) -> bool {
    matches!(status, DeliveryStatus::Failed | DeliveryStatus::Undelivered)
}

/// `ob_…~2` is the second time that `ob_…` is sent anew.
fn resends_of(id: &OutboundId) -> u32 {
    id.as_str()
        .rsplit_once('~')
        .and_then(|(_, n)| n.parse().ok())
        .unwrap_or_default()
}

fn resend_id(id: &OutboundId, resend: u32) -> Option<OutboundId> {
    let original = id.as_str().split('~').next()?;
    format!("{original}~{resend}").parse().ok()
}

fn outbound_entry(message: &OutboundMessage, send: &Send) -> Option<Vec<(String, String)>> {
    let conversation = message.conversation_id.as_str();
    let entry = NewEntry {
        trace: traces::current_traceparent().or_else(|| send.fields.get("trace").cloned()),
        ..NewEntry::new(message, message.id.as_str(), conversation).ok()?
    };
    Some(entry.into_fields())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resend_has_an_id_of_its_own() {
        let id: OutboundId = "ob_1.2".parse().unwrap();
        assert_eq!(resends_of(&id), 0);
        let again = resend_id(&id, 1).unwrap();
        assert_eq!((again.as_str(), resends_of(&again)), ("ob_1.2~1", 1));
        assert_eq!(resend_id(&again, 2).unwrap().as_str(), "ob_1.2~2");
    }
}
