//! `chaos`: plays what goes wrong against real processes, and counts what is lost, doubled or
//! overtaken. Exit code 1 when an invariant broke.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use e2e_tests::print_table;
use e2e_tests::scenario::{Plan, Scenario};

/// Plays faults against real processes and a real Redis while customers write, and counts what
/// arrives.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
struct Cli {
    /// For how many minutes customers write.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,

    /// Decides faults and load.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many messages customers write; by default 4,100 a minute.
    #[arg(long)]
    messages: Option<u32>,

    /// How often Redis forces its append-only file to disk.
    #[arg(long, value_enum, default_value_t = Fsync::Always)]
    fsync: Fsync,

    /// Which story is played.
    #[arg(long, value_enum, default_value_t = Scenario::Storm)]
    scenario: Scenario,

    /// What consumes the inbound queue.
    #[arg(long, value_enum, default_value_t = Consumer::Worker)]
    consumer: Consumer,

    /// Let colleagues write to customers of every channel in a storm, past the bot.
    #[arg(long)]
    colleagues: bool,

    /// Answer each message of a storm, also those that come in one go and that one turn would answer.
    #[arg(long)]
    each: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Fsync {
    Always,
    Everysec,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Consumer {
    /// The real one.
    Worker,
    /// One without agents, which a poison message kills.
    Echo,
}

const MESSAGES_A_MINUTE: f64 = 4_100.0;

impl runtime::CommandLine for Cli {}

#[tokio::main]
async fn main() -> ExitCode {
    let (cli, _) = runtime::parse::<Cli>();
    let messages = (cli.minutes * MESSAGES_A_MINUTE).round() as u32;
    let plan = Plan {
        duration: Duration::from_secs_f64(cli.minutes * 60.0),
        messages: cli.messages.unwrap_or(messages),
        seed: cli.seed,
        fsync: match cli.fsync {
            Fsync::Always => "always".into(),
            Fsync::Everysec => "everysec".into(),
        },
        consumer: match cli.consumer {
            Consumer::Worker => "worker",
            Consumer::Echo => "echo",
        },
        answer_each: cli.each || matches!(cli.consumer, Consumer::Echo),
        colleagues: cli.colleagues,
        timed: true,
    };
    let judgement = cli.scenario.play(&plan).await;
    let scenario = cli.scenario.to_possible_value();
    let heading = format!(
        "{}  seed {}  appendfsync {}  {}",
        scenario.as_ref().map_or("", |value| value.get_name()),
        plan.seed,
        plan.fsync,
        plan.consumer
    );
    print_table(&heading, &judgement.rows());
    if judgement.broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
