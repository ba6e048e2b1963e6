//! The end of processing: all effects of a turn in one script, or a dead letter.

use std::time::Duration;

use redis::Value;

use crate::entry::text;
use crate::lease::Lease;
use crate::script::{COMMIT, Call, DEAD_LETTER};
use crate::{Entry, Fields, NewEntry, Queue, Redis, StreamId, StreamsError};

/// Everything that one turn changes. Applied whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// The version of the conversation's state that the turn started from.
    pub expected_version: u64,
    /// Fields to set in the conversation's state.
    pub state: Vec<(&'static str, String)>,
    /// Fields to set in what outlives the state.
    pub contact: Vec<(&'static str, String)>,
    /// Fields to drop from what outlives the state.
    pub forget: Vec<&'static str>,
    /// What else outlives the state, and others may write meanwhile: not written where something newer is
    /// kept.
    pub note: Option<ContactNote>,
    /// Lines to append to the history.
    pub history: Vec<String>,
    /// How many history lines are kept.
    pub history_cap: usize,
    /// How long state and history are kept after the last turn.
    pub state_ttl: Duration,
    /// What is kept of the turn itself, for people who look on. Without it that of an earlier turn
    /// stays until its time is over.
    pub turn: Option<String>,
    /// What is kept of it beside the turns before it.
    pub seen: Option<String>,
    /// How many of those are kept.
    pub seen_cap: usize,
    /// How long both are kept.
    pub turn_ttl: Duration,
    /// How long the event is remembered as done.
    pub done_ttl: Duration,
    /// Entries for the outbound stream, in order.
    pub outbound: Vec<NewEntry>,
    /// Entries for the CRM's stream, in order.
    pub crm: Vec<NewEntry>,
    /// Entries for the mirror's stream, in order.
    pub mirror: Vec<NewEntry>,
}

/// A field of what outlives a conversation's state. Its value begins with a number; a higher one is newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactNote {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// The number.
    pub number: u64,
}

/// What a commit met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Committed {
    Ok,
    /// An earlier commit of the same entry went through; its answer was lost.
    Already,
    /// An entry that was merged has ended already; the others go on without it.
    Split,
    /// The state is not the one that the turn started from.
    Conflict,
    Fenced,
}

/// Why an entry is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterReason {
    /// A short name to search, count and replay by, such as `attempts_exhausted`.
    pub reason: &'static str,
    /// The error with its causes, without customer text.
    pub error: String,
}

/// An entry that becomes a dead letter, after so many starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetAside {
    pub(crate) why: DeadLetterReason,
    pub(crate) attempts: u32,
}

impl SetAside {
    /// The fields that a dead letter has before the entry's own.
    fn fields(&self, id: StreamId) -> Vec<(&'static str, String)> {
        vec![
            ("_id", id.to_string()),
            ("_reason", self.why.reason.to_owned()),
            ("_error", self.why.error.clone()),
            ("_attempts", self.attempts.to_string()),
            (
                "_failed_at",
                jiff::Timestamp::now().as_millisecond().to_string(),
            ),
        ]
    }
}

/// What recording met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recorded {
    Ok,
    Already,
    /// [`crate::Record::unless`] was set; its value.
    Held(String),
    /// [`crate::Record::judged_by`] is not any more as it was; how it is now.
    Changed(Vec<Fields>),
    Fenced,
}

impl Redis {
    pub(crate) async fn commit(
        &self,
        lease: &Lease,
        entry: &Entry,
        merged: &[&Entry],
        turn: &Commit,
        aside: Option<&SetAside>,
    ) -> Result<Committed, StreamsError> {
        let keys = self.keys().of(lease.partition);
        let conversation = entry.conversation.as_str();
        let aside_fields = aside
            .map(|aside| aside.fields(entry.id))
            .unwrap_or_default();
        let answer: Vec<Value> = self
            .run_within(lease.partition, &COMMIT, |invocation| {
                invocation
                    .key(keys.owner(lease.queue))
                    .key(keys.stream(lease.queue));
                invocation
                    .key(keys.attempts(lease.queue))
                    .key(keys.done(&entry.event));
                invocation
                    .key(keys.conversation(conversation))
                    .key(keys.history(conversation));
                invocation
                    .key(keys.contact(conversation))
                    .key(keys.dead_letters(lease.queue))
                    .key(keys.stream(Queue::Outbound))
                    .key(keys.stream(Queue::Crm))
                    .key(keys.stream(Queue::Mirror))
                    .key(keys.turn(conversation))
                    .key(keys.turns(conversation));
                for entry in merged {
                    invocation.key(keys.done(&entry.event));
                }
                invocation
                    .arg(lease.token())
                    .arg(lease.queue.group())
                    .arg(entry.id.to_string());
                invocation.arg(turn.expected_version).arg(turn.history_cap);
                invocation
                    .arg(seconds(turn.state_ttl))
                    .arg(seconds(turn.done_ttl));
                add_kept(invocation, turn);
                invocation.arg(merged.len());
                for entry in merged {
                    invocation.arg(entry.id.to_string());
                }
                add_pairs(invocation, &aside_fields);
                add_pairs(invocation, &turn.state);
                add_pairs(invocation, &turn.contact);
                invocation.arg(turn.forget.len()).arg(&turn.forget);
                match &turn.note {
                    None => invocation.arg(0),
                    Some(note) => {
                        invocation.arg(3).arg(note.field);
                        invocation.arg(&note.value).arg(note.number)
                    }
                };
                invocation.arg(turn.history.len()).arg(&turn.history);
                for entries in [&turn.outbound, &turn.crm, &turn.mirror] {
                    invocation.arg(entries.len());
                    for entry in entries {
                        add_pairs(invocation, &entry.fields());
                    }
                }
            })
            .await?;
        match tag(&answer).as_deref() {
            Some("OK") => {
                if let Some(aside) = aside {
                    self.observer().dead_letter(lease.queue, aside.why.reason);
                }
                Ok(Committed::Ok)
            }
            Some("ALREADY") => Ok(Committed::Already),
            Some("SPLIT") => Ok(Committed::Split),
            Some("CONFLICT") => Ok(Committed::Conflict),
            Some("FENCED") => {
                self.observer().fenced(lease.queue, "commit");
                Ok(Committed::Fenced)
            }
            _ => Err(StreamsError::Answer { script: "commit" }),
        }
    }

