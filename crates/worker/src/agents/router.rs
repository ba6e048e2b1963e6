//! What does the customer want, and where does the graph go?

use std::sync::Arc;

use futures_util::future::BoxFuture;
use shared_types::{NextAgent, RouterAct, RouterOutput};

use super::{Agent, AgentError, Parts};
use crate::dialogue::act::{Act, Does, Origin, Thing};
use crate::domain::{About, Domain, IntentAct};
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
        let silent = turn.memory.is_with_human(turn.now);
        let Some(model) = self.model.as_ref().filter(|_| !silent) else {
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

/// The intent of the weightiest act: what is wanted done, else what the message as a whole is about.
fn by_rules(domain: &Domain, turn: &Turn) -> Routed {
    let before = turn.memory.lang.as_deref();
    let lang = turn.reading.lang_after(before).to_owned();
    let heaviest = turn.acts.iter().rev().max_by_key(|act| act.does.weight());
    let named = |act: &Act| {
        let by_act = |does: IntentAct| {
            let mut intents = domain.intents.iter();
            let intent = intents.find(|intent| intent.act == Some(does))?;
            Some(intent.name.clone())
        };
        let intent = match &act.does {
            Does::Request { goal, .. } => Some(goal.clone()),
            Does::Handoff { .. } => by_act(IntentAct::Handoff),
            Does::Complain { .. } => by_act(IntentAct::Complain),
            _ => None,
        };
        intent.map(|intent| (intent, act.confidence))
    };
    let read = || (turn.reading.intent.clone(), turn.reading.confidence);
    let (intent, confidence) = heaviest.and_then(named).unwrap_or_else(read);
    decided(domain, turn, &intent, confidence, lang)
}

/// What a message does, as others are told.
fn told(acts: &[Act]) -> Vec<RouterAct> {
    let told = acts.iter().map(|act| RouterAct {
        act: act.does.name().to_owned(),
        about: act.does.about().map(str::to_owned),
        confidence: act.confidence,
    });
    told.collect()
}

/// The model's decision, unless it is unsure where the rules are sure. What it leaves out, the rules
/// fill in; a goal that they did not see is taken up.
fn by_model(domain: &Domain, turn: &Turn, by_rules: Routed, answer: &RouterAnswer) -> Routed {
    let threshold = domain.settings.confidence_threshold;
    let confidence = answer.confidence.unwrap_or(threshold);
    let is_vague = confidence < threshold || answer.intent == domain.settings.fallback_intent;
    if is_vague && by_rules.output.confidence >= threshold {
        return by_rules;
    }
    let lang = answer.language.clone().unwrap_or(by_rules.lang);
    let acts = with_intent(domain, turn, &answer.intent, confidence);
    let mut routed = decided(domain, turn, &answer.intent, confidence, lang);
    if let Some(acts) = &acts {
        routed.output.acts = told(acts);
    }
    Routed { acts, ..routed }
}

/// The acts with what a model sees the customer want, in the place of what was not understood. None
/// when the rules see it too.
fn with_intent(domain: &Domain, turn: &Turn, intent: &str, confidence: f64) -> Option<Vec<Act>> {
    let does = if domain
        .dialogue
        .handoff_intents
        .iter()
        .any(|one| one == intent)
    {
        Does::Handoff {
            by_phone: false,
            whom: false,
            when: None,
        }
    } else {
        domain.dialogue.goal(intent)?;
        Does::Request {
            goal: intent.to_owned(),
            thing: Thing::Wanted,
            when: None,
            asks_whether: false,
            definite: false,
        }
    };
    let sure = confidence >= domain.settings.confidence_threshold;
    let pursued = turn.memory.goal() == Some(intent);
    let kind = |does: &Does| std::mem::discriminant(does);
    let same = |act: &Act| kind(&act.does) == kind(&does) || matches!(act.does, Does::Ask(_));
    if !sure || pursued || turn.acts.iter().any(same) {
        return None;
    }
    let understood = |act: &&Act| !matches!(act.does, Does::Unclear { .. });
    let mut acts: Vec<Act> = turn.acts.iter().filter(understood).cloned().collect();
    acts.push(Act {
        does,
        confidence,
        words: 0..turn.message.content.len(),
        clause: 0,
        origin: Origin::Model,
    });
    Some(acts)
}

fn decided(domain: &Domain, turn: &Turn, intent: &str, confidence: f64, lang: String) -> Routed {
    let known = domain.intents.iter().find(|known| known.name == intent);
    let tells = known.is_some_and(|intent| intent.has_slots) || !turn.reading.slots.is_empty();
    let next_agent = if tells {
        NextAgent::Extraction
    } else {
        NextAgent::Conversation
    };
    Routed {
        output: RouterOutput {
            intent: intent.to_owned(),
            confidence,
            next_agent,
            acts: told(&turn.acts),
        },
        lang,
        about: known.map_or(About::Wanted, |intent| intent.about),
        acts: None,
        tokens: 0,
    }
}
