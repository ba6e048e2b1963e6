//! What a message costs Redis, and what the services cost when nothing happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use streams::{Consumer, ConsumerConfig, Destination, Ingest, MemberId, Queue, RateLimit, Redis};
use test_support::{RedisServer, eventually_within};
use tokio_util::sync::CancellationToken;

use crate::echo::Echo;
use crate::{RedisShape, Role, Settings, SystemBuilder, cpu_time, inbound_entry, print_table};

const PARTITIONS: u16 = 64;
const CONVERSATIONS: u32 = 1_000;
const AT_ONCE: u32 = 64;

/// The server's counters, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Time in scripts (`INFO commandstats`): what the note on Redis Streams gives for each.
    scripts: f64,
    /// CPU time of the main thread (`INFO cpu`), with parsing and system calls.
    cpu: f64,
}

impl Cost {
    fn read(server: &RedisServer) -> Self {
        let number = |info: &str, name: &str| {
            let rest = info.split(name).nth(1).unwrap_or_default();
            let digits: String = rest
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            digits.parse::<f64>().unwrap_or_default()
        };
        let commands: String = server.run(&["INFO", "commandstats"]);
        let evalsha = commands
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"));
        let cpu: String = server.run(&["INFO", "cpu"]);
        let seconds =
            number(&cpu, "used_cpu_sys_main_thread:") + number(&cpu, "used_cpu_user_main_thread:");
        Self {
            scripts: number(evalsha.unwrap_or_default(), "usec="),
            cpu: seconds * 1e6,
        }
    }

    fn row(self, since: Self, name: &str, messages: u32, took: Duration) -> (String, String) {
        let each = |now: f64, then: f64| (now - then) / f64::from(messages);
        let text = format!(
            "{:5.1} µs in scripts, {:5.1} µs of CPU, {:6.0} messages a second",
            each(self.scripts, since.scripts),
            each(self.cpu, since.cpu),
            f64::from(messages) / took.as_secs_f64(),
        );
        (name.to_owned(), text)
    }
}

/// Takes messages in and lets the echo answer them, and prints what that costs Redis.
pub async fn print_cost_of_messages(messages: u32) {
    let shape = RedisShape::Single(RedisServer::builder().tcp().start());
    let RedisShape::Single(server) = &shape else {
        return;
    };
    let redis = shape.client(PARTITIONS);
    let claimed = redis.claim_layout().await.expect("Redis answers");
    claimed.expect("an empty Redis");
    let (start, began) = (Cost::read(server), Instant::now());
    for batch in (0..messages).step_by(AT_ONCE as usize) {
        let batch = batch..messages.min(batch + AT_ONCE);
        join_all(batch.map(|number| take_in(&redis, number))).await;
    }
    let (taken, ingest_took, began) = (Cost::read(server), began.elapsed(), Instant::now());
    answer(&redis).await;
    let (answered, answer_took) = (Cost::read(server), began.elapsed());
    print_table(
        &format!("What one of {messages} messages costs Redis (no append-only file)"),
        &[
            taken.row(start, "rate limit, dedup, XADD", messages, ingest_took),
            answered.row(taken, "fetch, begin, commit", messages, answer_took),
            answered.row(start, "together", messages, ingest_took + answer_took),
        ],
    );
}

async fn take_in(redis: &Redis, number: u32) {
    let entry = inbound_entry(number, CONVERSATIONS);
    let rate = RateLimit {
        limit: 1_000_000,
        window: Duration::from_secs(1),
    };
    let ingest = Ingest {
        destination: Destination::Work(Queue::Inbound),
        entry: &entry,
        rate: Some(rate),
        replay: None,
        dedup_for: Duration::from_secs(3600),
        max_backlog: 100_000,
        replicas: 0,
        replica_timeout: Duration::ZERO,
    };
    redis.ingest(&ingest).await.expect("Redis answers");
}

/// Lets the echo answer everything.
async fn answer(redis: &Redis) {
    let stop = CancellationToken::new();
    let config = ConsumerConfig::new(Queue::Inbound, MemberId::unique("bench"));
    let consumer = Consumer::new(redis.clone(), config, Arc::new(Echo::default()));
    let emptied = async {
        eventually_within(Duration::from_secs(300), async || {
            match redis.backlog(Queue::Inbound, 0).await {
                Ok(backlog) if backlog.entries == 0 => Ok(()),
                other => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err(format!("{other:?}"))
                }
            }
        })
        .await;
        stop.cancel();
    };
    let (consumed, ()) = tokio::join!(consumer.run(stop.clone(), Duration::ZERO), emptied);
    consumed.expect("the same number of partitions");
}

/// One service of each kind owns all partitions, and nobody writes: prints what they use.
pub async fn print_idle_cost(watched: Duration) {
    /// Until the leases are spread and the first probes are over.
    const SETTLE: Duration = Duration::from_secs(5);
    let settings = Settings {
        partitions: PARTITIONS,
        lease_ms: 10_000,
        ..Settings::default()
    };
    let mut system = SystemBuilder::new(settings).start().await;
    tokio::time::sleep(SETTLE).await;
    let mut processes = vec![("redis-server", system.redis.server().process().id())];
    for role in [Role::Ingress, Role::Worker, Role::Egress] {
        processes.push((role.as_str(), system.service(role, 0).id()));
    }
    let before: Vec<_> = processes.iter().map(|(_, pid)| cpu_time(*pid)).collect();
    tokio::time::sleep(watched).await;
    let rows = processes.iter().zip(before).map(|((name, pid), before)| {
        let used = cpu_time(*pid).saturating_sub(before).as_secs_f64();
        let share = 100.0 * used / watched.as_secs_f64();
        ((*name).to_owned(), format!("{share:.2} % of a core"))
    });
    let rows: Vec<_> = rows.collect();
    let heading = format!(
        "Idle for {} s with {PARTITIONS} partitions owned",
        watched.as_secs()
    );
    print_table(&heading, &rows);
}
