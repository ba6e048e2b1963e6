//! What happened to a customer's message: what the worker kept of its turn, the ledger of egress, and the letter
//! that it became when it was held back. Nothing is noted for it.

use jiff::Timestamp;
use serde_json::Value;
use shared_types::fields::send;
use shared_types::{ConversationId, TurnView};
use streams::{Letter, Queue, Shelf};

use super::conversation::{Fields, Sent, time};
use super::{Desk, Problem};

/// Turns that are kept of a conversation.
const TURNS: usize = 20;
/// Letters among which one of a reply is looked for.
const LETTERS: usize = 1_000;

/// What happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xray {
    /// When its turn was taken: the time of its line.
    pub at: Timestamp,
    /// Its way, in order of time.
    pub hops: Vec<Hop>,
    /// What was understood and decided.
    pub turn: TurnView,
    /// Why a reply was not sent, and in more words.
    pub held: Option<(String, String)>,
}

/// A step of its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// `received`, `queued`, `turn`, `asked`, `accepted`, `delivered` …
    pub what: String,
    /// Which service did it, or told of it.
    pub place: &'static str,
    /// When.
    pub at: Timestamp,
    /// How long it took, in microseconds, where that is known.
    pub took_us: Option<u64>,
}

/// What the ledger says of a message's way: the field, what it is called, who did it.
const OF_LEDGER: [(&str, &str, &str); 6] = [
    ("intent_at", "asked", "egress"),
    ("sent_at", "accepted", "provider"),
    ("at:delivered", "delivered", "provider"),
    ("at:read", "read", "provider"),
    ("at:undelivered", "undelivered", "provider"),
    ("at:failed", "failed", "provider"),
];

impl Desk {
    /// What happened to the messages whose turns are still kept.
    pub(super) async fn xrays(
        &self,
        id: &ConversationId,
        sent: &[Sent],
    ) -> Result<Vec<Xray>, Problem> {
        let partition = self.redis.partitions().partition_of(id.as_str());
        let key = self.redis.keys().of(partition).turns(id.as_str());
        let kept = self.redis.list_end(&key, TURNS).await?;
        let kept = kept
            .iter()
            .filter_map(|turn| serde_json::from_str(turn).ok());
        let mut xrays: Vec<Xray> = kept.filter_map(|turn: Value| of(&turn, sent)).collect();
        let is_unsent = |one: &&mut Xray| {
            let outbound = one.turn.outbound.as_deref();
            outbound.is_some_and(|outbound| !sent.iter().any(|sent| sent.is_of(outbound)))
        };
        let mut unsent = xrays.iter_mut().filter(is_unsent).peekable();
        if unsent.peek().is_some() {
            let shelf = Shelf::Dead(Queue::Outbound);
            let letters = self
                .redis
                .letters_about(shelf, id.as_str(), LETTERS)
                .await?;
            unsent.for_each(|one| one.held = held(&letters, &one.turn));
        }
        Ok(xrays)
    }
}

/// Why the reply of a turn lies among the dead letters.
fn held(letters: &[Letter], turn: &TurnView) -> Option<(String, String)> {
    let outbound = turn.outbound.as_ref()?;
    let letter = letters.iter().rev().find(|letter| {
        let event = letter.fields.get("event");
        event.is_some_and(|event| event == outbound)
    })?;
    Some((letter.reason.clone(), letter.error.clone()))
}

/// Of what the worker kept of a turn.
fn of(turn: &Value, sent: &[Sent]) -> Option<Xray> {
    let times = &turn["times"];
    let moment = |name: &str| times[name].as_str().and_then(|at| at.parse().ok());
    let at = moment("turn")?;
    let view = TurnView::of(turn);
    let hop = |what: &str, place, at, took_us| Hop {
        what: what.to_owned(),
        place,
        at,
        took_us,
    };
    let mut hops = vec![hop("turn", "worker", at, times["took_us"].as_u64())];
    let before = [("received", "ingress"), ("queued", "redis")].into_iter();
    hops.extend(before.filter_map(|(what, place)| Some(hop(what, place, moment(what)?, None))));
    let ours = |one: &&Sent| view.outbound.as_deref().is_some_and(|id| one.is_of(id));
    for one in sent.iter().filter(ours) {
        hops.extend(of_ledger(&one.fields));
    }
    hops.sort_by_key(|hop| hop.at);
    Some(Xray {
        at,
        hops,
        turn: view,
        held: None,
    })
}

fn of_ledger(fields: &Fields) -> impl Iterator<Item = Hop> + '_ {
    OF_LEDGER.iter().filter_map(|(name, what, place)| {
        let took = || {
            let (asked, accepted) = (time(fields, "intent_at")?, time(fields, "sent_at")?);
            u64::try_from((accepted.duration_since(asked)).as_micros()).ok()
        };
        Some(Hop {
            what: (*what).to_owned(),
            place,
            at: time(fields, name)?,
            took_us: (*what == "accepted").then(took).flatten(),
        })
    })
}

impl Sent {
    /// Whether it is the message with this id: a part of it, a template in its place, or one sent anew.
    pub(super) fn is_of(&self, outbound: &str) -> bool {
        let rest = self.id.strip_prefix(outbound);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
            && self.fields.contains_key(send::STATE)
    }
}
