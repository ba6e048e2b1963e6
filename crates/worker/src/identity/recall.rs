//! What follows a person: read, written and told.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use jiff::Timestamp;
use serde_json::json;
use shared_types::fields::{contact, conversation as state};
use shared_types::{ChannelAddress, ColleagueMessage, ControlEvent, ControlKind, InboundMessage};
use streams::{
    Claim, ContactNote, Identity, Ingest, Join, Joined, NewEntry, PartitionKeys, Queue, Redis,
    StreamsError,
};

use super::{Kin, names_of};
use crate::dialogue::State;
use crate::effects::OptOut;
use crate::turns::Known;

/// The other conversations that a turn looks into.
const MOST_READ: usize = 16;
/// What stands before the name of an event that another conversation of the person had.
const OF_PERSON: &str = "person:";

/// Whether the event with this name was told by another conversation of the same person.
pub(crate) fn is_told_by_kin(name: &str) -> bool {
    name.starts_with(OF_PERSON)
}
/// Longer than any worker takes to see its own event again.
const DEDUP: Duration = Duration::from_secs(24 * 60 * 60);

/// Knows who is who.
#[derive(Clone)]
pub(crate) struct Identities {
    pub(crate) redis: Redis,
    /// Lines of history that a turn reads.
    pub(crate) history_lines: usize,
}

/// What one of the person's other conversations adds.
struct Other {
    last_inbound: Option<i64>,
    memory: Option<State>,
    history: Vec<String>,
    opted_out: Option<String>,
}

impl Identities {
    /// Who wrote a message, by what is noted of its conversation or by what it proves; and what is
    /// known of them from all their conversations. `last_inbound` is when somebody wrote in this
    /// one before, in milliseconds since 1970. The note is to be kept with the turn: of a person who has no
    /// other conversation, there is nobody to tell before.
    pub(crate) async fn recall(
        &self,
        message: &InboundMessage,
        noted: Option<Kin>,
        known: Known,
        last_inbound: Option<i64>,
    ) -> Result<(Kin, Known, Option<ContactNote>), StreamsError> {
        let own = message.conversation.id.as_str();
        let names = names_of(message);
        let is_first = noted.is_none();
        let (kin, is_learned) = match noted.filter(|kin| kin.has(&names)) {
            Some(kin) => (kin, false),
            None => (self.learn(message, &names, is_first).await?, true),
        };
        let others = kin.others.iter().rev().take(MOST_READ);
        let others = try_join_all(others.map(|other| self.other(other))).await?;
        let opted_out = known.opted_out;
        let known = self.with(known, others, last_inbound);
        let note = (is_learned && kin.others.is_empty()).then(|| kin.noted());
        if is_learned && note.is_none() {
            self.spread(&kin, own, &known, opted_out).await?;
        }
        Ok((kin, known, note))
    }

    async fn learn(
        &self,
        message: &InboundMessage,
        names: &[String],
        is_new: bool,
    ) -> Result<Kin, StreamsError> {
        let own = message.conversation.id.as_str();
        let now = Timestamp::now();
        let audit = json!({
            "at": now, "change": "joined", "by": "evidence", "names": names,
            "message": message.event(),
        })
        .to_string();
        let conversation = Identity::name_of_conversation(own);
        let joined = self.redis.join(Join {
            names,
            conversation: Some(&conversation),
            claim: Claim::Evidence,
            is_new,
            audit: &audit,
            now,
        });
        let joined = joined.await?;
        report(&joined, message);
        if let Some(left) = &joined.left {
            self.renew(&self.redis.identity(left).await?).await?;
        }
        if joined.is_new {
            // Nothing to read: it is what was just written.
            return Ok(Kin {
                person: joined.id,
                names: names.to_vec(),
                others: Vec::new(),
                revision: joined.revision,
            });
        }
        let mut kin = Kin::of(&self.redis.identity(&joined.id).await?, own);
        if joined.kept_apart {
            // Not theirs, an operator says so; and not asked again with every message.
            let apart = names.iter().filter(|name| !kin.names.contains(name));
            let apart: Vec<String> = apart.cloned().collect();
            kin.names.extend(apart);
        }
        Ok(kin)
    }

