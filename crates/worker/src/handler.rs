//! Hands each entry of the inbound queue to what handles its kind, and commits what comes of it.

mod arrival;
mod seen;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runtime::traces;
use serde_json::json;
use shared_types::fields::mirror as mirror_fields;
use shared_types::{
    ColleagueMessage, ControlEvent, Inbound as Payload, InboundMessage, MirrorMessage, MirrorStep,
    Purpose, Source, TypingSignal,
};
use streams::{
    Commit, DeadLetterReason, EarlyHash, EarlyReads, Entry, Gather, Handler, Ingest, Job, NewEntry,
    PartitionKeys, Queue, ReadValues, Redis, Settled, StreamsError, Waiting,
};
use tracing::Instrument;

use crate::burst::{self, Bursts};
use crate::effects::{Effects, OptOut, Retention};
use crate::identity::Identities;
use crate::last_words::{failed, last_words};
use crate::metrics::{Talked, WorkerMetrics};
use crate::mirror::{self, Shown};
use crate::onlooker;
use crate::remembered::{
    CONTACT_FIELDS, STATE_FIELDS, has_anothers_opt_out, kin, known, last_inbound, our_address,
    version,
};
use crate::turns::Turns;

/// Handles the inbound queue.
pub(crate) struct Inbound {
    pub(crate) turns: Turns,
    pub(crate) identities: Identities,
    pub(crate) redis: Redis,
    /// After how long a turn counts as slow; none when nobody wants to know.
    pub(crate) slow_after: Option<Duration>,
    pub(crate) retention: Retention,
    pub(crate) bursts: Bursts,
    /// Whether conversations are shown in a help desk.
    pub(crate) mirrors: bool,
    pub(crate) metrics: WorkerMetrics,
}

impl Handler for Inbound {
    type Payload = Payload;

    fn early_reads(&self, keys: PartitionKeys) -> Option<EarlyReads> {
        let hash = |begins, fields| EarlyHash {
            begins,
            of_event: false,
            ends: "",
            fields,
        };
        Some(EarlyReads {
            list: Some((keys.history(""), self.retention.history_lines)),
            hashes: vec![
                hash(keys.conversation(""), STATE_FIELDS),
                hash(keys.contact(""), CONTACT_FIELDS),
            ],
        })
    }

    fn gather(&self, waiting: &[Waiting<'_, Payload>]) -> Gather {
        self.bursts.gather(waiting)
    }

    async fn handle(&self, job: Job<Payload>) -> Settled {
        let entry = job.entry.clone();
        let span = traces::consumer_span(Queue::Inbound, &entry.kind, entry.trace.as_deref());
        // Boxed: who waits for a place among the work in flight needs none of it yet.
        Box::pin(self.take(job).instrument(span)).await
    }

    fn last_words(&self, entry: &Entry, payload: &Payload, values: &ReadValues) -> Option<Commit> {
        self.give_up(entry, payload, values)
    }

    fn unread_note(&self) -> Option<String> {
        note()
    }
}

impl Inbound {
    async fn take(&self, job: Job<Payload>) -> Settled {
        let version = version(&job.values);
        match &*job.payload.clone() {
            Payload::Message(message) => {
                let later: Vec<_> = job
                    .merged
                    .iter()
                    .filter_map(|(_, one)| text_of(one))
                    .collect();
                let whole = burst::merged(message, &later);
                // Boxed: a turn is large, and would be copied on its way in.
                Box::pin(self.message(job, whole, version)).await
            }
            // Boxed: rarely taken, and large enough to swell every turn.
            Payload::Control(event) => Box::pin(self.control(job, event, version)).await,
            Payload::Colleague(message) => Box::pin(self.colleague(job, message, version)).await,
            Payload::Arrival(arrival) => Box::pin(self.arrival(job, arrival, version)).await,
        }
    }

    async fn control(&self, job: Job<Payload>, event: &ControlEvent, version: u64) -> Settled {
        tracing::info!(change = ?event.kind, "conversation changed hands");
        let event_name = &job.entry.event;
        let is_shown = match mirror::is_about_shown(event, event_name) {
            true => self.display(&job).await.map(|display| display.is_some()),
            false => Ok(true),
        };
        let is_shown = match is_shown {
            Ok(is_shown) => is_shown,
            Err(error) => return job.retry(error.to_string(), None).await,
        };
        let known = known(&job.values, None);
        // After an erasure nothing of the customer is written again.
        if !is_shown || self.turns.is_overtaken(event, &known) {
            tracing::info!(
                "the change is of no conversation that is known, or what it ended is over"
            );
            return job.acknowledge().await;
        }
        let kin = kin(&job.values);
        if let Err(error) = self.identities.tell_others(kin, event_name, event).await {
            return job.retry(error.to_string(), None).await;
        }
        let mut effects = self.turns.control(event, known);
        if self.mirrors {
            effects.mirror.extend(mirror::of_control(event, event_name));
        }
        self.commit(job, version, effects).await
    }

