//! A request may have reached the provider, and nobody wrote down whether it did.
//!
//! It is looked up, after the provider had time to note it: first our own ledger, which a status
//! callback may have filled meanwhile, then the provider's list. Only when there is no trace is it
//! sent again, and marked as perhaps a second one.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use streams::RecordOutcome;

use super::hand_over::{HandOver, Step, until};
use super::{OUTCOME_UNKNOWN, Stop, set_aside};
use crate::config::OnUnknown;
use crate::ledger::Stage;
use crate::metrics::DoubtEnd;
use crate::retry::Progress;
use crate::senders::Trace;

/// How often an unreadable list is asked again before the message is set aside.
const LOOK_UPS: u32 = 8;
const FIRST_LOOK_UP_PAUSE: Duration = Duration::from_secs(1);
const NO_TRACE: &str = "the provider has no trace of the message";
const POLICY: &str = "the outcome is unknown and the policy is to send again";

impl HandOver<'_> {
    /// Finds out what became of the request that was begun at `since`.
    pub(super) async fn resolve(
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
                let error = "the provider may have the message; the policy is not to send it again";
                return Err(Stop::SetAside(set_aside(OUTCOME_UNKNOWN, error)));
            }
            OnUnknown::Resend => {
                end(DoubtEnd::Resent);
                let (next, pause) = self.next(progress, POLICY)?;
                return self.send_again(next, pause).await;
            }
            OnUnknown::Park | OnUnknown::Resolve => self.job.pause(until(look_at)).await?,
        }
        if self.is_bound().await? {
            end(DoubtEnd::CalledBack);
            return Ok(Step::Go(Stage::Sent));
        }
        match self.look_up(since).await? {
            Trace::Found(receipt) => {
                end(DoubtEnd::Found);
                tracing::info!(outbound.id = %self.part.id, "the provider has the message");
                Ok(Step::Sent(receipt))
            }
            Trace::Absent | Trace::NoRecords => {
                end(DoubtEnd::Absent);
                let (next, _) = self.next(progress, NO_TRACE)?;
                // The pause before the next attempt is over: the look-up waited for it.
                self.send_again(next, Duration::ZERO).await
            }
            Trace::Unreadable(error) => {
                end(DoubtEnd::Parked);
                Err(Stop::SetAside(set_aside(OUTCOME_UNKNOWN, error)))
            }
        }
    }

    /// Whether a status callback has told the provider's id meanwhile.
    async fn is_bound(&mut self) -> Result<bool, Stop> {
        let probe = self.entry.nothing_unless_sent();
        Ok(matches!(
            self.job.record(&probe).await?,
            RecordOutcome::Held(_)
        ))
    }

    async fn look_up(&mut self, since: Timestamp) -> Result<Trace, Stop> {
        let mut pause = FIRST_LOOK_UP_PAUSE;
        let mut trace = Trace::Absent;
        for _ in 0..LOOK_UPS {
            trace = self.look_up_once(since).await;
            let Trace::Unreadable(error) = &trace else {
                return Ok(trace);
            };
            tracing::warn!(outbound.id = %self.part.id, error, "the provider's list cannot be read");
            self.job.pause(pause).await?;
            pause *= 2;
        }
        Ok(trace)
    }

    /// Messages that are known as another send of ours are no trace of this one.
    async fn look_up_once(&self, since: Timestamp) -> Trace {
        let (redis, keys, part) = (self.gate.redis.clone(), self.job.keys(), self.part);
        let source = part.message.source.as_str();
        let unclaimed = move |ids: Vec<String>| -> BoxFuture<'_, Result<Vec<String>, String>> {
            let (redis, own) = (redis.clone(), part.id.to_string());
            Box::pin(async move {
                let names: Vec<_> = ids
                    .iter()
                    .map(|id| keys.provider_message(source, id))
                    .collect();
                let owners = redis.values(&names).await.map_err(|e| e.to_string())?;
                let is_free =
                    |owner: &Option<String>| owner.as_ref().is_none_or(|owner| *owner == own);
                let owners = owners.into_iter().zip(ids);
                Ok(owners
                    .filter(|(owner, _)| is_free(owner))
                    .map(|(_, id)| id)
                    .collect())
            })
        };
        self.sender.find(part, since, &unclaimed).await
    }

    async fn send_again(&mut self, next: Progress, pause: Duration) -> Result<Step, Stop> {
        let at = Timestamp::now() + pause;
        self.job
            .record(
                &self
                    .entry
                    .deferred(next, at, "no trace of an earlier request"),
            )
            .await?;
        tracing::warn!(outbound.id = %self.part.id, "sent again; the customer may get it twice");
        Ok(Step::Go(Stage::Due { progress: next, at }))
    }
}