    /// Reads one of the person's other conversations.
    async fn other(&self, conversation: &str) -> Result<Other, StreamsError> {
        let keys = self.keys(conversation);
        let (of_state, of_contact) = (keys.conversation(conversation), keys.contact(conversation));
        let of_history = keys.history(conversation);
        let (fields, contact, history) = tokio::try_join!(
            self.redis.hash(&of_state),
            self.redis.hash(&of_contact),
            self.redis.list_end(&of_history, self.history_lines),
        )?;
        let memory = fields.get(state::MEMORY);
        Ok(Other {
            last_inbound: ms(fields.get(state::LAST_INBOUND)),
            memory: memory.and_then(|memory| serde_json::from_str(memory).ok()),
            history,
            opted_out: contact.get(contact::OPTED_OUT).cloned(),
        })
    }

    /// What is known of a conversation, with what is known from others: the newest memory with its
    /// history, an opt-out, and that a colleague has the person.
    fn with(&self, mut known: Known, others: Vec<Other>, last_inbound: Option<i64>) -> Known {
        let now = Timestamp::now();
        let mut newest = last_inbound;
        let mut taken = held(&known.memory, now);
        for other in others {
            known.opted_out |= other.opted_out.is_some();
            let Some(memory) = other.memory else { continue };
            taken = taken.max(held(&memory, now));
            let lines = other.history.iter();
            let lines = lines.filter_map(|line| serde_json::from_str(line).ok());
            known.history.extend(lines);
            if other.last_inbound > newest {
                newest = other.last_inbound;
                known.memory = memory;
            }
        }
        if let Some((until, reason)) = taken {
            known.memory.taken(until, &reason);
        }
        known.history.sort_by_key(|line| line.at);
        let surplus = known.history.len().saturating_sub(self.history_lines);
        known.history.drain(..surplus);
        known
    }

    /// Writes what was learned: into the other conversations, then into the own one. `opted_out` is
    /// whether the own one knew of the person's opt-out.
    async fn spread(
        &self,
        kin: &Kin,
        own: &str,
        known: &Known,
        opted_out: bool,
    ) -> Result<(), StreamsError> {
        let now = Timestamp::now();
        let all = kin.others.iter().map(String::as_str);
        if known.opted_out && (!opted_out || !kin.others.is_empty()) {
            let since = OptOut::Since(now);
            try_join_all(
                all.clone()
                    .chain([own])
                    .map(|one| self.opt(one, since, false)),
            )
            .await?;
        }
        try_join_all(all.map(|other| self.note(kin, other, own))).await?;
        self.note_own(kin, own).await
    }

    /// Notes in one of the person's other conversations whose it is.
    async fn note(&self, kin: &Kin, other: &str, own: &str) -> Result<(), StreamsError> {
        let others = kin.others.iter().filter(|one| *one != other);
        let theirs = Kin {
            others: others.cloned().chain([own.to_owned()]).collect(),
            ..kin.clone()
        };
        self.note_own(&theirs, other).await
    }

    async fn note_own(&self, kin: &Kin, own: &str) -> Result<(), StreamsError> {
        let note = kin.noted();
        let noted = self
            .redis
            .note_contact(own, note.field, Some(&note.value), note.number);
        noted.await.map(drop)
    }

    /// Carries a change of the opt-out into the person's other conversations. Before the turn is
    /// committed: a turn that is taken again carries it again.
    pub(crate) async fn follow(
        &self,
        kin: &Kin,
        change: Option<OptOut>,
    ) -> Result<(), StreamsError> {
        let Some(change) = change else { return Ok(()) };
        let all = kin.others.iter();
        try_join_all(all.map(|other| self.opt(other, change, true))).await?;
        Ok(())
    }

    /// Writes an opt-out or its end beside a conversation; one that is there already stays as it is
    /// unless it is to be `renewed`.
    async fn opt(
        &self,
        conversation: &str,
        change: OptOut,
        renewed: bool,
    ) -> Result<(), StreamsError> {
        let (at, value) = match change {
            OptOut::Since(at) => (at, Some(at.as_millisecond().to_string())),
            OptOut::Lifted => (Timestamp::now(), None),
        };
        let number = match renewed {
            true => u64::try_from(at.as_millisecond()).unwrap_or_default(),
            // Lower than any time that is kept.
            false => 0,
        };
        let field = contact::OPTED_OUT;
        let noted = self
            .redis
            .note_contact(conversation, field, value.as_deref(), number);
        noted.await.map(drop)
    }

