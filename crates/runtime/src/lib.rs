//! Process chores, alike for every service.
//!
//! A service's `main` is a list: [`parse()`] the configuration, [`start_telemetry`], build with a
//! [`listen()`]ing socket, run until [`stop_signal`], drain under one deadline.

pub mod fetch;
pub mod letters;
pub mod metrics;
pub mod public;
pub mod traces;

mod chain;
mod clock_watch;
mod config;
mod doctor;
mod files;
mod health;
mod healthcheck;
mod host;
mod listen;
mod logs;
mod numbers;
mod operator;
mod output;
mod parse;
mod probe;
mod redis_metrics;
mod shown;
mod shutdown;
mod telemetry;
mod tls;

pub use chain::Chain;
pub use config::{LogFormat, RuntimeConfig};
pub use doctor::{Finding, Findings, examine_redis};
pub use files::{file_limit, free_bytes, raise_file_limit};
pub use health::{Readiness, Status, health_routes, live_route, serve_health};
pub use healthcheck::{HealthcheckError, healthcheck};
pub use host::host_name;
pub use listen::listen;
pub use logs::LogFilterError;
pub use numbers::{MOST_ID, number_within, within};
pub use operator::{Operator, agreed};
pub use output::{age, print, show_verdict};
pub use parse::{BAD_CONFIGURATION, CommandLine, parse, refuse};
pub use probe::{RedisNeeds, probe_backlog, probe_redis};
pub use redis_metrics::RedisMetrics;
pub use shutdown::stop_signal;
pub use telemetry::{Telemetry, start_telemetry};
pub use tls::install_tls;
