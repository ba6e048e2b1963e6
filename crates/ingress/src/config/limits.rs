//! What protects the service, and where webhooks wait while Redis is away.

use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use streams::{PartitionCount, RateLimit};

/// What protects the service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// Verified requests a minute and client address, over all replicas; 0 is off.
    #[arg(
        long,
        env = "INGRESS_RATE_LIMIT_PER_MINUTE",
        default_value_t = 50,
        value_name = "N"
    )]
    pub rate_limit_per_minute: u32,

    /// Requests with a bad signature a minute and client address, in each replica; 0 is off.
    /// Half of the rate limit when not set.
    #[arg(long, env = "INGRESS_FAILED_SIGNATURES_PER_MINUTE", value_name = "N")]
    pub failed_signatures_per_minute: Option<u32>,

    /// Where the client address comes from. Set it only behind a proxy that overwrites the header.
    #[arg(long, env = "INGRESS_CLIENT_ADDRESS", default_value = "peer")]
    pub client_address: ClientAddressSource,

    /// How many proxies of ours stand in X-Forwarded-For.
    #[arg(
        long,
        env = "INGRESS_TRUSTED_HOPS",
        default_value = "1",
        value_name = "N"
    )]
    pub trusted_hops: NonZeroU16,

    /// Entries that may wait in one partition before webhooks are refused; 0 is off. A warning
    /// comes at half of it.
    #[arg(
        long,
        env = "INGRESS_MAX_BACKLOG",
        default_value_t = 100_000,
        value_name = "N"
    )]
    pub max_backlog: u32,

    /// Webhooks that failed validation and are kept, over all partitions; the oldest go first.
    #[arg(
        long,
        env = "INGRESS_MAX_REJECTED",
        default_value = "10000",
        value_name = "N"
    )]
    pub max_rejected: NonZeroU32,

    /// How long a client may take to send its headers, and again to send its body.
    #[arg(
        long,
        env = "INGRESS_REQUEST_TIMEOUT_SECS",
        default_value = "10",
        value_name = "SECONDS"
    )]
    pub request_timeout_secs: NonZeroU16,

    /// Replicas of Redis that must have a message before the 200.
    #[arg(
        long,
        env = "REDIS_WAIT_REPLICAS",
        default_value_t = 0,
        value_name = "N"
    )]
    pub wait_replicas: u16,

    /// How long to wait for those replicas.
    #[arg(
        long,
        env = "REDIS_WAIT_TIMEOUT_MS",
        default_value_t = 500,
        value_name = "MS"
    )]
    pub wait_timeout_ms: u64,

    /// How long a repeated message is recognised.
    #[arg(
        long,
        env = "INGRESS_DEDUP_SECS",
        default_value_t = 3600,
        value_name = "SECONDS"
    )]
    pub dedup_secs: u64,

    /// Threads that serve requests; as many as cores when not set.
    #[arg(long, env = "INGRESS_THREADS", value_name = "N")]
    pub threads: Option<NonZeroU16>,

    /// Check signatures and count the bad ones, but refuse nothing. For a rollout only.
    #[arg(long, env = "INGRESS_OBSERVE_ONLY", action = clap::ArgAction::Set, default_value_t = false,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub observe_only: bool,
}

impl LimitsConfig {
    /// The budget of a client address.
    pub const fn rate(&self) -> RateLimit {
        RateLimit {
            limit: self.rate_limit_per_minute,
            window: Duration::from_secs(60),
        }
    }

    /// How long a client may take to send its headers, and again to send its body.
    pub fn request_patience(&self) -> Duration {
        Duration::from_secs(self.request_timeout_secs.get().into())
    }

    /// The share of one partition in the rejected webhooks that are kept.
    pub fn max_rejected_of(&self, partitions: PartitionCount) -> u32 {
        self.max_rejected.get().div_ceil(partitions.get().into())
    }

    /// The budget of bad signatures; 0 is off.
    pub fn failed_signatures(&self) -> u32 {
        self.failed_signatures_per_minute
            .unwrap_or(self.rate_limit_per_minute / 2)
    }
}

/// Where the address of a client is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClientAddressSource {
    /// The other end of the connection.
    Peer,
    /// `X-Real-IP`, as Railway sets it.
    XRealIp,
    /// `X-Forwarded-For`, counted from the right.
    XForwardedFor,
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
        value_name = "N"
    )]
    pub spool_max_entries: u64,
}