    /// `note` is appended to the conversation's history, where the consumer keeps one.
    pub(crate) async fn dead_letter(
        &self,
        lease: &Lease,
        entry: EntryRef<'_>,
        why: &DeadLetterReason,
        attempts: u32,
        note: Option<Note<'_>>,
    ) -> Result<Recorded, StreamsError> {
        let keys = self.keys().of(lease.partition);
        let note = note.unwrap_or_default();
        let answer: Vec<Value> = self
            .run_within(lease.partition, &DEAD_LETTER, |invocation| {
                invocation
                    .key(keys.owner(lease.queue))
                    .key(keys.stream(lease.queue));
                invocation
                    .key(keys.attempts(lease.queue))
                    .key(keys.dead_letters(lease.queue));
                invocation.key(keys.history(entry.conversation));
                invocation
                    .arg(lease.token())
                    .arg(lease.queue.group())
                    .arg(entry.id.to_string());
                invocation.arg(why.reason).arg(&why.error).arg(attempts);
                invocation
                    .arg(jiff::Timestamp::now().as_millisecond())
                    .arg(note.line)
                    .arg(note.history_cap)
                    .arg(seconds(note.history_ttl));
            })
            .await?;
        let recorded = self.recorded(lease, "dead_letter", answer)?;
        if recorded == Recorded::Ok {
            self.observer().dead_letter(lease.queue, why.reason);
        }
        Ok(recorded)
    }

    pub(crate) fn recorded(
        &self,
        lease: &Lease,
        script: &'static str,
        answer: Vec<Value>,
    ) -> Result<Recorded, StreamsError> {
        match tag(&answer).as_deref() {
            Some("OK") => Ok(Recorded::Ok),
            Some("ALREADY") => Ok(Recorded::Already),
            Some("HELD") => Ok(Recorded::Held(
                answer.into_iter().nth(1).and_then(text).unwrap_or_default(),
            )),
            Some("FENCED") => {
                self.observer().fenced(lease.queue, script);
                Ok(Recorded::Fenced)
            }
            _ => Err(StreamsError::Answer { script }),
        }
    }
}

/// The little that is known of an entry even when it cannot be decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryRef<'a> {
    pub(crate) id: StreamId,
    /// Empty when the entry cannot be decoded.
    pub(crate) conversation: &'a str,
}

impl<'a> From<&'a Entry> for EntryRef<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            id: entry.id,
            conversation: &entry.conversation,
        }
    }
}

/// A dead letter's line in the history of its conversation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Note<'a> {
    pub(crate) line: &'a str,
    pub(crate) history_cap: usize,
    /// For a history that nothing else has given an end.
    pub(crate) history_ttl: Duration,
}

/// Redis refuses to keep something for no time at all.
pub(crate) fn seconds(ttl: Duration) -> u64 {
    ttl.as_secs().max(1)
}

fn tag(answer: &[Value]) -> Option<String> {
    answer.first().cloned().and_then(text)
}

/// What is kept of the turn itself.
fn add_kept(invocation: &mut Call, turn: &Commit) {
    invocation
        .arg(seconds(turn.turn_ttl))
        .arg(turn.turn.as_deref().unwrap_or_default())
        .arg(turn.seen.as_deref().unwrap_or_default())
        .arg(turn.seen_cap.max(1));
}

/// A counted run: the number of items, then the items.
pub(crate) fn add_pairs<K: AsRef<str>, V: AsRef<str>>(invocation: &mut Call, pairs: &[(K, V)]) {
    invocation.arg(pairs.len() * 2);
    for (name, value) in pairs {
        invocation.arg(name.as_ref()).arg(value.as_ref());
    }
}
