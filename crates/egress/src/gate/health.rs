//! Senders that are stopped because their account or configuration is wrong.
//!
//! A stopped sender's messages wait. From time to time one of them is let through as a probe; when
//! the provider takes it, the others follow.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared_types::{Masking, Source};
use streams::{Delivery, Interrupted};
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

enum Entry {
    Open,
    Wait(Duration),
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
        delivery: &mut Delivery,
        clock: &str,
    ) -> Result<(), Interrupted> {
        loop {
            let changed = self.changed.notified();
            match self.enter(clock, Instant::now()) {
                Entry::Open => return Ok(()),
                Entry::Wait(pause) => {
                    let either = async {
                        tokio::select! {
                            () = changed => {}
                            () = tokio::time::sleep(pause) => {}
                        }
                    };
                    delivery.wait_for(either).await?;
                }
            }
        }
    }

    fn enter(&self, clock: &str, now: Instant) -> Entry {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        match stopped.get_mut(clock) {
            None => Entry::Open,
            Some(state) if state.probe_at <= now && !state.is_being_probed(now) => {
                state.probing = Some(now);
                Entry::Open
            }
            Some(state) => Entry::Wait(
                state
                    .probe_at
                    .saturating_duration_since(now)
                    .max(self.first_pause / 4),
            ),
        }
    }

    /// The provider said that the sender itself is wrong.
    pub(crate) fn stop(&self, source: Source, clock: &str, error: &str) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let before = stopped.get(clock).map(|state| state.pause);
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
                %source, sender = %Masking::On.show(clock), error, probe_in_ms = pause.as_millis(),
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
            tracing::info!(%source, sender = %Masking::On.show(clock), "sender works again");
        }
    }

    /// The probe ended without an answer; another one may try.
    pub(crate) fn probe_failed(&self, clock: &str) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = stopped
            .get_mut(clock)
            .filter(|state| state.probing.is_some())
        {
            state.probing = None;
            state.probe_at = Instant::now() + state.pause;
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
        let open = |at| matches!(health.enter("a", at), Entry::Open);
        let now = Instant::now();
        assert!(open(now));
        health.stop(Source::Twilio, "a", "20003");
        assert!(!open(now));
        assert!(
            matches!(health.enter("b", now), Entry::Open),
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
        health.stop(Source::Twilio, "a", "20003");
        health.stop(Source::Twilio, "a", "20003");
        let Entry::Wait(pause) = health.enter("a", Instant::now()) else {
            panic!("open")
        };
        assert!(
            pause > Duration::from_secs(28) && pause <= Duration::from_secs(30),
            "{pause:?}"
        );
    }
}
