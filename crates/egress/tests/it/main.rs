//! The send gate against a real redis-server and the simulator, over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod admission;
mod bad_input;
mod chatwoot;
mod commands;
mod earlier_builds;
mod fence;
mod harness;
mod logs;
mod mirror;
mod pace;
mod pictures;
mod replicas;
mod reports;
mod retry;
mod starvation;
mod twilio;
mod typing;
mod unknown;
mod waha;
