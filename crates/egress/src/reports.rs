//! Delivery reports: status callbacks and acks, applied to the ledger forwards only.

mod find;
mod progress;

use std::time::Duration;

use jiff::Timestamp;
use runtime::traces;
use serde_json::json;
use shared_types::{
    DeliveryEvent, DeliveryStatus, FailureClass, Outbound, OutboundId, OutboundMessage, Purpose,
    Source, Template, TickStatus,
};
use streams::{Job, NewEntry, PartitionKeys, Queue, Record, Redis, Settled};
use tracing::Instrument;

use crate::ledger::status_field;
use crate::metrics::EgressMetrics;
use crate::retry::schedule::Schedule;
use crate::senders::{pause_before_resend, twilio_error_class};
use crate::ticks::{self, Ticks};
use find::{Found, Send, names_of};
use progress::{Move, next_status};

/// Applies delivery reports.
pub(crate) struct Reports {
    pub(crate) redis: Redis,
    pub(crate) ledger_ttl: Duration,
    /// How long it waits each time.
    pub(crate) wait: Duration,
    pub(crate) window_template: Option<Template>,
    pub(crate) schedule: Schedule,
    pub(crate) ticks: Ticks,
    pub(crate) metrics: EgressMetrics,
}

impl Reports {
    /// Applies one report.
    pub(crate) async fn apply(&self, mut job: Job<Outbound>, report: &DeliveryEvent) -> Settled {
        self.metrics.report(report);
        let send = match self.find(&mut job, report).await {
            Ok(Found::Here(send)) => send,
            Ok(Found::PassedOn) => return job.acknowledge().await,
            Ok(Found::Nowhere) => {
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
        traces::content(
            "report",
            || json!({ "outbound": send.id.as_str(), "status": report.status.as_str(), "code": report.error_code }),
        );
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
        let known = send.fields.get("pid");
        if known.is_none() {
            record.fields.push(("pid", report.provider_id.clone()));
        }
        // A second copy, of a request whose outcome nobody knew, is ours as well.
        if known != Some(&report.provider_id) {
            let [index, _] = names_of(report, keys);
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
            if let Some(words) = &report.error_message {
                record.fields.push(("error", words.clone()));
            }
            if failed(report.status) {
                record.entry = self.after_failure(report, send, keys);
            }
            if let Some(told) = self.told(report, send, &record, keys)
                && let Err(settled) = job.record(&told).await
            {
                return settled;
            }
        }
        job.settle(record).await
    }

    /// What the help desk is told of a report. A failure that is tried anew is none yet.
    fn told(
        &self,
        report: &DeliveryEvent,
        send: &Send,
        record: &Record,
        keys: PartitionKeys,
    ) -> Option<Record> {
        let payload = send.fields.get("payload")?;
        let message: OutboundMessage = serde_json::from_str(payload).ok()?;
        let letters = keys.dead_letters(Queue::Outbound);
        let is_given_up = record
            .entry
            .as_ref()
            .is_some_and(|(key, _)| *key == letters);
        let (status, error) = match ticks::reported(report.status) {
            Some(status) => (status, None),
            None if is_given_up => {
                let code = report.error_code.as_deref().unwrap_or_default();
                let why = report.error_message.as_deref().unwrap_or(code);
                let words = ticks::in_words("undelivered", why);
                (TickStatus::Failed, Some(words))
            }
            None => return None,
        };
        self.ticks.record(&message, status, error, keys)
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
        if message.picture.is_some() && message.text.is_empty() && message.template.is_none() {
            tracing::warn!(outbound.id = %send.id, error.code = code, "a picture was not delivered");
            return None;
        }
        let class = match report.source {
            Source::Twilio => twilio_error_class(code).0,
            Source::Waha | Source::Chatwoot => FailureClass::Transient,
        };
        tracing::error!(
            outbound.id = %send.id, provider_id = report.provider_id, error.code = code,
            error = report.error_message, class = class.as_str(), "message accepted but not delivered"
        );
        let resends = resends_of(&send.id);
        let again = match class {
            FailureClass::Transient => resends < self.schedule.extra_rounds,
            FailureClass::Window => {
                // A colleague's words are sent as they are, or not at all.
                let template = || self.window_template.clone();
                let is_ours = message.purpose != Purpose::Colleague;
                if is_ours {
                    message.template = message.template.or_else(template);
                    message.text.clear();
                }
                is_ours && message.template.is_some() && resends == 0
            }
            FailureClass::Permanent | FailureClass::Configuration => false,
        };
        // Under its own id the ledger says that it was sent, also to who replays the dead letter.
        message.id = resend_id(&send.id, resends + 1)?;
        if again {
            let pause = match class {
                FailureClass::Transient => pause_before_resend(code, resends + 1, &self.schedule),
                _ => Duration::ZERO,
            };
            message.not_before = Some(Timestamp::now() + pause);
            let entry = outbound_entry(&message, send)?;
            return Some((keys.stream(Queue::Outbound), entry));
        }
        let mut letter: Vec<(String, String)> = vec![
            ("_reason".into(), "undelivered".into()),
            (
                "_error".into(),
                format!(
                    "{code}: accepted by the provider, then {}: {}",
                    report.status.as_str(),
                    report
                        .error_message
                        .as_deref()
                        .unwrap_or("without a word why")
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
        // Behind it may stand the number of a part.
        .and_then(|(_, n)| n.split('.').next()?.parse().ok())
        .unwrap_or_default()
}

fn resend_id(id: &OutboundId, resend: u32) -> Option<OutboundId> {
    let original = id.as_str().split('~').next()?;
    format!("{original}~{resend}").parse().ok()
}

fn outbound_entry(message: &OutboundMessage, send: &Send) -> Option<Vec<(String, String)>> {
    let conversation = message.conversation_id.as_str();
    let entry = NewEntry {
        // It may wait for long; what the recipient is told meanwhile does not wait for it.
        mailbox: Some(format!("resend:{}", message.id)),
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
        assert_eq!(resends_of(&again.template()), 1);
    }
}
