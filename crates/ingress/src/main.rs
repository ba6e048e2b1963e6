//! `ingress`: takes webhooks of Twilio, WAHA and Chatwoot in.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use ingress::doctor::{self, ConfigArgs, SignatureArgs};
use ingress::{Ingress, IngressConfig, IngressError, ReconcileArgs};
use runtime::Chain;
use runtime::letters::{self, RejectedArgs};

// A webhook is many small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Takes webhooks of Twilio, WAHA and Chatwoot in, verifies them and queues them in Redis.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve webhooks until SIGTERM.
    Serve(Box<IngressConfig>),
    /// Ask the service on this machine whether it lives; exit code 0 when it does.
    Healthcheck {
        /// Where it listens.
        #[arg(long, env = "PORT", default_value_t = 8080)]
        port: u16,
    },
    /// Find out why a webhook is refused, or what is wrong with the configuration.
    #[command(subcommand)]
    Doctor(Doctor),
    /// Find messages whose webhooks never came in the providers' own lists, and take them in.
    ///
    /// Reads what customers wrote since a time from the API of each provider whose credentials are
    /// set, says how many messages are listed, known and found, and queues what was found as if its
    /// webhook had come. The exit code is 1 when a provider could not be read.
    Reconcile(Box<ReconcileArgs>),
    /// List, show and discard verified webhooks that failed validation.
    Rejected(Box<RejectedArgs>),
    /// Print the OpenAPI description of the HTTP interface.
    Openapi,
}

#[derive(Debug, Subcommand)]
enum Doctor {
    /// Say whether a signature is right, or what differs.
    Signature(Box<SignatureArgs>),
    /// Print the effective settings, and check Redis, the public URL and the clock.
    Config(Box<ConfigArgs>),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    runtime::install_tls();
    match runtime::parse::<Cli>().command {
        Command::Serve(config) => serve(*config).await,
        Command::Healthcheck { port } => runtime::healthcheck(port)
            .map(|()| ExitCode::SUCCESS)
            .map_err(Into::into),
        Command::Doctor(Doctor::Signature(args)) => {
            let body = std::fs::read(&args.body_file)
                .with_context(|| args.body_file.display().to_string())?;
            Ok(runtime::show_verdict(
                &doctor::examine_signature(&args, &body),
                |d| d.healthy,
            ))
        }
        Command::Doctor(Doctor::Config(args)) => Ok(runtime::show_verdict(
            &doctor::examine_config(&args.ingress).await,
            |d| d.healthy,
        )),
        Command::Reconcile(args) => Ok(runtime::show_verdict(
            &ingress::reconcile(&args).await?,
            |reconciled| reconciled.complete,
        )),
        Command::Rejected(args) => letters::run_rejected(&args).await.map_err(Into::into),
        Command::Openapi => Ok(runtime::show_verdict(&ingress::document()?, |_| true)),
    }
}

async fn serve(config: IngressConfig) -> anyhow::Result<ExitCode> {
    let mistakes = config.mistakes();
    if !mistakes.is_empty() {
        runtime::refuse(&mistakes);
    }
    let _telemetry = runtime::start_telemetry(&config.runtime, "ingress")
        .unwrap_or_else(|error| runtime::refuse(&[error.to_string()]));
    runtime::raise_file_limit();
    let listener = runtime::listen(config.port).with_context(|| format!("port {}", config.port))?;
    let health = config.health_port.map(|port| {
        runtime::listen(port).with_context(|| format!("port {port} of INGRESS_HEALTH_PORT"))
    });
    let health = health.transpose()?;
    let stop = runtime::stop_signal()?;
    match Ingress::build(config) {
        Ok(ingress) => match ingress.run(listener, health, stop).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error @ IngressError::Partitions(_)) => runtime::refuse(&[error.to_string()]),
            Err(error) => Err(error.into()),
        },
        Err(error) => runtime::refuse(&[Chain(&error).to_string()]),
    }
}
