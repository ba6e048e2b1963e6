//! One part of a message on its way to the provider, until it is there or given up.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runtime::traces::current_traceparent;
use shared_types::{Outbound, Receipt};
use streams::{Job, Record, RecordOutcome};

use super::admission::{Admission, Seen};
use super::consequence::{Consequence, Failure, SenderNews, again, consequence};
use super::health::Pass;
use super::look_up::look_up;
use super::pacer::Asked;
use super::{Gate, OUTCOME_UNKNOWN, Stop, log, set_aside};
use crate::attempt::Attempt;
use crate::config::OnUnknown;
use crate::ledger::{Records, Stage};
use crate::metrics::{DoubtEnd, SendOutcome};
use crate::retry::Progress;
use crate::senders::{Content, Pace, Part, Sender, Trace};

const NO_TRACE: &str = "the provider has no trace of the message";
const POLICY: &str = "the outcome is unknown and the policy is to send again";
const NOT_AGAIN: &str = "the provider may have the message; the policy is not to send it again";

/// One part with everything that its steps need.
struct HandOver<'a> {
    gate: &'a Gate,
    job: &'a mut Job<Outbound>,
    sender: &'a dyn Sender,
    part: &'a Part,
    /// How things stand with the customer, as far as is known.
    seen: &'a mut Seen,
    records: Records<'a>,
    pace: Pace,
    rate_limits: u32,
    /// How many requests were made.
    requests: u32,
    /// How many slots this process was too slow for.
    missed: u32,
    typed: bool,
    /// How the last request may be made.
    pass: Pass,
}

/// Where a step leads.
pub(super) enum Step {
    Sent(Receipt),
    Go(Stage),
}

