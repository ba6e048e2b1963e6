use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use streams::{Backlog, Observer, Queue, RedisMemory, Shelf};

use crate::metrics::{LATENCY_BUCKETS, Metrics};

/// What every service counts about Redis and its queues.
#[derive(Debug, Clone)]
pub struct RedisMetrics {
    script_seconds: HistogramVec,
    script_errors: IntCounterVec,
    refused: IntCounterVec,
    fenced: IntCounterVec,
    leases: IntGaugeVec,
    fetched: IntCounterVec,
    redelivered: IntCounterVec,
    dead_letters: IntCounterVec,
    entries: IntGaugeVec,
    oldest: IntGaugeVec,
    unowned: IntGaugeVec,
    shelved: IntGaugeVec,
    server: Server,
}

/// What is told of the server itself.
#[derive(Debug, Clone)]
struct Server {
    durable: IntGaugeVec,
    memory: IntGaugeVec,
    memory_limit: IntGaugeVec,
    clock_steps: IntCounterVec,
}

impl Server {
    fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            durable: metrics.gauges(
                "postduif_redis_durable",
                &[],
                "1 when Redis keeps an append-only file and evicts nothing, else 0.",
            )?,
            memory: metrics.gauges(
                "postduif_redis_memory_bytes",
                &[],
                "Memory that Redis uses; in a cluster the node that is nearest to its limit.",
            )?,
            memory_limit: metrics.gauges(
                "postduif_redis_memory_limit_bytes",
                &[],
                "maxmemory of that Redis; 0 without a limit.",
            )?,
            clock_steps: metrics.counters(
                "postduif_redis_clock_steps_total",
                &[],
                "Times that Redis' clock was set back by a second or more.",
            )?,
        })
    }
}

impl RedisMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// When a name is taken, which is a mistake in the code.
    pub fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            script_seconds: metrics.histograms(
                "postduif_redis_script_seconds",
                &["script"],
                LATENCY_BUCKETS,
                "Time until Redis answered a script or command; `together` is several of the others as one request.",
            )?,
            script_errors: metrics.counters(
                "postduif_redis_errors_total",
                &["script"],
                "Scripts and commands that Redis did not answer, or refused.",
            )?,
            refused: metrics.counters(
                "postduif_redis_refused_total",
                &["script", "code"],
                "Scripts that Redis refuses until somebody changes a permission, a command or a key.",
            )?,
            fenced: metrics.counters(
                "postduif_fenced_operations_total",
                &["queue", "operation"],
                "Operations stopped because another process owns the partition by now.",
            )?,
            leases: metrics.gauges(
                "postduif_leases_owned",
                &["queue"],
                "Partitions that this process owns.",
            )?,
            fetched: metrics.counters(
                "postduif_entries_fetched_total",
                &["queue"],
                "Entries read from the streams.",
            )?,
            redelivered: metrics.counters(
                "postduif_entries_redelivered_total",
                &["queue"],
                "Entries whose processing was started again.",
            )?,
            dead_letters: metrics.counters(
                "postduif_dead_letters_total",
                &["queue", "reason"],
                "Entries set aside by this process.",
            )?,
            entries: metrics.gauges(
                "postduif_queue_entries",
                &["queue"],
                "Entries that wait or are in progress, over all partitions.",
            )?,
            oldest: metrics.gauges(
                "postduif_queue_oldest_milliseconds",
                &["queue"],
                "Age of the oldest entry that waits or is in progress.",
            )?,
            unowned: metrics.gauges(
                "postduif_partitions_unowned",
                &["queue"],
                "Partitions that no process owns.",
            )?,
            shelved: metrics.gauges(
                "postduif_shelved_entries",
                &["shelf"],
                "Dead letters and rejected webhooks that wait for an operator.",
            )?,
            server: Server::new(metrics)?,
        })
    }

    /// Notes how much waits in a queue.
    pub fn set_backlog(&self, queue: Queue, backlog: &Backlog) {
        let set = |gauge: &IntGaugeVec, value: u64| {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            gauge.with_label_values(&[queue.as_str()]).set(value);
        };
        set(&self.entries, backlog.entries);
        set(&self.oldest, backlog.oldest_ms);
        set(&self.unowned, backlog.unowned_partitions);
    }

    /// Notes how much lies on a shelf.
    pub fn set_shelved(&self, shelf: Shelf, count: u64) {
        let name = match shelf {
            Shelf::Dead(queue) => queue.as_str(),
            Shelf::Rejected => "rejected",
        };
        self.shelved
            .with_label_values(&[name])
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Notes whether Redis keeps what it acknowledged.
    pub fn set_durable(&self, durable: bool) {
        self.server
            .durable
            .with_label_values::<&str>(&[])
            .set(durable.into());
    }

    /// Notes how full Redis is.
    pub fn set_memory(&self, memory: RedisMemory) {
        let set = |gauge: &IntGaugeVec, bytes: u64| {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            gauge.with_label_values::<&str>(&[]).set(bytes);
        };
        set(&self.server.memory, memory.used);
        set(&self.server.memory_limit, memory.limit);
    }

    /// Notes that Redis' clock was set back.
    pub fn clock_stepped_back(&self) {
        self.server.clock_steps.with_label_values::<&str>(&[]).inc();
    }
}

impl Observer for RedisMetrics {
    fn script(&self, name: &'static str, elapsed: Duration, ok: bool) {
        self.script_seconds
            .with_label_values(&[name])
            .observe(elapsed.as_secs_f64());
        if !ok {
            self.script_errors.with_label_values(&[name]).inc();
        }
    }

    fn refused(&self, script: &'static str, code: &str) {
        self.refused.with_label_values(&[script, code]).inc();
    }

    fn fenced(&self, queue: Queue, operation: &'static str) {
        self.fenced
            .with_label_values(&[queue.as_str(), operation])
            .inc();
    }

    fn leases_owned(&self, queue: Queue, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.leases.with_label_values(&[queue.as_str()]).set(count);
    }

    fn fetched(&self, queue: Queue, entries: usize) {
        self.fetched
            .with_label_values(&[queue.as_str()])
            .inc_by(entries as u64);
    }

    fn redelivered(&self, queue: Queue) {
        self.redelivered.with_label_values(&[queue.as_str()]).inc();
    }

    fn dead_letter(&self, queue: Queue, reason: &str) {
        self.dead_letters
            .with_label_values(&[queue.as_str(), reason])
            .inc();
    }
}
