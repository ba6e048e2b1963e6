//! What a turn leaves behind: state, history, entries for egress and for the CRM. Pure.

use std::time::Duration;

use crm::{CrmWrite, HandoverChange};
use jiff::Timestamp;
use shared_types::fields::{contact, conversation as fields};
use shared_types::{
    ConversationState, HistoryLine, InboundMessage, MirrorStep, OutboundMessage, Purpose,
};
use streams::{Commit, ContactNote, NewEntry};

use crate::dialogue::act::Act;
use crate::dialogue::{Reply, Silence, State};
use crate::turn::Turn;

/// How long a committed message is remembered: a repetition that comes later than the dedup key
/// lives still changes nothing.
const DONE_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How many turns of a conversation are kept for people who look on.
const TURNS: usize = 20;

/// How much is kept of a conversation, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Lines of history.
    pub history_lines: usize,
    /// How long after the last message.
    pub memory: Duration,
    /// How long a turn is kept for people who look on; zero for not at all.
    pub turn: Duration,
}

/// Everything that a turn changes, in the terms of this service.
#[derive(Debug, Default)]
pub struct Effects {
    /// What is remembered from now on.
    pub memory: State,
    /// New lines.
    pub history: Vec<HistoryLine>,
    /// When the customer wrote last and to which of our addresses: opens the provider's window.
    pub last_inbound: Option<(Timestamp, Option<String>)>,
    /// The telephone number of the customer, else their address.
    pub sender: Option<String>,
    /// Whose the conversation is, when this turn learned it.
    pub whose: Option<ContactNote>,
    /// Set or lifted by this turn.
    pub opt_out: Option<OptOut>,
    /// What is sent.
    pub reply: Option<OutboundMessage>,
    /// What the CRM is told later.
    pub crm: Option<CrmWrite>,
    /// What a colleague should know who is told without a word to the customer.
    pub handoff_note: Option<String>,
    /// What a help desk is shown.
    pub mirror: Vec<MirrorStep>,
    /// The conversation changed hands.
    pub handover: Option<HandoverChange>,
    /// Why nothing was said, where that is right.
    pub silence: Option<Silence>,
    /// What the message does, and the reply before its words: for people who look on.
    pub acts: Vec<Act>,
    /// The reply before its words.
    pub said: Option<Reply>,
    /// What the questions ask for that a colleague has to answer.
    pub passed_on: Vec<String>,
    /// What the agents made of the message, for people who look on.
    pub state: Option<ConversationState>,
    /// The whole turn for the same, JSON.
    pub seen: Option<String>,
}

/// A change of a contact's opt-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// No messages are wanted since then.
    Since(Timestamp),
    /// Messages are wanted again.
    Lifted,
}

impl OptOut {
    /// The names of all changes.
    pub(crate) const NAMES: [&'static str; 2] = ["ended", "renewed"];

    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        let [ended, renewed] = Self::NAMES;
        match self {
            Self::Since(_) => ended,
            Self::Lifted => renewed,
        }
    }
}

/// The reply to a turn's message. Its id follows from the message, so that a turn done twice sends once.
pub(crate) fn reply_to(turn: &Turn, text: String, purpose: Purpose) -> OutboundMessage {
    let message = &turn.message;
    OutboundMessage {
        id: message.reply_id(0),
        source: message.source,
        conversation_id: message.conversation.id.clone(),
        to: message.sender.id.clone(),
        endpoint: message.endpoint.clone().unwrap_or_default(),
        text,
        in_reply_to: message.id.clone(),
        purpose,
        template: None,
        picture: None,
        handoff_note: None,
        not_before: None,
        colleague_seen: Some(turn.colleague.to_string()),
        mirrored: None,
        created_at: turn.now,
    }
}

/// Who wrote, as `worker erase` and `worker release` look for them.
pub(crate) fn sender_of(message: &InboundMessage) -> String {
    let sender = &message.sender;
    let number = sender.phone_number.as_ref().map(ToString::to_string);
    number.unwrap_or_else(|| sender.id.to_string())
}

impl Effects {
    /// In the terms of the transport. `event` is the inbound event, `trace` the span to go on from.
    ///
    /// # Errors
    /// When something cannot be written as JSON.
    pub(crate) fn into_commit(
        self,
        keep: Retention,
        expected_version: u64,
        event: &str,
        conversation: &str,
        trace: Option<&str>,
    ) -> serde_json::Result<Commit> {
        let ms = |at: Timestamp| at.as_millisecond().to_string();
        let mut state = vec![
            (fields::MEMORY, serde_json::to_string(&self.memory)?),
            (
                fields::HUMAN_UNTIL,
                self.memory.human_until.map_or_else(|| "0".to_owned(), ms),
            ),
        ];
        if let Some((at, address)) = self.last_inbound {
            state.push((fields::LAST_INBOUND, ms(at)));
            state.extend(address.map(|address| (fields::LAST_INBOUND_TO, address)));
        }
        state.extend(self.sender.map(|sender| (fields::SENDER, sender)));
        let shown = self.state.filter(|_| !keep.turn.is_zero());
        let turn = shown.as_ref().map(serde_json::to_string).transpose()?;
        let traced = |entry: NewEntry| NewEntry {
            trace: trace.map(str::to_owned),
            ..entry
        };
        let outbound = self
            .reply
            .iter()
            .map(|reply| NewEntry::new(reply, reply.id.as_str(), conversation).map(traced));
        let crm = self
            .crm
            .iter()
            .map(|write| NewEntry::new(write, format!("{event}:crm"), conversation));
        let handover = self
            .handover
            .iter()
            .map(|change| NewEntry::new(change, format!("{event}:handover"), conversation));
        let crm = crm.chain(handover).map(|entry| entry.map(traced));
        let mirror = self.mirror.iter().map(|step| {
            NewEntry::new(step, format!("mirror:{}", step.id), conversation).map(traced)
        });
        let history = self.history.iter().map(serde_json::to_string);
        Ok(Commit {
            expected_version,
            contact: match self.opt_out {
                Some(OptOut::Since(at)) => vec![(contact::OPTED_OUT, ms(at))],
                _ => Vec::new(),
            },
            forget: if self.opt_out == Some(OptOut::Lifted) {
                vec![contact::OPTED_OUT]
            } else {
                Vec::new()
            },
            note: self.whose,
            history: history.collect::<serde_json::Result<_>>()?,
            outbound: outbound.collect::<serde_json::Result<_>>()?,
            crm: crm.collect::<serde_json::Result<_>>()?,
            mirror: mirror.collect::<serde_json::Result<_>>()?,
            state,
            history_cap: keep.history_lines,
            state_ttl: keep.memory,
            turn,
            seen: self.seen.filter(|_| !keep.turn.is_zero()),
            seen_cap: TURNS,
            turn_ttl: keep.turn,
            done_ttl: DONE_TTL,
        })
    }
}
