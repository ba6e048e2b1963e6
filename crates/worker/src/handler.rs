//! Hands each entry of the inbound queue to what handles its kind, and commits what comes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use shared_types::{
    ControlEvent, ControlKind, HistoryTurn, InboundMessage, Masking, Purpose, Role, Source,
};
use streams::{DeadLetterReason, Delivery, Entry, Handler, PartitionKeys, Reads, Settled};

use crate::agents::{Agents, contact_of, dice, replies_in};
use crate::crm::{ContactWrite, CrmWrite};
use crate::dialogue::{self, Plan, Saying};
use crate::domain::Domain;
use crate::effects::{Effects, OptOut, Retention, customer_line, reply_to};
use crate::graph;
use crate::media::Transcriber;
use crate::memory::Memory;
use crate::metrics::WorkerMetrics;
use crate::subscription::{Subscription, decide};
use crate::turn::Turn;
use crate::understanding::Understander;

/// Handles the inbound queue.
pub(crate) struct Inbound {
    pub(crate) domain: Arc<Domain>,
    pub(crate) understander: Arc<Understander>,
    pub(crate) agents: Agents,
    pub(crate) transcriber: Option<Transcriber>,
    pub(crate) budget: Duration,
    pub(crate) retention: Retention,
    pub(crate) masking: Masking,
    pub(crate) metrics: WorkerMetrics,
}

/// What is known of a conversation when its turn begins.
struct Known {
    version: u64,
    memory: Memory,
    history: Vec<HistoryTurn>,
    opted_out: bool,
}

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
        match delivery.entry.kind.as_str() {
            "message" => match serde_json::from_str(&delivery.entry.payload) {
                Ok(message) => self.message(delivery, message).await,
                Err(error) => set_aside(delivery, "undecodable", error.to_string()).await,
            },
            "control" => match serde_json::from_str(&delivery.entry.payload) {
                Ok(event) => self.control(delivery, &event).await,
                Err(error) => set_aside(delivery, "undecodable", error.to_string()).await,
            },
            kind => {
                let error = format!("the worker does not handle entries of kind {kind:?}");
                set_aside(delivery, "unknown_kind", error).await
            }
        }
    }

    fn dead_letter_note(&self, entry: &Entry) -> Option<String> {
        (entry.kind == "message").then(note).flatten()
    }
}

async fn set_aside(delivery: Delivery, reason: &'static str, error: String) -> Settled {
    tracing::error!(reason, error, event = %delivery.entry.event, "message set aside as a dead letter");
    delivery
        .dead_letter(DeadLetterReason { reason, error }, note())
        .await
}

/// The history's line for a message that could not be handled.
fn note() -> Option<String> {
    let text = "a message could not be handled".to_owned();
    serde_json::to_string(&HistoryTurn {
        role: Role::System,
        text,
        at: Timestamp::now(),
    })
    .ok()
}

impl Known {
    fn read(delivery: &Delivery) -> Self {
        let values = &delivery.values;
        let memory = values.field(0, 1).map(serde_json::from_str).transpose();
        let memory = memory.unwrap_or_else(|error| {
            tracing::warn!(%error, "what was remembered of a conversation cannot be read; it starts anew");
            None
        });
        Self {
            version: values
                .field(0, 0)
                .and_then(|version| version.parse().ok())
                .unwrap_or(0),
            memory: memory.unwrap_or_default(),
            history: values
                .list
                .iter()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
            opted_out: values.field(1, 0).is_some(),
        }
    }
}

impl Inbound {
    async fn message(&self, delivery: Delivery, mut message: InboundMessage) -> Settled {
        let started = Instant::now();
        let now = Timestamp::now();
        let known = Known::read(&delivery);
        let version = known.version;
        let taken = async {
            self.transcribe(&mut message).await;
            self.take(&message, known, now).await
        };
        let effects = match tokio::time::timeout(self.budget, taken).await {
            Ok(Ok(effects)) => effects,
            Ok(Err(error)) => return delivery.retry(error.to_string(), note()).await,
            Err(_) => {
                return delivery
                    .retry("the turn took too long".into(), note())
                    .await;
            }
        };
        self.report(&message, &effects, started.elapsed());
        self.commit(delivery, version, effects).await
    }

    async fn take(
        &self,
        message: &InboundMessage,
        known: Known,
        now: Timestamp,
    ) -> Result<Effects, crate::agents::AgentError> {
        let reading = self.understander.understand(&message.content);
        let last_inbound = (message.received_at.unwrap_or(now), our_address(message));
        let line = customer_line(message, now);
        let mut effects = match decide(&self.domain, &message.content, &reading, known.opted_out) {
            Subscription::StillEnded => Effects {
                memory: known.memory,
                ..Effects::default()
            },
            Subscription::Ended => {
                self.opted(message, known, &reading.lang, OptOut::Since(now), now)
            }
            Subscription::Renewed => self.opted(message, known, &reading.lang, OptOut::Lifted, now),
            Subscription::Wanted => {
                let mut memory = known.memory;
                if message.source == Source::Chatwoot {
                    // Chatwoot messages are only taken in while no colleague has the conversation.
                    memory.release();
                }
                let turn = Turn::new(
                    &self.domain,
                    message.clone(),
                    known.history,
                    memory,
                    reading,
                    now,
                );
                self.run_agents(turn).await?
            }
        };
        effects.memory.last_message_at = Some(now);
        effects.last_inbound = Some(last_inbound);
        effects.history.insert(0, line);
        Ok(effects)
    }

