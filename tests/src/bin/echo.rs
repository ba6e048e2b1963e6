//! `echo`: a consumer of the inbound queue that repeats what customers write, for tests.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use e2e_tests::echo::Echo;
use runtime::metrics::Metrics;
use runtime::{Readiness, RuntimeConfig, Status, serve_health};
use streams::{Consumer, ConsumerConfig, MemberId, Queue, Redis, RedisConfig};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Repeat until SIGTERM.
    Serve(Box<EchoConfig>),
}

#[derive(Debug, Args)]
struct EchoConfig {
    /// Where to listen for health and metrics.
    #[arg(long, env = "PORT")]
    port: u16,

    /// How long a dead process's partitions stay closed.
    #[arg(long, env = "WORKER_LEASE_MS", default_value_t = 10_000)]
    lease_ms: u64,

    /// The longest time that a message takes.
    #[arg(long, env = "ECHO_WORK_MS", default_value_t = 0)]
    work_ms: u64,

    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    runtime: RuntimeConfig,
}

impl runtime::CommandLine for Cli {}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (
        Cli {
            command: Command::Serve(config),
        },
        _,
    ) = runtime::parse();
    let _telemetry = runtime::start_telemetry(&config.runtime, "echo")?;
    let listener = runtime::listen(config.runtime.bind, config.port)?;
    let stop = runtime::stop_signal()?;
    let redis = Redis::new(&config.redis)?;
    let readiness = Readiness::waiting_for(&["redis"]);
    let metrics = Arc::new(Metrics::new("echo", env!("CARGO_PKG_VERSION"))?);
    let consumer = ConsumerConfig {
        lease_ttl: Duration::from_millis(config.lease_ms),
        ..ConsumerConfig::new(Queue::Inbound, MemberId::unique("echo"))
    };
    let echo = Echo {
        work: Duration::from_millis(config.work_ms),
    };
    redis
        .check_writable(streams::Duty::Consume(Queue::Inbound))
        .await?;
    readiness.set("redis", Status::Ok);
    let health = serve_health(listener, readiness, metrics, stop.clone());
    let consumer = Consumer::new(redis, consumer, Arc::new(echo));
    let consumed = consumer.run(stop, config.runtime.shutdown_grace());
    let (served, consumed) = tokio::join!(health, consumed);
    consumed?;
    Ok(served?)
}
