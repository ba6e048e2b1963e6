//! What the console counts. Every name and label is here.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec};
use runtime::metrics::{LATENCY_BUCKETS, Metrics, from_zero};

/// The counters of the console.
#[derive(Debug, Clone)]
pub struct ConsoleMetrics {
    seconds: HistogramVec,
    logins: IntCounterVec,
    acts: IntCounterVec,
    refused: IntCounterVec,
}

impl ConsoleMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// When a name is taken, which is a mistake in the code.
    pub fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        let logins = metrics.counters(
            "postduif_console_logins_total",
            &["outcome"],
            "Logins: granted, refused, or limited for too many that were refused.",
        )?;
        let refused = metrics.counters(
            "postduif_console_refused_total",
            &["why"],
            "Requests that were not let through: login (nobody is logged in), or origin (another site's page sent it).",
        )?;
        Ok(Self {
            seconds: metrics.histograms(
                "postduif_console_request_seconds",
                &["status"],
                LATENCY_BUCKETS,
                "Time of a request, by the first digit of its status.",
            )?,
            logins: from_zero(logins, [["granted"], ["refused"], ["limited"]]),
            acts: metrics.counters(
                "postduif_console_acts_total",
                &["act", "via"],
                "What operators did: on a page, by the API or a command.",
            )?,
            refused: from_zero(refused, [["login"], ["origin"]]),
        })
    }

    pub(crate) fn answered(&self, status: &'static str, took: Duration) {
        self.seconds
            .with_label_values(&[status])
            .observe(took.as_secs_f64());
    }

    pub(crate) fn login(&self, outcome: &'static str) {
        self.logins.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn act(&self, act: &'static str, via: &'static str) {
        self.acts.with_label_values(&[act, via]).inc();
    }

    pub(crate) fn refused(&self, why: &'static str) {
        self.refused.with_label_values(&[why]).inc();
    }
}
