//! What is counted of what is for sale.

use prometheus::{IntCounterVec, IntGaugeVec};
use runtime::metrics::{Metrics, from_zero};

/// The counters of the stock.
#[derive(Debug, Clone)]
pub(crate) struct StockMetrics {
    reads: IntCounterVec,
    pushed: IntCounterVec,
    arrivals: IntCounterVec,
    items: IntGaugeVec,
    age: IntGaugeVec,
    feeds: IntGaugeVec,
}

impl StockMetrics {
    pub(super) fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            reads: from_zero(
                metrics.counters(
                    "postduif_stock_reads_total",
                    &["outcome"],
                    "Readings of feeds of stock: changed, unchanged, suspect (less than half of what is kept), refused (no feed), or failed.",
                )?,
                [["changed"], ["unchanged"], ["suspect"], ["refused"], ["failed"]],
            ),
            pushed: from_zero(
                metrics.counters(
                    "postduif_stock_pushed_total",
                    &["outcome"],
                    "Things for sale that were pushed: taken over, unread and kept aside, or outdated (replayed, while something newer of the thing was taken over).",
                )?,
                [["taken"], ["unread"], ["outdated"]],
            ),
            arrivals: from_zero(
                metrics.counters(
                    "postduif_stock_arrivals_total",
                    &["outcome"],
                    "What came in for a wish that nothing fitted: told, untold (not the moment, or wished no more), or unjudged (the stock of this worker stayed older).",
                )?,
                [["told"], ["untold"], ["unjudged"]],
            ),
            items: metrics.gauges("postduif_stock_items", &[], "Things for sale that this worker knows.")?,
            age: metrics.gauges(
                "postduif_stock_age_seconds",
                &[],
                "How long ago the feed was read that waits longest; 0 without feeds.",
            )?,
            feeds: metrics.gauges(
                "postduif_stock_feeds",
                &["state"],
                "Feeds of the settings by how their last reading ended: well, or failing (not reached, refused, suspect, or not tried for two turns).",
            )?,
        })
    }

    pub(crate) fn read(&self, outcome: &'static str) {
        self.reads.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn pushed(&self, taken: usize, unread: usize, outdated: usize) {
        let outcomes = [("taken", taken), ("unread", unread), ("outdated", outdated)];
        for (outcome, count) in outcomes {
            self.pushed
                .with_label_values(&[outcome])
                .inc_by(count as u64);
        }
    }

    pub(crate) fn arrived(&self, outcome: &'static str) {
        self.arrivals.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn set_items(&self, items: i64) {
        self.items.with_label_values::<&str>(&[]).set(items);
    }

    pub(crate) fn set_age(&self, age_seconds: i64) {
        self.age.with_label_values::<&str>(&[]).set(age_seconds);
    }

    pub(crate) fn set_feeds(&self, well: usize, failing: usize) {
        for (state, count) in [("well", well), ("failing", failing)] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.feeds.with_label_values(&[state]).set(count);
        }
    }
}