    /// Tells the person's other conversations who is in charge, each in its own order. `name` is that
    /// of the event.
    pub(crate) async fn tell_others(
        &self,
        kin: Option<Kin>,
        name: &str,
        event: &ControlEvent,
    ) -> Result<(), StreamsError> {
        if is_told_by_kin(name) || event.kind == ControlKind::MessageDeleted {
            return Ok(());
        }
        let others = kin.map(|kin| kin.others).unwrap_or_default();
        self.tell(others, name, event, false).await
    }

    /// Tells the person's other conversations that a colleague wrote in this one: no turn that is in
    /// progress there speaks for them. A conversation that no customer wrote in is whose address it is.
    pub(crate) async fn tell_of_colleague(
        &self,
        kin: Option<Kin>,
        name: &str,
        message: &ColleagueMessage,
    ) -> Result<(), StreamsError> {
        let own = message.conversation_id.as_str();
        let others = match kin {
            Some(kin) => kin.others,
            None => {
                let names: Vec<String> = message.to.iter().map(ChannelAddress::name).collect();
                let mut all = self.redis.conversations_of(&names).await?;
                all.retain(|other| other != own);
                all
            }
        };
        let event = ControlEvent {
            conversation_id: message.conversation_id.clone(),
            source: message.source,
            kind: ControlKind::HumanTookOver,
            by: message.by.clone(),
            changed_at: None,
            late: false,
            at: message.at,
        };
        self.tell(others, name, &event, true).await
    }

    async fn tell(
        &self,
        others: Vec<String>,
        name: &str,
        event: &ControlEvent,
        fences: bool,
    ) -> Result<(), StreamsError> {
        for other in others {
            let Ok(conversation_id) = other.parse() else {
                continue;
            };
            let event = ControlEvent {
                conversation_id,
                ..event.clone()
            };
            let name = format!("{OF_PERSON}{name}:{other}");
            let Ok(entry) = NewEntry::new(&event, name, &other) else {
                continue;
            };
            let entry = NewEntry { fences, ..entry };
            let ingest = Ingest {
                dedup_for: DEDUP,
                ..Ingest::unlimited(Queue::Inbound, &entry)
            };
            self.redis.ingest(&ingest).await?;
        }
        Ok(())
    }

    /// Writes an opt-out beside all of a person's conversations that have none.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub(crate) async fn opt_out_of_all(
        &self,
        identity: &Identity,
        change: OptOut,
    ) -> Result<(), StreamsError> {
        let all = identity.conversations();
        try_join_all(all.map(|one| self.opt(one, change, false))).await?;
        Ok(())
    }

    /// Notes beside each of a person's conversations whose it is, after an operator changed it.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub(crate) async fn renew(&self, identity: &Identity) -> Result<(), StreamsError> {
        let all = identity.conversations().map(|own| async move {
            let kin = Kin::of(identity, own);
            self.note_own(&kin, own).await
        });
        join_all(all).await.into_iter().collect()
    }

    fn keys(&self, conversation: &str) -> PartitionKeys {
        let partition = self.redis.partitions().partition_of(conversation);
        self.redis.keys().of(partition)
    }
}

/// Until when a colleague has the person, and why.
fn held(memory: &State, now: Timestamp) -> Option<(Timestamp, String)> {
    let until = memory.human_until.filter(|until| *until > now)?;
    Some((until, memory.human_reason.clone().unwrap_or_default()))
}

fn ms(field: Option<&String>) -> Option<i64> {
    field?.parse().ok()
}

fn report(joined: &Joined, message: &InboundMessage) {
    if !joined.absorbed.is_empty() {
        tracing::info!(
            person = joined.id,
            absorbed = ?joined.absorbed,
            source = %message.source,
            "a message shows that two persons are one"
        );
    }
    if joined.kept_apart {
        tracing::info!(
            person = joined.id,
            "a message would join persons whom an operator split"
        );
    }
}
