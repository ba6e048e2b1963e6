//! `console`: what an operator uses.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use console::commands::desk::DeskArgs;
use console::commands::unclear::UnclearArgs;
use console::commands::{DoctorArgs, HashPasswordArgs, SessionsArgs, TokensArgs};
use console::{Console, ConsoleConfig};
use runtime::{Chain, CommandLine};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Shows who waits for a human, what was said, and what could not be done; and lets colleagues act on it:
/// on a page, over an API, and here.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and the API until SIGTERM.
    Serve(Box<ConsoleConfig>),
    /// Ask the service on this machine whether it lives; exit code 0 when it does.
    Healthcheck {
        /// The address that it listens on.
        #[arg(long, env = "BIND", value_name = "ADDRESS")]
        bind: Option<std::net::IpAddr>,
        /// Where it listens.
        #[arg(long, env = "PORT", default_value_t = 8070)]
        port: u16,
    },
    /// Try Redis and the CRM once, and say what is wrong.
    Doctor(Box<DoctorArgs>),
    /// Print the description of the API.
    Openapi,
    /// Read a password from standard input, and print what CONSOLE_PASSWORD_HASH is set to.
    HashPassword(HashPasswordArgs),
    /// Programs that may use the API: list, add, remove.
    Tokens(Box<TokensArgs>),
    /// Who is logged in: list, end.
    Sessions(Box<SessionsArgs>),
    #[command(flatten)]
    Desk(Box<DeskArgs>),
    #[command(flatten)]
    Unclear(Box<UnclearArgs>),
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
        Command::Healthcheck { bind, port } => runtime::healthcheck(bind, port)?,
        Command::Doctor(args) => return Ok(args.run(&mistakes).await?),
        Command::Openapi => runtime::print(&format_args!("{:#}", console::document()))?,
        Command::HashPassword(args) => args.run()?,
        Command::Tokens(args) => return Ok(args.run().await?),
        Command::Sessions(args) => return Ok(args.run().await?),
        Command::Desk(args) => return Ok(args.run().await?),
        Command::Unclear(args) => return Ok(args.run().await?),
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: ConsoleConfig) -> anyhow::Result<()> {
    let _telemetry = runtime::start_telemetry(&config.runtime, "console")
        .unwrap_or_else(|error| runtime::refuse(&[error.to_string()]));
    let listener = runtime::listen(config.runtime.bind, config.port)
        .with_context(|| format!("port {}", config.port))?;
    let stop = runtime::stop_signal()?;
    let console = Console::build(config)
        .unwrap_or_else(|error| runtime::refuse(&[Chain(&error).to_string()]));
    Ok(console.run(listener, stop).await?)
}
