//! One part of a message on its way to the provider, until it is there or given up.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runtime::traces::current_traceparent;
use shared_types::{Outbound, Receipt};
use streams::{Job, Record, RecordOutcome};

use super::admission::{Admission, Seen};
use super::consequence::{Consequence, Failure, SenderNews, again, consequence, of_extra};
use super::doubt::{Answer, Doubt};
use super::log;
use super::readiness::Readiness;
use super::shared::Shared;
use super::step::{OUTCOME_UNKNOWN, Step, Stop, set_aside, until};
use crate::attempt::Attempt;
use crate::ledger::{Records, Stage};
use crate::metrics::SendOutcome;
use crate::retry::Progress;
use crate::senders::{Content, Part, Sender};

/// One part with everything that its steps need.
struct HandOver<'a> {
    shared: &'a Shared,
    job: &'a mut Job<Outbound>,
    sender: &'a dyn Sender,
    part: &'a Part,
    /// How things stand with the customer, as far as is known.
    seen: &'a mut Seen,
    records: Records<'a>,
    readiness: Readiness<'a>,
    rate_limits: u32,
    /// How many requests were made.
    requests: u32,
}

/// Hands a part over and gives the record that says so.
pub(super) async fn hand_over(
    shared: &Shared,
    job: &mut Job<Outbound>,
    sender: &dyn Sender,
    part: &Part,
    seen: &mut Seen,
    first: Step,
) -> Result<Record, Stop> {
    // Later attempts keep the id: whoever has the message already knows it again.
    let is_first = matches!(&first, Step::Go(Stage::Due { .. })) && part.chosen_id.is_none();
    let chosen_id = match is_first {
        true => sender.choose_id(part).await,
        false => part.chosen_id.clone(),
    };
    let part = &Part {
        chosen_id,
        ..part.clone()
    };
    let records = Records {
        keys: job.keys(),
        part,
        ttl: shared.settings.ledger_ttl(),
        trace: current_traceparent().or_else(|| job.entry.trace.clone()),
    };
    let mut steps = HandOver {
        shared,
        job,
        sender,
        part,
        seen,
        records,
        readiness: Readiness::new(shared, sender, part),
        rate_limits: 0,
        requests: 0,
    };
    let handed_over = match first {
        Step::Go(stage) => steps.run(stage).await,
        Step::Sent(receipt) => {
            tracing::warn!(outbound.id = %part.id, "Redis has lost the note of a message that was sent");
            return Ok(steps.records.sent(&receipt, Timestamp::now()));
        }
    };
    if handed_over.is_err() {
        steps.readiness.give_back();
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
        let (leave_before, permit) = self.readiness.wait(self.job).await?;
        let begun = match self.note_intent(progress).await? {
            Ok(begun) => begun,
            Err(provider_id) => {
                tracing::info!(outbound.id = %self.part.id, provider_id, "a status callback says that it was sent");
                self.shared
                    .health
                    .probe_ended(&self.readiness.pace.clock, false);
                return Ok(Step::Go(Stage::Sent));
            }
        };
        let (recent, id) = (&self.shared.recent, &self.part.id);
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
        self.shared
            .metrics
            .requested(self.part.message.source, took);
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
            let admission = self.shared.judge(&self.part.message, self.seen, now)?;
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
            Attempt::TooLate => self.readiness.missed += 1,
            Attempt::Unknown(_) => self.shared.metrics.send(source, SendOutcome::Unknown),
            Attempt::Accepted(_) | Attempt::NotSent(_) | Attempt::Refused(_) => {}
        }
        let (schedule, settle) = (
            self.shared.settings.schedule(),
            self.shared.settings.settle(),
        );
        let follows = match self.part.content.is_extra() {
            true => of_extra,
            false => consequence,
        };
        let failure = follows(attempt, progress, self.rate_limits, &schedule, settle);
        let Some(Failure {
            next,
            sender,
            class,
            error,
        }) = failure
        else {
            return Ok(Step::Go(Stage::Sent));
        };
        if let Some((class, code)) = class {
            self.shared.metrics.failure(source, class, code.as_deref());
        }
        self.note_sender(sender, &error).await;
        self.follow(next, &error, Some(begun)).await
    }

    async fn note_sender(&self, news: SenderNews, error: &str) {
        let (source, clock) = (self.part.message.source, &self.readiness.pace.clock);
        match news {
            SenderNews::Works => self.shared.health.works(source, clock),
            SenderNews::Stop => self.shared.health.stop(source, clock, error),
            SenderNews::Nothing { requested } => self.shared.health.probe_ended(clock, requested),
            SenderNews::Pause(pause) => {
                self.shared.health.works(source, clock);
                log::rate_limited(&self.shared.metrics, self.part, pause);
                if let Err(error) = self.shared.redis.push_slots(clock, pause).await {
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
                    log::failed(&self.shared.metrics, self.part, error, attempts);
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
                log::failed(&self.shared.metrics, self.part, error, attempts);
                Err(Stop::SetAside(set_aside(reason, error)))
            }
        }
    }

    /// Goes on by what became of the request that was begun at `since`.
    async fn resolve(
        &mut self,
        progress: Progress,
        since: Timestamp,
        look_at: Timestamp,
    ) -> Result<Step, Stop> {
        if self.part.content.is_extra() {
            let error = "it is not known whether it was sent";
            return Err(Stop::SetAside(set_aside(OUTCOME_UNKNOWN, error)));
        }
        let doubt = Doubt {
            shared: self.shared,
            sender: self.sender,
            records: &self.records,
            since,
        };
        match doubt.resolve(self.job, look_at).await? {
            Answer::CalledBack => Ok(Step::Go(Stage::Sent)),
            Answer::Found(receipt) => Ok(Step::Sent(receipt)),
            Answer::SendAgain { why, pause } => self.send_again(progress, why, pause).await,
        }
    }

    /// `pause` is false when the pause before the next attempt is over: the look-up waited for it.
    async fn send_again(
        &mut self,
        progress: Progress,
        why: &str,
        pause: bool,
    ) -> Result<Step, Stop> {
        let mut next = again(progress, &self.shared.settings.schedule());
        if let Consequence::Again { after, .. } = &mut next {
            *after = if pause { *after } else { Duration::ZERO };
            tracing::warn!(outbound.id = %self.part.id, "sent again; the customer may get it twice");
        }
        self.follow(next, why, None).await
    }

    fn sent(&self, receipt: &Receipt) -> Record {
        let source = self.part.message.source;
        self.shared.health.works(source, &self.readiness.pace.clock);
        let now = Timestamp::now();
        self.shared.metrics.attempts(source, self.requests);
        if !self.part.content.is_extra() {
            let took = now.duration_since(self.part.message.created_at);
            self.shared.metrics.answer_time(source, took);
        }
        log::sent(&self.shared.metrics, self.part, receipt);
        self.records.sent(receipt, now)
    }
}
