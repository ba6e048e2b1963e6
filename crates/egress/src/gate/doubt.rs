//! What became of a request that got no certain answer.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use shared_types::{Outbound, Receipt};
use streams::{Job, PartitionKeys, RecordOutcome, Redis};

use super::shared::Shared;
use super::step::{OUTCOME_UNKNOWN, Stop, set_aside, until};
use crate::config::OnUnknown;
use crate::ledger::{Records, names};
use crate::metrics::DoubtEnd;
use crate::senders::{Part, Sender, Trace};

/// How often an unreadable list is asked again before the message is set aside.
const LOOK_UPS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

const NO_TRACE: &str = "the provider has no trace of the message";
const POLICY: &str = "the outcome is unknown and the policy is to send again";
const NOT_AGAIN: &str = "the provider may have the message; the policy is not to send it again";

/// A request of which nobody knows what became of it.
pub(super) struct Doubt<'a> {
    pub(super) shared: &'a Shared,
    pub(super) sender: &'a dyn Sender,
    pub(super) records: &'a Records<'a>,
    /// When it was begun.
    pub(super) since: Timestamp,
}

/// What became of it.
pub(super) enum Answer {
    /// A status callback says that it was sent.
    CalledBack,
    /// The provider's list has it.
    Found(Receipt),
    /// Nobody knows of it. Without `pause` when the look-up waited already.
    SendAgain { why: &'static str, pause: bool },
}

impl Doubt<'_> {
    /// Finds out: first in our own ledger, which a status callback may have filled meanwhile, then, from
    /// `look_at` on, in the provider's list. Only when there is no trace is it sent again.
    pub(super) async fn resolve(
        &self,
        job: &mut Job<Outbound>,
        look_at: Timestamp,
    ) -> Result<Answer, Stop> {
        let again = |why, pause| Ok(Answer::SendAgain { why, pause });
        match self.shared.settings.on_unknown {
            // An operator who puts it back wants it sent, if it was not.
            OnUnknown::Park if !job.entry.replayed => {
                self.end(DoubtEnd::Parked);
                return Err(Stop::SetAside(set_aside(OUTCOME_UNKNOWN, NOT_AGAIN)));
            }
            OnUnknown::Resend => {
                self.end(DoubtEnd::Resent);
                return again(POLICY, true);
            }
            OnUnknown::Park | OnUnknown::Resolve => job.pause(until(look_at)).await?,
        }
        let probe = self.records.nothing_unless_sent();
        if let RecordOutcome::Held(_) = job.record(&probe).await? {
            self.end(DoubtEnd::CalledBack);
            return Ok(Answer::CalledBack);
        }
        let part = self.records.part;
        match look_up(&self.shared.redis, job, self.sender, part, self.since).await? {
            Trace::Found(receipt) => {
                self.end(DoubtEnd::Found);
                tracing::info!(outbound.id = %part.id, "the provider has the message");
                Ok(Answer::Found(receipt))
            }
            Trace::Absent | Trace::NoRecords => {
                self.end(DoubtEnd::Absent);
                again(NO_TRACE, false)
            }
            Trace::Unreadable(error) => {
                self.end(DoubtEnd::Parked);
                Err(Stop::SetAside(set_aside(OUTCOME_UNKNOWN, error)))
            }
        }
    }

    fn end(&self, how: DoubtEnd) {
        let source = self.records.part.message.source;
        let took = Timestamp::now().duration_since(self.since);
        self.shared.metrics.doubt_ended(source, how, took);
    }
}

/// What the provider's list says of a request that was begun at `since`.
async fn look_up(
    redis: &Redis,
    job: &mut Job<Outbound>,
    sender: &dyn Sender,
    part: &Part,
    since: Timestamp,
) -> Result<Trace, Stop> {
    let mut pause = FIRST_PAUSE;
    let mut trace = Trace::Absent;
    for _ in 0..LOOK_UPS {
        trace = look_up_once(redis, job.keys(), sender, part, since).await;
        let Trace::Unreadable(error) = &trace else {
            return Ok(trace);
        };
        tracing::warn!(outbound.id = %part.id, error, "the provider's list cannot be read");
        job.pause(pause).await?;
        pause *= 2;
    }
    Ok(trace)
}

/// Messages that are known as another send of ours are no trace of this one.
async fn look_up_once(
    redis: &Redis,
    keys: PartitionKeys,
    sender: &dyn Sender,
    part: &Part,
    since: Timestamp,
) -> Trace {
    let message = &part.message;
    let unclaimed = move |ids: Vec<String>| -> BoxFuture<'_, Result<Vec<String>, String>> {
        let own = part.id.to_string();
        Box::pin(async move {
            let (source, conversation) = (message.source, &message.conversation_id);
            let names = ids
                .iter()
                .flat_map(|id| names(source, conversation, id, keys));
            let names: Vec<_> = names.collect();
            let owners = redis.values(&names).await.map_err(|e| e.to_string())?;
            let is_free = |owner: &Option<String>| owner.as_ref().is_none_or(|owner| *owner == own);
            // Two names each.
            let owners = owners.chunks(2).zip(ids);
            Ok(owners
                .filter(|(owners, _)| owners.iter().all(is_free))
                .map(|(_, id)| id)
                .collect())
        })
    };
    sender.find(part, since, &unclaimed).await
}
