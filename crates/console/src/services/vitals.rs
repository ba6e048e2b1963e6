//! How the services do, in the figures that a page shows. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::asking::Health;
use super::exposition::Series;
use super::history::{History, Tally, Window};

/// What a process says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// As it is set: `worker:8081`.
    pub(crate) place: String,
    /// Where that is.
    pub(crate) at: String,
    /// Which service it is; empty when it never said so.
    pub(crate) service: String,
    /// Its version.
    pub(crate) version: String,
    /// How it does, or why that is not known.
    pub(crate) health: Result<Health, String>,
}

impl Seen {
    /// Before it was asked.
    pub(super) fn nothing(place: &str, at: &str) -> Self {
        Self {
            place: place.to_owned(),
            at: at.to_owned(),
            service: String::new(),
            version: String::new(),
            health: Err("not asked yet".to_owned()),
        }
    }

    /// What it said now.
    pub(super) fn heard(
        &mut self,
        health: Result<Health, String>,
        series: &Result<Vec<(Series, f64)>, String>,
    ) {
        self.health = health;
        let build = series.as_ref().ok().and_then(|series| {
            let is_build = |(one, _): &&(Series, f64)| one.name == "postduif_build_info";
            series.iter().find(is_build)
        });
        if let Some((build, _)) = build {
            build.label("service").clone_into(&mut self.service);
            build.label("version").clone_into(&mut self.version);
        }
    }

    /// Whether it answers at all.
    pub(crate) const fn answers(&self) -> bool {
        self.health.is_ok()
    }
}

/// Two quantiles of times, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quantiles {
    pub(crate) median: f64,
    pub(crate) p95: f64,
}

/// What a channel did in the last hour, but for the rate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Channel {
    /// `twilio`, `waha` or `chatwoot`.
    pub(crate) source: String,
    /// Messages a minute that were sent, by the last five minutes.
    pub(crate) a_minute: f64,
    pub(crate) failed: f64,
    /// Held back because WhatsApp's 24 hours were over.
    pub(crate) outside_window: f64,
}

/// How a sender keeps its pace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pace {
    /// Masked.
    pub(crate) sender: String,
    /// Messages a minute that it may send.
    pub(crate) limit: f64,
    /// Messages a minute that waited for their slot, by the last five minutes.
    pub(crate) a_minute: f64,
    /// How long they waited.
    pub(crate) waited: Option<Quantiles>,
}

/// How an agent fared with the language model in the last hour.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) runs: f64,
    /// How often the rules stood in, by reason.
    pub(crate) fallbacks: BTreeMap<String, f64>,
}

/// How the services do.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    /// Every process that is asked.
    pub(crate) services: Vec<Seen>,
    /// What they counted.
    pub(crate) tally: Tally,
}