    async fn run_agents(&self, mut turn: Turn) -> Result<Effects, crate::agents::AgentError> {
        graph::run(&self.agents, &mut turn, &self.metrics).await?;
        let mut effects = Effects {
            crm: turn.unwritten.take(),
            ..Effects::default()
        };
        if let Some(output) = turn
            .state
            .conversation_output
            .clone()
            .filter(|output| !output.response_text.is_empty())
        {
            let purpose = if output.should_escalate {
                Purpose::HandoffNotice
            } else {
                Purpose::Reply
            };
            let mut reply = reply_to(&turn.message, output.response_text, purpose, turn.now);
            if output.should_escalate {
                let reason = output.escalation_reason.unwrap_or_default();
                reply.handoff_note = Some(dialogue::handoff_note(&self.domain, &turn, &reason));
                let hours = i64::from(self.domain.dialogue.human_hours);
                turn.memory.human_until =
                    turn.now.checked_add(SignedDuration::from_hours(hours)).ok();
                turn.memory.human_reason = Some(reason);
            }
            effects.history.push(bot_line(reply.text.clone(), turn.now));
            effects.reply = Some(reply);
        }
        turn.state.conversation_history.clear();
        effects.memory = turn.memory;
        effects.state = Some(turn.state);
        Ok(effects)
    }

    /// The contact ended messages, or wants them again: confirmed once.
    fn opted(
        &self,
        message: &InboundMessage,
        known: Known,
        lang: &str,
        change: OptOut,
        now: Timestamp,
    ) -> Effects {
        let (occasion, wants) = match change {
            OptOut::Since(_) => ("opted_out", false),
            OptOut::Lifted => ("opted_in", true),
        };
        self.metrics.opted(if wants { "renewed" } else { "ended" });
        let lang = known.memory.lang.as_deref().unwrap_or(lang).to_owned();
        let text = replies_in(&self.domain, &lang).map(|replies| {
            let filling = dialogue::fill(&self.domain, replies, &Default::default(), None, "", now);
            let plan = Plan {
                saying: Saying::Occasion(occasion),
                ask: None,
                escalation: None,
                misunderstood: false,
                answers: None,
            };
            dialogue::word(
                replies,
                &plan,
                "",
                &filling,
                &known.memory.variants,
                dice(message),
            )
            .text
        });
        let reply = text.map(|text| reply_to(message, text, Purpose::OptOutNotice, now));
        let contact = ContactWrite {
            wants_messages: Some(wants),
            ..contact_of(message, &lang)
        };
        let crm = CrmWrite {
            message: format!("{}:{}", message.source, message.id),
            at: message.received_at.unwrap_or(now),
            contact,
            lead: None,
        };
        Effects {
            memory: known.memory,
            history: reply
                .iter()
                .map(|reply| bot_line(reply.text.clone(), now))
                .collect(),
            opt_out: Some(change),
            reply,
            crm: Some(crm),
            ..Effects::default()
        }
    }

    async fn control(&self, delivery: Delivery, event: &ControlEvent) -> Settled {
        let mut known = Known::read(&delivery);
        match event.kind {
            ControlKind::HumanTookOver => {
                known.memory.human_until = Some(Timestamp::MAX);
                known.memory.human_reason = Some("taken_over".into());
            }
            ControlKind::Released | ControlKind::Resolved => known.memory.release(),
        }
        tracing::info!(change = ?event.kind, "conversation changed hands");
        let effects = Effects {
            memory: known.memory,
            ..Effects::default()
        };
        self.commit(delivery, known.version, effects).await
    }

    async fn commit(&self, delivery: Delivery, version: u64, effects: Effects) -> Settled {
        let entry = &delivery.entry;
        let trace = entry.trace.as_deref();
        match effects.into_turn(
            self.retention,
            version,
            &entry.event,
            &entry.conversation,
            trace,
        ) {
            Ok(turn) => delivery.commit(turn).await,
            Err(error) => set_aside(delivery, "unwritable", error.to_string()).await,
        }
    }

    /// A voice message becomes the text that was said, where that is possible.
    async fn transcribe(&self, message: &mut InboundMessage) {
        let Some(transcriber) = self
            .transcriber
            .as_ref()
            .filter(|_| message.content.is_empty())
        else {
            return;
        };
        match transcriber.text_of(message).await {
            Ok(None) => {}
            Ok(Some(text)) => {
                self.metrics.transcribed("done");
                message.content = text;
            }
            Err(error) => {
                self.metrics.transcribed(error.name());
                tracing::warn!(%error, "the agents see a voice message without its text");
            }
        }
    }

    fn report(&self, message: &InboundMessage, effects: &Effects, took: Duration) {
        let router = effects
            .state
            .as_ref()
            .and_then(|state| state.router_output.as_ref());
        let intent = router.map_or("none", |output| output.intent.as_str());
        let escalation = effects
            .reply
            .as_ref()
            .filter(|reply| reply.purpose == Purpose::HandoffNotice);
        let outcome = match (&effects.reply, escalation) {
            (None, _) => "silent",
            (Some(_), None) => "replied",
            (Some(_), Some(_)) => "escalated",
        };
        if escalation.is_some() {
            self.metrics
                .escalated(effects.memory.human_reason.as_deref().unwrap_or_default());
        }
        self.metrics
            .turn(message.source.as_str(), intent, outcome, took);
        tracing::info!(
            message.id = %message.id,
            conversation = %self.masking.show(message.conversation.id.as_str()),
            source = %message.source,
            intent,
            confidence = router.map(|output| output.confidence),
            outcome,
            took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "turn taken"
        );
    }
}

fn bot_line(text: String, at: Timestamp) -> HistoryTurn {
    HistoryTurn {
        role: Role::Bot,
        text,
        at,
    }
}

fn our_address(message: &InboundMessage) -> Option<String> {
    Some(message.endpoint.as_ref()?.address.as_ref()?.to_string())
}
