//! Waiting for a sender's turn: until it may make one more request, and for its slot.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared_types::Outbound;
use streams::{Interrupted, Job, Redis, Slot};
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};

use crate::metrics::EgressMetrics;
use crate::senders::{Pace, Sender};

/// How far ahead a slot is reserved. A process that dies wastes no more than this.
const HORIZON: Duration = Duration::from_millis(100);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(250);
/// Beyond this, clocks that nobody waits for are forgotten.
const MAX_CLOCKS: usize = 10_000;

/// The waiting lines of this process, one for each sender. Only the first in line asks Redis, so a
/// thousand waiting messages cost no more than one.
pub(crate) struct Pacer {
    redis: Redis,
    lines: Mutex<HashMap<String, Line>>,
    requests: usize,
    jitter: Duration,
    warning: Duration,
    metrics: EgressMetrics,
}

/// One sender's line.
#[derive(Clone)]
struct Line {
    /// Held by the first in line.
    first: Arc<AsyncMutex<()>>,
    /// Bounds the requests in progress, so that a provider that does not answer leaves the
    /// process's places to the other senders.
    requests: Arc<Semaphore>,
}

/// What is known of a message that asks for a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Since when it waits for its turn.
    pub(crate) since: Instant,
    /// How many slots it was too late for.
    pub(crate) missed: u32,
}

impl Pacer {
    /// At most `requests` of one sender are in progress.
    pub(crate) fn new(
        redis: Redis,
        requests: usize,
        jitter: Duration,
        warning: Duration,
        metrics: EgressMetrics,
    ) -> Self {
        Self {
            redis,
            lines: Mutex::default(),
            requests,
            jitter,
            warning,
            metrics,
        }
    }

    /// Waits until the sender may make one more request.
    ///
    /// # Errors
    /// When the process stops or the lease is gone.
    pub(crate) async fn permit(
        &self,
        job: &mut Job<Outbound>,
        clock: &str,
    ) -> Result<OwnedSemaphorePermit, Interrupted> {
        let requests = self.line(clock).requests;
        let permit = job.wait_for(requests.acquire_owned()).await?;
        permit.map_err(|_| Interrupted)
    }

    /// Waits for a slot, with a connection to the provider at hand. `too_long` is called once when
    /// the wait becomes worth a warning. Gives when the message must have left, or it must take
    /// another slot; none without a limit, or without an allowance for jitter.
    ///
    /// # Errors
    /// When the process stops or the lease is gone.
    pub(crate) async fn wait(
        &self,
        job: &mut Job<Outbound>,
        pace: &Pace,
        sender: &dyn Sender,
        Asked {
            since: asked,
            missed,
        }: Asked,
        mut too_long: impl FnMut(Duration),
    ) -> Result<Option<Instant>, Interrupted> {
        let Some(rate) = pace.per_second else {
            return Ok(None);
        };
        let line = self.line(&pace.clock);
        let first = job.wait_for(line.first.lock_owned()).await?;
        let mut warned = false;
        let wait = loop {
            if !warned && asked.elapsed() > self.warning {
                warned = true;
                too_long(asked.elapsed());
            }
            // TCP and TLS may take longer than a slot lasts.
            job.or_interrupted(sender.connect()).await?;
            let slot = self
                .redis
                .reserve_slot(&pace.clock, self.spacing(rate), HORIZON)
                .await;
            let pause = match slot {
                Ok(Slot::Granted { wait }) => break wait,
                Ok(Slot::TooFar { wait }) => wait.saturating_sub(HORIZON / 2),
                Err(_) => PAUSE_AFTER_ERROR,
            };
            let pause = pause.min(self.warning.max(HORIZON));
            job.or_interrupted(tokio::time::sleep(pause)).await?;
        };
        drop(first);
        let begins = Instant::now() + wait;
        job.or_interrupted(tokio::time::sleep(wait)).await?;
        self.metrics.paced(&pace.clock, rate, asked.elapsed());
        Ok(self.allowance(missed).map(|allowed| begins + allowed))
    }

    /// How long after the beginning of its slot a message may still leave. A machine that is too
    /// slow for that gets more with each slot that it missed: in the end the message must go.
    fn allowance(&self, missed: u32) -> Option<Duration> {
        let half = self.jitter / 2;
        (!half.is_zero()).then(|| half.saturating_mul(1 << missed.min(6)))
    }

    /// Slots lie so far apart that the limit holds although messages travel for different times:
    /// half of the allowance is ours (a later message takes another slot), half the network's.
    fn spacing(&self, rate: f64) -> Duration {
        Duration::from_secs_f64((1.0 + self.jitter.as_secs_f64()) / rate)
    }

    fn line(&self, clock: &str) -> Line {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= MAX_CLOCKS {
            lines.retain(|_, line| {
                Arc::strong_count(&line.first) > 1
                    || line.requests.available_permits() < self.requests
            });
        }
        let line = lines.entry(clock.to_owned()).or_insert_with(|| Line {
            first: Arc::default(),
            requests: Arc::new(Semaphore::new(self.requests)),
        });
        line.clone()
    }
}
