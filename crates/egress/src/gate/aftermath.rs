//! What follows from how a request ended.

use std::time::Duration;

use jiff::Timestamp;
use shared_types::FailureClass;

use super::hand_over::{HandOver, Step};
use super::{Stop, log, set_aside};
use crate::attempt::{Attempt, Refusal, Scope, Trouble};
use crate::ledger::Stage;
use crate::metrics::SendOutcome;
use crate::retry::schedule::pause_after_rate_limit;
use crate::retry::{Next, Progress, after_failure};

impl HandOver<'_> {
    /// Sent, due again, in doubt, or given up.
    pub(super) async fn settle_attempt(
        &mut self,
        attempt: Attempt,
        progress: Progress,
    ) -> Result<Step, Stop> {
        let source = self.part.message.source;
        match attempt {
            Attempt::Accepted(receipt) => Ok(Step::Sent(receipt)),
            Attempt::RateLimited { retry_after } => self.rate_limited(progress, retry_after).await,
            Attempt::TooLate => {
                self.missed += 1;
                self.gate.health.probe_ended(&self.pace.clock, false);
                let now = Timestamp::now();
                self.job
                    .record(&self.entry.deferred(progress, now, "too late"))
                    .await?;
                Ok(Step::Go(Stage::Due { progress, at: now }))
            }
            Attempt::NotSent(trouble) => {
                self.gate.health.probe_ended(&self.pace.clock, true);
                self.failed(progress, FailureClass::Transient, &trouble.text)
                    .await
            }
            Attempt::Refused(refusal) => self.refused(progress, refusal).await,
            Attempt::Unknown(trouble) => {
                self.gate.metrics.send(source, SendOutcome::Unknown);
                self.gate.health.probe_ended(&self.pace.clock, true);
                self.doubt(progress, &trouble).await
            }
        }
    }

    async fn refused(&mut self, progress: Progress, refusal: Refusal) -> Result<Step, Stop> {
        let source = self.part.message.source;
        let error = refusal.text.clone();
        if refusal.class == FailureClass::Configuration && refusal.scope == Scope::Sender {
            self.gate.metrics.failure(source, refusal.class);
            self.gate.health.stop(source, &self.pace.clock, &error);
            let now = Timestamp::now();
            self.job
                .record(&self.entry.deferred(progress, now, &error))
                .await?;
            return Ok(Step::Go(Stage::Due { progress, at: now }));
        }
        self.gate.health.works(source, &self.pace.clock);
        if refusal.class == FailureClass::Transient {
            return self.failed(progress, refusal.class, &error).await;
        }
        self.gate.metrics.failure(source, refusal.class);
        log::failed(self.gate, self.part, &error, progress.failures + 1);
        let reason = match refusal.class {
            FailureClass::Configuration => "configuration",
            FailureClass::Window => "window_closed",
            FailureClass::Permanent | FailureClass::Transient => "refused",
        };
        Err(Stop::SetAside(set_aside(reason, error)))
    }

    /// A failure after which the message certainly is not there.
    async fn failed(
        &mut self,
        progress: Progress,
        class: FailureClass,
        error: &str,
    ) -> Result<Step, Stop> {
        self.gate.metrics.failure(self.part.message.source, class);
        let (next, after) = self.next(progress, error)?;
        let at = Timestamp::now() + after;
        self.job
            .record(&self.entry.deferred(next, at, error))
            .await?;
        Ok(Step::Go(Stage::Due { progress: next, at }))
    }

    /// The progress after one more failure; a round that ends is logged, and after the last one the
    /// message is given up.
    pub(super) fn next(
        &self,
        progress: Progress,
        error: &str,
    ) -> Result<(Progress, Duration), Stop> {
        match after_failure(progress, &self.gate.settings.schedule()) {
            Next::Again { progress, after } => Ok((progress, after)),
            Next::NewRound {
                progress,
                after,
                attempts,
            } => {
                log::failed(self.gate, self.part, error, attempts);
                Ok((progress, after))
            }
            Next::GiveUp { attempts } => {
                log::failed(self.gate, self.part, error, attempts);
                Err(Stop::SetAside(set_aside("rounds_exhausted", error)))
            }
        }
    }

    async fn rate_limited(
        &mut self,
        progress: Progress,
        retry_after: Option<Duration>,
    ) -> Result<Step, Stop> {
        self.rate_limits += 1;
        let pause = retry_after.unwrap_or_else(|| pause_after_rate_limit(self.rate_limits));
        self.gate
            .health
            .works(self.part.message.source, &self.pace.clock);
        log::rate_limited(self.gate, self.part, pause);
        if let Err(error) = self.gate.redis.push_slots(&self.pace.clock, pause).await {
            tracing::debug!(%error, "the sender's clock could not be moved");
        }
        let at = Timestamp::now() + pause;
        self.job
            .record(&self.entry.deferred(progress, at, "rate limited"))
            .await?;
        Ok(Step::Go(Stage::Due { progress, at }))
    }

    /// The request may or may not have arrived; it is looked up before the next attempt.
    async fn doubt(&mut self, progress: Progress, trouble: &Trouble) -> Result<Step, Stop> {
        let settle = Duration::from_millis(self.gate.settings.settle_ms);
        // A provider that answered has settled its records; the pause before the retry will do.
        let wait = match after_failure(progress, &self.gate.settings.schedule()) {
            Next::Again { after, .. } | Next::NewRound { after, .. } if trouble.answered => after,
            Next::Again { after, .. } | Next::NewRound { after, .. } => after.max(settle),
            Next::GiveUp { .. } => settle,
        };
        let look_at = Timestamp::now() + wait;
        self.gate
            .metrics
            .failure(self.part.message.source, FailureClass::Transient);
        self.job
            .record(&self.entry.doubtful(progress, look_at, &trouble.text))
            .await?;
        tracing::warn!(
            outbound.id = %self.part.id, error = trouble.text,
            "it is not known whether the message was sent; it is looked up first"
        );
        Ok(Step::Go(Stage::Doubtful {
            progress,
            since: self.intent_at,
            look_at,
        }))
    }
}
