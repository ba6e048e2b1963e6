//! The send gate: one way out for all channels.
//!
//! ```text
//! entry → opted out? human in charge? window open? → parts → for each part:
//!   sender works? → typing → pace → intent → request → settle
//! ```
//!
//! A failed request is tried again here, while only this recipient's mailbox waits. A request whose
//! outcome is unknown is looked up before it is repeated.

mod admission;
mod aftermath;
mod doubt;
mod hand_over;
mod health;
mod log;
mod pacer;
mod recent;

use std::sync::Arc;

use jiff::Timestamp;
use shared_types::{Masking, Outbound, OutboundMessage, Template};
use streams::{DeadLetterReason, Interrupted, Job, PartitionKeys, Reads, Redis, Settled};

use crate::config::{EgressConfig, SendingConfig};
use crate::ledger::{self, Stage};
use crate::metrics::EgressMetrics;
use crate::senders::{Part, Senders, parts};
use admission::{Admission, CONTACT_FIELDS, CONVERSATION_FIELDS, Standing, admit};
use hand_over::Step;
use health::SenderHealth;
use pacer::Pacer;
use recent::Recent;

/// The hashes read before the ledger's: conversation and contact.
const LEDGER_HASHES_FROM: usize = 2;

/// A sender may have one in this many of the process's requests in progress.
const SENDERS_SHARE: usize = 4;

/// The way out.
pub(crate) struct Gate {
    redis: Redis,
    senders: Arc<Senders>,
    settings: SendingConfig,
    window_template: Option<Template>,
    pacer: Pacer,
    health: SenderHealth,
    recent: Recent,
    metrics: EgressMetrics,
    masking: Masking,
}

/// Why a message leaves the gate before it is sent.
pub(crate) enum Stop {
    /// It is settled already, or its owner has changed.
    Settled(Settled),
    /// The process stops; the message stays pending.
    Leave,
    /// It is set aside.
    SetAside(DeadLetterReason),
}

impl From<Settled> for Stop {
    fn from(settled: Settled) -> Self {
        Self::Settled(settled)
    }
}

impl From<Interrupted> for Stop {
    fn from(_: Interrupted) -> Self {
        Self::Leave
    }
}

/// The reason of a dead letter that the provider may have all the same.
pub(crate) const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// A message is set aside.
pub(crate) fn set_aside(reason: &'static str, error: impl Into<String>) -> DeadLetterReason {
    DeadLetterReason {
        reason,
        error: error.into(),
    }
}

impl Gate {
    pub(crate) fn new(
        redis: Redis,
        senders: Arc<Senders>,
        config: &EgressConfig,
        metrics: EgressMetrics,
    ) -> Self {
        let settings = config.sending.clone();
        let ms = std::time::Duration::from_millis;
        let (jitter, warning) = (ms(settings.pace_jitter_ms), ms(settings.pace_warning_ms));
        Self {
            pacer: Pacer::new(
                redis.clone(),
                settings.in_flight.get().div_ceil(SENDERS_SHARE),
                jitter,
                warning,
                metrics.clone(),
            ),
            health: SenderHealth::new(ms(settings.probe_ms), metrics.clone()),
            recent: Recent::default(),
            window_template: config.twilio.window_template(),
            masking: config.runtime.masking(),
            redis,
            senders,
            settings,
            metrics,
        }
    }

    /// What a send needs read: how things stand with the customer, and the ledger of each part.
    pub(crate) fn reads(
        &self,
        conversation: &str,
        message: &OutboundMessage,
        keys: PartitionKeys,
    ) -> Reads {
        let mut hashes = vec![
            (keys.conversation(conversation), CONVERSATION_FIELDS),
            (keys.contact(conversation), CONTACT_FIELDS),
        ];
        if let Some(sender) = self.senders.get(message.source) {
            let parts = 1..=sender.contents(message).len();
            let ids = parts.map(|number| message.id.part(number));
            hashes.extend(ids.map(|id| (keys.send(id.as_str()), ledger::FIELDS)));
        }
        Reads { list: None, hashes }
    }

    /// What is blocked as a whole: the sender that the message leaves from.
    pub(crate) fn lane(&self, message: &OutboundMessage) -> Option<String> {
        let sender = self.senders.get(message.source)?;
        Some(sender.pace(message).clock)
    }

    /// Sends a message, part after part, and settles its entry.
    pub(crate) async fn send(
        &self,
        mut job: Job<Outbound>,
        message: &Arc<OutboundMessage>,
    ) -> Settled {
        match self.try_send(&mut job, message).await {
            Ok(last) => job.settle(last).await,
            Err(Stop::Settled(settled)) => settled,
            Err(Stop::Leave) => job.leave(),
            Err(Stop::SetAside(why)) => {
                tracing::error!(
                    outbound.id = job.entry.event, reason = why.reason, error = why.error,
                    conversation = %self.masking.show(&job.entry.conversation),
                    "message set aside as a dead letter"
                );
                job.dead_letter(why, None).await
            }
        }
    }

    /// Gives the record with which the entry ends.
    async fn try_send(
        &self,
        job: &mut Job<Outbound>,
        message: &Arc<OutboundMessage>,
    ) -> Result<streams::Record, Stop> {
        let message = self.admitted(job, message)?;
        let Some(sender) = self.senders.get(message.source) else {
            let error = format!("no sender for {} is configured", message.source);
            return Err(Stop::SetAside(set_aside("not_configured", error)));
        };
        let parts = parts(sender, &message);
        let Some((last, earlier)) = parts.split_last() else {
            let error = "the text is too long even for several messages";
            return Err(Stop::SetAside(set_aside("too_long", error)));
        };
        for (index, part) in earlier.iter().enumerate() {
            let step = self.first_step(job, index, part);
            let record = self.hand_over(job, sender, part, step).await?;
            job.record(&record).await?;
        }
        let step = self.first_step(job, earlier.len(), last);
        self.hand_over(job, sender, last, step).await
    }

    /// Where a part goes on, by what the ledger and this process know of it.
    fn first_step(&self, job: &Job<Outbound>, index: usize, part: &Part) -> Step {
        let settle = std::time::Duration::from_millis(self.settings.settle_ms);
        let (values, hash) = (&job.values, LEDGER_HASHES_FROM + index);
        let stage = Stage::read(values, hash, settle);
        let noted = ledger::last_request(values, hash);
        self.recent.correct(&part.id, stage, noted, settle)
    }

    fn admitted(
        &self,
        job: &Job<Outbound>,
        message: &Arc<OutboundMessage>,
    ) -> Result<Arc<OutboundMessage>, Stop> {
        let standing = Standing::read(&job.values);
        let template = self.window_template.as_ref();
        match admit(message, &standing, template, Timestamp::now()) {
            Admission::Send => Ok(message.clone()),
            Admission::SendTemplate(template) => Ok(Arc::new(OutboundMessage {
                text: String::new(),
                template: Some(template),
                ..OutboundMessage::clone(message)
            })),
            Admission::Refuse(reason) => {
                self.metrics.refused(message.source, reason);
                let why = set_aside(reason, "the message may not be sent");
                Err(Stop::SetAside(why))
            }
        }
    }
}
