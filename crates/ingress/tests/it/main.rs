//! Ingress as providers and operators see it: over real HTTP, with a real Redis.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a table of bad input is read row by row"
)]

mod api_description;
mod bad_input;
mod colleagues;
mod doctor;
mod fixtures;
mod hardening;
mod hexon;
mod http;
mod mirror;
mod observe;
mod odd_shapes;
mod order;
mod program;
mod properties;
mod provider;
mod readme;
mod real_shapes;
mod reconcile;
mod redis_away;
mod reported;
mod same_ids;
mod settings;
mod signing;
#[cfg(target_os = "linux")]
mod spool_disk;
mod strangers;
mod support;
mod takes_in;
