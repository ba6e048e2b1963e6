//! Hands each entry of the inbound queue to what handles its kind, and commits what comes of it.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runtime::traces;
use serde::de::DeserializeOwned;
use shared_types::{ControlEvent, InboundMessage, Masking, Purpose, Source, TypingSignal};
use streams::{
    DeadLetterReason, Delivery, Destination, Entry, Handler, Ingest, NewEntry, PartitionKeys,
    Queue, ReadValues, Reads, Redis, Settled,
};
use tracing::Instrument;

use crate::effects::{Effects, Retention};
use crate::last_words::{failed, last_words};
use crate::metrics::WorkerMetrics;
use crate::turns::{Known, Turns};

/// Handles the inbound queue.
pub(crate) struct Inbound {
    pub(crate) turns: Turns,
    pub(crate) redis: Redis,
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

    fn last_turn(&self, entry: &Entry, values: &ReadValues) -> Option<streams::Turn> {
        self.give_up(entry, values)
    }
}

impl Inbound {
    async fn take(&self, delivery: Delivery) -> Settled {
        let version = version(&delivery.values);
        let known = known(&delivery.values);
        match delivery.entry.kind.as_str() {
            "message" => match payload::<InboundMessage>(&delivery.entry) {
                Ok(message) => self.message(delivery, message, known, version).await,
                Err(error) => set_aside(delivery, "undecodable", error).await,
            },
            "control" => match payload::<ControlEvent>(&delivery.entry) {
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
fn payload<T: DeserializeOwned>(entry: &Entry) -> Result<T, String> {
    serde_json::from_str(&entry.payload).map_err(|error| {
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

fn note() -> Option<String> {
    serde_json::to_string(&failed(Timestamp::now())).ok()
}

fn version(values: &ReadValues) -> u64 {
    let version = values.field(STATE, 0);
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

fn known(values: &ReadValues) -> Known {
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
            self.turns.budget,
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
            Ok(Err(error)) => return self.failed(delivery, &about, error.to_string()).await,
            Err(_) => {
                let error = "the turn took too long".into();
                return self.failed(delivery, &about, error).await;
            }
        };
        let report = self.report(about, &effects, started.elapsed());
        let settled = self.commit(delivery, version, effects).await;
        if settled.is_done() {
            report();
        }
        settled
    }

    /// Tries again later. After the last attempt a colleague is told, and so is the customer.
    async fn failed(&self, delivery: Delivery, about: &About, error: String) -> Settled {
        let last = delivery.is_last_attempt().then_some(());
        let turn = last.and_then(|()| self.give_up(&delivery.entry, &delivery.values));
        let Some(turn) = turn else {
            return delivery.retry(error, note()).await;
        };
        tracing::error!(error, event = %delivery.entry.event, "message given up; a colleague is told");
        let settled = delivery.give_up(error, turn).await;
        if settled.is_done() {
            self.metrics.given_up(about.source.as_str());
        }
        settled
    }

    /// What the conversation of a message that cannot be handled is told.
    fn give_up(&self, entry: &Entry, values: &ReadValues) -> Option<streams::Turn> {
        let message = (entry.kind == "message").then(|| payload::<InboundMessage>(entry));
        let message = message?.ok()?;
        let effects = last_words(&self.turns.domain, message, known(values), Timestamp::now());
        let turn = effects.into_turn(
            self.retention,
            version(values),
            &entry.event,
            &entry.conversation,
            entry.trace.as_deref(),
        );
        turn.ok()
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

    /// Counts the turn and logs it, once it is committed.
    fn report(&self, about: About, effects: &Effects, took: Duration) -> impl FnOnce() + use<> {
        let router = effects
            .state
            .as_ref()
            .and_then(|state| state.router_output.as_ref());
        let intent = router
            .map_or("none", |output| output.intent.as_str())
            .to_owned();
        let confidence = router.map(|output| output.confidence);
        let reply = effects.reply.as_ref().map(|reply| reply.purpose);
        let outcome = match reply {
            None => "silent",
            Some(Purpose::HandoffNotice) => "escalated",
            Some(Purpose::Reply | Purpose::OptOutNotice) => "replied",
        };
        let reason = (reply == Some(Purpose::HandoffNotice))
            .then(|| effects.memory.human_reason.clone().unwrap_or_default());
        let (metrics, masking) = (self.metrics.clone(), self.masking);
        move || {
            if let Some(reason) = reason {
                metrics.escalated(&reason);
            }
            metrics.turn(about.source.as_str(), &intent, outcome, took);
            tracing::info!(
                message.id = about.id,
                conversation = %masking.show(&about.conversation),
                source = %about.source,
                intent,
                confidence,
                outcome,
                took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                "turn taken"
            );
        }
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

#[cfg(test)]
mod tests;
