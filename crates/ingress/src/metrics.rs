//! What ingress counts. Every name and label is here.

use std::time::Duration;

use jiff::Timestamp;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use runtime::metrics::{LATENCY_BUCKETS, Metrics, from_zero};
use shared_types::Source;

/// How a webhook ended, as the label `status` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebhookStatus {
    /// It arrived. Counted for every webhook, beside how it ended.
    Received,
    /// It is queued, or on disk until it can be.
    Queued,
    /// It was taken in before.
    Duplicate,
    /// Verified, but not usable; or not readable at all.
    Invalid,
    /// Its conversation, or its client address, has used its budget up.
    RateLimited,
    /// We could not take it in.
    Error,
}

impl WebhookStatus {
    const ALL: [Self; 6] = [
        Self::Received,
        Self::Queued,
        Self::Duplicate,
        Self::Invalid,
        Self::RateLimited,
        Self::Error,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Queued => "queued",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::RateLimited => "rate_limited",
            Self::Error => "error",
        }
    }
}

/// What became of a thing for sale that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StockPush {
    /// It waits for a worker.
    Kept,
    /// It is no XML, too large or too slow.
    Invalid,
    /// Its login is missing or wrong.
    Refused,
    /// Too many wait.
    Full,
    /// Redis is away.
    Error,
}

impl StockPush {
    const ALL: [Self; 5] = [
        Self::Kept,
        Self::Invalid,
        Self::Refused,
        Self::Full,
        Self::Error,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::Full => "full",
            Self::Error => "error",
        }
    }
}

/// The counters of ingress.
#[derive(Debug, Clone)]
pub struct IngressMetrics {
    requests: IntCounterVec,
    signature_errors: IntCounterVec,
    seconds: HistogramVec,
    ignored: IntCounterVec,
    customers: Customers,
    colleagues: IntCounterVec,
    rejected: IntCounterVec,
    verified_refused: IntCounterVec,
    sessions: IntCounterVec,
    timelocked: IntGaugeVec,
    unread: IntCounterVec,
    backlog_alarms: IntCounterVec,
    bounds: Bounds,
    spool: IntGaugeVec,
    spooled: IntCounterVec,
    observe_only: IntGaugeVec,
    reconcile: Reconcile,
    stock_pushes: IntCounterVec,
}

/// What customers wrote.
#[derive(Debug, Clone)]
struct Customers {
    messages: IntCounterVec,
    last_message: IntGaugeVec,
}

impl Customers {
    fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            messages: of_sources(metrics.counters(
                "postduif_messages_total",
                &["source"],
                "Customers' messages that were taken in by webhook, without reports, events and repetitions.",
            )?),
            last_message: metrics.gauges(
                "postduif_last_message_timestamp_seconds",
                &["source"],
                "When this process took its last message of a customer in, in seconds since 1970.",
            )?,
        })
    }
}

/// What the comparison with the providers' lists found.
#[derive(Debug, Clone)]
struct Reconcile {
    messages: IntCounterVec,
    runs: IntCounterVec,
    look_ups: IntCounterVec,
}

impl Reconcile {
    fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            messages: metrics.counters(
                "postduif_reconciled_messages_total",
                &["source", "outcome"],
                "Messages in the providers' lists: known, or lost and found.",
            )?,
            runs: metrics.counters(
                "postduif_reconcile_runs_total",
                &["source", "list", "outcome"],
                "Comparisons with a provider's list: complete, or why not.",
            )?,
            look_ups: metrics.counters(
                "postduif_reports_looked_up_total",
                &["outcome"],
                "Reports of Twilio about messages that did not name our id: colleague, ours, nothing, failed, dropped.",
            )?,
        })
    }
}

/// What ran into a bound, or came near it.
#[derive(Debug, Clone)]
struct Bounds {
    total_alarms: IntCounterVec,
    lines_dropped: IntCounterVec,
    strangers_closed: IntCounterVec,
    distrusted: IntCounterVec,
}

