//! Everything under `deploy/`, each file parsed or run by the tool that it is for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod alerts;
mod commands;
mod files;
mod images;
mod kubernetes;
mod live;
mod metrics;
mod railway;
mod runbook;
mod settings;
mod supply;
mod tools;
