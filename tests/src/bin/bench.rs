//! `bench`: what a webhook costs ingress, what a message costs Redis, and what the services cost when
//! nothing happens.

use std::time::Duration;

use clap::Parser;
use e2e_tests::{print_cost_of_messages, print_cost_of_webhooks, print_idle_cost};

/// Measures what a webhook costs ingress, what a message costs Redis, and what the services cost
/// when nothing happens.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Cli {
    /// How many messages are taken in and answered.
    #[arg(long, default_value_t = 50_000)]
    messages: u32,

    /// For how many seconds the idle services are watched.
    #[arg(long, default_value_t = 20)]
    idle_seconds: u64,
}

#[tokio::main]
async fn main() {
    let cli = runtime::parse::<Cli>();
    print_cost_of_webhooks(cli.messages).await;
    print_cost_of_messages(cli.messages).await;
    print_idle_cost(Duration::from_secs(cli.idle_seconds)).await;
}
