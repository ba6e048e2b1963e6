//! What is answered, and in which words?

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use shared_types::{ConversationOutput, InboundMessage, Sentiment};

use super::{Agent, AgentError, Parts};
use crate::dialogue::{self, Escalation, Plan, Situation, Worded};
use crate::domain::{Domain, Replies};
use crate::graph::Node;
use crate::llm::{ConversationAnswer, Model};
use crate::metrics::WorkerMetrics;
use crate::turn::{Answered, Output, Turn};

pub(super) struct Conversation {
    domain: Arc<Domain>,
    model: Option<Arc<Model>>,
    metrics: WorkerMetrics,
}

impl Conversation {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            domain: parts.domain.clone(),
            model: parts.model.clone(),
            metrics: parts.metrics.clone(),
        }
    }

    async fn answer(&self, turn: &Turn) -> Answered {
        let slots = turn
            .state
            .extraction_output
            .as_ref()
            .map(|output| &output.slots);
        let none = shared_types::Slots::new();
        let text = &turn.message.content;
        let day = replies_in(&self.domain, turn.lang()).and_then(|replies| {
            dialogue::named_day(text, &self.domain.business, replies, turn.now)
        });
        let plan = dialogue::plan(
            &self.domain,
            &Situation {
                intent: turn.intent(),
                confidence: turn
                    .state
                    .router_output
                    .as_ref()
                    .map_or(0.0, |output| output.confidence),
                told: slots.unwrap_or(&none),
                answer: turn.reading.answer,
                mood: turn.reading.mood,
                text: &turn.message.content,
                attachments: &turn.message.attachments,
                has_location: turn.message.location.is_some(),
                memory: &turn.memory,
                named_day: day.as_ref().map(|(name, _)| name.as_str()),
                now: turn.now,
            },
        );
        let worded = self.by_rules(turn, &plan);
        let by_rules = Answered {
            output: output(worded.text, turn.reading.mood.sentiment, plan.escalation),
            plan,
            variants: worded.variants,
            tokens: 0,
        };
        // What must be said exactly is never left to a model.
        let Some(model) = self
            .model
            .as_ref()
            .filter(|_| by_rules.plan.escalation.is_none())
        else {
            return by_rules;
        };
        let draft = &by_rules.output.response_text;
        let asked = model.word(&self.domain, turn, &by_rules.plan, draft).await;
        let answered = match asked.answer {
            Ok(answer) => self.by_model(turn, by_rules, answer),
            Err(why) => {
                self.metrics.fallback(Node::Conversation, why.name());
                by_rules
            }
        };
        Answered {
            tokens: asked.tokens,
            ..answered
        }
    }

    fn by_rules(&self, turn: &Turn, plan: &Plan) -> Worded {
        let replies = replies_in(&self.domain, turn.lang());
        let Some(replies) = replies else {
            return Worded {
                text: String::new(),
                variants: Default::default(),
            };
        };
        let text = &turn.message.content;
        let name = turn.message.sender.name.as_deref();
        let known = (turn.about, turn.memory.known(turn.about));
        let mut filling = dialogue::fill(&self.domain, replies, known, name, text, turn.now);
        let fits = text.chars().count() <= MAX_QUOTED;
        if let Some(topic) = plan.answers.as_ref().filter(|_| fits) {
            filling.insert("answer".into(), self.with_day(turn, topic, text));
        }
        dialogue::word(
            replies,
            plan,
            text,
            &filling,
            &turn.memory.variants,
            dice(&turn.message),
        )
    }

    /// "zaterdag, om een uur of 11": the answer, with the day that was told before it.
    fn with_day(&self, turn: &Turn, topic: &str, text: &str) -> String {
        let topics = &self.domain.dialogue.topics;
        let asked_for = topics
            .iter()
            .find(|other| other.when_day_named.as_deref() == Some(topic));
        let day = asked_for.and_then(|day| turn.memory.answers.get(&day.name));
        day.map_or_else(|| text.to_owned(), |day| format!("{day}, {text}"))
    }

    /// The model's words, within the plan. It may hand over; it cannot undo a hand-over.
    fn by_model(&self, turn: &Turn, by_rules: Answered, answer: ConversationAnswer) -> Answered {
        let sentiment = answer.sentiment.unwrap_or(by_rules.output.sentiment);
        if !answer.should_escalate {
            let output = ConversationOutput {
                response_text: answer.response_text,
                sentiment,
                ..by_rules.output
            };
            return Answered { output, ..by_rules };
        }
        let plan = dialogue::hand_over_plan(&self.domain, turn.now, Escalation::Asked);
        let worded = self.by_rules(turn, &plan);
        let mut output = output(worded.text, sentiment, plan.escalation);
        output.escalation_reason = answer.escalation_reason.or(output.escalation_reason);
        Answered {
            output,
            plan,
            variants: worded.variants,
            tokens: 0,
        }
    }
}

/// Longer answers are not repeated to the customer.
const MAX_QUOTED: usize = 60;

fn output(
    text: String,
    sentiment: Sentiment,
    escalation: Option<Escalation>,
) -> ConversationOutput {
    ConversationOutput {
        response_text: text,
        sentiment,
        should_escalate: escalation.is_some(),
        escalation_reason: escalation.map(|reason| reason.as_str().to_owned()),
    }
}

/// The texts in a language, or in the first one.
pub(crate) fn replies_in<'d>(domain: &'d Domain, lang: &str) -> Option<&'d Replies> {
    domain
        .replies
        .iter()
        .find(|replies| replies.language == lang)
        .or_else(|| domain.replies.first())
}

/// A number that is the same whenever this message is handled, so that a turn done twice says the
/// same.
pub(crate) fn dice(message: &InboundMessage) -> u64 {
    let digest = Sha256::digest(message.id.as_str());
    let bytes = digest.first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(bytes)
}

impl Agent for Conversation {
    fn node(&self) -> Node {
        Node::Conversation
    }

    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        Box::pin(async move { Ok(Output::Answered(Box::new(self.answer(turn).await))) })
    }
}
