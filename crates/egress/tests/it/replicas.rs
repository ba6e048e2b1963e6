//! Three replicas as processes of their own, a provider that fails, and a kill every two seconds.
//!
//! `REPLICA_RUN_MESSAGES=5000 cargo test --release -p egress --test it replicas -- --nocapture` is the
//! long run; it prints its table.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use shared_types::OutboundMessage;
use simulator::{Endpoint, ErrorBody, Fault, FaultRule, Provider, Query, Record};
use streams::Queue;
use test_support::Process;

use crate::harness::{Rig, reply_to};
use crate::pace::busiest_second;

const REPLICAS: usize = 3;
const BETWEEN_KILLS: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(50);
const SHORT_RUN: usize = 400;

struct Load {
    messages: usize,
    recipients: usize,
    /// Long runs happen on a machine that does nothing else.
    jitter: &'static str,
    patience: Duration,
}

#[expect(clippy::disallowed_methods, reason = "the one switch of a test")]
fn load() -> Load {
    let asked = std::env::var("REPLICA_RUN_MESSAGES").ok();
    match asked.and_then(|n| n.parse().ok()) {
        Some(messages) => Load {
            messages,
            recipients: 300,
            jitter: "pace-jitter-ms=100",
            patience: Duration::from_millis(200) * u32::try_from(messages).unwrap(),
        },
        None => Load {
            messages: SHORT_RUN,
            recipients: 60,
            jitter: "pace-jitter-ms=300",
            patience: Duration::from_secs(100),
        },
    }
}

fn start(rig: &Rig, load: &Load, number: usize) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_egress"));
    let changes = [
        "twilio-per-second=80",
        load.jitter,
        "request-timeout-ms=1000",
        "lease-ms=2500",
        "settle-ms=500",
        "first-pause-ms=100",
        "first-round-pause-ms=400",
        "extra-rounds=5",
    ];
    command
        .arg("serve")
        .args(rig.args(&changes))
        .env("RUST_LOG", "warn");
    command.stdout(Stdio::null());
    Process::start(&format!("egress {number}"), &mut command)
}

fn misbehave(rig: &Rig) {
    let server_error = Fault::ServerError {
        status: 500,
        body: ErrorBody::Json,
        accept: false,
    };
    let faults = [
        (0.05, server_error),
        (0.02, Fault::Timeout { accept: true }),
        (
            0.03,
            Fault::RateLimited {
                retry_after_secs: None,
            },
        ),
    ];
    for (seed, (chance, fault)) in (1..).zip(faults) {
        let rule = FaultRule {
            endpoint: Some(Endpoint::Send),
            probability: Some(chance),
            seed,
            ..FaultRule::always(fault)
        };
        rig.simulator.add_fault(rule).unwrap();
    }
}

/// What a run came to, as the provider saw it.
#[derive(Debug, Default)]
struct Outcome {
    missing: usize,
    twice: usize,
    out_of_order: usize,
    busiest_second: usize,
    dead_letters: u64,
}

fn outcome(messages: &[OutboundMessage], requests: &[Record], dead_letters: u64) -> Outcome {
    let accepted: Vec<_> = requests
        .iter()
        .filter(|r| r.entry.outcome.is_accepted())
        .collect();
    let ids: Vec<_> = accepted
        .iter()
        .filter_map(|r| r.entry.oid.as_deref())
        .collect();
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    let mut by_recipient: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for record in &accepted {
        let place = record.entry.text.parse().unwrap();
        by_recipient
            .entry(&record.entry.customer)
            .or_default()
            .push(place);
    }
    let disorder = |places: &Vec<usize>| places.windows(2).filter(|p| p[0] > p[1]).count();
    Outcome {
        missing: messages
            .iter()
            .filter(|m| !distinct.contains(m.id.as_str()))
            .count(),
        twice: ids.len() - distinct.len(),
        out_of_order: by_recipient.values().map(disorder).sum(),
        busiest_second: busiest_second(requests),
        dead_letters,
    }
}

#[tokio::test]
async fn killed_replicas_and_a_failing_provider_cost_no_message_and_double_none() {
    let load = load();
    let rig = Rig::start();
    misbehave(&rig);
    let messages: Vec<_> = (0..load.messages)
        .map(|n| {
            let to = format!("whatsapp:+3161234{:04}", n % load.recipients);
            reply_to(&to, &(n / load.recipients).to_string())
        })
        .collect();
    for message in &messages {
        rig.queue(message).await;
    }
    let started = Instant::now();
    let mut replicas: Vec<_> = (0..REPLICAS)
        .map(|number| start(&rig, &load, number))
        .collect();
    let mut kills = 0;
    let mut next_kill = started + BETWEEN_KILLS;
    // Which replica is next is chance, but the same in every run.
    let mut chance: usize = 7;
    while waiting(&rig).await > 0 && started.elapsed() < load.patience {
        if Instant::now() >= next_kill {
            next_kill += BETWEEN_KILLS;
            chance = chance * 1_103_515_245 % 2_147_483_647 + 12_345;
            let victim = chance / 64 % REPLICAS;
            replicas[victim].kill();
            replicas[victim] = start(&rig, &load, victim);
            kills += 1;
        }
        tokio::time::sleep(LOOK).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let query = Query {
        provider: Some(Provider::Twilio),
        endpoint: Some(Endpoint::Send),
        limit: usize::MAX,
        ..Query::default()
    };
    let requests = rig.simulator.sent(&query);
    let letters = rig
        .redis
        .letter_count(streams::Shelf::Dead(Queue::Outbound))
        .await
        .unwrap();
    let outcome = outcome(&messages, &requests, letters);
    report(&rig, &requests, &load, &outcome, kills, seconds);
    let Outcome {
        missing,
        twice,
        out_of_order,
        busiest_second,
        dead_letters,
    } = outcome;
    assert_eq!(
        (missing, twice, out_of_order, dead_letters),
        (0, 0, 0, 0),
        "{outcome:?}"
    );
    assert!(busiest_second <= 80, "{outcome:?}");
}

async fn waiting(rig: &Rig) -> u64 {
    rig.redis.backlog(Queue::Outbound, 0).await.unwrap().entries
}

#[expect(clippy::print_stdout, reason = "the table of the long run")]
fn report(
    rig: &Rig,
    requests: &[Record],
    load: &Load,
    outcome: &Outcome,
    kills: u32,
    seconds: f64,
) {
    let met = |kind: &str| {
        requests
            .iter()
            .filter(|r| r.entry.fault == Some(kind))
            .count()
    };
    let look_ups = rig
        .simulator
        .stats()
        .calls
        .get("twilio.list")
        .copied()
        .unwrap_or_default();
    let accepted = requests
        .iter()
        .filter(|r| r.entry.outcome.is_accepted())
        .count();
    println!("messages                    {}", load.messages);
    println!("recipients                  {}", load.recipients);
    println!("seconds                     {seconds:.0}");
    println!("kill -9                     {kills}");
    println!("requests                    {}", requests.len());
    println!("answered with 500           {}", met("server_error"));
    println!("accepted, then silence      {}", met("timeout"));
    println!("answered with 429           {}", met("rate_limited"));
    println!("look-ups                    {look_ups}");
    println!("accepted                    {accepted}");
    println!("missing                     {}", outcome.missing);
    println!("accepted twice              {}", outcome.twice);
    println!("out of order                {}", outcome.out_of_order);
    println!("dead letters                {}", outcome.dead_letters);
    println!("most requests in a second   {}", outcome.busiest_second);
}
