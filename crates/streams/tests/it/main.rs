//! The transport against a real redis-server, one of its own for each test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod clock_steps;
mod comparison;
mod consuming;
mod crm_queue;
mod dead_letters;
mod early;
mod erasing;
mod fencing;
mod harness;
mod identities;
mod ingesting;
mod layout;
mod memory;
mod pacing;
mod permissions;
mod regressions;
mod repartition;
mod shapes;
mod starts;
mod states;
mod tls;
mod together;
