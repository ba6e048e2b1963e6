//! What is answered, and in which words?

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use shared_types::{ConversationOutput, InboundMessage};

use super::{Agent, AgentError, Parts};
use crate::dialogue::piece::Status;
use crate::dialogue::state::State;
use crate::dialogue::{self, Dues, Heard, Occasion, Piece, Reply, Said, Worded};
use crate::domain::Domain;
use crate::graph::Node;
use crate::llm::{ConversationAnswer, Model};
use crate::metrics::WorkerMetrics;
use crate::turn::{Answered, Output, Turn};
use crate::understanding::Understander;

pub(super) struct Conversation {
    domain: Arc<Domain>,
    rules: Arc<Understander>,
    model: Option<Arc<Model>>,
    metrics: WorkerMetrics,
}

impl Conversation {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            domain: parts.domain.clone(),
            rules: parts.understander.clone(),
            model: parts.model.clone(),
            metrics: parts.metrics.clone(),
        }
    }

    async fn answer(&self, turn: &Turn) -> Answered {
        let heard = heard(turn);
        let (mut memory, dues) = dialogue::update(&self.domain, turn.memory.clone(), &heard);
        let reply = dialogue::reply(&self.domain, &mut memory, &dues, &heard);
        let mut answered = Answered {
            output: None,
            reply: reply.clone(),
            memory,
            dues,
            tokens: 0,
        };
        let Reply::Say(said) = &reply else {
            return answered;
        };
        let worded = in_words(&self.domain, turn, &answered.memory, said);
        remember(&mut answered.memory, &worded);
        answered.output = Some(output(turn, &worded, answered.dues.handover));
        self.by_model(turn, said, answered).await
    }

    /// The model's words for the same reply. What must be said exactly is never left to a model.
    async fn by_model(&self, turn: &Turn, said: &Said, by_rules: Answered) -> Answered {
        let exact = by_rules.dues.handover.is_some() || said.pieces().any(is_exact);
        let model = self.model.as_ref().filter(|_| !exact);
        let (Some(model), Some(output)) = (model, &by_rules.output) else {
            return by_rules;
        };
        let draft = &output.response_text;
        let asked = model
            .word(&self.domain, &self.rules, turn, said, draft)
            .await;
        let answered = match asked.answer {
            Ok(answer) => self.believe(turn, by_rules, answer),
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

    /// The model may hand over; it cannot undo a hand-over.
    fn believe(&self, turn: &Turn, by_rules: Answered, answer: ConversationAnswer) -> Answered {
        if !answer.should_escalate {
            let output = by_rules.output.map(|output| ConversationOutput {
                response_text: answer.response_text,
                sentiment: answer.sentiment.unwrap_or(output.sentiment),
                ..output
            });
            return Answered { output, ..by_rules };
        }
        let said = told();
        let worded = in_words(&self.domain, turn, &by_rules.memory, &said);
        let mut memory = by_rules.memory;
        memory.tell(ASKED, false, turn.now);
        remember(&mut memory, &worded);
        let mut output = output(turn, &worded, Some(ASKED));
        output.escalation_reason = answer.escalation_reason.or(output.escalation_reason);
        Answered {
            output: Some(output),
            reply: Reply::Say(Box::new(said)),
            memory,
            dues: Dues {
                handover: Some(ASKED),
                ..by_rules.dues
            },
            tokens: 0,
        }
    }
}

const ASKED: &str = "asked";

/// A colleague was told, and nothing else.
pub(crate) fn told() -> Said {
    Said {
        first: Piece::Status(Status::Told),
        rest: Vec::new(),
        ask: None,
    }
}

/// Pieces whose words are the owner's, or the law's.
const fn is_exact(piece: &Piece) -> bool {
    matches!(
        piece,
        Piece::Safety(_)
            | Piece::StaySafe(_)
            | Piece::Consent(_)
            | Piece::Excuse(_)
            | Piece::Withheld
            | Piece::Deal
    )
}

fn heard(turn: &Turn) -> Heard<'_> {
    let text = &turn.message.content;
    Heard {
        acts: &turn.acts,
        text,
        attachment: kind_of(&turn.message),
        withheld: turn.withheld,
        unserved: turn.reading.unserved.as_deref(),
        now: turn.now,
        local: turn.local,
        came: turn.message.received_at,
        stock: turn.stock.as_deref(),
        sought: &turn.reading.sought,
    }
}

/// What came with a message: the piece that answers it.
fn kind_of(message: &InboundMessage) -> Option<&'static str> {
    if message.location.is_some() {
        return Some("location");
    }
    let file = message.attachments.first()?;
    if file.is_contact() {
        return Some("contact_card");
    }
    let kind = file.content_type.as_deref().unwrap_or_default();
    Some(match kind.split('/').next().unwrap_or_default() {
        "image" => "image",
        "audio" => "audio",
        "video" => "video",
        "application" if kind.contains("whatsapp-contact") => "contact_card",
        "application" if kind.contains("x-whatsapp") => "unknown_media",
        "application" | "text" => "document",
        _ => "unknown_media",
    })
}

/// A reply in the domain's words.
pub(crate) fn in_words(domain: &Domain, turn: &Turn, memory: &State, said: &Said) -> Worded {
    let occasion = Occasion {
        name: turn.message.sender.name.as_deref(),
        text: &turn.message.content,
        local: turn.local,
        dice: dice(&turn.message),
    };
    let lang = memory.lang.as_deref().unwrap_or(&turn.reading.lang);
    dialogue::word(domain, domain.replies_in(lang), memory, said, occasion)
}

fn output(turn: &Turn, worded: &Worded, handover: Option<&str>) -> ConversationOutput {
    ConversationOutput {
        response_text: worded.text.as_str().to_owned(),
        sentiment: turn.reading.mood.sentiment,
        should_escalate: handover.is_some(),
        escalation_reason: handover.map(str::to_owned),
    }
}

/// What was said is not said again; a question without room was not asked.
pub(crate) fn remember(memory: &mut State, worded: &Worded) {
    memory.note_said(&worded.said);
    if !worded.asks {
        memory.ours = None;
    }
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
