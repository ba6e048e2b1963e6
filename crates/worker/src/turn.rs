//! One turn: a message, what is known, and what the agents make of it.

use jiff::Timestamp;
use shared_types::{
    ConversationOutput, ConversationState, CrmOutput, ExtractionOutput, HistoryTurn,
    InboundMessage, RouterOutput, SlotValue,
};

use crate::budget::Deadline;
use crate::crm::CrmWrite;
use crate::dialogue::Plan;
use crate::domain::{About, Domain, SlotKind};
use crate::memory::Memory;
use crate::understanding::Understanding;

/// A turn on its way through the graph.
#[derive(Debug)]
pub struct Turn {
    /// The message, whole.
    pub message: InboundMessage,
    /// What goes from agent to agent.
    pub state: ConversationState,
    /// What is remembered; the agents' outputs add to it.
    pub memory: Memory,
    /// What the rules read in the message. Made once; agents that ask a model fall back on it.
    pub reading: Understanding,
    /// The time of the turn.
    pub now: Timestamp,
    /// When it must have ended.
    pub deadline: Deadline,
    /// The slots that a lower name belongs to: `(car_make, car_model)`.
    pub catalogues: Vec<(String, String)>,
    /// Which thing the intent is about.
    pub about: About,
    /// What the reply does.
    pub plan: Option<Plan>,
    /// A CRM write that did not land yet.
    pub unwritten: Option<CrmWrite>,
}

/// What an agent found, for the contract and for the memory.
#[derive(Debug)]
pub enum Output {
    /// The router's.
    Routed(Routed),
    /// The extraction's.
    Extracted(Extracted),
    /// The conversation agent's.
    Answered(Box<Answered>),
    /// The CRM agent's.
    Recorded(Box<Recorded>),
}

/// What the customer wants, in which language.
#[derive(Debug)]
pub struct Routed {
    /// For the contract.
    pub output: RouterOutput,
    /// The language to answer in.
    pub lang: String,
    /// Which thing the intent is about.
    pub about: About,
    /// Whether the intent is pursued from now on.
    pub pursue: bool,
    /// Tokens that a model used for it.
    pub tokens: u64,
}

/// What the message tells.
#[derive(Debug)]
pub struct Extracted {
    /// For the contract.
    pub output: ExtractionOutput,
    /// What the message says is not so.
    pub denied: Vec<(String, SlotValue)>,
    /// Tokens that a model used for it.
    pub tokens: u64,
}

/// What is answered.
#[derive(Debug)]
pub struct Answered {
    /// For the contract.
    pub output: ConversationOutput,
    /// What the reply does.
    pub plan: Plan,
    /// Which variant of each text was used.
    pub variants: std::collections::BTreeMap<String, usize>,
    /// Tokens that a model used for it.
    pub tokens: u64,
}

/// What was noted.
#[derive(Debug)]
pub struct Recorded {
    /// For the contract.
    pub output: CrmOutput,
    /// What could not be written yet.
    pub unwritten: Option<CrmWrite>,
}

impl Turn {
    /// Begins a turn.
    pub fn new(
        domain: &Domain,
        message: InboundMessage,
        history: Vec<HistoryTurn>,
        memory: Memory,
        reading: Understanding,
        now: Timestamp,
        deadline: Deadline,
    ) -> Self {
        let state = ConversationState {
            message_id: message.id.clone(),
            conversation_id: message.conversation.id.clone(),
            content: message.content.clone(),
            sender_name: message.sender.name.clone(),
            sender_phone: message.sender.phone_number.clone(),
            source: message.source,
            conversation_history: history,
            router_output: None,
            extraction_output: None,
            conversation_output: None,
            crm_output: None,
        };
        let catalogues = domain.slots.iter().filter_map(|slot| match &slot.kind {
            SlotKind::Catalogue(names) => Some((names.upper.clone(), names.lower.clone())),
            _ => None,
        });
        Self {
            catalogues: catalogues.collect(),
            message,
            state,
            memory,
            reading,
            now,
            deadline,
            about: About::Wanted,
            plan: None,
            unwritten: None,
        }
    }

    /// The intent, once the router has spoken.
    pub fn intent(&self) -> &str {
        self.state
            .router_output
            .as_ref()
            .map_or("", |output| &output.intent)
    }

    /// The language to answer in.
    pub fn lang(&self) -> &str {
        self.memory.lang.as_deref().unwrap_or(&self.reading.lang)
    }

    /// Adds what an agent found.
    pub fn apply(&mut self, output: Output) {
        match output {
            Output::Routed(routed) => self.routed(routed),
            Output::Extracted(extracted) => {
                let told = &extracted.output.slots;
                self.memory
                    .learn(self.about, told, &extracted.denied, &self.catalogues);
                self.count_tokens(extracted.tokens);
                self.state.extraction_output = Some(extracted.output);
            }
            Output::Answered(answered) => self.answered(*answered),
            Output::Recorded(recorded) => {
                self.unwritten = recorded.unwritten;
                self.state.crm_output = Some(recorded.output);
            }
        }
    }

    fn routed(&mut self, routed: Routed) {
        self.memory.lang = Some(routed.lang);
        self.about = routed.about;
        if routed.pursue {
            self.memory.pursue(&routed.output.intent);
        }
        self.count_tokens(routed.tokens);
        self.state.router_output = Some(routed.output);
    }

    fn answered(&mut self, answered: Answered) {
        let plan = &answered.plan;
        if let Some(topic) = &plan.answers {
            let text: String = self.message.content.chars().take(MAX_ANSWER).collect();
            self.memory.answers.insert(topic.clone(), text);
        }
        self.memory.answers.extend(plan.told.clone());
        self.memory.opened |= plan.saying.is_about_intent();
        self.memory.open_question.clone_from(&plan.ask);
        self.memory.asked.extend(plan.ask.clone());
        self.memory.misunderstandings = if plan.misunderstood {
            self.memory.misunderstandings + 1
        } else {
            0
        };
        self.memory.variants.extend(answered.variants);
        self.count_tokens(answered.tokens);
        self.plan = Some(answered.plan);
        self.state.conversation_output = Some(answered.output);
    }

    fn count_tokens(&mut self, tokens: u64) {
        let today = self.now.strftime("%Y-%m-%d").to_string();
        if self.memory.tokens.day != today {
            self.memory.tokens = crate::memory::TokenCount {
                day: today,
                used: 0,
            };
        }
        self.memory.tokens.used += tokens;
    }

    /// Tokens that were used for this contact today.
    pub fn tokens_today(&self) -> u64 {
        let today = self.now.strftime("%Y-%m-%d").to_string();
        if self.memory.tokens.day == today {
            self.memory.tokens.used
        } else {
            0
        }
    }
}

/// A free answer is kept up to this many characters.
const MAX_ANSWER: usize = 200;