impl Vitals {
    pub(super) fn of<'a>(
        all: impl Iterator<Item = (&'a Seen, &'a History)> + Clone,
        now: Instant,
    ) -> Self {
        let histories = all.clone().filter(|(seen, _)| seen.answers());
        let histories = histories.map(|(seen, history)| (seen.service.as_str(), history));
        Self {
            tally: Tally::of(&histories, now),
            services: all.map(|(seen, _)| seen.clone()).collect(),
        }
    }

    /// Places of which no process answers.
    pub(crate) fn missing(&self) -> BTreeSet<&str> {
        let there = self.services.iter().filter(|seen| seen.answers());
        let there: BTreeSet<_> = there.map(|seen| seen.place.as_str()).collect();
        let all = self.services.iter().map(|seen| seen.place.as_str());
        all.filter(|place| !there.contains(place)).collect()
    }

    /// Messages a minute from customers.
    pub(crate) fn taken_in(&self) -> f64 {
        self.a_minute("postduif_messages_total", &[])
    }

    /// Messages a minute that providers took.
    pub(crate) fn answered(&self) -> f64 {
        self.a_minute("postduif_sends_total", &[("outcome", &["sent"])])
    }

    fn a_minute(&self, name: &str, only: super::Where<'_>) -> f64 {
        let rate = self.tally.rate(Window::FiveMinutes, name, only, "");
        rate.values().sum::<f64>() * 60.0
    }

    /// How long the bot thought in the last quarter of an hour.
    pub(crate) fn thought(&self) -> Option<Quantiles> {
        self.quantiles("postduif_turn_seconds_bucket", &[])
    }

    /// How long it took from there to the provider.
    pub(crate) fn sent_within(&self) -> Option<Quantiles> {
        self.quantiles("postduif_answer_seconds_bucket", &[])
    }

    fn quantiles(&self, name: &str, only: super::Where<'_>) -> Option<Quantiles> {
        let buckets = self
            .tally
            .increase(Window::QuarterOfAnHour, name, only, "le");
        Some(Quantiles {
            median: quantile(&buckets, 0.5)?,
            p95: quantile(&buckets, 0.95)?,
        })
    }

    /// The channels that sent, or failed to, since the services started.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        let sent = ("outcome", &["sent"][..]);
        let known = self.tally.sum(
            "postduif_sends_total",
            &[("outcome", &["sent", "failed"])],
            "source",
        );
        let used = known.into_iter().filter(|(_, count)| *count > 0.0);
        let of = |name: &str, only: super::Where<'_>, source: &str| {
            let grown = self.tally.increase(Window::Hour, name, only, "source");
            grown.get(source).copied().unwrap_or_default()
        };
        used.map(|(source, _)| Channel {
            a_minute: self.a_minute("postduif_sends_total", &[sent, ("source", &[&source])]),
            failed: of("postduif_sends_total", &[("outcome", &["failed"])], &source),
            outside_window: of(
                "postduif_sends_refused_total",
                &[("reason", &["window_closed"])],
                &source,
            ),
            source,
        })
        .collect()
    }

    /// The senders whose pace is limited.
    pub(crate) fn paces(&self) -> Vec<Pace> {
        let limits = self
            .tally
            .greatest("postduif_sender_limit_per_minute", &[], "sender");
        let pace = |(sender, limit): (String, f64)| {
            let only = [("sender", &[sender.as_str()][..])];
            Pace {
                a_minute: self.a_minute("postduif_pace_wait_seconds_count", &only),
                waited: self.quantiles("postduif_pace_wait_seconds_bucket", &only),
                limit,
                sender,
            }
        };
        limits.into_iter().map(pace).collect()
    }

    /// The agents that ran in the last hour.
    pub(crate) fn agents(&self) -> Vec<Agent> {
        let runs = self
            .tally
            .increase(Window::Hour, "postduif_agent_seconds_count", &[], "agent");
        let agent = |(name, runs): (String, f64)| Agent {
            fallbacks: self
                .tally
                .increase(
                    Window::Hour,
                    "postduif_model_fallbacks_total",
                    &[("agent", &[&name])],
                    "reason",
                )
                .into_iter()
                .filter(|(_, count)| *count > 0.0)
                .collect(),
            runs,
            name,
        };
        runs.into_iter()
            .filter(|(_, runs)| *runs > 0.0)
            .map(agent)
            .collect()
    }

    /// Tokens of the language model in the last hour.
    pub(crate) fn tokens(&self) -> f64 {
        let grown = self
            .tally
            .increase(Window::Hour, "postduif_model_tokens_total", &[], "");
        grown.values().sum()
    }
}

#[cfg(test)]
impl Vitals {
    /// What a process of this service shows on two pages, four minutes apart.
    pub(crate) fn of_pages(service: &str, before: &str, after: &str) -> Self {
        let begin = Instant::now();
        let end = begin + std::time::Duration::from_secs(240);
        let mut history = History::default();
        history.add(begin, super::exposition::read(before));
        history.add(end, super::exposition::read(after));
        let seen = Seen {
            service: service.to_owned(),
            health: Ok(Health::default()),
            ..Seen::nothing("here:1", "127.0.0.1:1")
        };
        Self::of([(&seen, &history)].into_iter(), end)
    }

    /// Nobody answers at this place.
    pub(crate) fn silent(place: &str) -> Self {
        let seen = Seen::nothing(place, place);
        Self::of([(&seen, &History::default())].into_iter(), Instant::now())
    }
}

/// The value below which this share of what was observed lies, by buckets as Prometheus has them: even within
/// each, and at most the last one's beginning. None when nothing was observed.
fn quantile(buckets: &BTreeMap<String, f64>, share: f64) -> Option<f64> {
    let ends = buckets.iter().filter_map(|(end, count)| {
        let end: f64 = end.replace("+Inf", "inf").parse().ok()?;
        Some((end, *count))
    });
    let mut ends: Vec<(f64, f64)> = ends.collect();
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let all = ends.last().filter(|(_, count)| *count > 0.0)?.1;
    let wanted = all * share;
    let (mut begin, mut below) = (0.0, 0.0);
    for (end, count) in ends {
        if count >= wanted {
            if end.is_infinite() || count <= below {
                return Some(begin);
            }
            return Some(begin + (end - begin) * (wanted - below) / (count - below));
        }
        (begin, below) = (end, count);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
        let pairs = pairs.iter();
        pairs
            .map(|(end, count)| ((*end).to_owned(), *count))
            .collect()
    }

    #[test]
    fn quantiles_are_those_of_prometheus() {
        let times = buckets(&[("0.1", 10.0), ("0.5", 90.0), ("10", 100.0), ("+Inf", 100.0)]);
        let near = |share: f64, wanted: f64| {
            let found = quantile(&times, share).unwrap();
            assert!((found - wanted).abs() < 1e-9, "{share}: {found}");
        };
        near(0.5, 0.3);
        near(0.95, 5.25);
        assert_eq!(
            quantile(&buckets(&[("1", 0.0), ("+Inf", 4.0)]), 0.5),
            Some(1.0)
        );
        assert_eq!(quantile(&buckets(&[("1", 0.0), ("+Inf", 0.0)]), 0.5), None);
        assert_eq!(quantile(&buckets(&[]), 0.5), None);
    }
}
