//! What tests share: real servers of their own, waits for conditions, fixtures.
//!
//! Everything here panics with a plain message when it cannot do its work: it runs in tests only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic"
)]

mod binary;
mod cluster;
mod fixtures;
mod ports;
mod postgres_server;
mod process;
mod redis_server;
mod sentinel;
mod wait;

pub use binary::binary;
pub use cluster::RedisCluster;
pub use deadpool_redis::redis;
pub use fixtures::{fixture, fixtures};
pub use ports::free_port;
pub use postgres_server::PostgresServer;
pub use process::Process;
pub use redis_server::{RedisBuilder, RedisServer};
pub use sentinel::SentinelSetup;
pub use wait::{eventually, eventually_within};
