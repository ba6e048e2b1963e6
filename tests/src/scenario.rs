//! Stories of what happens to a running system, one file each. All end in the same judgement.

mod backlog;
mod cluster_failover;
mod consumers_first;
mod egress_killed_after_post;
mod interjections;
mod judgement;
mod redis_restarted;
mod scripts_flushed;
mod sentinel_failover;
mod storm;
mod stranger;
mod workers_scaled;

use std::time::Duration;

use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

use crate::{Load, LoadReport, Settings, System};

pub use judgement::Judgement;

/// Which story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Faults of all kinds by a seeded schedule, while customers write.
    Storm,
    /// Egress dies after the provider took a message and before that was written down.
    EgressKilledAfterPost,
    /// redis-server dies and comes back, several times.
    RedisRestarted,
    /// The master dies and Sentinel promotes the replica.
    SentinelFailover,
    /// A cluster's master dies and its replica is promoted.
    ClusterFailover,
    /// Three workers become one and three again.
    WorkersScaled,
    /// Consumers start before any stream or group exists.
    ConsumersFirst,
    /// Redis forgets its scripts again and again.
    ScriptsFlushed,
    /// A flooding customer and a peer without any secret do what they can.
    Stranger,
    /// A large backlog is drained by one consumer whose memory is watched.
    Backlog,
}

/// How a story is played.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The time over which customers write.
    pub duration: Duration,
    /// How many messages they write.
    pub messages: u32,
    /// Decides faults and load.
    pub seed: u64,
    /// `always` or `everysec`.
    pub fsync: String,
    /// `worker` or `echo`.
    pub consumer: &'static str,
    /// Whether a storm's messages are answered each, or those of a burst by one turn.
    pub answer_each: bool,
    /// Whether colleagues write to customers in a storm.
    pub colleagues: bool,
    /// Whether waits are judged too: only where nothing else runs on the machine.
    pub timed: bool,
}

impl Scenario {
    /// Plays it and judges the end.
    pub async fn play(self, plan: &Plan) -> Judgement {
        match self {
            Self::Storm => storm::play(plan).await,
            Self::EgressKilledAfterPost => egress_killed_after_post::play(plan).await,
            Self::RedisRestarted => redis_restarted::play(plan).await,
            Self::SentinelFailover => sentinel_failover::play(plan).await,
            Self::ClusterFailover => cluster_failover::play(plan).await,
            Self::WorkersScaled => workers_scaled::play(plan).await,
            Self::ConsumersFirst => consumers_first::play(plan).await,
            Self::ScriptsFlushed => scripts_flushed::play(plan).await,
            Self::Stranger => stranger::play(plan).await,
            Self::Backlog => backlog::play(plan).await,
        }
    }
}

impl Plan {
    fn settings(&self) -> Settings {
        Settings {
            consumer: self.consumer,
            ..Settings::default()
        }
    }

    fn load(&self) -> Load {
        Load {
            conversations: (self.messages / 40).clamp(4, 400),
            messages: self.messages,
            burst: 4,
            spread: self.duration,
            duplicates: 0.1,
            seed: self.seed,
        }
    }
}

/// Plays `events` while customers write; `events` learns when they have written everything.
async fn under_load(
    system: &mut System,
    load: &Load,
    events: impl AsyncFnOnce(&mut System, CancellationToken),
) -> LoadReport {
    let webhooks = system.webhooks();
    let written = CancellationToken::new();
    let stop = CancellationToken::new();
    let write = async {
        let report = load.run(&webhooks, &stop).await;
        written.cancel();
        report
    };
    let (report, ()) = tokio::join!(write, events(system, written.clone()));
    report
}
