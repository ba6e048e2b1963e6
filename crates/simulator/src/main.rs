//! The simulator as a program.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use simulator::{Cli, Command, Simulator, SimulatorConfig, healthcheck};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a bad configuration (`EX_USAGE`).
const BAD_CONFIGURATION: u8 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return bad_configuration(error),
        Err(help) => return exit(help.print().map_err(Into::into)),
    };
    match cli.command {
        Command::Serve(config) => match config.validate() {
            Ok(()) => exit(serve(*config).await),
            Err(error) => bad_configuration(error),
        },
        Command::Healthcheck { port } => exit(healthcheck(port)),
    }
}

async fn serve(config: SimulatorConfig) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("::", config.port))
        .or_else(|_| TcpListener::bind(("0.0.0.0", config.port)))
        .with_context(|| format!("cannot listen on port {}", config.port))?;
    let stop = CancellationToken::new();
    let simulator = Simulator::new(config, listener, stop.clone()).start()?;
    writeln!(io::stdout(), "simulator listens on {}", simulator.url())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    stop.cancel();
    simulator.stopped().await
}

fn bad_configuration(error: impl Display) -> ExitCode {
    let text = error.to_string();
    complain(text.lines().next().unwrap_or_default());
    ExitCode::from(BAD_CONFIGURATION)
}

fn exit(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn complain(line: &str) {
    // There is nowhere to report that standard error is closed.
    drop(writeln!(io::stderr(), "{line}"));
}
