//! Senders that are stopped because their account or configuration is wrong.
//!
//! A stopped sender's messages wait. From time to time one of them is let through as a probe; when
//! the provider takes it, the others follow.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared_types::{Outbound, Source};
use streams::{Interrupted, Job};
use tokio::sync::Notify;

use crate::metrics::EgressMetrics;

const LONGEST_PAUSE: Duration = Duration::from_secs(300);
const LONGEST_PROBE: Duration = Duration::from_secs(90);

/// Which senders are stopped in this process.
pub(crate) struct SenderHealth {
    stopped: Mutex<HashMap<String, Stopped>>,
    changed: Notify,
    first_pause: Duration,
    metrics: EgressMetrics,
}

#[derive(Debug, Clone, Copy)]
struct Stopped {
    probe_at: Instant,
    pause: Duration,
    /// When the last probe was let through, while it has not ended.
    probing: Option<Instant>,
}

impl Stopped {
    /// A probe whose process lost its lease never reports; it is given up for lost.
    fn is_being_probed(self, now: Instant) -> bool {
        self.probing
            .is_some_and(|since| now.duration_since(since) < LONGEST_PROBE)
    }
}

/// How a message may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The sender works, as far as is known.
    Free,
    /// The sender is stopped; this message finds out whether it works again.
    Probe,
}

impl SenderHealth {
    pub(crate) fn new(first_pause: Duration, metrics: EgressMetrics) -> Self {
        Self {
            stopped: Mutex::default(),
            changed: Notify::new(),
            first_pause,
            metrics,
        }
    }

    /// Waits while the sender is stopped, unless this message is the probe.
    ///
    /// # Errors
    /// When the process stops or the lease is gone.
    pub(crate) async fn wait(
        &self,
        job: &mut Job<Outbound>,
        clock: &str,
    ) -> Result<Pass, Interrupted> {
        loop {
            let changed = self.changed.notified();
            match self.enter(clock, Instant::now()) {
                Ok(pass) => return Ok(pass),
                Err(pause) => {
                    let either = async {
                        tokio::select! {
                            () = changed => {}
                            () = tokio::time::sleep(pause) => {}
                        }
                    };
                    job.wait_for(either).await?;
                }
            }
        }
    }

    /// How the message may go on, or after which pause it asks again.
    fn enter(&self, clock: &str, now: Instant) -> Result<Pass, Duration> {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        match stopped.get_mut(clock) {
            None => Ok(Pass::Free),
            Some(state) if state.probe_at <= now && !state.is_being_probed(now) => {
                state.probing = Some(now);
                Ok(Pass::Probe)
            }
            Some(state) => {
                let pause = state.probe_at.saturating_duration_since(now);
                Err(pause.max(self.first_pause / 4))
            }
        }
    }

    /// Whether the sender is stopped.
    pub(crate) fn is_stopped(&self, clock: &str) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.contains_key(clock)
    }

    /// The provider said that the sender itself is wrong.
    pub(crate) fn stop(&self, source: Source, clock: &str, error: &str) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let state = stopped.get(clock);
        // Requests that were under way when the sender was stopped say nothing new.
        if state.is_some_and(|state| state.probing.is_none()) {
            return;
        }
        let before = state.map(|state| state.pause);
        let pause = before.map_or(self.first_pause, |pause| (pause * 2).min(LONGEST_PAUSE));
        stopped.insert(
            clock.to_owned(),
            Stopped {
                probe_at: Instant::now() + pause,
                pause,
                probing: None,
            },
        );
        self.metrics.set_stopped(stopped.len());
        drop(stopped);
        if before.is_none() {
            tracing::error!(
                %source, sender = clock, error, probe_in_ms = pause.as_millis(),
                "sender stopped: the provider refuses our account or configuration; messages wait"
            );
        }
    }

    /// The provider took a message, or refused one for a reason of its own.
    pub(crate) fn works(&self, source: Source, clock: &str) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if stopped.remove(clock).is_some() {
            self.metrics.set_stopped(stopped.len());
            drop(stopped);
            self.changed.notify_waiters();
            tracing::info!(%source, sender = clock, "sender works again");
        }
    }

    /// The probe ended and says nothing of the sender; another one may try after the pause, or at
    /// once when not even a request was made.
    pub(crate) fn probe_ended(&self, clock: &str, requested: bool) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = stopped
            .get_mut(clock)
            .filter(|state| state.probing.is_some())
        {
            state.probing = None;
            let pause = if requested {
                state.pause
            } else {
                Duration::ZERO
            };
            state.probe_at = Instant::now() + pause;
        }
    }
}

#[cfg(test)]
mod tests {
    use runtime::metrics::Metrics;

    use super::*;

    fn health() -> SenderHealth {
        let mut metrics = Metrics::new("test", "0").unwrap();
        SenderHealth::new(
            Duration::from_secs(15),
            EgressMetrics::new(&mut metrics).unwrap(),
        )
    }

    #[test]
    fn one_message_probes_a_stopped_sender_while_the_others_wait() {
        let health = health();
        let open = |at| health.enter("a", at).is_ok();
        let now = Instant::now();
        assert!(open(now));
        health.stop(Source::Twilio, "a", "20003");
        assert!(!open(now));
        assert!(
            health.enter("b", now) == Ok(Pass::Free),
            "other senders go on"
        );
        let later = now + Duration::from_secs(16);
        assert!(open(later), "the probe");
        assert!(!open(later), "only one probe");
        health.works(Source::Twilio, "a");
        assert!(open(later) && open(later));
    }

    #[test]
    fn the_pause_doubles_while_probes_are_refused() {
        let health = health();
        let pause = || match health.enter("a", Instant::now()) {
            Err(pause) => pause.as_secs_f64().ceil() as u64,
            Ok(_) => panic!("open"),
        };
        health.stop(Source::Twilio, "a", "20003");
        health.stop(Source::Twilio, "a", "20003");
        assert_eq!(
            pause(),
            15,
            "what was under way when it stopped says nothing new"
        );
        let due = Instant::now() + Duration::from_secs(16);
        assert!(matches!(health.enter("a", due), Ok(Pass::Probe)));
        health.stop(Source::Twilio, "a", "20003");
        assert_eq!(pause(), 30);
        let due = Instant::now() + Duration::from_secs(31);
        assert!(matches!(health.enter("a", due), Ok(Pass::Probe)));
        health.probe_ended("a", false);
        assert!(
            matches!(health.enter("a", Instant::now()), Ok(Pass::Probe)),
            "a probe that made no request costs no pause"
        );
    }
}
