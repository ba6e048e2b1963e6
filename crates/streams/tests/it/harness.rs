//! A consumer whose handler echoes, obstructs or fails by what the payload says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Parser;
use shared_types::{Payload, PayloadError};
use streams::{
    Commit, Consumer, ConsumerConfig, DeadLetterReason, DrainReport, EarlyHash, EarlyReads, Entry,
    Handler, Ingest, Ingested, Interrupted, Job, MemberId, NewEntry, PartitionKeys,
    PartitionMismatch, Queue, ReadValues, Redis, RedisConfig, Settled,
};
use test_support::RedisServer;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    redis: RedisConfig,
}

pub(crate) fn redis_with(args: &[&str]) -> Redis {
    let cli = Cli::parse_from(["test"].iter().chain(args));
    Redis::new(&cli.redis).unwrap()
}

/// As a command line sees it, whatever it is told.
pub(crate) async fn deployment_with(args: &[&str]) -> Redis {
    let cli = Cli::parse_from(["test"].iter().chain(args));
    Redis::of_deployment(&cli.redis).await.unwrap()
}

pub(crate) fn redis_at(server: &RedisServer) -> Redis {
    redis_with(&["--redis-url", &server.url(), "--redis-partitions", "8"])
}

pub(crate) fn entry(mailbox: &str, event: &str, payload: &str) -> NewEntry {
    NewEntry {
        kind: "message".into(),
        event: event.into(),
        conversation: mailbox.into(),
        mailbox: None,
        payload: payload.into(),
        trace: None,
        fences: false,
    }
}

pub(crate) fn ingest(entry: &NewEntry) -> Ingest<'_> {
    Ingest {
        dedup_for: Duration::from_secs(3600),
        replica_timeout: Duration::from_millis(500),
        ..Ingest::unlimited(Queue::Inbound, entry)
    }
}

pub(crate) async fn add(redis: &Redis, mailbox: &str, event: &str, payload: &str) {
    let entry = entry(mailbox, event, payload);
    let ingested = redis.ingest(&ingest(&entry)).await.unwrap();
    assert!(matches!(ingested, Ingested::Queued { .. }), "{ingested:?}");
}

/// A payload that is no more than its text; that of kind `poem` nobody can read.
pub(crate) struct Text(pub(crate) String);

impl Payload for Text {
    fn read(kind: &str, text: &str) -> Result<Self, PayloadError> {
        match kind {
            "message" => Ok(Self(text.into())),
            _ => Err(PayloadError::UnknownKind(kind.into())),
        }
    }
}

/// Answers every entry with an outbound entry that repeats its event.
///
/// Payloads: `echo`; `gate` waits for [`Echo::gate`]; `fail` is retried each time; `panic` and
/// `speechless` panic, the latter also when it is given up; `reject` becomes a dead letter at once;
/// `wait` waits until its process stops.
#[derive(Default)]
pub(crate) struct Echo {
    pub(crate) gate: Notify,
    pub(crate) started: AtomicUsize,
    pub(crate) running: AtomicUsize,
    pub(crate) most_running: AtomicUsize,
}

impl Handler for Echo {
    type Payload = Text;

    fn early_reads(&self, keys: PartitionKeys) -> Option<EarlyReads> {
        Some(early_reads(keys))
    }

    fn last_words(&self, entry: &Entry, text: &Text, values: &ReadValues) -> Option<Commit> {
        assert_ne!(text.0, "speechless", "on purpose");
        (text.0 == "panic").then(|| echoed(entry, values))
    }

    fn unread_note(&self) -> Option<String> {
        Some("unread".into())
    }

    async fn handle(&self, job: Job<Text>) -> Settled {
        self.started.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        let _counted = Counted(&self.running);
        self.work(job).await
    }
}

/// Takes one off when the work ends, also when it is cut off because the lease is gone.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Echo {
    async fn work(&self, job: Job<Text>) -> Settled {
        match job.payload.0.as_str() {
            "gate" => self.gate.notified().await,
            "wait" => {
                let mut job = job;
                return match job.wait_for(std::future::pending::<()>()).await {
                    Ok(()) | Err(Interrupted) => job.leave(),
                };
            }
            "fail" => return job.retry("it failed: because".into(), None).await,
            "panic" | "speechless" => panic!("on purpose"),
            "reject" => {
                let why = DeadLetterReason {
                    reason: "refused",
                    error: "no".into(),
                };
                return job.dead_letter(why, Some("note".into())).await;
            }
            _ => tokio::time::sleep(Duration::from_millis(2)).await,
        }
        let commit = echoed(&job.entry, &job.values);
        job.commit(commit).await
    }
}

/// The same as [`Echo`] reads.
pub(crate) fn early_reads(keys: PartitionKeys) -> EarlyReads {
    let state = EarlyHash {
        begins: keys.conversation(""),
        of_event: false,
        ends: "",
        fields: &["ver", "count"],
    };
    EarlyReads {
        list: Some((keys.history(""), 10)),
        hashes: vec![state],
    }
}

