//! What egress counts. Every name and label is here.

use std::time::Duration;

use jiff::SignedDuration;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use runtime::metrics::{LATENCY_BUCKETS, Metrics, from_zero};
use shared_types::{DeliveryEvent, FailureClass, Masking, Source};

/// How a send, or a round of attempts, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendOutcome {
    /// The provider has it.
    Sent,
    /// A round of attempts, or the message, failed.
    Failed,
    /// It waits for its turn.
    RateLimited,
    /// It is not known whether the provider has it.
    Unknown,
}

impl SendOutcome {
    const ALL: [Self; 4] = [Self::Sent, Self::Failed, Self::RateLimited, Self::Unknown];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::RateLimited => "rate_limited",
            Self::Unknown => "unknown",
        }
    }
}

/// How a doubt about an outcome ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DoubtEnd {
    /// A status callback told.
    CalledBack,
    /// The provider's list has it.
    Found,
    /// There is no trace; it is sent again.
    Absent,
    /// It was sent again without looking, as configured.
    Resent,
    /// It was set aside.
    Parked,
}

/// What became of a typing signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypingOutcome {
    /// The recipient sees it.
    Shown,
    /// Indicators are switched off.
    Off,
    /// It came too late.
    Late,
    /// The answer is on its way already; an indicator after it would be wrong.
    Answered,
    /// The provider has none, or did not show it.
    Failed,
}

/// Seconds, for what takes minutes: doubts and answers.
const LONG_BUCKETS: &[f64] = &[
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
];

/// Requests for one message.
const ATTEMPT_BUCKETS: &[f64] = &[0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0];

/// The counters of egress.
#[derive(Debug, Clone)]
pub struct EgressMetrics {
    sends: IntCounterVec,
    failures: IntCounterVec,
    refused: IntCounterVec,
    request_seconds: HistogramVec,
    attempts: HistogramVec,
    pace_seconds: HistogramVec,
    pace: IntGaugeVec,
    doubts: IntCounterVec,
    doubt_seconds: HistogramVec,
    answer_seconds: HistogramVec,
    stopped: IntGaugeVec,
    reports: IntCounterVec,
    typing: IntCounterVec,
    mirrored: IntCounterVec,
    mirror_failures: IntCounterVec,
}

fn sends(metrics: &mut Metrics) -> prometheus::Result<IntCounterVec> {
    let counters = metrics.counters(
        "postduif_sends_total",
        &["source", "outcome"],
        "Sends by how they ended. `failed` counts rounds, `rate_limited` warnings, `unknown` doubts.",
    )?;
    let labels = Source::ALL
        .iter()
        .flat_map(|source| SendOutcome::ALL.map(|outcome| [source.as_str(), outcome.as_str()]));
    Ok(from_zero(counters, labels))
}

/// None at first: nobody tells so before one is.
fn stopped(metrics: &mut Metrics) -> prometheus::Result<IntGaugeVec> {
    let gauge = metrics.gauges(
        "postduif_senders_stopped",
        &[],
        "Senders whose account or configuration the provider refuses.",
    )?;
    gauge.with_label_values::<&str>(&[]).set(0);
    Ok(gauge)
}

