//! The whole system: real processes, a real Redis, faults on purpose.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod bursts;
mod colleagues;
mod console;
mod crashes;
mod erasure;
mod hands;
mod log_lines;
mod lost;
mod messages;
mod metrics;
mod mirror;
mod mistakes;
mod offers;
mod page;
mod partitions;
mod persons;
mod reports;
mod scenarios;
mod shapes;
mod shutdown;
mod start;
mod story;
mod support;
mod told;
mod traces;