    async fn colleague(
        &self,
        job: Job<Payload>,
        message: &ColleagueMessage,
        version: u64,
    ) -> Settled {
        tracing::info!(message.id = %message.id, "a colleague wrote");
        let event = &job.entry.event;
        let known = known(&job.values, None);
        let is_shown = match message.mirrored {
            Some(mirrored) => self.is_shown(&job, mirrored.message).await,
            None => Ok(true),
        };
        let is_shown = match is_shown {
            Ok(is_shown) => is_shown,
            Err(error) => return job.retry(error.to_string(), None).await,
        };
        if !is_shown {
            tracing::warn!(message.id = %message.id, "a message of a conversation that is not shown any more");
            let told = mirror::unknown(message, event);
            return self.tell_help_desk_only(job, told).await;
        }
        if message.takes_over() {
            let told = self
                .identities
                .tell_of_colleague(kin(&job.values), event, message);
            if let Err(error) = told.await {
                return job.retry(error.to_string(), None).await;
            }
        }
        let mut effects = self.turns.colleague(message, known);
        if message.unsent {
            effects.reply = mirror::unsent(message, our_address(&job.values));
        }
        if let Some(answered) = mirror::answered(message, event, our_address(&job.values)) {
            effects.reply = answered.reply;
            effects.mirror = answered.steps;
        } else if self.mirrors {
            let said = effects.history.first().map(|line| line.text.as_str());
            let shown = mirror::of_colleague(message, event, said.unwrap_or_default());
            effects.mirror.extend(shown);
        }
        self.commit(job, version, effects).await
    }
}

impl Inbound {
    /// Whether a message of the help desk is of the conversation that is shown there: an erased one is not any
    /// more.
    async fn is_shown(
        &self,
        job: &Job<Payload>,
        message: MirrorMessage,
    ) -> Result<bool, StreamsError> {
        Ok(self.display(job).await? == Some(message.conversation))
    }

    /// The number that the conversation has in the help desk.
    async fn display(&self, job: &Job<Payload>) -> Result<Option<u64>, StreamsError> {
        let key = job.keys().mirror(&job.entry.conversation);
        let known = self.redis.hash(&key).await?;
        let display = known.get(mirror_fields::DISPLAY);
        Ok(display.and_then(|id| id.parse().ok()).filter(|id| *id > 0))
    }

    /// Ends an entry of a conversation of which nothing is known, and of which nothing may be written.
    async fn tell_help_desk_only(&self, job: Job<Payload>, told: Option<MirrorStep>) -> Settled {
        if let Some(step) = told
            && let Err(error) = crm::help_desk::queue(&self.redis, &step).await
        {
            return job.retry(error, None).await;
        }
        job.acknowledge().await
    }
}

fn text_of(payload: &Payload) -> Option<&InboundMessage> {
    match payload {
        Payload::Message(message) => Some(message),
        Payload::Control(_) | Payload::Colleague(_) | Payload::Arrival(_) => None,
    }
}

fn note() -> Option<String> {
    serde_json::to_string(&failed(Timestamp::now())).ok()
}

impl Inbound {
    async fn message(&self, job: Job<Payload>, message: InboundMessage, version: u64) -> Settled {
        let answers = 1 + job.merged.len();
        let started = Instant::now();
        let about = About::of(&message);
        let shown = self.shown(&message, &job.entry);
        let begun = message.conversation.begun_at;
        let known = known(&job.values, begun);
        let last_inbound = last_inbound(&job.values, begun);
        // Boxed: what comes of rare joins is large.
        let recalled = self
            .identities
            .recall(&message, kin(&job.values), known, last_inbound);
        let (kin, known, whose) = match Box::pin(recalled).await {
            Ok(recalled) => recalled,
            Err(error) => return self.failed(job, &about, error.to_string()).await,
        };
        let known = self.turns.overtaken(known, job.entry.id, Timestamp::now());
        let before = self.is_seen().then(|| onlooker::known(&known.memory));
        let received = message.received_at;
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
        let mut effects = match taken {
            Ok(Ok(effects)) => effects,
            Ok(Err(error)) => return self.failed(job, &about, error.to_string()).await,
            Err(_) => {
                let error = "the turn took too long".into();
                return self.failed(job, &about, error).await;
            }
        };
        if let Err(error) = self.identities.follow(&kin, effects.opt_out).await {
            return self.failed(job, &about, error.to_string()).await;
        }
        if has_anothers_opt_out(&job.values, begun) {
            effects.opt_out.get_or_insert(OptOut::Lifted);
        }
        if let Some(shown) = shown.filter(|_| effects.sender.is_some()) {
            effects.mirror = shown.steps(&effects);
        }
        effects.whose = whose;
        let took = started.elapsed();
        let seen =
            before.and_then(|before| self.seen(&job, (before, received), &mut effects, took));
        let report = self.report(about, answers, &effects, took);
        let settled = self.commit(job, version, effects).await;
        if settled.is_done() {
            report();
            if let Some(seen) = seen {
                traces::content("turn", || seen);
            }
        }
        settled
    }

