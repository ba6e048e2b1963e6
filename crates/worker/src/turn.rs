//! One turn: a message, what is known, and what the agents make of it.

use std::sync::Arc;

use ::stock::Stock;
use crm::CrmWrite;
use jiff::Timestamp;
use jiff::civil::DateTime;
use shared_types::{
    ConversationOutput, ConversationState, CrmOutput, ExtractionOutput, HistoryLine,
    InboundMessage, RouterOutput,
};
use streams::StreamId;

use crate::budget::Deadline;
use crate::dialogue::act::Act;
use crate::dialogue::state::{State, TokenCount};
use crate::dialogue::{Dues, Reply, wished};
use crate::domain::{About, Domain};
use crate::understanding::Understanding;

/// A turn on its way through the graph.
#[derive(Debug)]
pub struct Turn {
    /// The message, whole, without numbers that may not be kept.
    pub message: InboundMessage,
    /// What goes from agent to agent.
    pub state: ConversationState,
    /// What is remembered; the conversation agent makes the new one.
    pub memory: State,
    /// What was wanted before the message.
    pub wished: wished::Fields,
    /// What the rules read in the message as a whole. Agents that ask a model fall back on it.
    pub reading: Understanding,
    /// What the message does, clause by clause.
    pub acts: Vec<Act>,
    /// A number was in it that may not be kept.
    pub withheld: bool,
    /// The time of the turn.
    pub now: Timestamp,
    /// The same on the clock of the business.
    pub local: DateTime,
    /// When it must have ended.
    pub deadline: Deadline,
    /// Which thing the intent is about.
    pub about: About,
    /// What the message is owed.
    pub dues: Dues,
    /// What is done with it.
    pub reply: Option<Reply>,
    /// The last word of a colleague that the turn knows of.
    pub colleague: StreamId,
    /// What is for sale, where that is known.
    pub stock: Option<Arc<Stock>>,
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
    /// The acts, where a model reads them otherwise.
    pub acts: Option<Vec<Act>>,
    /// Tokens that a model used for it.
    pub tokens: u64,
}

/// What the message tells.
#[derive(Debug)]
pub struct Extracted {
    /// For the contract.
    pub output: ExtractionOutput,
    /// The acts, where a model finds other values.
    pub acts: Option<Vec<Act>>,
    /// Tokens that a model used for it.
    pub tokens: u64,
}

/// What is answered.
#[derive(Debug)]
pub struct Answered {
    /// For the contract; none when nothing may be said.
    pub output: Option<ConversationOutput>,
    /// What is done.
    pub reply: Reply,
    /// What is remembered from now on.
    pub memory: State,
    /// What the message was owed.
    pub dues: Dues,
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
    /// Whether it goes with a lead, and with it what messages carried.
    pub with_lead: bool,
}

/// What a turn begins with.
#[derive(Debug)]
pub struct Beginning {
    /// The message, without numbers that may not be kept.
    pub message: InboundMessage,
    /// Whether there were such numbers.
    pub withheld: bool,
    /// Earlier lines, oldest first.
    pub history: Vec<HistoryLine>,
    /// What is remembered.
    pub memory: State,
    /// The last word of a colleague.
    pub colleague: StreamId,
    /// What the rules read.
    pub reading: Understanding,
    /// What the message does.
    pub acts: Vec<Act>,
}

impl Turn {
    /// Begins a turn.
    #[must_use]
    pub fn new(domain: &Domain, begun: Beginning, now: Timestamp, deadline: Deadline) -> Self {
        let message = begun.message;
        let state = ConversationState {
            message_id: message.id.clone(),
            conversation_id: message.conversation.id.clone(),
            content: message.content.clone(),
            sender_name: message.sender.name.clone(),
            sender_phone: message.sender.phone_number.clone(),
            source: message.source,
            conversation_history: begun.history,
            router_output: None,
            extraction_output: None,
            conversation_output: None,
            crm_output: None,
        };
        Self {
            message,
            state,
            wished: wished::fields(&begun.memory),
            memory: begun.memory,
            reading: begun.reading,
            acts: begun.acts,
            withheld: begun.withheld,
            now,
            local: now.to_zoned(domain.business.time_zone.clone()).datetime(),
            deadline,
            about: About::Wanted,
            dues: Dues::default(),
            reply: None,
            colleague: begun.colleague,
            stock: None,
            unwritten: None,
        }
    }

    /// The intent, once the router has spoken.
    #[must_use]
    pub fn intent(&self) -> &str {
        let output = self.state.router_output.as_ref();
        output.map_or("", |output| &output.intent)
    }

    /// The language to answer in.
    #[must_use]
    pub fn lang(&self) -> &str {
        self.memory.lang.as_deref().unwrap_or(&self.reading.lang)
    }

    /// Answers in the language of the message from now on, as far as it tells one.
    pub(crate) fn follow_language(&mut self) {
        let lang = self.reading.lang_after(self.memory.lang.as_deref());
        self.memory.lang = Some(lang.to_owned());
    }

    /// Adds what an agent found.
    pub fn apply(&mut self, output: Output) {
        match output {
            Output::Routed(routed) => {
                self.memory.lang = Some(routed.lang);
                self.about = routed.about;
                self.read_as(routed.acts);
                self.count_tokens(routed.tokens);
                self.state.router_output = Some(routed.output);
            }
            Output::Extracted(extracted) => {
                self.read_as(extracted.acts);
                self.count_tokens(extracted.tokens);
                self.state.extraction_output = Some(extracted.output);
            }
            Output::Answered(answered) => {
                self.memory = answered.memory;
                self.dues = answered.dues;
                self.count_tokens(answered.tokens);
                self.reply = Some(answered.reply);
                self.state.conversation_output = answered.output;
            }
            Output::Recorded(recorded) => {
                self.unwritten = recorded.unwritten;
                if recorded.with_lead {
                    self.memory.carried.clear();
                }
                self.state.crm_output = Some(recorded.output);
            }
        }
    }

    fn read_as(&mut self, acts: Option<Vec<Act>>) {
        if let Some(acts) = acts {
            self.acts = acts;
        }
    }

    fn today(&self) -> String {
        self.now.strftime("%Y-%m-%d").to_string()
    }

    fn count_tokens(&mut self, tokens: u64) {
        let day = self.today();
        if self.memory.tokens.day != day {
            self.memory.tokens = TokenCount { day, used: 0 };
        }
        self.memory.tokens.used += tokens;
    }

    /// Tokens that were used for this contact today.
    #[must_use]
    pub fn tokens_today(&self) -> u64 {
        let tokens = &self.memory.tokens;
        if tokens.day == self.today() {
            tokens.used
        } else {
            0
        }
    }
}
