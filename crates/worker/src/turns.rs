//! Takes turns: from a message and what is known to everything that the turn changes. No Redis here.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared_types::{ControlEvent, ControlKind, HistoryTurn, InboundMessage, Purpose, Role, Slots};

use crate::agents::{AgentError, Agents, contact_of, dice, replies_in};
use crate::budget::Deadline;
use crate::carried::{context, customer_line, for_agents};
use crate::crm::{ContactWrite, CrmWrite};
use crate::dialogue::{self, Plan, Saying};
use crate::domain::{About, Domain, SlotKind};
use crate::effects::{Effects, OptOut, reply_to};
use crate::graph;
use crate::media::Transcriber;
use crate::memory::Memory;
use crate::metrics::WorkerMetrics;
use crate::subscription::{Subscription, decide};
use crate::turn::Turn;
use crate::understanding::{Understander, Understanding};

/// Everything that a turn needs.
pub struct Turns {
    /// The business.
    pub domain: Arc<Domain>,
    /// The rules.
    pub understander: Arc<Understander>,
    /// The graph's agents.
    pub agents: Agents,
    /// What puts voice messages into text, where that is configured.
    pub transcriber: Option<Transcriber>,
    /// How long a turn may take.
    pub budget: Duration,
    /// What is counted.
    pub metrics: WorkerMetrics,
}

/// What is known of a conversation when its turn begins.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What is remembered.
    pub memory: Memory,
    /// Earlier lines, oldest first.
    pub history: Vec<HistoryTurn>,
    /// Whether the contact wants no messages.
    pub opted_out: bool,
}

impl Turns {
    /// Takes the turn of a message.
    ///
    /// # Errors
    /// When an agent fails or takes too long.
    pub async fn take(
        &self,
        mut message: InboundMessage,
        known: Known,
        now: Timestamp,
    ) -> Result<Effects, AgentError> {
        let deadline = Deadline::after(self.budget);
        self.transcribe(&mut message, &known.memory, deadline).await;
        let line = customer_line(&message, now);
        for_agents(&mut message);
        let message = &message;
        let mut reading = self.read(&message.content, &known.memory);
        self.add_context(&mut reading, message);
        let last_inbound = (message.received_at.unwrap_or(now), our_address(message));
        let mut effects = match decide(message.provider_word, reading.consent, known.opted_out) {
            Subscription::StillEnded | Subscription::Answered => Effects {
                memory: known.memory,
                ..Effects::default()
            },
            Subscription::Ended => {
                self.opted(message, known, &reading.lang, OptOut::Since(now), now)
            }
            Subscription::Renewed => self.opted(message, known, &reading.lang, OptOut::Lifted, now),
            Subscription::Doubtful => {
                self.asked_whether_to_stop(message, known, &reading.lang, now)
            }
            Subscription::Wanted => {
                let turn = Turn::new(
                    &self.domain,
                    message.clone(),
                    known.history,
                    known.memory,
                    reading,
                    now,
                    deadline,
                );
                self.run_agents(turn).await?
            }
        };
        effects.last_inbound = Some(last_inbound);
        effects.history.insert(0, line);
        Ok(effects)
    }

    /// Reads a message. A bare answer to the question that was asked says little by itself: "15" is
    /// read as a budget after the question for the budget.
    fn read(&self, content: &str, memory: &Memory) -> Understanding {
        let mut reading = self.understander.understand(content);
        let open = memory.open_question.as_deref();
        let topic = open.and_then(|name| self.domain.dialogue.topic(name));
        let Some((topic, prefix)) =
            topic.and_then(|topic| Some((topic, topic.answer_prefix.as_ref()?)))
        else {
            return reading;
        };
        let answers = |name: &String| topic.values.contains(name);
        for suffix in ["", topic.answer_suffix.as_deref().unwrap_or_default()] {
            if reading.slots.keys().any(answers) {
                break;
            }
            let text = format!("{prefix} {content} {suffix}");
            let answer = self.understander.understand(&text);
            let found = answer.slots.into_iter().filter(|(name, _)| answers(name));
            reading.slots.extend(found);
        }
        reading
    }

