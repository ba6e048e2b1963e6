//! What sending costs: `cargo bench -p egress --bench load`.
//!
//! CPU of one egress at 80 messages a second with a provider that takes 200 ms, and its memory while
//! 100,000 messages wait. Prints a table; needs redis-server and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for developers"
)]

#[path = "../tests/it/harness.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod harness;
#[path = "../tests/it/logs.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod logs;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use shared_types::OutboundMessage;
use simulator::{Endpoint, Fault, FaultRule, SimulatorConfig};
use test_support::Process;

use crate::harness::{OURS, PATIENCE, Rig, reply_to};

const SECOND: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_secs(5);
const MEASURED: Duration = Duration::from_secs(20);
const WAITING: usize = 100_000;
/// As many partitions as a deployment has.
const DEPLOYED: &str = "64";
/// How many are queued at once.
const BATCH: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    cpu(1).await;
    cpu(50).await;
    memory("100,000 recipients", |n| 100_000_000 + n).await;
    memory("one recipient", |_| 100_000_000).await;
}

/// The whole machine's clock: ticks of a process's user and system time are hundredths of a second.
fn cpu_seconds(process: &Process) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_mib(process: &Process) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

fn start(rig: &Rig, changes: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_egress"));
    command
        .arg("serve")
        .args(rig.args(changes))
        .stdout(Stdio::null());
    Process::start("egress", &mut command)
}

async fn queue(rig: &Rig, messages: &[OutboundMessage]) {
    for batch in messages.chunks(BATCH) {
        join_all(batch.iter().map(|message| rig.queue(message))).await;
    }
}

fn accepted(rig: &Rig) -> u64 {
    rig.simulator
        .stats()
        .senders
        .iter()
        .map(|sender| sender.accepted)
        .sum()
}

/// One egress, `senders` numbers together at 80 messages a second.
async fn cpu(senders: usize) {
    let numbers: Vec<_> = (0..senders)
        .map(|n| format!("whatsapp:+3120000{n:04}"))
        .collect();
    let change = |config: &mut SimulatorConfig| config.twilio.numbers.clone_from(&numbers);
    let rig = Rig::with_partitions(DEPLOYED, change);
    let delay = FaultRule {
        endpoint: Some(Endpoint::Send),
        ..FaultRule::always(Fault::Delay { ms: 200 })
    };
    rig.simulator.add_fault(delay).unwrap();
    let seconds = (WARM_UP + MEASURED + WARM_UP).as_secs();
    let total = usize::try_from(seconds).unwrap() * 80;
    let messages: Vec<_> = (0..total)
        .map(|n| {
            let mut message = reply_to(&format!("whatsapp:+3161{:07}", n % 2_000), "Goedemorgen");
            message.endpoint.address = Some(numbers[n % senders].parse().unwrap());
            message
        })
        .collect();
    // Slots lie further apart than the limit asks for, by the allowance for jitter.
    let rate = format!("twilio-per-second={}", 88.0 / senders as f64);
    let from = format!("twilio-whatsapp-number={}", numbers.join(","));
    queue(&rig, &messages).await;
    let changes = [&rate, &from, "request-timeout-ms=5000", "lease-ms=10000"];
    let process = start(&rig, &changes);
    tokio::time::sleep(WARM_UP).await;
    let (started, before, sent) = (Instant::now(), cpu_seconds(&process), accepted(&rig));
    tokio::time::sleep(MEASURED).await;
    let elapsed = started.elapsed().as_secs_f64();
    let share = (cpu_seconds(&process) - before) / elapsed * 100.0;
    let rate = (accepted(&rig) - sent) as f64 / elapsed;
    let rss = resident_mib(&process);
    println!(
        "{senders:>2} senders: {rate:.1} messages a second, {share:.1} % of a core, {rss:.0} MiB"
    );
}

/// One egress whose only sender may send one message in ten seconds.
async fn memory(what: &str, number: impl Fn(usize) -> usize) {
    let rig = Rig::with_partitions(DEPLOYED, |_| {});
    let changes = [
        "twilio-per-second=0.1",
        "pace-warning-ms=600000",
        "request-timeout-ms=5000",
        "lease-ms=10000",
    ];
    let empty = start(&rig, &changes);
    tokio::time::sleep(SECOND * 3).await;
    let before = resident_mib(&empty);
    drop(empty);
    let text = "Goedemorgen, fijn dat u ons schrijft. ".repeat(8);
    let messages: Vec<_> = (0..WAITING)
        .map(|n| reply_to(&format!("whatsapp:+31{}", number(n)), &text))
        .collect();
    queue(&rig, &messages).await;
    let process = start(&rig, &changes);
    let from = Some(OURS.to_owned());
    let query = simulator::Query {
        from,
        ..simulator::Query::accepted_messages()
    };
    rig.simulator.wait(&query, 1, PATIENCE).await;
    print!("{WAITING} waiting for {what}: {before:.0} MiB without");
    for _ in 0..3 {
        tokio::time::sleep(SECOND * 10).await;
        print!(", {:.0} MiB", resident_mib(&process));
    }
    println!(" after 10, 20 and 30 s");
}
