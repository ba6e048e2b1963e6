//! What happened to one message of a customer, from the webhook to the ticks: put together of the journal and
//! of the spans that the services sent. It knows nothing of its own.

mod hops;
mod verdict;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared_types::TurnView;

pub(crate) use hops::Hop;
pub(crate) use verdict::{Fate, Verdict};

use crate::journal::{Query, Record};
use crate::provider::Endpoint;
use crate::traces::Span;
use crate::world::World;

/// How many calls after a message are looked at.
const LOOKED_AT: usize = 300;

/// A message under the X-ray.
#[derive(Debug, Serialize)]
pub(crate) struct Xray {
    /// The customer's message.
    pub(crate) message: Record,
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// Its way, in order of time.
    pub(crate) hops: Vec<Hop>,
    /// What was understood and decided; none where no trace says.
    pub(crate) turn: Option<TurnView>,
    /// The calls of egress that sent its reply, also those that failed.
    pub(crate) calls: Vec<Record>,
    /// Whether any service sends traces.
    pub(crate) is_traced: bool,
}

impl Xray {
    /// Of the entry with this number: a customer's message, or a reply to one.
    pub(crate) fn of(world: &World, seq: u64) -> Option<Self> {
        let record = world.journal.get(seq)?;
        match record.entry.endpoint {
            Endpoint::Webhook => Some(Self::of_message(world, record)),
            Endpoint::Send => Some(Self::of_message(world, answered(world, &record)?)),
            _ => None,
        }
    }

    fn of_message(world: &World, message: Record) -> Self {
        let spans = world.traces.of(&message);
        let spans: Vec<&Span> = spans.iter().map(AsRef::as_ref).collect();
        let calls = calls(world, &message, &spans);
        let turn = note(&spans, "turn").map(TurnView::of);
        let verdict = verdict::judge(&message, &spans, &calls, Timestamp::now());
        Self {
            hops: hops::of(&message, &spans),
            verdict,
            turn,
            calls,
            is_traced: !world.traces.is_empty(),
            message,
        }
    }
}

/// The last message that a reply answers.
fn answered(world: &World, reply: &Record) -> Option<Record> {
    let spans = world.traces.of(reply);
    let notes = spans.iter().flat_map(|span| &span.notes);
    let taken = notes.filter(|note| note.kind == "taken");
    let messages = taken.filter_map(|note| world.journal.written_with_id(note.text("id")?));
    messages
        .max_by_key(|record| record.entry.seq)
        .or_else(|| written_before(world, reply))
}

/// The customer's message before a reply of which no trace tells.
fn written_before(world: &World, reply: &Record) -> Option<Record> {
    let query = Query {
        provider: Some(reply.entry.provider),
        to: Some(reply.entry.customer.clone()),
        endpoint: Some(Endpoint::Webhook),
        arrived_to: Some(reply.entry.arrived.at),
        limit: 1,
        ..Query::default()
    };
    world.journal.newest(&query, 0).pop()
}

/// The calls that sent the reply to a message: by what traces say of it, else those between it and the next
/// message.
fn calls(world: &World, message: &Record, spans: &[&Span]) -> Vec<Record> {
    let entry = &message.entry;
    let query = Query {
        provider: Some(entry.provider),
        to: Some(entry.customer.clone()),
        since: entry.seq,
        limit: LOOKED_AT,
        ..Query::default()
    };
    let after = world.journal.oldest(&query);
    let is_call = |record: &&Record| record.entry.endpoint == Endpoint::Send;
    let reply = note(spans, "turn").and_then(|turn| turn["reply"]["outbound"].as_str());
    let sent = spans.iter().flat_map(|span| &span.notes);
    let sent: Vec<&str> = sent
        .filter(|note| note.kind == "sent")
        .filter_map(|note| note.text("id"))
        .collect();
    let is_of = |record: &Record| {
        let is_part = |oid: &String| reply.is_some_and(|reply| oid.starts_with(reply));
        sent.contains(&record.entry.id.as_str()) || record.entry.oid.as_ref().is_some_and(is_part)
    };
    let traced: Vec<Record> = after
        .iter()
        .filter(is_call)
        .filter(|one| is_of(one))
        .cloned()
        .collect();
    if !traced.is_empty() || note(spans, "turn").is_some() {
        return traced;
    }
    let until_next = after
        .iter()
        .take_while(|record| record.entry.endpoint != Endpoint::Webhook);
    until_next.filter(is_call).cloned().collect()
}

/// What the last note of this kind says.
fn note<'a>(spans: &[&'a Span], kind: &str) -> Option<&'a Value> {
    spans.iter().rev().find_map(|span| span.note(kind))
}