impl Gate {
    /// Hands a part over and gives the record that says so.
    pub(super) async fn hand_over(
        &self,
        job: &mut Job<Outbound>,
        sender: &dyn Sender,
        part: &Part,
        seen: &mut Seen,
        first: Step,
    ) -> Result<Record, Stop> {
        let records = Records {
            keys: job.keys(),
            part,
            ttl: self.settings.ledger_ttl(),
            trace: current_traceparent().or_else(|| job.entry.trace.clone()),
        };
        let pace = sender.pace(&part.message);
        let mut steps = HandOver {
            gate: self,
            job,
            sender,
            part,
            seen,
            records,
            pace,
            rate_limits: 0,
            requests: 0,
            missed: 0,
            typed: false,
            pass: Pass::Free,
        };
        let handed_over = match first {
            Step::Go(stage) => steps.run(stage).await,
            Step::Sent(receipt) => {
                tracing::warn!(outbound.id = %part.id, "Redis has lost the note of a message that was sent");
                return Ok(steps.records.sent(&receipt, Timestamp::now()));
            }
        };
        if handed_over.is_err() && steps.pass == Pass::Probe {
            self.health.probe_ended(&steps.pace.clock, false);
        }
        if let Err(Stop::SetAside(why)) = &handed_over {
            let in_doubt = why.reason == OUTCOME_UNKNOWN;
            let record = steps
                .records
                .set_aside(in_doubt, Timestamp::now(), &why.error);
            steps.job.record(&record).await?;
        }
        handed_over
    }
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
        let at = self
            .part
            .message
            .not_before
            .map_or(at, |earliest| earliest.max(at));
        self.job.pause(until(at)).await?;
        let (leave_before, permit) = self.wait_for_turn().await?;
        let begun = match self.note_intent(progress).await? {
            Ok(begun) => begun,
            Err(provider_id) => {
                tracing::info!(outbound.id = %self.part.id, provider_id, "a status callback says that it was sent");
                self.gate.health.probe_ended(&self.pace.clock, false);
                return Ok(Step::Go(Stage::Sent));
            }
        };
        let (recent, id) = (&self.gate.recent, &self.part.id);
        recent.begun(id, begun);
        let lease = self.job.safe_until();
        let deadline = leave_before.map_or(lease, |slot| slot.min(lease));
        let started = Instant::now();
        // After a failure without what is not essential: it may be what the provider failed of.
        let extras = progress == Progress::default();
        let attempt = self.sender.send(self.part, extras, deadline).await;
        match &attempt {
            Attempt::Accepted(receipt) => recent.accepted(id, receipt),
            Attempt::Unknown(_) => {}
            Attempt::RateLimited { .. }
            | Attempt::TooLate
            | Attempt::NotSent(_)
            | Attempt::Refused(_) => recent.not_sent(id),
        }
        self.requests += 1;
        drop(permit);
        let took = started.elapsed();
        self.gate.metrics.requested(self.part.message.source, took);
        match attempt {
            Attempt::Accepted(receipt) => Ok(Step::Sent(receipt)),
            failed => self.failed(failed, progress, begun).await,
        }
    }

    /// Writes down that a request is about to be made, under the fence, and only while what allows it
    /// still holds: it may have waited for long. Gives when, or the provider's id when the message
    /// is there already.
    async fn note_intent(&mut self, progress: Progress) -> Result<Result<Timestamp, String>, Stop> {
        loop {
            let now = Timestamp::now();
            let admission = self.gate.judge(&self.part.message, self.seen, now)?;
            let is_template = matches!(self.part.content, Content::Template(_));
            if matches!(admission, Admission::SendTemplate(_)) && !is_template {
                return Err(Stop::TemplateInstead);
            }
            let mut intent = self.records.intent(progress, now);
            intent.judged_by = self.seen.judged_by(self.job);
            match self.job.record(&intent).await? {
                RecordOutcome::Written => return Ok(Ok(now)),
                RecordOutcome::Held(provider_id) => return Ok(Err(provider_id)),
                RecordOutcome::Changed(hashes) => *self.seen = Seen::of(&hashes),
            }
        }
    }

    /// Waits until the sender works and has a slot. Gives when the message must have left, and the
    /// permit to be kept until it has.
    async fn wait_for_turn(
        &mut self,
    ) -> Result<(Option<Instant>, tokio::sync::OwnedSemaphorePermit), Stop> {
        loop {
            let clock = &self.pace.clock;
            self.pass = self.gate.health.wait(self.job, clock).await?;
            self.type_first().await?;
            let asked = Asked {
                since: Instant::now(),
                missed: self.missed,
            };
            let permit = self.gate.pacer.permit(self.job, &self.pace.clock).await?;
            let leave_before = self.wait_for_slot(asked).await?;
            // The sender may have been stopped while this message waited for its slot.
            if self.pass == Pass::Probe || !self.gate.health.is_stopped(&self.pace.clock) {
                return Ok((leave_before, permit));
            }
        }
    }

    async fn type_first(&mut self) -> Result<(), Stop> {
        if std::mem::replace(&mut self.typed, true) {
            return Ok(());
        }
        let typing = self.sender.begin_typing(self.part).await;
        self.job.pause(typing).await?;
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
            gate.pacer
                .wait(self.job, &pace, self.sender, asked, warn)
                .await?;
        }
        Ok(gate
            .pacer
            .wait(self.job, &self.pace, self.sender, asked, warn)
            .await?)
    }

    /// A request that was begun at `begun` did not succeed: due again, in doubt, or given up.
    async fn failed(
        &mut self,
        attempt: Attempt,
        progress: Progress,
        begun: Timestamp,
    ) -> Result<Step, Stop> {
        let source = self.part.message.source;
        match attempt {
            Attempt::RateLimited { .. } => self.rate_limits += 1,
            Attempt::TooLate => self.missed += 1,
            Attempt::Unknown(_) => self.gate.metrics.send(source, SendOutcome::Unknown),
            Attempt::Accepted(_) | Attempt::NotSent(_) | Attempt::Refused(_) => {}
        }
        let (schedule, settle) = (self.gate.settings.schedule(), self.gate.settings.settle());
        let failure = consequence(attempt, progress, self.rate_limits, &schedule, settle);
        let Some(Failure {
            next,
            sender,
            class,
            error,
        }) = failure
        else {
            return Ok(Step::Go(Stage::Sent));
        };
        if let Some(class) = class {
            self.gate.metrics.failure(source, class);
        }
        self.note_sender(sender, &error).await;
        self.follow(next, &error, Some(begun)).await
    }

    async fn note_sender(&self, news: SenderNews, error: &str) {
        let (source, clock) = (self.part.message.source, &self.pace.clock);
        match news {
            SenderNews::Works => self.gate.health.works(source, clock),
            SenderNews::Stop => self.gate.health.stop(source, clock, error),
            SenderNews::Nothing { requested } => self.gate.health.probe_ended(clock, requested),
            SenderNews::Pause(pause) => {
                self.gate.health.works(source, clock);
                log::rate_limited(self.gate, self.part, pause);
                if let Err(error) = self.gate.redis.push_slots(clock, pause).await {
                    tracing::debug!(%error, "the sender's clock could not be moved");
                }
            }
        }
    }

    /// Writes down what is done next.
    async fn follow(
        &mut self,
        next: Consequence,
        error: &str,
        begun: Option<Timestamp>,
    ) -> Result<Step, Stop> {
        match next {
            Consequence::Again {
                progress,
                after,
                failed_round,
            } => {
                if let Some(attempts) = failed_round {
                    log::failed(self.gate, self.part, error, attempts);
                }
                let at = Timestamp::now() + after;
                let record = self.records.deferred(progress, at, error);
                self.job.record(&record).await?;
                Ok(Step::Go(Stage::Due { progress, at }))
            }
            Consequence::Doubt { progress, after } => {
                let look_at = Timestamp::now() + after;
                let record = self.records.doubtful(progress, look_at, error);
                self.job.record(&record).await?;
                tracing::warn!(
                    outbound.id = %self.part.id, error,
                    "it is not known whether the message was sent; it is looked up first"
                );
                Ok(Step::Go(Stage::Doubtful {
                    progress,
                    since: begun.unwrap_or(look_at),
                    look_at,
                }))
            }
            Consequence::GiveUp { reason, attempts } => {
                log::failed(self.gate, self.part, error, attempts);
                Err(Stop::SetAside(set_aside(reason, error)))
            }
        }
    }

    /// Finds out what became of the request that was begun at `since`: first in our own ledger,
    /// which a status callback may have filled meanwhile, then in the provider's list. Only when
    /// there is no trace is it sent again.
    async fn resolve(
        &mut self,
        progress: Progress,
        since: Timestamp,
        look_at: Timestamp,
    ) -> Result<Step, Stop> {
        let metrics = self.gate.metrics.clone();
        let source = self.part.message.source;
        let end = |how| metrics.doubt_ended(source, how, Timestamp::now().duration_since(since));
        match self.gate.settings.on_unknown {
            // An operator who puts it back wants it sent, if it was not.
            OnUnknown::Park if !self.job.entry.replayed => {
                end(DoubtEnd::Parked);
                return Err(Stop::SetAside(set_aside(OUTCOME_UNKNOWN, NOT_AGAIN)));
            }
            OnUnknown::Resend => {
                end(DoubtEnd::Resent);
                return self.send_again(progress, POLICY, true).await;
            }
            OnUnknown::Park | OnUnknown::Resolve => self.job.pause(until(look_at)).await?,
        }
        let probe = self.records.nothing_unless_sent();
        if let RecordOutcome::Held(_) = self.job.record(&probe).await? {
            end(DoubtEnd::CalledBack);
            return Ok(Step::Go(Stage::Sent));
        }
        let redis = &self.gate.redis;
        match look_up(redis, self.job, self.sender, self.part, since).await? {
            Trace::Found(receipt) => {
                end(DoubtEnd::Found);
                tracing::info!(outbound.id = %self.part.id, "the provider has the message");
                Ok(Step::Sent(receipt))
            }
            Trace::Absent | Trace::NoRecords => {
                end(DoubtEnd::Absent);
                self.send_again(progress, NO_TRACE, false).await
            }
            Trace::Unreadable(error) => {
                end(DoubtEnd::Parked);
                Err(Stop::SetAside(set_aside(OUTCOME_UNKNOWN, error)))
            }
        }
    }

    /// `pause` is false when the pause before the next attempt is over: the look-up waited for it.
    async fn send_again(
        &mut self,
        progress: Progress,
        why: &str,
        pause: bool,
    ) -> Result<Step, Stop> {
        let mut next = again(progress, &self.gate.settings.schedule());
        if let Consequence::Again { after, .. } = &mut next {
            *after = if pause { *after } else { Duration::ZERO };
            tracing::warn!(outbound.id = %self.part.id, "sent again; the customer may get it twice");
        }
        self.follow(next, why, None).await
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
        self.records.sent(receipt, now)
    }
}

fn until(at: Timestamp) -> Duration {
    at.duration_since(Timestamp::now())
        .try_into()
        .unwrap_or_default()
}
