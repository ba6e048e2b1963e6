//! The console: what an operator uses. Pages, an API and commands over the same [`desk::Desk`].

mod access;
mod api;
mod clock;
pub mod commands;
mod config;
pub mod desk;
mod events;
mod lang;
mod metrics;
mod openapi;
mod pages;
mod rules;
mod service;
mod services;
mod templates;

pub use access::password::hash;
pub use config::ConsoleConfig;
pub use metrics::ConsoleMetrics;
pub use openapi::document;
pub use rules::{Alarm, RULES, Rule, Severity};
pub use service::{Console, ConsoleError};
