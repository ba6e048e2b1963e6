//! `worker`: understands messages and commits the replies.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use runtime::letters::{self, LettersArgs};
use runtime::{Chain, CommandLine};
use streams::Queue;
use worker::commands::acts::ActsArgs;
use worker::commands::chat::ChatArgs;
use worker::commands::crm::CrmArgs;
use worker::commands::doctor::DoctorArgs;
use worker::commands::domain::DomainArgs;
use worker::commands::erase::EraseArgs;
use worker::commands::evaluate::EvaluateArgs;
use worker::commands::identity::IdentityArgs;
use worker::commands::matters::{AppointmentsArgs, HandoversArgs, LeadsArgs};
use worker::commands::notices::NoticesArgs;
use worker::commands::rehearse::RehearseArgs;
use worker::commands::release::ReleaseArgs;
use worker::commands::repartition::RepartitionArgs;
use worker::commands::stock::StockArgs;
use worker::commands::understand::UnderstandArgs;
use worker::domain::Domain;
use worker::{DomainConfig, Drawing, Worker, WorkerConfig, WorkerError, draw};

// A turn is thousands of small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Takes messages from Redis, runs the graph of agents on each, and commits the reply.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer messages until SIGTERM.
    Serve(Box<WorkerConfig>),
    /// Ask the service on this machine whether it lives; exit code 0 when it does.
    Healthcheck {
        /// The address that it listens on.
        #[arg(long, env = "BIND", value_name = "ADDRESS")]
        bind: Option<std::net::IpAddr>,
        /// Where it listens.
        #[arg(long, env = "PORT", default_value_t = 8081)]
        port: u16,
    },
    /// List, show, replay and discard messages that could not be handled, and CRM writes.
    DeadLetters {
        /// Messages (`inbound`), or CRM writes (`crm`).
        #[arg(long, default_value = "inbound", value_parser = own_queue, global = true)]
        queue: Queue,
        #[command(flatten)]
        letters: Box<LettersArgs>,
    },
    /// Conversations that wait for a colleague: list, show, take, answered, close.
    Handovers(Box<HandoversArgs>),
    /// Leads: list, show, take, close.
    Leads(Box<LeadsArgs>),
    /// Appointments: list, show, take (confirm), close (cancel).
    Appointments(Box<AppointmentsArgs>),
    /// What is for sale: check a feed, import one, list, show.
    Stock(Box<StockArgs>),
    /// What colleagues were told: list, retry, and test a channel.
    Notices(Box<NoticesArgs>),
    /// Show who replayed and discarded what, newest first.
    Acts(Box<ActsArgs>),
    /// Print the graph of agents.
    Graph {
        /// How.
        #[arg(long, value_enum, default_value_t = Drawing::Text)]
        format: Drawing,
    },
    /// Show what is understood of each line on standard input, as a JSON object a line.
    Understand(UnderstandArgs),
    /// Check a domain file, or make a new one.
    Domain(DomainArgs),
    /// Talk with a domain in the terminal: no Redis, no model, no CRM.
    Chat(ChatArgs),
    /// Hold the dialogues of a folder and tell where they go otherwise than expected.
    Rehearse(RehearseArgs),
    /// Measure the understanding on labelled messages.
    Evaluate(EvaluateArgs),
    /// Try Redis, the CRM, the model and the transcription once, and say what is wrong.
    Doctor(Box<DoctorArgs>),
    /// Back up and restore the CRM, or copy it into another database.
    Crm(Box<CrmArgs>),
    /// Remove everything that is kept of one person, from Redis and from the CRM.
    Erase(Box<EraseArgs>),
    /// Show by which addresses a person is known; join two who are one, split one who is two.
    Identity(Box<IdentityArgs>),
    /// Give a conversation back to the bot after a colleague had it.
    Release(Box<ReleaseArgs>),
    /// Change the number of partitions of a deployment that is stopped and has nothing to do.
    Repartition(Box<RepartitionArgs>),
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
        Command::Serve(config) => Box::pin(serve(*config)).await?,
        Command::Healthcheck { bind, port } => runtime::healthcheck(bind, port)?,
        Command::DeadLetters { queue, letters } => {
            return letters::run(&letters, queue).await.map_err(Into::into);
        }
        Command::Handovers(args) => return Ok(args.run().await?),
        Command::Leads(args) => return Ok(args.run().await?),
        Command::Appointments(args) => return Ok(args.run().await?),
        Command::Stock(args) => return args.run(|| domain(args.domain())).await,
        Command::Notices(args) => return Ok(args.run().await?),
        Command::Acts(args) => args.run().await?,
        Command::Graph { format } => runtime::print(&draw(format))?,
        Command::Understand(args) => args.run(&domain(args.domain()))?,
        Command::Domain(args) => {
            if !args.run()? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Chat(args) => Box::pin(args.run(domain(args.domain()))).await?,
        Command::Rehearse(args) => {
            if !args.run(&domain(args.domain())).await? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Evaluate(args) => args.run(&domain(args.domain()))?,
        Command::Doctor(args) => return Ok(args.run(&mistakes).await?),
        Command::Crm(args) => return Ok(args.run().await?),
        Command::Erase(args) => return Ok(args.run().await?),
        Command::Identity(args) => return Ok(args.run().await?),
        Command::Release(args) => return Ok(args.run().await?),
        Command::Repartition(args) => args.run().await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn own_queue(name: &str) -> Result<Queue, String> {
    let own = [Queue::Inbound, Queue::Crm].into_iter();
    let named = own.clone().find(|queue| queue.as_str() == name);
    named.ok_or_else(|| "expected inbound or crm".into())
}

fn domain(config: &DomainConfig) -> Domain {
    config
        .load()
        .unwrap_or_else(|error| runtime::refuse(&[error.to_string()]))
}

async fn serve(config: WorkerConfig) -> anyhow::Result<()> {
    let _telemetry = runtime::start_telemetry(&config.runtime, "worker")
        .unwrap_or_else(|error| runtime::refuse(&[error.to_string()]));
    let listener = runtime::listen(config.runtime.bind, config.port)
        .with_context(|| format!("port {}", config.port))?;
    let stop = runtime::stop_signal()?;
    let worker = Worker::build(config, &runtime::host_name())
        .unwrap_or_else(|error| runtime::refuse(&[Chain(&error).to_string()]));
    match worker.run(listener, stop).await {
        Err(error @ WorkerError::Partitions(_)) => runtime::refuse(&[error.to_string()]),
        ended => Ok(ended?),
    }
}
