//! What is counted of the CRM.

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use runtime::metrics::{Metrics, from_zero};

const WRITE_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// The counters of the CRM.
#[derive(Debug, Clone)]
pub struct CrmMetrics {
    writes: IntCounterVec,
    up: IntGaugeVec,
    waiting: IntGaugeVec,
    transactions: HistogramVec,
}

impl CrmMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// When a name is taken, which is a mistake in the code.
    pub fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            writes: from_zero(
                metrics.counters(
                    "postduif_crm_writes_total",
                    &["when"],
                    "CRM writes: at_once, deferred, or later (landed after all).",
                )?,
                [["at_once"], ["deferred"], ["later"]],
            ),
            up: metrics.gauges("postduif_crm_up", &[], "1 while the CRM answers, else 0.")?,
            waiting: metrics.gauges(
                "postduif_crm_writes_waiting",
                &[],
                "CRM writes that turns wait for.",
            )?,
            transactions: metrics.histograms(
                "postduif_crm_transaction_writes",
                &[],
                WRITE_BUCKETS,
                "CRM writes that went into one transaction.",
            )?,
        })
    }

    /// A write was made `at_once`, `deferred`, or landed `later`.
    pub fn written(&self, when: &'static str) {
        self.writes.with_label_values(&[when]).inc();
    }

    /// Whether the database answers.
    pub fn set_up(&self, up: bool) {
        self.up.with_label_values::<&str>(&[]).set(up.into());
    }

    pub(crate) fn waiting(&self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.waiting.with_label_values::<&str>(&[]).set(count);
    }

    pub(crate) fn transaction(&self, writes: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a few writes")]
        let writes = writes as f64;
        self.transactions
            .with_label_values::<&str>(&[])
            .observe(writes);
    }
}
