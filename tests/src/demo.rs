//! One message on its way through the system, printed hop by hop.

use std::time::{Duration, Instant};

use serde_json::json;
use shared_types::{ConversationState, MessageId, OutboundId, Source};
use streams::{Queue, Redis};

use crate::{Arrival, Settings, SimulatorClient, System, SystemBuilder};

/// The whole system with a customer who writes to it.
pub struct Demo {
    system: System,
    simulator: SimulatorClient,
    redis: Redis,
    seen: u64,
}

/// What became of one message.
#[derive(Debug, Clone)]
pub struct Trip {
    /// What ingress answered to the webhook, and how long it took.
    pub webhook: (u16, Duration),
    /// What the agents made of it, and how long after the message was written.
    pub turn: Option<(ConversationState, Duration)>,
    /// The reply as the fake Twilio accepted it, and how long after the message was written.
    pub reply: Option<(Arrival, Duration)>,
}

/// Why a trip ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TripError {
    /// Ingress did not take the message.
    #[error("ingress answered the webhook with {0}: {1}")]
    Refused(u16, String),
    /// Nothing came of it.
    #[error("no reply within {} s; the logs are in {logs}", .patience.as_secs())]
    Late {
        /// How long it was waited for.
        patience: Duration,
        /// Where the logs are.
        logs: String,
    },
}

const CUSTOMER: &str = "+31612345678";
const CONVERSATION: &str = "whatsapp:+31612345678";
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(1);

impl Demo {
    /// Starts everything, on free ports and with its data in a temporary folder.
    pub async fn start() -> Self {
        let settings = Settings {
            consumer: "worker",
            lease_ms: 10_000,
            stock: "shipped",
            log: "info",
            ..Settings::default()
        };
        let system = SystemBuilder::new(settings).start().await;
        Self {
            simulator: system.simulator(),
            redis: system.client(),
            system,
            seen: 0,
        }
    }

    /// The running system.
    pub const fn system(&mut self) -> &mut System {
        &mut self.system
    }

    /// Lets the customer write and follows the message.
    ///
    /// # Errors
    /// When ingress refuses it or nothing comes of it.
    pub async fn send(&mut self, text: &str) -> Result<Trip, TripError> {
        let begun = Instant::now();
        let message = json!({"from": CUSTOMER, "name": "Sanne", "text": text});
        let answer = self.simulator.write(message).await;
        let status = answer["status"].as_u64().unwrap_or_default() as u16;
        let took = Duration::from_micros(answer["elapsed_us"].as_u64().unwrap_or_default());
        if status != 200 {
            let body = answer["body"].as_str().unwrap_or_default().to_owned();
            return Err(TripError::Refused(status, body));
        }
        let id = answer["id"].as_str().unwrap_or_default();
        let id: MessageId = id.parse().expect("the simulator gives an id");
        let outbound = OutboundId::of_reply(Source::Twilio, &id, 0);
        let mut trip = Trip {
            webhook: (status, took),
            turn: None,
            reply: None,
        };
        while begun.elapsed() < PATIENCE {
            if trip.turn.is_none() {
                let turn = self.turn_of(&id).await;
                trip.turn = turn.map(|state| (state, begun.elapsed()));
            }
            // In this order: a reply that arrives in between is seen in the next round.
            let settled = self.is_settled().await;
            trip.reply = self
                .reply(&outbound)
                .await
                .map(|reply| (reply, begun.elapsed()));
            if trip.reply.is_some() || settled {
                return Ok(trip);
            }
            tokio::time::sleep(GLANCE).await;
        }
        let logs = self.system.folder().display().to_string();
        Err(TripError::Late {
            patience: PATIENCE,
            logs,
        })
    }

    async fn turn_of(&self, id: &MessageId) -> Option<ConversationState> {
        let json = self.redis.last_turn(CONVERSATION).await.ok()??;
        let state: ConversationState = serde_json::from_str(&json).ok()?;
        (state.message_id == *id).then_some(state)
    }

    async fn reply(&mut self, outbound: &OutboundId) -> Option<Arrival> {
        let arrivals = self.simulator.arrivals_since(self.seen).await;
        self.seen = arrivals.last().map_or(self.seen, |arrival| arrival.seq);
        arrivals
            .into_iter()
            .find(|arrival| arrival.oid.as_deref() == Some(outbound.as_str()))
    }

    /// Whether nothing is on its way any more.
    async fn is_settled(&self) -> bool {
        for queue in [Queue::Inbound, Queue::Outbound] {
            match self.redis.backlog(queue, 0).await {
                Ok(backlog) if backlog.entries == 0 => {}
                _ => return false,
            }
        }
        true
    }
}