pub(crate) fn echoed(read: &Entry, values: &ReadValues) -> Commit {
    let number = |field| values.field(0, field).map_or(0, |n| n.parse().unwrap());
    let (version, count): (u64, u64) = (number("ver"), number("count"));
    Commit {
        expected_version: version,
        state: vec![("count", (count + 1).to_string())],
        history: vec![read.event.clone()],
        history_cap: 100,
        state_ttl: Duration::from_secs(600),
        done_ttl: Duration::from_secs(600),
        outbound: vec![entry(&read.conversation, &read.event, "reply")],
        ..Commit::default()
    }
}

pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<DrainReport, PartitionMismatch>>,
}

impl Running {
    pub(crate) async fn stop(self) -> DrainReport {
        self.stop.cancel();
        self.task.await.unwrap().unwrap()
    }

    /// As a crash would: nothing is drained, nothing is released.
    pub(crate) fn kill(self) {
        self.task.abort();
    }
}

pub(crate) fn config() -> ConsumerConfig {
    ConsumerConfig {
        lease_ttl: Duration::from_millis(600),
        first_retry: Duration::from_millis(10),
        ..ConsumerConfig::new(Queue::Inbound, MemberId::unique("test"))
    }
}

pub(crate) fn run(redis: &Redis, config: ConsumerConfig, handler: &Arc<Echo>) -> Running {
    spawn(redis, config, handler)
}

pub(crate) fn spawn<H: Handler>(
    redis: &Redis,
    config: ConsumerConfig,
    handler: &Arc<H>,
) -> Running {
    let stop = CancellationToken::new();
    let consumer = Consumer::new(redis.clone(), config, handler.clone());
    #[expect(
        clippy::disallowed_methods,
        reason = "a test waits for the task or aborts it"
    )]
    let task = tokio::spawn(consumer.run(stop.clone(), Duration::from_secs(5)));
    Running { stop, task }
}

/// The events in the outbound streams, by mailbox, in the order in which they were added.
pub(crate) fn replies(server: &RedisServer, mailbox: &str) -> Vec<String> {
    let all = all_replies(server).into_iter();
    let of_mailbox = all.filter(|(of, _)| of == mailbox);
    of_mailbox.map(|(_, event)| event).collect()
}

/// Mailbox and event of every reply.
pub(crate) fn all_replies(server: &RedisServer) -> Vec<(String, String)> {
    let partitions = 8;
    let streams = (0..partitions).map(|p| format!("out:{p}"));
    let entries = streams.flat_map(|stream| stream_fields(server, &stream));
    let reply = |fields: Fields| (field(&fields, "conv"), field(&fields, "event"));
    entries.map(reply).collect()
}

type Fields = Vec<(String, String)>;

fn field(fields: &Fields, name: &str) -> String {
    fields
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.clone())
        .unwrap_or_default()
}

pub(crate) fn stream_fields(server: &RedisServer, stream: &str) -> Vec<Fields> {
    let entries: Vec<(String, Fields)> = server.run(&["XRANGE", stream, "-", "+"]);
    entries.into_iter().map(|(_, fields)| fields).collect()
}

/// How many entries lie in all inbound streams, waiting or in progress.
pub(crate) fn waiting(server: &RedisServer) -> u64 {
    (0..8)
        .map(|p| server.run::<u64>(&["XLEN", &format!("in:{p}")]))
        .sum()
}

pub(crate) async fn until_empty(server: &RedisServer) {
    test_support::eventually(async || match waiting(server) {
        0 => Ok(()),
        left => Err(format!("{left} entries left")),
    })
    .await;
}

/// How many entries are in somebody's hands.
pub(crate) fn pending(server: &RedisServer) -> u64 {
    type Summary = (
        u64,
        Option<String>,
        Option<String>,
        Option<Vec<(String, String)>>,
    );
    let groups: u64 = (0..8)
        .map(|p| server.run::<u64>(&["EXISTS", &format!("in:{p}")]))
        .sum();
    if groups < 8 {
        return 0;
    }
    (0..8)
        .map(|p| {
            server
                .run::<Summary>(&["XPENDING", &format!("in:{p}"), "worker"])
                .0
        })
        .sum()
}

/// How often a script failed since the statistics were reset.
pub(crate) fn refused_scripts(server: &RedisServer) -> u64 {
    of_scripts(server, "failed_calls=")
}

/// How often a script was run since the statistics were reset.
pub(crate) fn scripts_run(server: &RedisServer) -> u64 {
    of_scripts(server, "calls=")
}

fn of_scripts(server: &RedisServer, number: &str) -> u64 {
    let stats: String = server.run(&["INFO", "commandstats"]);
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_evalsha:"));
    let mut parts = line.unwrap_or_default().split(',');
    let found = parts.find_map(|part| part.strip_prefix(number));
    found.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
