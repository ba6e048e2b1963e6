//! What was counted over the last hour, one sample a minute. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::exposition::Series;

const MINUTE: Duration = Duration::from_secs(60);
/// Samples that are kept: an hour of them, and the newest.
const SAMPLES: usize = 62;

/// How far one looks back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Window {
    FiveMinutes,
    TenMinutes,
    QuarterOfAnHour,
    Hour,
}

impl Window {
    pub(crate) const ALL: [Self; 4] = [
        Self::FiveMinutes,
        Self::TenMinutes,
        Self::QuarterOfAnHour,
        Self::Hour,
    ];

    const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::FiveMinutes => 300,
            Self::TenMinutes => 600,
            Self::QuarterOfAnHour => 900,
            Self::Hour => 3_600,
        })
    }
}

#[derive(Debug)]
struct Sample {
    at: Instant,
    values: BTreeMap<Arc<Series>, f64>,
}

/// What one process has counted.
#[derive(Debug, Default)]
pub(super) struct History {
    samples: VecDeque<Sample>,
}

impl History {
    /// Adds what is counted now.
    pub(super) fn add(&mut self, at: Instant, values: Vec<(Series, f64)>) {
        let known = self.samples.back();
        let same = |series: Series| {
            let known = known.and_then(|sample| sample.values.get_key_value(&series));
            known.map_or_else(|| Arc::new(series), |(known, _)| known.clone())
        };
        let values = values.into_iter();
        let values = values
            .map(|(series, value)| (same(series), value))
            .collect();
        // The newest one stands for its minute until the next minute begins.
        let before = self.samples.len().checked_sub(2);
        let before = before.and_then(|place| self.samples.get(place));
        if before.is_some_and(|before| at.duration_since(before.at) < MINUTE) {
            self.samples.pop_back();
        }
        self.samples.push_back(Sample { at, values });
        if self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
    }

    /// The newest values.
    fn latest(&self) -> impl Iterator<Item = (&Series, f64)> {
        let newest = self.samples.back().into_iter();
        newest.flat_map(|sample| sample.values.iter().map(|(name, value)| (&**name, *value)))
    }

    /// By how much each counter grew within the window, and within what time. A counter that is smaller than
    /// before began anew; one that was not there was nothing.
    fn increases(&self, window: Duration, now: Instant) -> (BTreeMap<&Series, f64>, Duration) {
        let begins = now.checked_sub(window);
        let is_before = |sample: &Sample| begins.is_some_and(|begins| sample.at <= begins);
        let first = self.samples.iter().rposition(is_before).unwrap_or(0);
        let mut grown = BTreeMap::new();
        let within = || self.samples.iter().skip(first);
        for (before, after) in within().zip(within().skip(1)) {
            for (series, value) in &after.values {
                let old = before.values.get(series).copied().unwrap_or(0.0);
                let more = if *value < old { *value } else { value - old };
                *grown.entry(&**series).or_default() += more;
            }
        }
        let times = (within().next(), self.samples.back());
        let took = match times {
            (Some(first), Some(last)) => last.at.duration_since(first.at),
            _ => Duration::ZERO,
        };
        (grown, took)
    }
}