    /// A message that names no thing of its own is about the one that it quotes, or that the
    /// advertisement showed.
    fn add_context(&self, reading: &mut Understanding, message: &InboundMessage) {
        let Some(context) = context(message) else {
            return;
        };
        let around = self.understander.understand(&context);
        for slot in &self.domain.slots {
            let SlotKind::Catalogue(names) = &slot.kind else {
                continue;
            };
            let names = [&names.upper, &names.lower];
            if names.iter().any(|name| reading.slots.contains_key(*name)) {
                continue;
            }
            let found = names
                .iter()
                .filter_map(|name| around.slots.get_key_value(*name));
            reading
                .slots
                .extend(found.map(|(name, value)| (name.clone(), value.clone())));
        }
    }

    async fn run_agents(&self, mut turn: Turn) -> Result<Effects, AgentError> {
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
        // A provider that knows the word has confirmed it, and takes nothing more from us.
        let text = message
            .provider_word
            .is_none()
            .then(|| self.say(occasion, message, &known, &lang, now));
        let reply = text
            .flatten()
            .map(|text| reply_to(message, text, Purpose::OptOutNotice, now));
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

    /// It sounds like an end of messages: asked, with the word for it.
    fn asked_whether_to_stop(
        &self,
        message: &InboundMessage,
        known: Known,
        lang: &str,
        now: Timestamp,
    ) -> Effects {
        let lang = known.memory.lang.as_deref().unwrap_or(lang).to_owned();
        let text = self.say("opt_out_doubtful", message, &known, &lang, now);
        let reply = text.map(|text| reply_to(message, text, Purpose::Reply, now));
        Effects {
            history: reply
                .iter()
                .map(|reply| bot_line(reply.text.clone(), now))
                .collect(),
            memory: known.memory,
            reply,
            ..Effects::default()
        }
    }

    /// The text of an occasion.
    fn say(
        &self,
        occasion: &'static str,
        message: &InboundMessage,
        known: &Known,
        lang: &str,
        now: Timestamp,
    ) -> Option<String> {
        let replies = replies_in(&self.domain, lang)?;
        let filling = dialogue::fill(
            &self.domain,
            replies,
            (About::Wanted, &Slots::new()),
            None,
            "",
            now,
        );
        let plan = Plan {
            saying: Saying::Occasion(occasion),
            ask: None,
            escalation: None,
            misunderstood: false,
            answers: None,
            told: None,
        };
        let variants = &known.memory.variants;
        Some(dialogue::word(replies, &plan, "", &filling, variants, dice(message)).text)
    }

    /// Takes the turn of something that happened outside of the messages.
    pub fn control(&self, event: &ControlEvent, known: Known) -> Effects {
        let mut memory = known.memory;
        let mut history = Vec::new();
        match event.kind {
            ControlKind::HumanTookOver => {
                memory.human_until = Some(Timestamp::MAX);
                memory.human_reason = Some("taken_over".into());
            }
            ControlKind::Released | ControlKind::Resolved => memory.release(),
            ControlKind::MessageDeleted => history.push(HistoryTurn {
                role: Role::System,
                text: "the customer deleted a message".into(),
                at: event.at,
            }),
        }
        Effects {
            memory,
            history,
            ..Effects::default()
        }
    }

    /// A voice message becomes the text that was said, where that is possible.
    async fn transcribe(&self, message: &mut InboundMessage, memory: &Memory, deadline: Deadline) {
        let Some(transcriber) = self
            .transcriber
            .as_ref()
            .filter(|_| message.content.is_empty())
        else {
            return;
        };
        let spoken = memory.lang.as_ref();
        let usual = || self.domain.replies.first().map(|replies| &replies.language);
        let lang = spoken.or_else(usual).map_or("", String::as_str);
        match transcriber.text_of(message, lang, deadline).await {
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
