//! `egress`: sends replies through Twilio, WAHA and Chatwoot.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use egress::{DeliveriesArgs, DoctorArgs, Egress, EgressConfig, EgressError, show_deliveries};
use runtime::letters::{self, LettersArgs};
use runtime::{Chain, CommandLine};
use streams::Queue;

// A reply is many small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sends the replies that the worker has queued in Redis, each once, in order, within the
/// provider's rules.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send replies until SIGTERM.
    Serve(Box<EgressConfig>),
    /// Ask the service on this machine whether it lives; exit code 0 when it does.
    Healthcheck {
        /// The address that it listens on.
        #[arg(long, env = "BIND", value_name = "ADDRESS")]
        bind: Option<std::net::IpAddr>,
        /// Where it listens.
        #[arg(long, env = "PORT", default_value_t = 8082)]
        port: u16,
    },
    /// Try Redis and each provider once, and say what is wrong and what mends it. Nothing is sent.
    Doctor(Box<DoctorArgs>),
    /// List, show, replay and discard messages that could not be sent.
    DeadLetters {
        /// outbound, or mirror for what the help desk did not take.
        #[arg(long, default_value = "outbound", value_parser = own_queue, global = true)]
        queue: Queue,
        #[command(flatten)]
        letters: Box<LettersArgs>,
    },
    /// Show what became of the messages of a conversation.
    Deliveries(Box<DeliveriesArgs>),
}

impl CommandLine for Cli {
    fn mistakes(&self) -> Vec<String> {
        match &self.command {
            Command::Serve(config) => config.mistakes(),
            Command::Doctor(args) => args.mistakes(),
            _ => Vec::new(),
        }
    }

    fn examines(&self) -> bool {
        matches!(self.command, Command::Doctor(_))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    runtime::install_tls();
    let (cli, mistakes) = runtime::parse::<Cli>();
    match cli.command {
        Command::Serve(config) => serve(*config).await?,
        Command::Doctor(args) => return Ok(args.run(&mistakes).await?),
        Command::Healthcheck { bind, port } => runtime::healthcheck(bind, port)?,
        Command::DeadLetters { queue, letters } => {
            return letters::run(&letters, queue).await.map_err(Into::into);
        }
        Command::Deliveries(args) => show_deliveries(&args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn own_queue(name: &str) -> Result<Queue, String> {
    let own = [Queue::Outbound, Queue::Mirror].into_iter();
    let mut named = own.filter(|queue| queue.as_str() == name);
    named
        .next()
        .ok_or_else(|| "expected outbound or mirror".into())
}

async fn serve(config: EgressConfig) -> anyhow::Result<()> {
    let _telemetry = runtime::start_telemetry(&config.runtime, "egress")
        .unwrap_or_else(|error| runtime::refuse(&[error.to_string()]));
    let listener = runtime::listen(config.runtime.bind, config.port)
        .with_context(|| format!("port {}", config.port))?;
    let stop = runtime::stop_signal()?;
    let egress = Egress::build(config, &runtime::host_name())
        .unwrap_or_else(|error| runtime::refuse(&[Chain(&error).to_string()]));
    match egress.run(listener, stop).await {
        Err(error @ EgressError::Partitions(_)) => runtime::refuse(&[error.to_string()]),
        ended => Ok(ended?),
    }
}