impl EgressMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// When a name is taken, which is a mistake in the code.
    pub fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            sends: sends(metrics)?,
            failures: metrics.counters(
                "postduif_send_failures_total",
                &["source", "class", "code"],
                "Failed requests by what they call for and the provider's code or HTTP status; `none` without an answer.",
            )?,
            refused: metrics.counters(
                "postduif_sends_refused_total",
                &["source", "reason"],
                "Messages that our own rules held back.",
            )?,
            request_seconds: metrics.histograms(
                "postduif_send_request_seconds",
                &["source"],
                LATENCY_BUCKETS,
                "Time until a provider answered a request.",
            )?,
            attempts: metrics.histograms(
                "postduif_send_attempts",
                &["source"],
                ATTEMPT_BUCKETS,
                "Requests that an accepted message took since its process had it; 0 when it was found.",
            )?,
            pace_seconds: metrics.histograms(
                "postduif_pace_wait_seconds",
                &["sender"],
                LATENCY_BUCKETS,
                "Time that messages waited for a slot of their sender, whose number is masked.",
            )?,
            pace: metrics.gauges(
                "postduif_sender_limit_per_minute",
                &["sender"],
                "Messages a minute that a sender may send, whose number is masked; none is told of without a limit.",
            )?,
            doubts: metrics.counters(
                "postduif_unknown_outcomes_total",
                &["source", "end"],
                "Sends whose outcome was unknown, by how that ended.",
            )?,
            doubt_seconds: metrics.histograms(
                "postduif_unknown_outcome_seconds",
                &["source"],
                LONG_BUCKETS,
                "How long outcomes were unknown.",
            )?,
            answer_seconds: metrics.histograms(
                "postduif_answer_seconds",
                &["source"],
                LONG_BUCKETS,
                "Time from the worker's reply to the provider's acceptance.",
            )?,
            stopped: stopped(metrics)?,
            reports: metrics.counters(
                "postduif_delivery_reports_total",
                &["source", "status", "code"],
                "Reports of how far messages got; the code is the provider's for an error, else none.",
            )?,
            typing: metrics.counters(
                "postduif_typing_signals_total",
                &["source", "outcome"],
                "Signals of slow answers, by what became of them.",
            )?,
            mirrored: metrics.counters(
                "postduif_mirror_steps_total",
                &["what", "outcome"],
                "Steps of conversations that a help desk is shown, by how they ended.",
            )?,
            mirror_failures: metrics.counters(
                "postduif_mirror_failures_total",
                &["class"],
                "Tries to show a step that have to be made again, by why.",
            )?,
        })
    }

    pub(crate) fn send(&self, source: Source, outcome: SendOutcome) {
        self.sends
            .with_label_values(&[source.as_str(), outcome.as_str()])
            .inc();
    }

    pub(crate) fn failure(&self, source: Source, class: FailureClass, code: Option<&str>) {
        self.failures
            .with_label_values(&[source.as_str(), class.as_str(), code.unwrap_or("none")])
            .inc();
    }

    pub(crate) fn refused(&self, source: Source, reason: &'static str) {
        self.refused
            .with_label_values(&[source.as_str(), reason])
            .inc();
    }

    pub(crate) fn requested(&self, source: Source, elapsed: Duration) {
        self.request_seconds
            .with_label_values(&[source.as_str()])
            .observe(elapsed.as_secs_f64());
    }

    pub(crate) fn attempts(&self, source: Source, requests: u32) {
        self.attempts
            .with_label_values(&[source.as_str()])
            .observe(requests.into());
    }

    /// `clock` names the sender, which may send so many a second.
    pub(crate) fn paced(&self, clock: &str, per_second: f64, waited: Duration) {
        let sender = Masking::On.show(clock).to_string();
        #[expect(clippy::cast_possible_truncation, reason = "settings bound it")]
        let per_minute = (per_second * 60.0).round() as i64;
        self.pace
            .with_label_values(&[sender.as_str()])
            .set(per_minute);
        self.pace_seconds
            .with_label_values(&[sender.as_str()])
            .observe(waited.as_secs_f64());
    }

    pub(crate) fn doubt_ended(&self, source: Source, end: DoubtEnd, lasted: SignedDuration) {
        let end = match end {
            DoubtEnd::CalledBack => "called_back",
            DoubtEnd::Found => "found",
            DoubtEnd::Absent => "absent",
            DoubtEnd::Resent => "resent",
            DoubtEnd::Parked => "parked",
        };
        self.doubts.with_label_values(&[source.as_str(), end]).inc();
        self.doubt_seconds
            .with_label_values(&[source.as_str()])
            .observe(lasted.as_secs_f64());
    }

    pub(crate) fn answer_time(&self, source: Source, took: SignedDuration) {
        self.answer_seconds
            .with_label_values(&[source.as_str()])
            .observe(took.as_secs_f64());
    }

    pub(crate) fn set_stopped(&self, senders: usize) {
        let senders = i64::try_from(senders).unwrap_or(i64::MAX);
        self.stopped.with_label_values::<&str>(&[]).set(senders);
    }

    pub(crate) fn typing(&self, source: Source, shown: TypingOutcome) {
        let outcome = match shown {
            TypingOutcome::Shown => "shown",
            TypingOutcome::Off => "off",
            TypingOutcome::Late => "late",
            TypingOutcome::Answered => "answered",
            TypingOutcome::Failed => "failed",
        };
        self.typing
            .with_label_values(&[source.as_str(), outcome])
            .inc();
    }

    pub(crate) fn mirrored(&self, what: &str, outcome: &str) {
        self.mirrored.with_label_values(&[what, outcome]).inc();
    }

    pub(crate) fn mirror_failed(&self, class: &str) {
        self.mirror_failures.with_label_values(&[class]).inc();
    }

    pub(crate) fn report(&self, report: &DeliveryEvent) {
        let code = report.error_code.as_deref().unwrap_or("none");
        self.reports
            .with_label_values(&[report.source.as_str(), report.status.as_str(), code])
            .inc();
    }
}
