//! What protects the service, and where webhooks wait while Redis is away.

use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use streams::{Destination, Ingest, NewEntry, PartitionCount, RateLimit};

use crate::rejected::MOST_KEPT_BYTES;

/// What protects the service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// Messages a minute and conversation, over all replicas; 0 is off. Repetitions and status
    /// callbacks do not count.
    #[arg(
        long,
        env = "INGRESS_RATE_LIMIT_PER_MINUTE",
        default_value_t = 50,
        value_name = "N", value_parser = runtime::within::<u32>(0..=100_000))]
    pub rate_limit_per_minute: u32,

    /// Verified webhooks a minute of all conversations together, in each replica; 0 is off. A
    /// warning comes at half of it.
    #[arg(
        long,
        env = "INGRESS_TOTAL_LIMIT_PER_MINUTE",
        default_value_t = 60_000,
        value_name = "N", value_parser = runtime::within::<u32>(0..=10_000_000))]
    pub total_limit_per_minute: u32,

    /// Entries that may wait in one partition before webhooks are refused; 0 is off. A warning
    /// comes at half of it.
    #[arg(
        long,
        env = "INGRESS_MAX_BACKLOG",
        default_value_t = 100_000,
        value_name = "N", value_parser = runtime::within::<u32>(0..=10_000_000))]
    pub max_backlog: u32,

    /// Webhooks that failed validation and are kept, over all partitions; the oldest go first.
    #[arg(
        long,
        env = "INGRESS_MAX_REJECTED",
        default_value = "10000",
        value_name = "N", value_parser = runtime::within::<NonZeroU32>(1..=1_000_000))]
    pub max_rejected: NonZeroU32,

    /// The most that they may take up together, in MiB; the oldest go first.
    #[arg(
        long,
        env = "INGRESS_MAX_REJECTED_MIB",
        default_value = "16",
        value_name = "MIB", value_parser = runtime::within::<NonZeroU16>(1..=1024))]
    pub max_rejected_mib: NonZeroU16,

    /// How long they are kept.
    #[arg(
        long,
        env = "INGRESS_REJECTED_DAYS",
        default_value = "30",
        value_name = "DAYS", value_parser = runtime::within::<NonZeroU16>(1..=3650))]
    pub rejected_days: NonZeroU16,

    /// Replicas of Redis that must have a message before the 200.
    #[arg(
        long,
        env = "REDIS_WAIT_REPLICAS",
        default_value_t = 0,
        value_name = "N", value_parser = runtime::within::<u16>(0..=100))]
    pub wait_replicas: u16,

    /// How long to wait for those replicas.
    #[arg(
        long,
        env = "REDIS_WAIT_TIMEOUT_MS",
        default_value_t = 500,
        value_name = "MS", value_parser = runtime::within::<u64>(1..=60_000))]
    pub wait_timeout_ms: u64,

    /// How long a repeated message is recognised.
    #[arg(
        long,
        env = "INGRESS_DEDUP_SECS",
        default_value_t = 3600,
        value_name = "SECONDS", value_parser = runtime::within::<u64>(1..=2_592_000))]
    pub dedup_secs: u64,

    /// How long the signed content of a message is recognised where its signature has no time, as
    /// Twilio's has none; 0 is off.
    #[arg(
        long,
        env = "INGRESS_REPLAY_DAYS",
        default_value_t = 7,
        value_name = "DAYS", value_parser = runtime::within::<u16>(0..=365))]
    pub replay_days: u16,

    /// Threads that serve requests; as many as cores when not set.
    #[arg(long, env = "INGRESS_THREADS", value_name = "N", value_parser = runtime::within::<NonZeroU16>(1..=1024))]
    pub threads: Option<NonZeroU16>,

    /// Check signatures and count the bad ones, but refuse nothing. For a rollout only.
    #[arg(long, env = "INGRESS_OBSERVE_ONLY", action = clap::ArgAction::Set, default_value_t = false,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub observe_only: bool,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl LimitsConfig {
    /// The budget of a conversation.
    pub const fn rate(&self) -> RateLimit {
        RateLimit {
            limit: self.rate_limit_per_minute,
            window: Duration::from_secs(60),
        }
    }

    /// How an entry is taken in, whatever its conversation has used up and whatever was signed.
    pub fn ingest<'a>(
        &self,
        destination: Destination,
        entry: &'a NewEntry,
        partitions: PartitionCount,
    ) -> Ingest<'a> {
        Ingest {
            destination,
            entry,
            rate: None,
            replay: None,
            dedup_for: Duration::from_secs(self.dedup_secs),
            max_backlog: match destination {
                Destination::Work(_) => self.max_backlog,
                Destination::Rejected => self.max_rejected_of(partitions),
            },
            replicas: self.wait_replicas,
            replica_timeout: Duration::from_millis(self.wait_timeout_ms),
        }
    }

    /// The share of one partition in the rejected webhooks that are kept.
    pub fn max_rejected_of(&self, partitions: PartitionCount) -> u32 {
        let bytes = u32::from(self.max_rejected_mib.get()) * (1 << 20);
        let fit = bytes / MOST_KEPT_BYTES;
        let most = self.max_rejected.get().min(fit);
        most.div_ceil(partitions.get().into())
    }

    /// How long rejected webhooks are kept.
    pub fn rejected_for(&self) -> Duration {
        DAY * self.rejected_days.get().into()
    }

    /// How long signed content without a time is recognised; zero is not at all.
    pub fn replays_known_for(&self) -> Duration {
        DAY * self.replay_days.into()
    }
}

/// Where webhooks wait on disk while Redis is away.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Spool")]
pub struct SpoolConfig {
    /// Folder of the spool, one for each replica. Without it webhooks get 503 while Redis is away.
    #[arg(long, env = "INGRESS_SPOOL_DIR", value_name = "FOLDER")]
    pub spool_dir: Option<PathBuf>,

    /// The most webhooks in the spool.
    #[arg(
        long,
        env = "INGRESS_SPOOL_MAX_ENTRIES",
        default_value_t = 100_000,
        value_name = "N", value_parser = runtime::within::<u64>(1..=100_000_000))]
    pub spool_max_entries: u64,
}
