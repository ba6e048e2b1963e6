//! `simulator`: fake Twilio, WAHA, Chatwoot and language model, with a chat page.

use std::process::ExitCode;

use anyhow::Context as _;
use simulator::{Cli, Command, Simulator, SimulatorConfig};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    runtime::install_tls();
    let (cli, _) = runtime::parse::<Cli>();
    match cli.command {
        Command::Serve(config) => serve(*config).await?,
        Command::Healthcheck { bind, port } => runtime::healthcheck(bind, port)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: SimulatorConfig) -> anyhow::Result<()> {
    let _telemetry = runtime::start_telemetry(&config.runtime, "simulator")
        .unwrap_or_else(|error| runtime::refuse(&[error.to_string()]));
    let listener = runtime::listen(config.runtime.bind, config.port)
        .with_context(|| format!("port {}", config.port))?;
    let stop = runtime::stop_signal()?;
    let simulator = Simulator::new(config, listener, stop.clone()).start()?;
    tracing::info!(url = simulator.url(), "simulator starts");
    stop.cancelled().await;
    simulator.stopped().await
}