impl Bounds {
    fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            total_alarms: metrics.counters(
                "postduif_total_limit_alarms_total",
                &[],
                "Verified webhooks beyond half of what a minute may have.",
            )?,
            lines_dropped: metrics.counters(
                "postduif_log_lines_dropped_total",
                &["about"],
                "Log lines about refused webhooks that were beyond the budget.",
            )?,
            strangers_closed: metrics.counters(
                "postduif_unverified_connections_closed_total",
                &[],
                "Connections without a verified webhook that made room for others.",
            )?,
            distrusted: metrics.counters(
                "postduif_distrusted_addresses_total",
                &[],
                "Requests with a client address that no proxy of ours wrote.",
            )?,
        })
    }
}

fn requests(metrics: &mut Metrics) -> prometheus::Result<IntCounterVec> {
    let counters = metrics.counters(
        "webhook_requests_total",
        &["source", "status"],
        "Webhooks by how they ended; `received` counts all of them.",
    )?;
    let labels = Source::ALL
        .iter()
        .flat_map(|source| WebhookStatus::ALL.map(|status| [source.as_str(), status.as_str()]));
    Ok(from_zero(counters, labels))
}

fn of_sources(counters: IntCounterVec) -> IntCounterVec {
    from_zero(counters, Source::ALL.map(|source| [source.as_str()]))
}

fn stock_pushes(metrics: &mut Metrics) -> prometheus::Result<IntCounterVec> {
    let counters = metrics.counters(
        "postduif_stock_pushes_total",
        &["outcome"],
        "Things for sale that were pushed: kept, invalid, refused (a wrong login), full (too many wait), or error.",
    )?;
    Ok(from_zero(
        counters,
        StockPush::ALL.map(|outcome| [outcome.as_str()]),
    ))
}

impl IngressMetrics {
    /// Something for sale was pushed.
    pub(crate) fn stock_push(&self, outcome: StockPush) {
        self.stock_pushes
            .with_label_values(&[outcome.as_str()])
            .inc();
    }

