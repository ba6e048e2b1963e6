//! What a part waits for before each of its requests: a sender that works, typing, a slot.

use std::time::{Duration, Instant};

use shared_types::Outbound;
use streams::Job;
use tokio::sync::OwnedSemaphorePermit;

use super::health::Pass;
use super::log;
use super::pacer::Asked;
use super::shared::Shared;
use super::step::Stop;
use crate::senders::{Pace, Part, Sender};

/// A part's wait for its sender, over all of its requests.
pub(super) struct Readiness<'a> {
    shared: &'a Shared,
    sender: &'a dyn Sender,
    part: &'a Part,
    pub(super) pace: Pace,
    /// How many slots this process was too slow for.
    pub(super) missed: u32,
    typed: bool,
    /// How the last request may be made.
    pass: Pass,
}

impl<'a> Readiness<'a> {
    pub(super) fn new(shared: &'a Shared, sender: &'a dyn Sender, part: &'a Part) -> Self {
        Self {
            shared,
            sender,
            part,
            pace: sender.pace(&part.message),
            missed: 0,
            typed: false,
            pass: Pass::Free,
        }
    }

    /// A request that was let through as a probe was not made.
    pub(super) fn give_back(&self) {
        if self.pass == Pass::Probe {
            self.shared.health.probe_ended(&self.pace.clock, false);
        }
    }

    /// Waits until the sender works and has a slot. Gives when the message must have left, and the
    /// permit to be kept until it has.
    pub(super) async fn wait(
        &mut self,
        job: &mut Job<Outbound>,
    ) -> Result<(Option<Instant>, OwnedSemaphorePermit), Stop> {
        loop {
            let clock = &self.pace.clock;
            self.pass = self.shared.health.wait(job, clock).await?;
            self.type_first(job).await?;
            let asked = Asked {
                since: Instant::now(),
                missed: self.missed,
            };
            let permit = self.shared.pacer.permit(job, &self.pace.clock).await?;
            let leave_before = self.wait_for_slot(job, asked).await?;
            // The sender may have been stopped while this message waited for its slot.
            if self.pass == Pass::Probe || !self.shared.health.is_stopped(&self.pace.clock) {
                return Ok((leave_before, permit));
            }
        }
    }

    async fn type_first(&mut self, job: &mut Job<Outbound>) -> Result<(), Stop> {
        if std::mem::replace(&mut self.typed, true) {
            return Ok(());
        }
        let typing = self.sender.begin_typing(self.part).await;
        job.pause(typing).await?;
        self.sender.end_typing(self.part).await;
        Ok(())
    }

    async fn wait_for_slot(
        &self,
        job: &mut Job<Outbound>,
        asked: Asked,
    ) -> Result<Option<Instant>, Stop> {
        let (shared, part) = (self.shared, self.part);
        let warn = |waited| log::rate_limited(&shared.metrics, part, waited);
        let recipient = Duration::from_millis(shared.settings.recipient_spacing_ms);
        if !recipient.is_zero() {
            let clock = format!("to:{}", part.message.to);
            let pace = Pace {
                clock,
                per_second: Some(1.0 / recipient.as_secs_f64()),
            };
            shared
                .pacer
                .wait(job, &pace, self.sender, asked, warn)
                .await?;
        }
        Ok(shared
            .pacer
            .wait(job, &self.pace, self.sender, asked, warn)
            .await?)
    }
}