/// Which series: the labels that must have one of some values.
pub(crate) type Where<'a> = &'a [(&'a str, &'a [&'a str])];

/// What all processes together have counted. Sums are by the value of a label, or under an empty text.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The newest values.
    now: Vec<(Series, f64)>,
    /// Growth within each window, and growth a second.
    grown: BTreeMap<Window, Vec<(Series, f64, f64)>>,
}

impl Tally {
    /// Of all processes; each series says of which service it is.
    pub(super) fn of<'a>(
        histories: &(impl Iterator<Item = (&'a str, &'a History)> + Clone),
        now: Instant,
    ) -> Self {
        let mut tally = Self::default();
        for (service, history) in histories.clone() {
            let latest = history.latest();
            let latest = latest.map(|(series, value)| (of_service(series, service), value));
            tally.now.extend(latest);
        }
        for window in Window::ALL {
            let mut all = Vec::new();
            for (service, history) in histories.clone() {
                let (grown, took) = history.increases(window.length(), now);
                // A minute at least: what happened once just after the start is no flood.
                let seconds = took.max(MINUTE).as_secs_f64();
                let grown = grown.into_iter();
                all.extend(
                    grown.map(|(series, more)| (of_service(series, service), more, more / seconds)),
                );
            }
            tally.grown.insert(window, all);
        }
        tally
    }

    /// How much was counted within a window.
    pub(crate) fn increase(
        &self,
        window: Window,
        name: &str,
        only: Where<'_>,
        by: &str,
    ) -> BTreeMap<String, f64> {
        let grown = self.grown.get(&window).into_iter().flatten();
        let grown = grown.map(|(series, more, _)| (series, *more));
        folded(grown, (name, only, by), |sum, more| sum + more)
    }

    /// How much is counted a second.
    pub(crate) fn rate(
        &self,
        window: Window,
        name: &str,
        only: Where<'_>,
        by: &str,
    ) -> BTreeMap<String, f64> {
        let grown = self.grown.get(&window).into_iter().flatten();
        let grown = grown.map(|(series, _, rate)| (series, *rate));
        folded(grown, (name, only, by), |sum, rate| sum + rate)
    }

    /// The greatest of the newest values.
    pub(crate) fn greatest(&self, name: &str, only: Where<'_>, by: &str) -> BTreeMap<String, f64> {
        folded(self.newest(), (name, only, by), f64::max)
    }

    /// The least of the newest values.
    pub(crate) fn least(&self, name: &str, only: Where<'_>, by: &str) -> BTreeMap<String, f64> {
        folded(self.newest(), (name, only, by), f64::min)
    }

    /// The newest values together.
    pub(crate) fn sum(&self, name: &str, only: Where<'_>, by: &str) -> BTreeMap<String, f64> {
        folded(self.newest(), (name, only, by), |sum, value| sum + value)
    }

    fn newest(&self) -> impl Iterator<Item = (&Series, f64)> {
        self.now.iter().map(|(series, value)| (series, *value))
    }
}

fn of_service(series: &Series, service: &str) -> Series {
    let mut series = series.clone();
    series.labels.push(("job".to_owned(), service.to_owned()));
    series
}

fn folded<'a>(
    all: impl Iterator<Item = (&'a Series, f64)>,
    (name, only, by): (&str, Where<'_>, &str),
    fold: impl Fn(f64, f64) -> f64,
) -> BTreeMap<String, f64> {
    let mut values: BTreeMap<String, f64> = BTreeMap::new();
    let is_meant = |series: &Series| {
        let fits = |(label, of): &(&str, &[&str])| of.contains(&series.label(label));
        series.name == name && only.iter().all(fits)
    };
    for (series, value) in all.filter(|(series, _)| is_meant(series)) {
        let known = values.entry(series.label(by).to_owned());
        known
            .and_modify(|known| *known = fold(*known, value))
            .or_insert(value);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(value: f64) -> Vec<(Series, f64)> {
        let series = Series {
            name: "c".into(),
            labels: vec![("source".into(), "waha".into())],
        };
        vec![(series, value)]
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn growth_is_counted_over_restarts_and_within_the_window() {
        let start = Instant::now();
        let mut history = History::default();
        history.add(start, Vec::new());
        for minute in 1..=70_u32 {
            let at = after(start, u64::from(minute) * 60);
            // It began anew in the 68th minute.
            let value = if minute < 68 {
                minute * 10
            } else {
                (minute - 67) * 10
            };
            history.add(at, counted(value.into()));
        }
        assert_eq!(history.samples.len(), SAMPLES);
        let now = after(start, 70 * 60);
        let tally = Tally::of(&[("worker", &history)].into_iter(), now);
        let five = tally.increase(Window::FiveMinutes, "c", &[], "source");
        assert_eq!(five, BTreeMap::from([("waha".to_owned(), 50.0)]));
        let rate = tally.rate(Window::FiveMinutes, "c", &[("job", &["worker"])], "");
        assert!((rate[""] * 60.0 - 10.0).abs() < 1e-9, "{rate:?}");
        assert_eq!(tally.increase(Window::Hour, "c", &[], "")[""], 600.0);
        assert_eq!(tally.sum("c", &[], "job")["worker"], 30.0);
        let others = tally.rate(Window::Hour, "c", &[("source", &["twilio"])], "");
        assert!(others.is_empty());
    }

    #[test]
    fn the_newest_sample_stands_for_its_minute() {
        let start = Instant::now();
        let mut history = History::default();
        for second in (0..=300).step_by(5) {
            history.add(after(start, second), counted(1.0));
        }
        assert!(history.samples.len() <= 7, "{}", history.samples.len());
    }

    #[test]
    fn what_happens_once_just_after_the_start_is_no_flood() {
        let start = Instant::now();
        let mut history = History::default();
        history.add(start, Vec::new());
        history.add(after(start, 5), counted(1.0));
        let tally = Tally::of(&[("ingress", &history)].into_iter(), after(start, 5));
        let a_minute = tally.rate(Window::FiveMinutes, "c", &[], "")[""] * 60.0;
        assert!((a_minute - 1.0).abs() < 1e-9, "{a_minute}");
    }
}
