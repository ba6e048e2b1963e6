//! Hands each entry of the inbound queue to what handles its kind, and commits what comes of it.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runtime::traces;
use serde::de::DeserializeOwned;
use shared_types::{
    ControlEvent, HistoryTurn, InboundMessage, Masking, Purpose, Role, Source, TypingSignal,
};
use streams::{
    DeadLetterReason, Delivery, Destination, Entry, Handler, Ingest, NewEntry, PartitionKeys,
    Queue, Reads, Redis, Settled,
};
use tracing::Instrument;

use crate::effects::{Effects, Retention};
use crate::metrics::WorkerMetrics;
use crate::turns::{Known, Turns};

/// Handles the inbound queue.
pub(crate) struct Inbound {
    pub(crate) turns: Turns,
    pub(crate) redis: Redis,
    /// How long a turn may take.
    pub(crate) budget: Duration,
    /// After how long a turn counts as slow; none when nobody wants to know.
    pub(crate) slow_after: Option<Duration>,
    pub(crate) retention: Retention,
    pub(crate) masking: Masking,
    pub(crate) metrics: WorkerMetrics,
}

const STATE: usize = 0;
const CONTACT: usize = 1;

impl Handler for Inbound {
    fn reads(&self, entry: &Entry, keys: PartitionKeys) -> Reads {
        let conversation = entry.conversation.as_str();
        Reads {
            list: Some((keys.history(conversation), self.retention.history_lines)),
            hashes: vec![
                (keys.conversation(conversation), &["ver", "memory"]),
                (keys.contact(conversation), &["opted_out"]),
            ],
        }
    }

    async fn handle(&self, delivery: Delivery) -> Settled {
        let entry = delivery.entry.clone();
        let span = traces::consumer_span(Queue::Inbound, &entry.kind, entry.trace.as_deref());
        self.take(delivery).instrument(span).await
    }

    fn dead_letter_note(&self, entry: &Entry) -> Option<String> {
        (entry.kind == "message").then(note).flatten()
    }
}

impl Inbound {
    async fn take(&self, delivery: Delivery) -> Settled {
        let version = delivery.values.field(STATE, 0);
        let version = version
            .and_then(|version| version.parse().ok())
            .unwrap_or(0);
        let known = known(&delivery);
        match delivery.entry.kind.as_str() {
            "message" => match payload::<InboundMessage>(&delivery) {
                Ok(message) => self.message(delivery, message, known, version).await,
                Err(error) => set_aside(delivery, "undecodable", error).await,
            },
            "control" => match payload::<ControlEvent>(&delivery) {
                Ok(event) => {
                    tracing::info!(change = ?event.kind, "conversation changed hands");
                    let effects = self.turns.control(&event, known);
                    self.commit(delivery, version, effects).await
                }
                Err(error) => set_aside(delivery, "undecodable", error).await,
            },
            kind => {
                let error = format!("the worker does not handle entries of kind {kind:?}");
                set_aside(delivery, "unknown_kind", error).await
            }
        }
    }
}

/// The payload, or where it stops being one. The reader's own words may hold customer text.
fn payload<T: DeserializeOwned>(delivery: &Delivery) -> Result<T, String> {
    serde_json::from_str(&delivery.entry.payload).map_err(|error| {
        let (kind, line, column) = (error.classify(), error.line(), error.column());
        format!("the payload is not what its kind says: {kind:?} error at {line}:{column}")
    })
}

async fn set_aside(delivery: Delivery, reason: &'static str, error: String) -> Settled {
    let event = &delivery.entry.event;
    tracing::error!(reason, error, %event, "message set aside as a dead letter");
    delivery
        .dead_letter(DeadLetterReason { reason, error }, note())
        .await
}

/// The history's line for a message that could not be handled.
fn note() -> Option<String> {
    let line = HistoryTurn {
        role: Role::System,
        text: "a message could not be handled".into(),
        at: Timestamp::now(),
    };
    serde_json::to_string(&line).ok()
}

fn known(delivery: &Delivery) -> Known {
    let values = &delivery.values;
    let memory = values.field(STATE, 1).map(serde_json::from_str).transpose();
    let memory = memory.unwrap_or_else(|_| {
        tracing::warn!("what was remembered of a conversation cannot be read; it starts anew");
        None
    });
    let history = values.list.iter();
    Known {
        memory: memory.unwrap_or_default(),
        history: history
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
        opted_out: values.field(CONTACT, 0).is_some(),
    }
}

