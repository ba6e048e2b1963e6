//! One part of a message on its way to the provider, until it is there or given up.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runtime::traces::current_traceparent;
use shared_types::{FailureClass, Receipt};
use streams::{Delivery, Record, RecordOutcome};

use super::health::Pass;
use super::pacer::{Asked, Place};
use super::{Gate, OUTCOME_UNKNOWN, Stop, log, set_aside};
use crate::attempt::{Attempt, Refusal, Scope, Trouble};
use crate::ledger::{Entry, Stage};
use crate::metrics::SendOutcome;
use crate::retry::schedule::pause_after_rate_limit;
use crate::retry::{Next, Progress, after_failure};
use crate::senders::{Pace, Part, Sender};

/// One part with everything that its steps need.
pub(super) struct HandOver<'a> {
    pub(super) gate: &'a Gate,
    pub(super) delivery: &'a mut Delivery,
    pub(super) sender: &'a dyn Sender,
    pub(super) part: &'a Part,
    pub(super) entry: Entry<'a>,
    pub(super) pace: Pace,
    rate_limits: u32,
    /// How many requests were made.
    requests: u32,
    /// How many slots this process was too slow for.
    missed: u32,
    typed: bool,
    /// How the last request may be made.
    pass: Pass,
    /// When the last request was begun.
    intent_at: Timestamp,
}

impl Gate {
    /// Hands a part over and gives the record that says so.
    pub(super) async fn hand_over(
        &self,
        delivery: &mut Delivery,
        sender: &dyn Sender,
        part: &Part,
        stage: Stage,
    ) -> Result<Record, Stop> {
        let entry = Entry {
            keys: delivery.keys(),
            part,
            ttl: self.settings.ledger_ttl(),
            trace: current_traceparent().or_else(|| delivery.entry.trace.clone()),
        };
        let pace = sender.pace(&part.message);
        let mut steps = HandOver {
            gate: self,
            delivery,
            sender,
            part,
            entry,
            pace,
            rate_limits: 0,
            requests: 0,
            missed: 0,
            typed: false,
            pass: Pass::Free,
            intent_at: Timestamp::UNIX_EPOCH,
        };
        let handed_over = steps.run(stage).await;
        if handed_over.is_err() && steps.pass == Pass::Probe {
            self.health.probe_ended(&steps.pace.clock, false);
        }
        if let Err(Stop::SetAside(why)) = &handed_over {
            let in_doubt = why.reason == OUTCOME_UNKNOWN;
            let record = steps
                .entry
                .set_aside(in_doubt, Timestamp::now(), &why.error);
            steps.delivery.record(&record).await?;
        }
        handed_over
    }
}

/// Where a step leads.
pub(super) enum Step {
    Sent(Receipt),
    Go(Stage),
}

impl HandOver<'_> {
    async fn run(&mut self, mut stage: Stage) -> Result<Record, Stop> {
        loop {
            let step = match stage {
                Stage::Sent => return Ok(Record::default()),
                Stage::Due { progress, at } => self.attempt(progress, at).await?,
                Stage::Doubtful {
                    progress,
                    since,
                    look_at,
                } => self.resolve(progress, since, look_at).await?,
            };
            stage = match step {
                Step::Sent(receipt) => return Ok(self.sent(&receipt)),
                Step::Go(stage) => stage,
            };
        }
    }

    /// Waits for its time and its turn, and makes one request.
    async fn attempt(&mut self, progress: Progress, at: Timestamp) -> Result<Step, Stop> {
        self.delivery.pause(until(at)).await?;
        let (slot, place) = self.wait_for_turn().await?;
        self.intent_at = Timestamp::now();
        let intent = self
            .entry
            .intent(progress, self.intent_at, self.delivery.token());
        if let RecordOutcome::Held(provider_id) = self.delivery.record(&intent).await? {
            tracing::info!(outbound.id = %self.part.id, provider_id, "a status callback says that it was sent");
            self.gate.health.probe_ended(&self.pace.clock, false);
            return Ok(Step::Go(Stage::Sent));
        }
        let lease = self.delivery.safe_until();
        let deadline = slot.map_or(lease, |slot| slot.min(lease));
        let started = Instant::now();
        let attempt = self.sender.send(self.part, deadline).await;
        self.requests += 1;
        drop(place);
        self.gate
            .metrics
            .requested(self.part.message.source, started.elapsed());
        self.settle_attempt(attempt, progress).await
    }

    async fn settle_attempt(&mut self, attempt: Attempt, progress: Progress) -> Result<Step, Stop> {
        let source = self.part.message.source;
        match attempt {
            Attempt::Accepted(receipt) => Ok(Step::Sent(receipt)),
            Attempt::RateLimited { retry_after } => self.rate_limited(progress, retry_after).await,
            Attempt::TooLate => {
                self.missed += 1;
                self.gate.health.probe_ended(&self.pace.clock, false);
                let now = Timestamp::now();
                self.delivery
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
            self.delivery
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
        self.delivery
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
        self.delivery
            .record(&self.entry.deferred(progress, at, "rate limited"))
            .await?;
        Ok(Step::Go(Stage::Due { progress, at }))
    }

    /// Waits until the sender works and has a slot. Gives when the message must have left, and the
    /// place to be kept until it has.
    async fn wait_for_turn(&mut self) -> Result<(Option<Instant>, Place), Stop> {
        loop {
            let clock = &self.pace.clock;
            self.pass = self.gate.health.wait(self.delivery, clock).await?;
            self.type_first().await?;
            let asked = Asked {
                since: Instant::now(),
                missed: self.missed,
            };
            let place = self
                .gate
                .pacer
                .place(self.delivery, &self.pace.clock)
                .await?;
            let slot = self.wait_for_slot(asked).await?;
            // The sender may have been stopped while this message waited for its slot.
            if self.pass == Pass::Probe || !self.gate.health.is_stopped(&self.pace.clock) {
                return Ok((slot, place));
            }
        }
    }

    async fn type_first(&mut self) -> Result<(), Stop> {
        if std::mem::replace(&mut self.typed, true) {
            return Ok(());
        }
        let typing = self.sender.begin_typing(self.part).await;
        self.delivery.pause(typing).await?;
        self.sender.end_typing(self.part).await;
        Ok(())
    }

    async fn wait_for_slot(&mut self, asked: Asked) -> Result<Option<Instant>, Stop> {
        let (gate, part) = (self.gate, self.part);
        let warn = |waited| log::rate_limited(gate, part, waited);
        let recipient = Duration::from_millis(gate.settings.recipient_spacing_ms);
        if !recipient.is_zero() {
            let clock = format!("to:{}", part.message.to);
            let pace = Pace {
                clock,
                per_second: Some(1.0 / recipient.as_secs_f64()),
            };
            gate.pacer.wait(self.delivery, &pace, asked, warn).await?;
        }
        let slot = gate
            .pacer
            .wait(self.delivery, &self.pace, asked, warn)
            .await?;
        Ok(slot.leave_before)
    }

    fn sent(&self, receipt: &Receipt) -> Record {
        let source = self.part.message.source;
        self.gate.health.works(source, &self.pace.clock);
        let now = Timestamp::now();
        self.gate.metrics.attempts(source, self.requests);
        self.gate
            .metrics
            .answer_time(source, now.duration_since(self.part.message.created_at));
        log::sent(self.gate, self.part, receipt);
        self.entry.sent(receipt, now)
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
        self.delivery
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

pub(super) fn until(at: Timestamp) -> Duration {
    at.duration_since(Timestamp::now())
        .try_into()
        .unwrap_or_default()
}
