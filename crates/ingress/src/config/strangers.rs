//! What those may use up who have not proved who they are.

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::network::Network;

/// What those may use up who have not proved who they are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Unverified requests")]
pub struct StrangersConfig {
    /// Unverified requests a minute and client address, in each replica; 0 is off. Half of
    /// INGRESS_RATE_LIMIT_PER_MINUTE when not set.
    #[arg(long, env = "INGRESS_FAILED_SIGNATURES_PER_MINUTE", value_name = "N", value_parser = runtime::within::<u32>(0..=100_000))]
    pub failed_signatures_per_minute: Option<u32>,

    /// Where the client address comes from. Set it only behind a proxy that overwrites the header.
    #[arg(long, env = "INGRESS_CLIENT_ADDRESS", default_value = "peer")]
    pub client_address: ClientAddressSource,

    /// How many proxies of ours stand in X-Forwarded-For.
    #[arg(
        long,
        env = "INGRESS_TRUSTED_HOPS",
        default_value = "1",
        value_name = "N", value_parser = runtime::within::<NonZeroU16>(1..=100))]
    pub trusted_hops: NonZeroU16,

    /// Where those proxies connect from, with commas between. A header from elsewhere is not
    /// believed. Private networks when not set.
    #[arg(
        long,
        env = "INGRESS_TRUSTED_PROXIES",
        value_delimiter = ',',
        default_values = Network::PRIVATE,
        hide_default_value = true,
        value_name = "NETWORKS"
    )]
    pub trusted_proxies: Vec<Network>,

    /// Connections on which nothing was verified yet. Of more, the oldest are closed.
    #[arg(
        long,
        env = "INGRESS_UNVERIFIED_CONNECTIONS",
        default_value = "1000",
        value_name = "N", value_parser = runtime::within::<NonZeroU32>(1..=1_000_000))]
    pub unverified_connections: NonZeroU32,

    /// The same of one address; without effect on proxies of ours.
    #[arg(
        long,
        env = "INGRESS_UNVERIFIED_CONNECTIONS_PER_ADDRESS",
        default_value = "100",
        value_name = "N", value_parser = runtime::within::<NonZeroU32>(1..=1_000_000))]
    pub unverified_connections_per_address: NonZeroU32,

    /// Memory for the bodies of all requests together, in MiB. When they need more, the oldest that
    /// is still arriving is given up.
    #[arg(
        long,
        env = "INGRESS_BODY_MEMORY_MIB",
        default_value = "16",
        value_name = "MIB", value_parser = runtime::within::<NonZeroU16>(1..=16_384))]
    pub body_memory_mib: NonZeroU16,

    /// How long a client may take to send its headers, and again to send its body.
    #[arg(
        long,
        env = "INGRESS_REQUEST_TIMEOUT_SECS",
        default_value = "10",
        value_name = "SECONDS", value_parser = runtime::within::<NonZeroU16>(1..=600))]
    pub request_timeout_secs: NonZeroU16,
}

impl StrangersConfig {
    /// How long a client may take to send its headers, and again to send its body.
    pub fn request_patience(&self) -> Duration {
        Duration::from_secs(self.request_timeout_secs.get().into())
    }

    /// Memory for bodies, in bytes.
    pub fn body_memory(&self) -> usize {
        usize::from(self.body_memory_mib.get()) << 20
    }

    /// Whether proxies of ours stand before us and say whom they speak for.
    pub fn behind_proxy(&self) -> bool {
        self.client_address != ClientAddressSource::Peer
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
