//! One part of a message on its way to the provider, until it is there or given up.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runtime::traces::current_traceparent;
use shared_types::{Outbound, Receipt};
use streams::{Job, Record, RecordOutcome};

use super::health::Pass;
use super::pacer::{Asked, Place};
use super::{Gate, OUTCOME_UNKNOWN, Stop, log};
use crate::attempt::Attempt;
use crate::ledger::{Entry, Stage};
use crate::retry::Progress;
use crate::senders::{Pace, Part, Sender};

/// One part with everything that its steps need.
pub(super) struct HandOver<'a> {
    pub(super) gate: &'a Gate,
    pub(super) job: &'a mut Job<Outbound>,
    pub(super) sender: &'a dyn Sender,
    pub(super) part: &'a Part,
    pub(super) entry: Entry<'a>,
    pub(super) pace: Pace,
    pub(super) rate_limits: u32,
    /// How many requests were made.
    requests: u32,
    /// How many slots this process was too slow for.
    pub(super) missed: u32,
    typed: bool,
    /// How the last request may be made.
    pass: Pass,
    /// When the last request was begun.
    pub(super) intent_at: Timestamp,
}

impl Gate {
    /// Hands a part over and gives the record that says so.
    pub(super) async fn hand_over(
        &self,
        job: &mut Job<Outbound>,
        sender: &dyn Sender,
        part: &Part,
        first: Step,
    ) -> Result<Record, Stop> {
        let entry = Entry {
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
            entry,
            pace,
            rate_limits: 0,
            requests: 0,
            missed: 0,
            typed: false,
            pass: Pass::Free,
            intent_at: Timestamp::UNIX_EPOCH,
        };
        let handed_over = match first {
            Step::Go(stage) => steps.run(stage).await,
            Step::Sent(receipt) => {
                tracing::warn!(outbound.id = %part.id, "Redis has lost the note of a message that was sent");
                return Ok(steps.entry.sent(&receipt, Timestamp::now()));
            }
        };
        if handed_over.is_err() && steps.pass == Pass::Probe {
            self.health.probe_ended(&steps.pace.clock, false);
        }
        if let Err(Stop::SetAside(why)) = &handed_over {
            let in_doubt = why.reason == OUTCOME_UNKNOWN;
            let record = steps
                .entry
                .set_aside(in_doubt, Timestamp::now(), &why.error);
            steps.job.record(&record).await?;
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
        self.job.pause(until(at)).await?;
        let (slot, place) = self.wait_for_turn().await?;
        self.intent_at = Timestamp::now();
        let intent = self.entry.intent(progress, self.intent_at);
        if let RecordOutcome::Held(provider_id) = self.job.record(&intent).await? {
            tracing::info!(outbound.id = %self.part.id, provider_id, "a status callback says that it was sent");
            self.gate.health.probe_ended(&self.pace.clock, false);
            return Ok(Step::Go(Stage::Sent));
        }
        let (recent, id) = (&self.gate.recent, &self.part.id);
        recent.begun(id, self.intent_at);
        let lease = self.job.safe_until();
        let deadline = slot.map_or(lease, |slot| slot.min(lease));
        let started = Instant::now();
        let attempt = self.sender.send(self.part, deadline).await;
        match &attempt {
            Attempt::Accepted(receipt) => recent.accepted(id, receipt),
            Attempt::Unknown(_) => {}
            Attempt::RateLimited { .. }
            | Attempt::TooLate
            | Attempt::NotSent(_)
            | Attempt::Refused(_) => recent.not_sent(id),
        }
        self.requests += 1;
        drop(place);
        self.gate
            .metrics
            .requested(self.part.message.source, started.elapsed());
        self.settle_attempt(attempt, progress).await
    }

    /// Waits until the sender works and has a slot. Gives when the message must have left, and the
    /// place to be kept until it has.
    async fn wait_for_turn(&mut self) -> Result<(Option<Instant>, Place), Stop> {
        loop {
            let clock = &self.pace.clock;
            self.pass = self.gate.health.wait(self.job, clock).await?;
            self.type_first().await?;
            let asked = Asked {
                since: Instant::now(),
                missed: self.missed,
            };
            let place = self.gate.pacer.place(self.job, &self.pace.clock).await?;
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
            gate.pacer.wait(self.job, &pace, asked, warn).await?;
        }
        let slot = gate.pacer.wait(self.job, &self.pace, asked, warn).await?;
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
}

pub(super) fn until(at: Timestamp) -> Duration {
    at.duration_since(Timestamp::now())
        .try_into()
        .unwrap_or_default()
}
