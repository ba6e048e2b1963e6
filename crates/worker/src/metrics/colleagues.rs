//! What is counted of telling colleagues.

use prometheus::{IntCounterVec, IntGaugeVec};
use runtime::metrics::Metrics;

#[derive(Debug, Clone)]
pub(crate) struct Colleagues {
    notices: IntCounterVec,
    notice_channels: IntGaugeVec,
    waiting: IntGaugeVec,
    overdue: IntGaugeVec,
}

impl Colleagues {
    pub(super) fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            notices: metrics.counters(
                "postduif_notices_total",
                &["channel", "outcome"],
                "Tries to tell colleagues: sent, retried, failed (for good), or refused (switched off).",
            )?,
            notice_channels: metrics.gauges(
                "postduif_notice_channels",
                &["state"],
                "Channels to colleagues that are set: on, or off after failures.",
            )?,
            waiting: metrics.gauges(
                "postduif_handovers_waiting",
                &[],
                "Customers who wait for a colleague whom nobody has taken.",
            )?,
            overdue: metrics.gauges(
                "postduif_handover_overdue_seconds",
                &[],
                "For how long the customer waits beyond the time of an answer who waits longest; else 0.",
            )?,
        })
    }

    pub(crate) fn notice(&self, channel: &str, outcome: &'static str) {
        self.notices.with_label_values(&[channel, outcome]).inc();
    }

    pub(crate) fn set_channels(&self, on: usize, off: usize) {
        for (state, count) in [("on", on), ("off", off)] {
            let gauge = self.notice_channels.with_label_values(&[state]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn set_waiting(&self, waiting: i64, overdue_seconds: i64) {
        self.waiting.with_label_values::<&str>(&[]).set(waiting);
        let overdue = self.overdue.with_label_values::<&str>(&[]);
        overdue.set(overdue_seconds);
    }
}
