//! The console over a real Redis and a real CRM.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic"
)]

mod access;
mod api;
mod conversations;
mod description;
mod letters;
mod lists;
mod overview;
mod support;
mod templates;
mod understanding;
mod waiting;
