//! The send gate: one way out for all channels.
//!
//! ```text
//! entry → parts → for each part:
//!   sender works? → typing → connection → pace
//!   → opted out? human in charge? window open? → intent → request → settle
//! ```
//!
//! A message may wait for long, so what allows it is judged before every request, and the script that
//! notes the intent refuses when that has changed. A failed request is tried again here, while only this
//! recipient's mailbox waits. A request whose outcome is unknown is looked up before it is repeated.

mod admission;
mod consequence;
mod doubt;
mod hand_over;
mod health;
mod log;
mod pacer;
mod readiness;
mod recent;
mod shared;
mod step;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use runtime::traces;
use serde_json::json;
use shared_types::{Outbound, OutboundId, OutboundMessage, Template, TickStatus};
use streams::{EarlyHash, EarlyReads, Fields, Job, PartitionKeys, Reads, Redis, Settled};

use crate::config::EgressConfig;
use crate::ledger::{self, Stage};
use crate::metrics::EgressMetrics;
use crate::senders::{Content, Part, Sender, Senders, parts};
use crate::ticks::{Ticks, in_words};
use admission::{Admission, CONTACT_FIELDS, CONVERSATION_FIELDS, Seen};
use hand_over::hand_over;
use shared::Shared;
use step::{Step, Stop, set_aside};

/// The hashes read before the ledger's: conversation and contact.
const LEDGER_HASHES_FROM: usize = 2;

/// The way out.
pub(crate) struct Gate {
    senders: Arc<Senders>,
    ticks: Ticks,
    shared: Shared,
}

impl Gate {
    pub(crate) fn new(
        redis: Redis,
        senders: Arc<Senders>,
        config: &EgressConfig,
        metrics: EgressMetrics,
    ) -> Self {
        Self {
            senders,
            ticks: config.ticks(),
            shared: Shared::new(redis, config, metrics),
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
            let ids = ledger_ids(sender, message).into_iter();
            hashes.extend(ids.map(|id| (keys.send(id.as_str()), ledger::FIELDS)));
        }
        Reads { list: None, hashes }
    }

