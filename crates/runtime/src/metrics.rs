//! The process's metrics and the page that shows them.

use prometheus::core::Collector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

pub use prometheus::{Histogram, IntCounter, IntGauge};

/// Seconds, for anything that waits on a network or on Redis.
pub const LATENCY_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// One family of metrics, as the documentation lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The metric's name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

/// Makes counters known before their first event: a graph shows 0 instead of nothing, and that event is an
/// increase.
#[must_use]
pub fn from_zero<const N: usize>(
    counters: IntCounterVec,
    labels: impl IntoIterator<Item = [&'static str; N]>,
) -> IntCounterVec {
    for values in labels {
        counters.with_label_values(&values).inc_by(0);
    }
    counters
}

/// A registry that remembers what it was asked for. Passed into whatever counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Vec<Family>,
}

impl Metrics {
    /// A registry with the process's own numbers and `postduif_build_info`.
    ///
    /// # Errors
    /// When a name is taken, which is a mistake in the code.
    pub fn new(service: &'static str, version: &'static str) -> prometheus::Result<Self> {
        let mut metrics = Self {
            registry: Registry::new(),
            families: Vec::new(),
        };
        #[cfg(target_os = "linux")]
        metrics.registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        let build = metrics.gauges(
            "postduif_build_info",
            &["service", "version"],
            "Always 1; the labels say which program this is.",
        )?;
        build.with_label_values(&[service, version]).set(1);
        Ok(metrics)
    }

    /// Counters that differ by `labels`.
    ///
    /// # Errors
    /// When the name is taken or not allowed.
    pub fn counters(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> prometheus::Result<IntCounterVec> {
        let family = Family {
            name,
            kind: "counter",
            labels,
            help,
        };
        self.register(IntCounterVec::new(Opts::new(name, help), labels)?, family)
    }

    /// Gauges that differ by `labels`.
    ///
    /// # Errors
    /// When the name is taken or not allowed.
    pub fn gauges(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> prometheus::Result<IntGaugeVec> {
        let family = Family {
            name,
            kind: "gauge",
            labels,
            help,
        };
        self.register(IntGaugeVec::new(Opts::new(name, help), labels)?, family)
    }

    /// Histograms that differ by `labels`.
    ///
    /// # Errors
    /// When the name is taken or not allowed.
    pub fn histograms(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        buckets: &[f64],
        help: &'static str,
    ) -> prometheus::Result<HistogramVec> {
        let family = Family {
            name,
            kind: "histogram",
            labels,
            help,
        };
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.register(HistogramVec::new(options, labels)?, family)
    }

    /// What was asked for, in order.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The page in Prometheus' text format, version 0.0.4.
    ///
    /// # Errors
    /// When a metric cannot be written.
    pub fn page(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    fn register<C: Collector + Clone + 'static>(
        &mut self,
        collector: C,
        family: Family,
    ) -> prometheus::Result<C> {
        self.registry.register(Box::new(collector.clone()))?;
        self.families.push(family);
        Ok(collector)
    }
}
