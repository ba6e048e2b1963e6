//! The whole system as real processes, and what happens to it: for tests, and for the programs
//! `demo`, `chaos` and `bench`.
//!
//! - [`System`] starts redis-server, the simulator and the services, each a process of its own.
//! - [`Load`] writes to it as many customers at once, and keeps what was acknowledged.
//! - [`tally()`] compares that with what the simulator got.
//! - [`Fault`]s strike processes by a seeded schedule; [`scenario`] has one file a story.
//! - [`mod@bench`] measures what a message costs.
//! - [`demo`] shows one message on its way, for people.
//! - [`echo`] is a consumer without any agent, for what concerns the transport alone.
//!
//! Everything here panics with a plain message when it cannot do its work: it runs in tests only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic"
)]

mod attack;
pub mod bench;
pub mod demo;
pub mod echo;
mod fault;
mod front_door;
mod inbound;
mod load;
mod measure;
mod redis_shape;
pub mod scenario;
mod service;
mod settings;
mod simulator_client;
mod supervise;
mod system;
mod table;
mod tally;
mod usage;
mod webhook;

pub use fault::{Fault, FaultCounts, schedule, strike};
pub use front_door::{TWILIO_ANSWER, print_cost_of_webhooks};
pub use inbound::inbound_entry;
pub use load::{Load, LoadReport, Sent, question};
pub use measure::{print_cost_of_messages, print_idle_cost};
pub use redis_shape::RedisShape;
pub use service::{Role, Service};
pub use settings::Settings;
pub use simulator_client::{Arrival, SimulatorClient};
pub use supervise::supervise;
pub use system::{System, SystemBuilder};
pub use table::print_table;
pub use tally::{Tally, tally};
pub use usage::{cpu_time, rss_kib};
pub use webhook::{Webhooks, inbound_event, outbound_id};
