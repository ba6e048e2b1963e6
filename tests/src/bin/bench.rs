//! `bench`: what a message costs each process, how long it takes, and what the services cost when nothing
//! happens.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use e2e_tests::bench::{
    Figures, Shape, compare, measure_backlogs, measure_console, measure_egress, measure_latency,
    measure_scale, measure_turns,
};
use e2e_tests::{print_cost_of_messages, print_cost_of_webhooks, print_idle_cost};

/// Measures what a message costs each process, how long it takes, and what the services cost when nothing
/// happens. On a machine that does nothing else; figures that others disturbed are marked.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Cli {
    /// What is measured; webhook, redis, idle and turn when nothing is named.
    #[arg(value_enum, default_values_t = [Part::Webhook, Part::Redis, Part::Idle, Part::Turn])]
    parts: Vec<Part>,

    /// How many messages are taken in and answered by `webhook` and `redis`.
    #[arg(long, default_value_t = 50_000)]
    messages: u32,

    /// How many customers write once, for `turn`, `reports`, `postgres` and `egress`.
    #[arg(long, default_value_t = 20_000)]
    customers: u32,

    /// For how many seconds the idle services are watched, and messages come for `latency`.
    #[arg(long, default_value_t = 20)]
    seconds: u32,

    /// The sizes of `backlog`: how many conversations each have a message waiting.
    #[arg(long, value_delimiter = ',', default_value = "12000,100000")]
    waiting: Vec<u32>,

    /// The numbers of workers of `scale`.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4,8")]
    workers: Vec<usize>,

    /// How many conversations are known for `console` and `console-postgres`, of ten messages each.
    #[arg(long, default_value_t = 100_000)]
    known: u32,

    /// Redis' appendfsync: always, everysec, or no for no append-only file. `webhook` and `redis` always
    /// have no file, `idle` always has one.
    #[arg(long, default_value = "always", value_parser = ["always", "everysec", "no"])]
    appendfsync: String,

    /// Also write the figures to this file, as JSON. Those of `webhook`, `redis` and `idle` are only printed.
    #[arg(long)]
    json: Option<PathBuf>,

    /// Compare with the services in this folder, which `scripts/bench --against COMMIT` builds.
    #[arg(long)]
    against: Option<PathBuf>,

    /// How often each of the two is measured, in turn.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A webhook in ingress.
    Webhook,
    /// A message in Redis, without any agent.
    Redis,
    /// Nothing happens.
    Idle,
    /// A message in each process, in a burst.
    Turn,
    /// As `turn`, with three delivery reports for each reply.
    Reports,
    /// As `turn`, with the CRM in PostgreSQL.
    Postgres,
    /// A reply in egress, where many wait.
    Egress,
    /// From the webhook to the provider: 10 messages a second, and 300.
    Latency,
    /// A message in the worker, where many wait and many conversations are known.
    Backlog,
    /// More workers, where agents mostly wait.
    Scale,
    /// The pages of the console, where many conversations are known.
    Console,
    /// The same, with the CRM in PostgreSQL.
    ConsolePostgres,
}

const IDLE_RATE: u32 = 10;
const BUSY_RATE: u32 = 300;

impl Cli {
    fn shape(&self, postgres: bool) -> Shape {
        Shape {
            fsync: self.appendfsync.clone(),
            postgres,
        }
    }

    async fn measure(&self, part: Part) -> Vec<Figures> {
        let postgres = [Part::Postgres, Part::ConsolePostgres].contains(&part);
        let shape = self.shape(postgres);
        match part {
            Part::Webhook => print_cost_of_webhooks(self.messages).await,
            Part::Redis => print_cost_of_messages(self.messages).await,
            Part::Idle => print_idle_cost(Duration::from_secs(self.seconds.into())).await,
            Part::Turn | Part::Postgres | Part::Reports => {
                let reports = part == Part::Reports;
                return vec![measure_turns(&shape, self.customers, reports).await];
            }
            Part::Egress => return vec![measure_egress(&shape, self.customers).await],
            Part::Latency => {
                let mut all = Vec::new();
                for rate in [IDLE_RATE, BUSY_RATE] {
                    let messages = self.seconds.saturating_mul(rate);
                    all.push(measure_latency(&shape, messages, rate).await);
                }
                return all;
            }
            Part::Backlog => return measure_backlogs(&shape, &self.waiting).await,
            Part::Scale => return vec![measure_scale(&shape, &self.workers).await],
            Part::Console | Part::ConsolePostgres => {
                return vec![measure_console(&shape, self.known).await];
            }
        }
        Vec::new()
    }

    /// The flags of one of the runs that are compared.
    fn flags(&self) -> Vec<String> {
        let part = |part: &Part| Some(part.to_possible_value()?.get_name().to_owned());
        let list = |numbers: Vec<String>| numbers.join(",");
        let waiting = list(self.waiting.iter().map(ToString::to_string).collect());
        let workers = list(self.workers.iter().map(ToString::to_string).collect());
        let mut flags: Vec<String> = self.parts.iter().filter_map(part).collect();
        flags.extend([
            format!("--messages={}", self.messages),
            format!("--customers={}", self.customers),
            format!("--seconds={}", self.seconds),
            format!("--waiting={waiting}"),
            format!("--workers={workers}"),
            format!("--known={}", self.known),
            format!("--appendfsync={}", self.appendfsync),
        ]);
        flags
    }
}

impl runtime::CommandLine for Cli {}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (cli, _) = runtime::parse::<Cli>();
    let measured = match &cli.against {
        Some(other) => compare(other, cli.rounds, &cli.flags())?,
        None => {
            let mut all = Vec::new();
            for part in &cli.parts {
                let measured = cli.measure(*part).await;
                measured.iter().for_each(Figures::print);
                all.extend(measured);
            }
            all
        }
    };
    if let Some(file) = &cli.json {
        std::fs::write(file, serde_json::to_vec_pretty(&measured)?)?;
    }
    Ok(())
}
