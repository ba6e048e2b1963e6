//! The keeper's rounds, and what is told of the feeds by the clock: also while the database cannot be asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Keeper;
use crate::config::StockConfig;
use crate::metrics::StockMetrics;

const ROUND: Duration = Duration::from_secs(2);
/// The same at start, while the CRM has no tables yet.
const SOON: Duration = Duration::from_millis(50);

impl Keeper {
    /// Works until `stop`. `first` ends with the first round that came to its end.
    pub(crate) async fn run(mut self, stop: CancellationToken, first: oneshot::Sender<()>) {
        let (aging, metrics) = (self.aging.clone(), self.metrics.clone());
        let told = async {
            loop {
                aging.tell(metrics.stock(), Timestamp::now());
                tokio::time::sleep(ROUND).await;
            }
        };
        tokio::select! {
            () = self.rounds(stop, first) => {}
            () = told => {}
        }
    }

    async fn rounds(&mut self, stop: CancellationToken, first: oneshot::Sender<()>) {
        let mut first = Some(first);
        while let Some(round) = stop.run_until_cancelled(self.round()).await {
            match round {
                Ok(()) => first = None,
                Err(error) => tracing::debug!(%error, "the stock waits for the CRM"),
            }
            let pause = if first.is_some() { SOON } else { ROUND };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// What was known of the feeds when the database was asked last. Clones share it.
#[derive(Clone)]
pub(super) struct Aging {
    seen: Arc<Mutex<Seen>>,
    /// A feed that nobody tried for so long fails.
    patience: SignedDuration,
}

struct Seen {
    /// When the feed was read that waits longest.
    oldest: Option<Timestamp>,
    /// Whether the last try of each feed of the settings went well, and when it was.
    tried: Vec<(bool, Timestamp)>,
}

impl Aging {
    /// Of feeds of which nothing is known at `now`.
    pub(super) fn new(config: &StockConfig, now: Timestamp) -> Self {
        let patience = config.every().saturating_mul(2) + config.timeout();
        let seen = Seen {
            oldest: config.stock.first().map(|_| now),
            tried: config.stock.iter().map(|_| (true, now)).collect(),
        };
        Self {
            seen: Arc::new(Mutex::new(seen)),
            patience: SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX),
        }
    }

    /// What the database says. A feed without a time was never tried.
    pub(super) fn note(&self, oldest: Option<Timestamp>, tried: Vec<(bool, Option<Timestamp>)>) {
        let tried = tried.into_iter();
        let tried = tried.filter_map(|(well, at)| Some((well, at?)));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen {
            oldest,
            tried: tried.collect(),
        };
    }

    /// Sets the metrics as they are at `now`.
    pub(super) fn tell(&self, metrics: &StockMetrics, now: Timestamp) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let age = seen
            .oldest
            .map_or(0, |read| now.duration_since(read).as_secs());
        metrics.set_age(age);
        let goes_well =
            |(well, at): &&(bool, Timestamp)| *well && now.duration_since(*at) <= self.patience;
        let well = seen.tried.iter().filter(goes_well).count();
        metrics.set_feeds(well, seen.tried.len() - well);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use runtime::metrics::Metrics;

    use super::*;
    use crate::metrics::WorkerMetrics;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        stock: StockConfig,
    }

    #[test]
    fn what_nobody_asks_the_database_for_grows_old_all_the_same() {
        let config = Cli::parse_from(["worker", "--stock", "shipped", "--stock-every-secs", "900"]);
        let mut metrics = Metrics::new("worker", "0").unwrap();
        let counters = WorkerMetrics::new(&mut metrics).unwrap();
        let start: Timestamp = "2026-12-01T10:00:00Z".parse().unwrap();
        let aging = Aging::new(&config.stock, start);
        let told = |secs: i64| {
            aging.tell(counters.stock(), start + SignedDuration::from_secs(secs));
            let page = metrics.page().unwrap();
            let value = |name: &str| {
                let line = page.lines().find(|line| line.starts_with(name)).unwrap();
                line.rsplit(' ').next().unwrap().parse::<i64>().unwrap()
            };
            let failing = value("postduif_stock_feeds{state=\"failing\"}");
            (value("postduif_stock_age_seconds"), failing)
        };
        // The database was away from the start.
        assert_eq!(told(100), (100, 0));
        assert_eq!(told(2_000), (2_000, 1));
        let read = start + SignedDuration::from_secs(3_000);
        aging.note(Some(read), vec![(true, Some(read))]);
        assert_eq!(told(3_010), (10, 0));
        // It went away.
        assert_eq!(told(90_000), (87_000, 1));
        aging.note(None, Vec::new());
        assert_eq!(told(90_000), (0, 0));
    }
}
