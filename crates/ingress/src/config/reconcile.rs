//! How lost messages are looked for in the providers' own lists.

use clap::{Args, value_parser};
use jiff::SignedDuration;
use std::time::Duration;

/// How lost messages are looked for in the providers' own lists.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Lost messages")]
pub struct ReconcileConfig {
    /// How often the providers' lists of messages are compared with what came, over all replicas; 0
    /// is never. Each provider needs the credentials of its API.
    #[arg(
        long,
        env = "INGRESS_RECONCILE_INTERVAL_SECS",
        default_value_t = 300,
        value_name = "SECONDS", value_parser = runtime::within::<u32>(0..=86_400))]
    pub reconcile_interval_secs: u32,

    /// A younger message is left alone: its webhook may be on the way.
    #[arg(
        long,
        env = "INGRESS_RECONCILE_SETTLE_SECS",
        default_value_t = 60,
        value_name = "SECONDS", value_parser = runtime::within::<u32>(0..=82_800))]
    pub reconcile_settle_secs: u32,

    /// How far a comparison reaches back behind the end of the one before it: lists may lag.
    #[arg(
        long,
        env = "INGRESS_RECONCILE_OVERLAP_SECS",
        default_value_t = 600,
        value_name = "SECONDS", value_parser = runtime::within::<u32>(0..=82_800))]
    pub reconcile_overlap_secs: u32,

    /// A message that is found later than this is counted and logged, and not answered. At most 23:
    /// after 24 hours WhatsApp takes no answer.
    #[arg(
        long,
        env = "INGRESS_RECONCILE_MAX_AGE_HOURS",
        default_value_t = 12,
        value_parser = value_parser!(u8).range(1..=23),
        value_name = "HOURS"
    )]
    pub reconcile_max_age_hours: u8,
}

impl ReconcileConfig {
    /// The time between two comparisons; none when there are none.
    pub fn interval(&self) -> Option<Duration> {
        let interval = Duration::from_secs(self.reconcile_interval_secs.into());
        Some(interval).filter(|interval| !interval.is_zero())
    }

    /// How old a message must be.
    pub fn settle(&self) -> SignedDuration {
        SignedDuration::from_secs(self.reconcile_settle_secs.into())
    }

    /// How far back a comparison goes behind the last one.
    pub fn overlap(&self) -> SignedDuration {
        SignedDuration::from_secs(self.reconcile_overlap_secs.into())
    }

    /// How old a message may be that is still answered.
    pub fn max_age(&self) -> SignedDuration {
        SignedDuration::from_hours(self.reconcile_max_age_hours.into())
    }
}