impl Inbound {
    async fn message(
        &self,
        delivery: Delivery,
        message: InboundMessage,
        known: Known,
        version: u64,
    ) -> Settled {
        let started = Instant::now();
        let about = About::of(&message);
        let slow = self
            .slow_after
            .and_then(|after| Some((after, typing(&message)?)));
        let turn = tokio::time::timeout(
            self.budget,
            // Boxed: the agents' futures are large.
            Box::pin(self.turns.take(message, known, Timestamp::now())),
        );
        let taken = match slow {
            None => turn.await,
            Some((after, signal)) => {
                tokio::pin!(turn);
                tokio::select! {
                    taken = &mut turn => taken,
                    () = tokio::time::sleep(after) => tokio::join!(turn, self.show(signal)).0,
                }
            }
        };
        let effects = match taken {
            Ok(Ok(effects)) => effects,
            Ok(Err(error)) => return delivery.retry(error.to_string(), note()).await,
            Err(_) => {
                return delivery
                    .retry("the turn took too long".into(), note())
                    .await;
            }
        };
        self.report(&about, &effects, started.elapsed());
        self.commit(delivery, version, effects).await
    }

    async fn commit(&self, delivery: Delivery, version: u64, effects: Effects) -> Settled {
        let entry = &delivery.entry;
        let trace = traces::current_traceparent().or_else(|| entry.trace.clone());
        match effects.into_turn(
            self.retention,
            version,
            &entry.event,
            &entry.conversation,
            trace.as_deref(),
        ) {
            Ok(turn) => delivery.commit(turn).await,
            Err(error) => set_aside(delivery, "unwritable", error.to_string()).await,
        }
    }

    /// Nothing depends on it: a signal that is not taken is forgotten.
    async fn show(&self, signal: TypingSignal) {
        let Ok(payload) = serde_json::to_string(&signal) else {
            return;
        };
        let conversation = signal.to.to_string();
        let entry = NewEntry {
            kind: TypingSignal::KIND.into(),
            event: format!("{}:typing:{}", signal.source, signal.message_id),
            mailbox: conversation
                .parse()
                .ok()
                .map(|id| TypingSignal::mailbox(&id)),
            conversation,
            payload,
            trace: traces::current_traceparent(),
        };
        let ingest = Ingest {
            destination: Destination::Work(Queue::Outbound),
            entry: &entry,
            rate: None,
            request_id: &entry.event,
            dedup_for: Duration::ZERO,
            max_backlog: 0,
            replicas: 0,
            replica_timeout: Duration::ZERO,
        };
        if let Err(error) = self.redis.ingest(&ingest).await {
            tracing::debug!(%error, "no typing indicator");
        }
    }

    fn report(&self, about: &About, effects: &Effects, took: Duration) {
        let router = effects
            .state
            .as_ref()
            .and_then(|state| state.router_output.as_ref());
        let intent = router.map_or("none", |output| output.intent.as_str());
        let reply = effects.reply.as_ref().map(|reply| reply.purpose);
        let outcome = match reply {
            None => "silent",
            Some(Purpose::HandoffNotice) => "escalated",
            Some(Purpose::Reply | Purpose::OptOutNotice) => "replied",
        };
        if reply == Some(Purpose::HandoffNotice) {
            let reason = effects.memory.human_reason.as_deref();
            self.metrics.escalated(reason.unwrap_or_default());
        }
        self.metrics
            .turn(about.source.as_str(), intent, outcome, took);
        tracing::info!(
            message.id = about.id,
            conversation = %self.masking.show(&about.conversation),
            source = %about.source,
            intent,
            confidence = router.map(|output| output.confidence),
            outcome,
            took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "turn taken"
        );
    }
}

/// What a log line says of a message.
struct About {
    id: String,
    conversation: String,
    source: Source,
}

impl About {
    fn of(message: &InboundMessage) -> Self {
        Self {
            id: message.id.to_string(),
            conversation: message.conversation.id.to_string(),
            source: message.source,
        }
    }
}

/// Only Twilio has an indicator that is not part of sending.
fn typing(message: &InboundMessage) -> Option<TypingSignal> {
    (message.source == Source::Twilio).then(|| TypingSignal {
        source: message.source,
        to: message.sender.id.clone(),
        endpoint: message.endpoint.clone().unwrap_or_default(),
        message_id: message.id.clone(),
        at: Timestamp::now(),
    })
}
