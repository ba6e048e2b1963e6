//! The whole graph of agents on one screen.

use std::time::Instant;

use tracing::Instrument;

use crate::agents::{AgentError, Agents};
use crate::metrics::WorkerMetrics;
use crate::turn::Turn;
use shared_types::NextAgent;

/// The nodes. Each is an agent with a file of its own under `agents/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// What does the customer want?
    Router,
    /// What does the message tell?
    Extraction,
    /// What is answered?
    Conversation,
    /// What is noted?
    Crm,
    /// The reply is ready.
    End,
}

/// When an edge is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Always.
    Always,
    /// When the router says so.
    RouterSays(NextAgent),
}

/// All edges, in the order in which they are tried.
pub const EDGES: &[(Node, When, Node)] = &[
    (
        Node::Router,
        When::RouterSays(NextAgent::Extraction),
        Node::Extraction,
    ),
    (
        Node::Router,
        When::RouterSays(NextAgent::Conversation),
        Node::Conversation,
    ),
    (Node::Router, When::RouterSays(NextAgent::End), Node::End),
    (Node::Extraction, When::Always, Node::Conversation),
    (Node::Conversation, When::Always, Node::Crm),
    (Node::Crm, When::Always, Node::End),
];

impl Node {
    /// The name in spans, metrics and drawings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Extraction => "extraction",
            Self::Conversation => "conversation",
            Self::Crm => "crm",
            Self::End => "end",
        }
    }
}

impl When {
    fn holds(self, turn: &Turn) -> bool {
        match self {
            Self::Always => true,
            Self::RouterSays(next) => turn
                .state
                .router_output
                .as_ref()
                .is_some_and(|output| output.next_agent == next),
        }
    }
}

/// Where the graph goes from a node.
fn next(node: Node, turn: &Turn) -> Node {
    let edge = EDGES
        .iter()
        .find(|(from, when, _)| *from == node && when.holds(turn));
    edge.map_or(Node::End, |(_, _, to)| *to)
}

/// Takes a turn from the router to the reply.
///
/// # Errors
/// When an agent takes longer than what is left of the turn.
pub async fn run(
    agents: &Agents,
    turn: &mut Turn,
    metrics: &WorkerMetrics,
) -> Result<(), AgentError> {
    let mut node = Node::Router;
    while let Some(agent) = agents.get(node) {
        let started = Instant::now();
        let span = runtime::traces::agent_span(node.as_str());
        let work = tokio::time::timeout(turn.deadline.left(), agent.run(turn)).instrument(span);
        let output = work.await.map_err(|_| AgentError::TooSlow(node))??;
        metrics.agent(node, started.elapsed());
        turn.apply(output);
        node = next(node, turn);
    }
    Ok(())
}

/// How a graph can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Drawing {
    /// An edge a line.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// A Graphviz digraph.
    Dot,
}

/// The graph as a text for a person or a drawing program.
pub fn draw(drawing: Drawing) -> String {
    let label = |when: &When| match when {
        When::Always => String::new(),
        When::RouterSays(next) => format!("next_agent = {next:?}").to_lowercase(),
    };
    let line = |(from, when, to): &(Node, When, Node)| {
        let (from, to, label) = (from.as_str(), to.as_str(), label(when));
        match (drawing, label.is_empty()) {
            (Drawing::Text, true) => format!("{from} -> {to}"),
            (Drawing::Text, false) => format!("{from} -> {to}  when {label}"),
            (Drawing::Mermaid, true) => format!("    {from} --> {to}"),
            (Drawing::Mermaid, false) => format!("    {from} -- \"{label}\" --> {to}"),
            (Drawing::Dot, true) => format!("    {from} -> {to};"),
            (Drawing::Dot, false) => format!("    {from} -> {to} [label=\"{label}\"];"),
        }
    };
    let lines = EDGES.iter().map(line).collect::<Vec<_>>().join("\n");
    match drawing {
        Drawing::Text => lines,
        Drawing::Mermaid => format!("flowchart LR\n{lines}"),
        Drawing::Dot => format!("digraph agents {{\n    rankdir=LR;\n{lines}\n}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_is_reached_and_leads_to_the_end() {
        for node in [Node::Extraction, Node::Conversation, Node::Crm, Node::End] {
            assert!(EDGES.iter().any(|(_, _, to)| *to == node), "{node:?}");
        }
        for node in [
            Node::Router,
            Node::Extraction,
            Node::Conversation,
            Node::Crm,
        ] {
            assert!(EDGES.iter().any(|(from, _, _)| *from == node), "{node:?}");
        }
    }

    #[test]
    fn the_drawings_show_every_edge() {
        for drawing in [Drawing::Text, Drawing::Mermaid, Drawing::Dot] {
            let drawn = draw(drawing);
            assert_eq!(drawn.matches("->").count(), EDGES.len(), "{drawn}");
        }
    }
}
