//! The CRM on real databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may panic"
)]

mod console;
#[allow(dead_code, reason = "the tests of the worker use the rest")]
mod database;
mod matters;
mod store;
mod writer;