    /// What a help desk is shown of a message, where it is shown anything.
    fn shown(&self, message: &InboundMessage, entry: &Entry) -> Option<Box<Shown>> {
        let shown = self.mirrors.then(|| Shown::of(message, &entry.event));
        // Boxed: it is kept through the turn.
        shown.flatten().map(Box::new)
    }

    /// Tries again later. After the last attempt a colleague is told, and so is the customer.
    async fn failed(&self, job: Job<Payload>, about: &About, error: String) -> Settled {
        let last = job.is_last_attempt().then_some(());
        traces::content(
            "failed",
            || json!({ "events": events(&job), "error": error, "given_up": last.is_some() }),
        );
        let told = last.and_then(|()| self.give_up(&job.entry, &job.payload, &job.values));
        let Some(told) = told else {
            return job.retry(error, note()).await;
        };
        tracing::error!(error, event = %job.entry.event, "message given up; a colleague is told");
        let settled = job.give_up(error, told).await;
        if settled.is_done() {
            self.metrics.given_up(about.source.as_str());
        }
        settled
    }

    /// What the conversation of a message that cannot be handled is told.
    fn give_up(&self, entry: &Entry, payload: &Payload, values: &ReadValues) -> Option<Commit> {
        let Payload::Message(message) = payload else {
            return None;
        };
        let message = InboundMessage::clone(message);
        let shown = self.shown(&message, entry);
        let known = known(values, message.conversation.begun_at);
        let known = self.turns.overtaken(known, entry.id, Timestamp::now());
        let mut effects = last_words(&self.turns.domain, message, known, Timestamp::now());
        if let Some(shown) = shown {
            effects.mirror = shown.steps(&effects);
        }
        let commit = effects.into_commit(
            self.retention,
            version(values),
            &entry.event,
            &entry.conversation,
            entry.trace.as_deref(),
        );
        commit.ok()
    }

    async fn commit(&self, job: Job<Payload>, version: u64, effects: Effects) -> Settled {
        let entry = &job.entry;
        let trace = traces::current_traceparent().or_else(|| entry.trace.clone());
        match effects.into_commit(
            self.retention,
            version,
            &entry.event,
            &entry.conversation,
            trace.as_deref(),
        ) {
            Ok(commit) => job.commit(commit).await,
            Err(error) => {
                let (reason, error) = ("unwritable", error.to_string());
                tracing::error!(
                    reason,
                    error,
                    event = entry.event,
                    "message set aside as a dead letter"
                );
                job.dead_letter(DeadLetterReason { reason, error }, note())
                    .await
            }
        }
    }

    /// Nothing depends on it: a signal that is not taken is forgotten.
    async fn show(&self, signal: TypingSignal) {
        let conversation = signal.to.as_str();
        let event = format!("{}:typing:{}", signal.source, signal.message_id);
        let Ok(entry) = NewEntry::new(&signal, event, conversation) else {
            return;
        };
        let entry = NewEntry {
            mailbox: conversation
                .parse()
                .ok()
                .map(|id| TypingSignal::mailbox(&id)),
            trace: traces::current_traceparent(),
            ..entry
        };
        let ingest = Ingest::unlimited(Queue::Outbound, &entry);
        if let Err(error) = self.redis.ingest(&ingest).await {
            tracing::debug!(%error, "no typing indicator");
        }
    }

    /// Counts the turn and logs it, once it is committed.
    fn report(
        &self,
        about: About,
        answers: usize,
        effects: &Effects,
        took: Duration,
    ) -> impl FnOnce() + use<> {
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
            Some(Purpose::Reply | Purpose::OptOutNotice | Purpose::Colleague) => "replied",
        };
        let reason = (reply == Some(Purpose::HandoffNotice)).then(|| {
            effects
                .memory
                .told
                .as_ref()
                .map_or_else(String::new, |told| told.reason.clone())
        });
        let metrics = self.metrics.clone();
        let talked = Talked::of(answers, effects);
        move || {
            metrics.talked(about.source.as_str(), &talked);
            if let Some(reason) = reason {
                metrics.escalated(&reason);
            }
            metrics.turn(about.source.as_str(), &intent, outcome, took);
            tracing::info!(
                message.id = about.id,
                conversation = about.conversation,
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

/// The events of the messages that are one turn.
fn events(job: &Job<Payload>) -> Vec<String> {
    let later = job.merged.iter().map(|(entry, _)| entry.event.clone());
    std::iter::once(job.entry.event.clone())
        .chain(later)
        .collect()
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
