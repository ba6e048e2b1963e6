//! The agents, each in its own file, and the one list of them.

mod conversation;
mod crm;
mod extraction;
mod router;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::Domain;
use crate::graph::Node;
use crate::llm::Model;
use crate::metrics::WorkerMetrics;
use crate::register::Register;
use crate::stock::Shelf;
use crate::turn::{Output, Turn};
use crate::understanding::Understander;
use ::crm::Crm;

pub(crate) use conversation::{in_words, remember, told};
pub use crm::contact_of;
pub(crate) use crm::handover;
pub(crate) use crm::unclear;

/// A node's work. Takes the turn as it is and gives its own output; never touches Redis.
pub trait Agent: Send + Sync {
    /// Where it stands in the graph.
    fn node(&self) -> Node;

    /// Works on a turn.
    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>>;
}

/// Why an agent gave no output.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// It took longer than what was left of the turn.
    #[error("the {} agent took too long", .0.as_str())]
    TooSlow(Node),
}

/// What agents are made of.
#[derive(Clone)]
pub struct Parts {
    /// The business.
    pub domain: Arc<Domain>,
    /// The rules.
    pub understander: Arc<Understander>,
    /// The language model, where one is configured.
    pub model: Option<Arc<Model>>,
    /// The CRM; without it every write is left to who takes the turn.
    pub crm: Option<Crm>,
    /// The register of plates, where one is configured.
    pub register: Option<Arc<Register>>,
    /// What is for sale.
    pub stock: Shelf,
    /// What is counted.
    pub metrics: WorkerMetrics,
}

/// All agents.
pub struct Agents(Vec<Box<dyn Agent>>);

impl Agents {
    /// The list. A new agent is added here, and its edges in `graph.rs`.
    pub fn new(parts: &Parts) -> Self {
        Self(vec![
            Box::new(router::Router::new(parts)),
            Box::new(extraction::Extraction::new(parts)),
            Box::new(conversation::Conversation::new(parts)),
            Box::new(crm::CrmAgent::new(parts)),
        ])
    }

    /// Other agents.
    #[cfg(test)]
    pub(crate) fn of(agents: Vec<Box<dyn Agent>>) -> Self {
        Self(agents)
    }

    /// The agent at a node; none at the end.
    pub fn get(&self, node: Node) -> Option<&dyn Agent> {
        self.0
            .iter()
            .find(|agent| agent.node() == node)
            .map(AsRef::as_ref)
    }
}
