//! What does the customer want, and where does the graph go?

use std::sync::Arc;

use futures_util::future::BoxFuture;
use shared_types::{NextAgent, RouterOutput};

use super::{Agent, AgentError, Parts};
use crate::dialogue::SURE_OF_ANOTHER_SUBJECT;
use crate::domain::{About, Domain, Intent};
use crate::graph::Node;
use crate::llm::{Model, RouterAnswer};
use crate::metrics::WorkerMetrics;
use crate::turn::{Output, Routed, Turn};

pub(super) struct Router {
    domain: Arc<Domain>,
    model: Option<Arc<Model>>,
    metrics: WorkerMetrics,
}

impl Router {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            domain: parts.domain.clone(),
            model: parts.model.clone(),
            metrics: parts.metrics.clone(),
        }
    }

    async fn route(&self, turn: &Turn) -> Routed {
        let by_rules = by_rules(&self.domain, turn);
        let Some(model) = &self.model else {
            return by_rules;
        };
        let asked = model.route(&self.domain, turn).await;
        let routed = match asked.answer {
            Ok(answer) => by_model(&self.domain, turn, by_rules, &answer),
            Err(why) => {
                self.metrics.fallback(Node::Router, why.name());
                by_rules
            }
        };
        Routed {
            tokens: asked.tokens,
            ..routed
        }
    }
}

impl Agent for Router {
    fn node(&self) -> Node {
        Node::Router
    }

    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        Box::pin(async move { Ok(Output::Routed(self.route(turn).await)) })
    }
}

/// The rules' reading, in the light of what the conversation is about: "en een automaat?" goes on
/// with what was wanted before.
fn by_rules(domain: &Domain, turn: &Turn) -> Routed {
    let reading = &turn.reading;
    let unsure = reading.confidence < domain.settings.confidence_threshold;
    let tells_something = !reading.slots.is_empty() || !reading.negated.is_empty();
    let earlier = turn.memory.intent.as_deref().filter(|_| {
        let known = domain
            .intents
            .iter()
            .find(|known| known.name == reading.intent);
        let is_polite = known.is_some_and(|intent| intent.small_talk);
        let is_vague = unsure || is_polite || reading.intent == domain.settings.fallback_intent;
        is_vague && (tells_something || (reading.answer.is_some() && !is_polite))
    });
    let intent = earlier.unwrap_or(&reading.intent);
    let confidence = if earlier.is_some() {
        domain.settings.confidence_threshold
    } else {
        reading.confidence
    };
    let lang = reading.lang_after(turn.memory.lang.as_deref()).to_owned();
    decided(domain, turn, intent, confidence, lang)
}

/// The model's decision, unless it is unsure where the rules are sure. What it leaves out, the rules
/// fill in.
fn by_model(domain: &Domain, turn: &Turn, by_rules: Routed, answer: &RouterAnswer) -> Routed {
    let threshold = domain.settings.confidence_threshold;
    let confidence = answer.confidence.unwrap_or(threshold);
    let is_vague = confidence < threshold || answer.intent == domain.settings.fallback_intent;
    if is_vague && by_rules.output.confidence >= threshold {
        return by_rules;
    }
    let lang = answer.language.clone().unwrap_or(by_rules.lang);
    decided(domain, turn, &answer.intent, confidence, lang)
}

fn decided(domain: &Domain, turn: &Turn, intent: &str, confidence: f64, lang: String) -> Routed {
    let known: Option<&Intent> = domain.intents.iter().find(|known| known.name == intent);
    let next_agent = if turn.memory.is_with_human(turn.now) {
        NextAgent::End
    } else if known.is_some_and(|intent| intent.has_slots) || !turn.reading.slots.is_empty() {
        NextAgent::Extraction
    } else {
        NextAgent::Conversation
    };
    let open = turn.memory.open_question.as_deref();
    let any_text_answers = open
        .and_then(|name| domain.dialogue.topic(name))
        .is_some_and(|topic| topic.values.is_empty());
    let enough = if any_text_answers {
        SURE_OF_ANOTHER_SUBJECT
    } else {
        domain.settings.confidence_threshold
    };
    let sure = confidence >= enough;
    let tells_something = !turn.reading.slots.is_empty();
    Routed {
        output: RouterOutput {
            intent: intent.to_owned(),
            confidence,
            next_agent,
        },
        lang,
        about: known.map_or(About::Wanted, |intent| intent.about),
        pursue: domain.dialogue.goal(intent).is_some() && (sure || tells_something),
        tokens: 0,
    }
}
