//! What is noted of the turn, and where it comes from?

use std::sync::Arc;

use futures_util::future::BoxFuture;
use shared_types::{CrmOutput, InboundMessage};

use super::{Agent, AgentError, Parts};
use crate::budget::CRM_LIMIT;
use crate::carried::lead_fields;
use crate::crm::{ContactWrite, Crm, CrmWrite, LeadField, LeadWrite};
use crate::domain::Domain;
use crate::graph::Node;
use crate::metrics::WorkerMetrics;
use crate::turn::{Output, Recorded, Turn};

pub(super) struct CrmAgent {
    domain: Arc<Domain>,
    crm: Crm,
    metrics: WorkerMetrics,
}

impl CrmAgent {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            domain: parts.domain.clone(),
            crm: parts.crm.clone(),
            metrics: parts.metrics.clone(),
        }
    }

    async fn record(&self, turn: &Turn) -> Recorded {
        let write = write(&self.domain, turn);
        // Shorter than what is left: the turn must still be committed.
        let limit = CRM_LIMIT.min(turn.deadline.left() / 2);
        let written = tokio::time::timeout(limit, self.crm.apply(&write)).await;
        let error = match written {
            Ok(Ok(noted)) => {
                self.metrics.crm_written("at_once");
                let output = CrmOutput {
                    contact_created: noted.contact_created,
                    contact_id: Some(noted.contact_id),
                    lead_created: noted.lead_created,
                };
                return Recorded {
                    output,
                    unwritten: None,
                };
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.metrics.crm_written("deferred");
        tracing::warn!(error, "the CRM did not take the turn; it is written later");
        Recorded {
            output: CrmOutput::default(),
            unwritten: Some(write),
        }
    }
}

impl Agent for CrmAgent {
    fn node(&self) -> Node {
        Node::Crm
    }

    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        Box::pin(async move { Ok(Output::Recorded(Box::new(self.record(turn).await))) })
    }
}

/// What a turn tells the CRM. Only what this message said is noted, with where it comes from.
fn write(domain: &Domain, turn: &Turn) -> CrmWrite {
    let router = turn.state.router_output.as_ref();
    let confidence = router.map_or(0.0, |output| output.confidence);
    let intent = turn.memory.intent.as_deref().unwrap_or_default();
    let goal = domain.dialogue.goal(intent).filter(|goal| goal.lead);
    let slots = turn
        .state
        .extraction_output
        .iter()
        .flat_map(|output| &output.slots);
    let mut fields: Vec<LeadField> = slots
        .map(|(name, value)| LeadField {
            name: name.clone(),
            value: value.to_string(),
            agent: Node::Extraction.as_str().into(),
            confidence,
        })
        .collect();
    if let Some(topic) = turn.plan.as_ref().and_then(|plan| plan.answers.as_ref()) {
        fields.push(LeadField {
            name: topic.clone(),
            value: turn.memory.answers.get(topic).cloned().unwrap_or_default(),
            agent: Node::Conversation.as_str().into(),
            confidence,
        });
    }
    fields.extend(
        lead_fields(&turn.message)
            .into_iter()
            .map(|(name, value)| LeadField {
                name: name.into(),
                value,
                agent: "ingress".into(),
                confidence: 1.0,
            }),
    );
    CrmWrite {
        message: format!("{}:{}", turn.message.source, turn.message.id),
        at: turn.message.received_at.unwrap_or(turn.now),
        contact: contact_of(&turn.message, turn.lang()),
        lead: goal.map(|goal| LeadWrite {
            conversation: turn.message.conversation.id.to_string(),
            intent: goal.intent.clone(),
            fields,
        }),
    }
}

/// Who wrote a message, with every address that its channel proves.
pub(crate) fn contact_of(message: &InboundMessage, lang: &str) -> ContactWrite {
    let sender = &message.sender;
    let mut addresses = vec![sender.id.to_string()];
    addresses.extend(
        sender
            .phone_number
            .iter()
            // Anybody may type anybody's number into a web chat.
            .filter(|_| !sender.phone_number_is_claimed)
            .map(|number| format!("tel:{number}")),
    );
    addresses.extend(sender.aliases.iter().map(ToString::to_string));
    addresses.push(message.conversation.id.to_string());
    let mut seen = std::collections::BTreeSet::new();
    addresses.retain(|address| seen.insert(address.clone()));
    ContactWrite {
        addresses,
        name: sender.name.clone(),
        language: Some(lang.to_owned()),
        wants_messages: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn addresses(sender: &Value) -> Vec<String> {
        let message = json!({
            "id": "7", "conversation": {"id": "chatwoot:1:42"}, "sender": sender, "content": "hoi",
            "message_type": "incoming", "channel": "whatsapp", "source": "chatwoot",
        });
        contact_of(&serde_json::from_value(message).unwrap(), "nl").addresses
    }

    #[test]
    fn a_number_that_is_only_claimed_names_nobody() {
        let visitor = json!({
            "id": "chatwoot:1-visitor-9", "phone_number": "+31612345678",
            "phone_number_is_claimed": true,
        });
        let claimed = addresses(&visitor);
        assert_eq!(claimed, ["chatwoot:1-visitor-9", "chatwoot:1:42"]);
        let proven = addresses(&json!({
            "id": "whatsapp:+31612345678", "phone_number": "+31612345678",
        }));
        assert!(
            proven.contains(&"tel:+31612345678".to_owned()),
            "{proven:?}"
        );
    }
}