    /// What a send of one part needs read: most are.
    pub(crate) fn early_reads(keys: PartitionKeys) -> EarlyReads {
        let hash = |begins, of_event, ends, fields| EarlyHash {
            begins,
            of_event,
            ends,
            fields,
        };
        EarlyReads {
            list: None,
            hashes: vec![
                hash(keys.conversation(""), false, "", CONVERSATION_FIELDS),
                hash(keys.contact(""), false, "", CONTACT_FIELDS),
                hash(keys.send(""), true, "", ledger::FIELDS),
                hash(keys.send(""), true, OutboundId::TEMPLATE, ledger::FIELDS),
            ],
        }
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
            Ok(last) => match self.tell(&job, message, TickStatus::Sent, None).await {
                Ok(()) => job.settle(last).await,
                Err(settled) => settled,
            },
            Err(Stop::Settled(settled)) => settled,
            Err(Stop::Leave | Stop::TemplateInstead) => job.leave(),
            Err(Stop::SetAside(why)) => {
                tracing::error!(
                    outbound.id = job.entry.event,
                    reason = why.reason,
                    error = why.error,
                    conversation = job.entry.conversation,
                    "message set aside as a dead letter"
                );
                traces::content(
                    "set_aside",
                    || json!({ "outbound": job.entry.event, "reason": why.reason, "error": why.error }),
                );
                let words = in_words(why.reason, &why.error);
                match self
                    .tell(&job, message, TickStatus::Failed, Some(words))
                    .await
                {
                    Ok(()) => job.dead_letter(why, None).await,
                    Err(settled) => settled,
                }
            }
        }
    }

    /// Tells the help desk how far a message got, where it wants to know.
    async fn tell(
        &self,
        job: &Job<Outbound>,
        message: &OutboundMessage,
        status: TickStatus,
        error: Option<String>,
    ) -> Result<(), Settled> {
        match self.ticks.record(message, status, error, job.keys()) {
            Some(told) => job.record(&told).await.map(drop),
            None => Ok(()),
        }
    }

    /// Gives the record with which the entry ends.
    async fn try_send(
        &self,
        job: &mut Job<Outbound>,
        message: &Arc<OutboundMessage>,
    ) -> Result<streams::Record, Stop> {
        let Some(sender) = self.senders.get(message.source) else {
            let error = format!("no sender for {} is configured", message.source);
            return Err(Stop::SetAside(set_aside("not_configured", error)));
        };
        let mut seen = Seen::of(&job.values.hashes);
        let ids = ledger_ids(sender, message);
        let ledger = ids
            .into_iter()
            .zip(job.values.hashes.split_off(LEDGER_HASHES_FROM));
        let ledger: HashMap<OutboundId, Fields> = ledger.collect();
        loop {
            let message = match self.shared.judge(message, &seen, Timestamp::now())? {
                Admission::SendTemplate(template)
                    if !self.lacks_picture(sender, message, &ledger) =>
                {
                    Arc::new(instead(message, template))
                }
                _ => message.clone(),
            };
            match self
                .send_parts(job, sender, &message, &mut seen, &ledger)
                .await
            {
                Err(Stop::TemplateInstead) => {}
                ended => return ended,
            }
        }
    }

    /// Whether nothing but a picture is left: the customer has the text, and needs no template in its place.
    fn lacks_picture(
        &self,
        sender: &dyn Sender,
        message: &OutboundMessage,
        ledger: &HashMap<OutboundId, Fields>,
    ) -> bool {
        let settle = self.shared.settings.settle();
        let is_sent = |number| {
            let fields = ledger.get(&message.id.part(number));
            fields.is_some_and(|fields| matches!(Stage::read(fields, settle), Stage::Sent))
        };
        match sender.contents(message).as_slice() {
            [texts @ .., Content::Picture(_)] => (1..=texts.len()).all(is_sent),
            _ => false,
        }
    }

    async fn send_parts(
        &self,
        job: &mut Job<Outbound>,
        sender: &dyn Sender,
        message: &Arc<OutboundMessage>,
        seen: &mut Seen,
        ledger: &HashMap<OutboundId, Fields>,
    ) -> Result<streams::Record, Stop> {
        let mut parts = parts(sender, message);
        for part in &mut parts {
            part.chosen_id = ledger.get(&part.id).and_then(ledger::chosen_id);
        }
        let Some((last, earlier)) = parts.split_last() else {
            let error = "the text is too long even for several messages";
            return Err(Stop::SetAside(set_aside("too_long", error)));
        };
        for part in earlier {
            let step = self.first_step(ledger, part);
            match hand_over(&self.shared, job, sender, part, seen, step).await {
                Ok(record) => {
                    job.record(&record).await?;
                }
                // What follows it is essential, and the note is not.
                Err(Stop::SetAside(why)) if matches!(part.content, Content::Note(_)) => {
                    tracing::error!(outbound.id = %part.id, reason = why.reason, error = why.error,
                        "a note for colleagues is left out");
                }
                Err(stop) => return Err(stop),
            }
        }
        let step = self.first_step(ledger, last);
        match hand_over(&self.shared, job, sender, last, seen, step).await {
            Err(stop) if last.content.is_extra() => left_out(last, stop),
            ended => ended,
        }
    }

    /// Where a part goes on, by what the ledger and this process know of it.
    fn first_step(&self, ledger: &HashMap<OutboundId, Fields>, part: &Part) -> Step {
        let (unknown, settle) = (Fields::default(), self.shared.settings.settle());
        let fields = ledger.get(&part.id).unwrap_or(&unknown);
        let stage = Stage::read(fields, settle);
        self.shared
            .recent
            .correct(&part.id, stage, ledger::last_request(fields), settle)
    }
}

/// The text is there. A picture that cannot follow it is worth no dead letter, and no template.
fn left_out(part: &Part, stop: Stop) -> Result<streams::Record, Stop> {
    let (reason, error) = match stop {
        Stop::SetAside(why) => (why.reason, why.error),
        Stop::TemplateInstead => ("window_closed", String::new()),
        stop @ (Stop::Settled(_) | Stop::Leave) => return Err(stop),
    };
    tracing::warn!(outbound.id = %part.id, reason, error, "a picture is left out");
    Ok(streams::Record::default())
}

/// The parts that the ledger may know of: those of the text, and the template in its place.
fn ledger_ids(sender: &dyn Sender, message: &OutboundMessage) -> Vec<OutboundId> {
    let parts = 1..=sender.contents(message).len();
    let ids = parts.map(|number| message.id.part(number));
    ids.chain([message.id.template()]).collect()
}

/// The template in a message's place. It has an id of its own: the ledger may say that the text's
/// first part was sent.
fn instead(message: &OutboundMessage, template: Template) -> OutboundMessage {
    let is_template = message.text.is_empty();
    OutboundMessage {
        id: if is_template {
            message.id.clone()
        } else {
            message.id.template()
        },
        text: String::new(),
        picture: None,
        template: Some(template),
        ..message.clone()
    }
}
