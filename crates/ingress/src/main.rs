//! `ingress`: takes webhooks of Twilio, WAHA and Chatwoot in.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use ingress::doctor::{self, ConfigArgs, SignatureArgs};
use ingress::{Ingress, IngressConfig, IngressError, ReconcileArgs};
use runtime::letters::{self, RejectedArgs};
use runtime::{Chain, CommandLine};

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
        /// The address that it listens on.
        #[arg(long, env = "BIND", value_name = "ADDRESS")]
        bind: Option<std::net::IpAddr>,
        /// Where it listens.
        #[arg(long, env = "PORT", default_value_t = 8080)]
        port: u16,
    },
    /// Find out what is wrong with the configuration, or why a webhook is refused.
    Doctor(Box<DoctorArgs>),
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

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
struct DoctorArgs {
    #[command(subcommand)]
    doctor: Option<Doctor>,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Subcommand)]
enum Doctor {
    /// Say whether a signature is right, or what differs.
    Signature(Box<SignatureArgs>),
    /// Print the effective settings, and check Redis, the public URL and the clock. The same as `doctor`
    /// alone.
    Config(Box<ConfigArgs>),
}

impl CommandLine for Cli {
    fn mistakes(&self) -> Vec<String> {
        let config = match &self.command {
            Command::Serve(config) => Some(config.as_ref()),
            Command::Doctor(args) => args.examined(),
            _ => None,
        };
        config.map(IngressConfig::mistakes).unwrap_or_default()
    }

    fn examines(&self) -> bool {
        matches!(self.command, Command::Doctor(_))
    }
}

impl DoctorArgs {
    /// The settings that are looked at.
    fn examined(&self) -> Option<&IngressConfig> {
        match &self.doctor {
            None => Some(&self.config.ingress),
            Some(Doctor::Config(args)) => Some(&args.ingress),
            Some(Doctor::Signature(_)) => None,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    runtime::install_tls();
    let (cli, mistakes) = runtime::parse::<Cli>();
    match cli.command {
        Command::Serve(config) => serve(*config).await,
        Command::Healthcheck { bind, port } => runtime::healthcheck(bind, port)
            .map(|()| ExitCode::SUCCESS)
            .map_err(Into::into),
        Command::Doctor(args) => examine(&args, mistakes).await,
        Command::Reconcile(args) => Ok(runtime::show_verdict(
            &ingress::reconcile(&args).await?,
            |reconciled| reconciled.complete,
        )),
        Command::Rejected(args) => letters::run_rejected(&args).await.map_err(Into::into),
        Command::Openapi => Ok(runtime::show_verdict(&ingress::document()?, |_| true)),
    }
}

async fn examine(args: &DoctorArgs, mistakes: Vec<String>) -> anyhow::Result<ExitCode> {
    let diagnosis = match (args.examined(), &args.doctor) {
        (None, Some(Doctor::Signature(args))) => {
            let body = std::fs::read(&args.body_file)
                .with_context(|| args.body_file.display().to_string())?;
            doctor::examine_signature(args, &body)
        }
        (config, _) => {
            doctor::examine_config(config.unwrap_or(&args.config.ingress), mistakes).await
        }
    };
    Ok(runtime::show_verdict(&diagnosis, |diagnosis| {
        diagnosis.healthy
    }))
}

async fn serve(config: IngressConfig) -> anyhow::Result<ExitCode> {
    let _telemetry = runtime::start_telemetry(&config.runtime, "ingress")
        .unwrap_or_else(|error| runtime::refuse(&[error.to_string()]));
    runtime::raise_file_limit();
    let listener = runtime::listen(config.runtime.bind, config.port)
        .with_context(|| format!("port {}", config.port))?;
    let health = config.health_port.map(|port| {
        runtime::listen(config.runtime.bind, port)
            .with_context(|| format!("port {port} of INGRESS_HEALTH_PORT"))
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
