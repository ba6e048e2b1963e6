//! A consumer of the inbound queue without any agent: it repeats what the customer wrote.
//!
//! It stands in the worker's place where the transport alone is concerned. The text `poison` kills
//! the process, as a message does that trips a bug.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process;
use std::time::Duration;

use jiff::Timestamp;
use shared_types::{InboundMessage, OutboundId, OutboundMessage};
use streams::{
    DeadLetterReason, Delivery, Entry, Handler, NewEntry, PartitionKeys, Reads, Settled, Turn,
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
    fn reads(&self, entry: &Entry, keys: PartitionKeys) -> Reads {
        Reads {
            list: Some((keys.history(&entry.conversation), 10)),
            hashes: vec![(keys.conversation(&entry.conversation), &["ver"])],
        }
    }

    async fn handle(&self, delivery: Delivery) -> Settled {
        if delivery.entry.kind != "message" {
            return delivery.acknowledge().await;
        }
        let message: InboundMessage = match serde_json::from_str(&delivery.entry.payload) {
            Ok(message) => message,
            Err(error) => {
                let why = DeadLetterReason {
                    reason: "invalid_message",
                    error: format!("line {}, column {}", error.line(), error.column()),
                };
                return delivery.dead_letter(why, None).await;
            }
        };
        if message.content == POISON {
            process::abort();
        }
        tokio::time::sleep(self.work_on(&delivery.entry)).await;
        let turn = turn(&delivery, &message);
        delivery.commit(turn).await
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

fn turn(delivery: &Delivery, message: &InboundMessage) -> Turn {
    let version = delivery.values.field(0, 0).and_then(|n| n.parse().ok());
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
        media_urls: Vec::new(),
        handoff_note: None,
        created_at: Timestamp::now(),
    };
    let state = [
        ("message_id", message.id.to_string()),
        ("last_in", Timestamp::now().as_millisecond().to_string()),
    ];
    Turn {
        expected_version: version.unwrap_or_default(),
        state: state.into(),
        history: vec![message.content.clone(), reply.text.clone()],
        history_cap: 40,
        state_ttl: TTL,
        done_ttl: TTL,
        outbound: vec![NewEntry {
            kind: "message".into(),
            event: reply.id.to_string(),
            conversation: reply.conversation_id.to_string(),
            payload: serde_json::to_string(&reply).unwrap_or_default(),
            ..NewEntry::default()
        }],
        ..Turn::default()
    }
}
