//! What the other services say of themselves: health, version and counters, asked every few seconds.

mod asking;
mod exposition;
mod history;
mod vitals;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use asking::Asker;
use history::History;

pub(crate) use history::{Tally, Where, Window};
pub(crate) use vitals::{Agent, Channel, Pace, Quantiles, Seen, Vitals};

/// Processes that are asked, at most.
const INSTANCES: usize = 32;
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Names and ports of services, and what they said last. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    places: Arc<[String]>,
    vitals: Arc<RwLock<Arc<Vitals>>>,
}

/// A process that is asked.
#[derive(Debug)]
struct Instance {
    /// As it is set: `worker:8081`.
    place: String,
    /// Where that is: an address and a port; the place itself when its name is not known.
    at: String,
    seen: Seen,
    history: History,
}

impl Services {
    /// Services at these places, each `host:port`.
    pub(crate) fn at(places: &[String]) -> Self {
        Self {
            places: places.into(),
            vitals: Arc::default(),
        }
    }

    /// What was heard last.
    pub(crate) fn vitals(&self) -> Arc<Vitals> {
        let vitals = self.vitals.read().unwrap_or_else(PoisonError::into_inner);
        vitals.clone()
    }

    /// Asks again and again until `stop`.
    pub(crate) async fn watch(self, stop: CancellationToken) {
        if self.places.is_empty() {
            return;
        }
        let Some(asker) = Asker::new() else { return };
        let mut instances = Vec::new();
        loop {
            self.look(&asker, &mut instances).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look(&self, asker: &Asker, instances: &mut Vec<Instance>) {
        let mut found = Vec::new();
        for place in self.places.iter() {
            let addresses = asking::addresses(place).await;
            found.extend(addresses.into_iter().map(|at| (place.clone(), at)));
        }
        found.truncate(INSTANCES);
        // What a name leads to no more has gone; what is new has no past.
        instances.retain(|one| found.contains(&(one.place.clone(), one.at.clone())));
        for (place, at) in found {
            if !instances
                .iter()
                .any(|one| one.place == place && one.at == at)
            {
                instances.push(Instance {
                    seen: Seen::nothing(&place, &at),
                    place,
                    at,
                    history: History::default(),
                });
            }
        }
        let asked = instances
            .iter()
            .map(|one| async { (asker.health(&one.at).await, asker.series(&one.at).await) });
        let answers = join_all(asked).await;
        let now = Instant::now();
        for (one, (health, series)) in instances.iter_mut().zip(answers) {
            one.seen.heard(health, &series);
            if let Ok(series) = series {
                one.history.add(now, series);
            }
        }
        let vitals = Vitals::of(instances.iter().map(|one| (&one.seen, &one.history)), now);
        *self.vitals.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(vitals);
    }
}