    /// Registers the metrics.
    ///
    /// # Errors
    /// When a name is taken, which is a mistake in the code.
    pub fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            requests: requests(metrics)?,
            signature_errors: of_sources(metrics.counters(
                "webhook_signature_errors_total",
                &["source"],
                "Webhooks whose signature was missing or wrong.",
            )?),
            seconds: metrics.histograms(
                "postduif_webhook_seconds",
                &["source"],
                LATENCY_BUCKETS,
                "Time from the end of a webhook's headers to its answer.",
            )?,
            ignored: metrics.counters(
                "postduif_webhooks_ignored_total",
                &["source", "reason"],
                "Verified webhooks that were none of our business.",
            )?,
            customers: Customers::new(metrics)?,
            colleagues: metrics.counters(
                "postduif_colleague_messages_total",
                &["source", "on_the_wire"],
                "What colleagues wrote past us; on_the_wire is true where a request of ours had begun.",
            )?,
            rejected: metrics.counters(
                "postduif_webhooks_rejected_total",
                &["source", "code"],
                "Verified webhooks that could not be used; they are kept as rejected.",
            )?,
            verified_refused: metrics.counters(
                "postduif_verified_webhooks_refused_total",
                &["source", "reason"],
                "Genuine webhooks that were refused for lack of budget or room.",
            )?,
            sessions: metrics.counters(
                "postduif_waha_session_changes_total",
                &["working"],
                "Changes of a WAHA session's state.",
            )?,
            timelocked: metrics.gauges(
                "postduif_waha_session_timelocked",
                &["session"],
                "1 while WhatsApp bars a WAHA session from writing to people who did not write first.",
            )?,
            unread: metrics.counters(
                "postduif_webhook_fields_unread_total",
                &["source", "field"],
                "Fields of messages that could not be read and were left out.",
            )?,
            backlog_alarms: metrics.counters(
                "postduif_backlog_alarms_total",
                &[],
                "Webhooks that met a partition more than half full.",
            )?,
            bounds: Bounds::new(metrics)?,
            spool: metrics.gauges(
                "postduif_spool_entries",
                &[],
                "Webhooks on disk that wait for Redis.",
            )?,
            spooled: metrics.counters(
                "postduif_spooled_webhooks_total",
                &[],
                "Webhooks that went to disk because Redis was away.",
            )?,
            observe_only: metrics.gauges(
                "postduif_ingress_observe_only",
                &[],
                "1 while bad signatures are let through, else 0.",
            )?,
            reconcile: Reconcile::new(metrics)?,
            stock_pushes: stock_pushes(metrics)?,
        })
    }

    pub(crate) fn webhook(&self, source: Source, status: WebhookStatus) {
        self.requests
            .with_label_values(&[source.as_str(), status.as_str()])
            .inc();
    }

    pub(crate) fn signature_error(&self, source: Source) {
        self.signature_errors
            .with_label_values(&[source.as_str()])
            .inc();
    }

    pub(crate) fn answered(&self, source: Source, elapsed: Duration) {
        self.seconds
            .with_label_values(&[source.as_str()])
            .observe(elapsed.as_secs_f64());
    }

    pub(crate) fn ignored(&self, source: Source, reason: &'static str) {
        self.ignored
            .with_label_values(&[source.as_str(), reason])
            .inc();
    }

    /// A customer's message that is queued, or on disk until it can be.
    pub(crate) fn message(&self, source: Source, now: Timestamp) {
        self.customers
            .messages
            .with_label_values(&[source.as_str()])
            .inc();
        self.customers
            .last_message
            .with_label_values(&[source.as_str()])
            .set(now.as_second());
    }

    /// A colleague's message, and whether a request of ours had begun.
    pub(crate) fn colleague(&self, source: Source, on_the_wire: bool) {
        self.colleagues
            .with_label_values(&[source.as_str(), if on_the_wire { "true" } else { "false" }])
            .inc();
    }

    pub(crate) fn rejected(&self, source: Source, code: &'static str) {
        self.rejected
            .with_label_values(&[source.as_str(), code])
            .inc();
    }

    pub(crate) fn verified_refused(&self, source: Source, reason: &'static str) {
        self.verified_refused
            .with_label_values(&[source.as_str(), reason])
            .inc();
    }

    pub(crate) fn session_changed(&self, working: bool) {
        self.sessions
            .with_label_values(&[if working { "true" } else { "false" }])
            .inc();
    }

    pub(crate) fn set_timelocked(&self, session: &str, timelocked: bool) {
        self.timelocked
            .with_label_values(&[session])
            .set(timelocked.into());
    }

    /// The names are the readers' own, never a customer's.
    pub(crate) fn unread(&self, source: Source, fields: &[String]) {
        for field in fields {
            self.unread
                .with_label_values(&[source.as_str(), field.as_str()])
                .inc();
        }
    }

    pub(crate) fn backlog_alarm(&self) {
        self.backlog_alarms.with_label_values::<&str>(&[]).inc();
    }

    pub(crate) fn total_alarm(&self) {
        self.bounds
            .total_alarms
            .with_label_values::<&str>(&[])
            .inc();
    }

    /// `about` is `unverified` or `limited`.
    pub(crate) fn line_dropped(&self, about: &'static str) {
        self.bounds.lines_dropped.with_label_values(&[about]).inc();
    }

    pub(crate) fn stranger_closed(&self) {
        self.bounds
            .strangers_closed
            .with_label_values::<&str>(&[])
            .inc();
    }

    pub(crate) fn distrusted(&self) {
        self.bounds.distrusted.with_label_values::<&str>(&[]).inc();
    }

    pub(crate) fn set_spool(&self, entries: u64) {
        let entries = i64::try_from(entries).unwrap_or(i64::MAX);
        self.spool.with_label_values::<&str>(&[]).set(entries);
    }

    pub(crate) fn spooled(&self) {
        self.spooled.with_label_values::<&str>(&[]).inc();
    }

    /// Messages of a provider's list by what they turned out to be. A zero makes the counter known: an
    /// increase can be seen from then on.
    pub(crate) fn reconciled(&self, source: Source, outcome: &'static str, messages: u64) {
        self.reconcile
            .messages
            .with_label_values(&[source.as_str(), outcome])
            .inc_by(messages);
    }

    pub(crate) fn reconcile_ran(&self, source: Source, list: &str, outcome: &'static str) {
        self.reconcile
            .runs
            .with_label_values(&[source.as_str(), list, outcome])
            .inc();
    }

    /// What a report of Twilio about a message that does not name our id came to.
    pub(crate) fn report_looked_up(&self, outcome: &'static str) {
        self.reconcile.look_ups.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn set_observe_only(&self, on: bool) {
        self.observe_only
            .with_label_values::<&str>(&[])
            .set(on.into());
    }
}
