//! A consumer of the inbound queue without any agent: it repeats what the customer wrote.
//!
//! It stands in the worker's place where the transport alone is concerned. The text `poison` kills
//! the process, as a message does that trips a bug.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process;
use std::time::Duration;

use jiff::Timestamp;
use shared_types::fields::conversation as state;
use shared_types::{Inbound, InboundMessage, OutboundId, OutboundMessage};
use streams::{
    Commit, EarlyHash, EarlyReads, Entry, Handler, Job, NewEntry, PartitionKeys, Settled,
};

/// The text that kills the process.
pub const POISON: &str = "poison";

/// How long the echo remembers.
const TTL: Duration = Duration::from_secs(3600);

/// Repeats what customers write.
#[derive(Debug, Clone, Default)]
pub struct Echo {
    /// The longest time that a message takes; it is between this and a quarter of it.
    pub work: Duration,
}

impl Handler for Echo {
    type Payload = Inbound;

    fn early_reads(&self, keys: PartitionKeys) -> Option<EarlyReads> {
        let state = EarlyHash {
            begins: keys.conversation(""),
            of_event: false,
            ends: "",
            fields: &[state::VERSION],
        };
        Some(EarlyReads {
            list: Some((keys.history(""), 10)),
            hashes: vec![state],
        })
    }

    async fn handle(&self, job: Job<Inbound>) -> Settled {
        let payload = job.payload.clone();
        let Inbound::Message(message) = &*payload else {
            return job.acknowledge().await;
        };
        if message.content == POISON {
            process::abort();
        }
        tokio::time::sleep(self.work_on(&job.entry)).await;
        let commit = answer(&job, message);
        job.commit(commit).await
    }
}

impl Echo {
    /// Between a quarter and the whole of the longest time, the same for the same message.
    fn work_on(&self, entry: &Entry) -> Duration {
        let mut hasher = DefaultHasher::new();
        entry.event.hash(&mut hasher);
        let share = (hasher.finish() % 1000) as f64 / 1000.0;
        self.work.mul_f64(0.25 + 0.75 * share)
    }
}

fn answer(job: &Job<Inbound>, message: &InboundMessage) -> Commit {
    let version = job.values.field(0, state::VERSION);
    let version = version.and_then(|n| n.parse().ok());
    let reply = OutboundMessage {
        id: OutboundId::of_reply(message.source, &message.id, 0),
        source: message.source,
        conversation_id: message.conversation.id.clone(),
        to: message.sender.id.clone(),
        endpoint: message.endpoint.clone().unwrap_or_default(),
        text: format!("U schreef: {}", message.content),
        in_reply_to: message.id.clone(),
        purpose: Default::default(),
        template: None,
        picture: None,
        handoff_note: None,
        not_before: None,
        colleague_seen: None,
        mirrored: None,
        created_at: Timestamp::now(),
    };
    let state = [
        ("message_id", message.id.to_string()),
        (
            state::LAST_INBOUND,
            Timestamp::now().as_millisecond().to_string(),
        ),
    ];
    Commit {
        expected_version: version.unwrap_or_default(),
        state: state.into(),
        history: vec![message.content.clone(), reply.text.clone()],
        history_cap: 40,
        state_ttl: TTL,
        done_ttl: TTL,
        outbound: NewEntry::new(&reply, reply.id.as_str(), reply.conversation_id.as_str())
            .into_iter()
            .collect(),
        ..Commit::default()
    }
}
