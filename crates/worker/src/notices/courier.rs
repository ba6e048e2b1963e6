//! Brings notices to their channels, in the background. Every worker runs one; a lease decides who
//! dispatches, and each send is held by one of them.

use std::sync::Arc;
use std::time::Duration;

use crm::Kind;
use crm::{Claimed, Crm, CrmError, Settled};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared_types::OutboundMessage;
use streams::{Ingest, Ingested, NewEntry, Queue, Redis, Shelf};
use tokio_util::sync::CancellationToken;

use super::channel::{Channels, Outcome};
use super::schedule;
use crate::dialogue::calendar;
use crate::domain::Domain;
use crate::metrics::WorkerMetrics;
use crate::mirror;

const EVERY: Duration = Duration::from_secs(1);
const LEASE: SignedDuration = SignedDuration::from_secs(15);
const AT_ONCE: usize = 8;
/// For how long a message to a customer is known again.
const TOLD_ONCE: Duration = Duration::from_secs(24 * 60 * 60);
/// Rounds between two looks at the queues.
const ROUNDS: u32 = 15;
/// How long a message to a customer may wait before its channel counts as down: longer than pace and
/// retries of a provider that works.
const STALLED: SignedDuration = SignedDuration::from_mins(5);

pub(crate) struct Courier {
    pub(crate) crm: Crm,
    pub(crate) redis: Redis,
    pub(crate) channels: Arc<Channels>,
    pub(crate) domain: Arc<Domain>,
    pub(crate) metrics: WorkerMetrics,
    /// Whether conversations are shown in a help desk.
    pub(crate) mirrors: bool,
    /// Names this worker among the others.
    pub(crate) holder: String,
}

impl Courier {
    /// Works until `stop`; what is on its way then is finished.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut round = 0;
        loop {
            if let Err(error) = self.round(round).await {
                tracing::debug!(%error, "notices wait for the CRM");
            }
            round = (round + 1) % ROUNDS;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn round(&self, round: u32) -> Result<(), CrmError> {
        let now = Timestamp::now();
        let until = now.saturating_add(LEASE).unwrap_or(now);
        if self.crm.lease("notices", &self.holder, now, until).await? {
            self.crm.tell_of_unanswered(now).await?;
            self.excuse(now).await?;
            if round == 0 {
                self.look_at_dead_letters(now).await?;
                self.look_at_replies(now).await?;
            }
            let takes = |kind: Kind| -> Vec<&'static str> {
                let channels = self.channels.iter().filter(|channel| channel.takes(kind));
                channels.map(|channel| channel.name).collect()
            };
            self.crm.dispatch(takes, self.is_open(now), now).await?;
        }
        self.deliver().await?;
        self.count(now).await
    }

    fn is_open(&self, now: Timestamp) -> bool {
        let business = &self.domain.business;
        let local = now.to_zoned(business.time_zone.clone()).datetime();
        !business.hours.is_known() || calendar::is_open(business, local)
    }

    /// Tells customers whom nobody has answered in time. The id is of the hand-over's message: told
    /// twice it is sent once.
    async fn excuse(&self, now: Timestamp) -> Result<(), CrmError> {
        for (handover, reply) in self.crm.late_replies().await? {
            let Ok(reply) = serde_json::from_str::<OutboundMessage>(&reply) else {
                self.crm.late_reply_is_done(&handover).await?;
                continue;
            };
            let reply = OutboundMessage {
                created_at: now,
                ..reply
            };
            let Ok(entry) =
                NewEntry::new(&reply, reply.id.as_str(), reply.conversation_id.as_str())
            else {
                continue;
            };
            let ingest = Ingest {
                dedup_for: TOLD_ONCE,
                ..Ingest::unlimited(Queue::Outbound, &entry)
            };
            match self.redis.ingest(&ingest).await {
                Ok(Ingested::Queued { .. } | Ingested::Duplicate { .. }) => {
                    if self.show(&reply).await {
                        self.crm.late_reply_is_done(&handover).await?;
                    }
                }
                other => tracing::debug!(?other, "a customer waits for an excuse"),
            }
        }
        Ok(())
    }

    /// Shows the help desk what a customer is told. Whether that is done, or not wanted.
    async fn show(&self, reply: &OutboundMessage) -> bool {
        let step = mirror::of_late_reply(reply).filter(|_| self.mirrors);
        let Some(step) = step else { return true };
        let shown = crm::help_desk::queue(&self.redis, &step).await;
        if let Err(error) = &shown {
            tracing::debug!(error, "the help desk is not shown an excuse yet");
        }
        shown.is_ok()
    }

    async fn look_at_dead_letters(&self, now: Timestamp) -> Result<(), CrmError> {
        for queue in Queue::ALL {
            let shelf = Shelf::Dead(queue);
            let asked = tokio::try_join!(
                self.redis.letter_count(shelf),
                self.redis.newest_letter(shelf)
            );
            match asked {
                Ok((count, newest)) => {
                    // A notice that cannot be sent would be the cause of the next one.
                    let conversation = newest.as_ref().and_then(|it| it.fields.get("conv"));
                    let is_ours =
                        conversation.is_some_and(|it| self.channels.is_with_colleague(it));
                    let (crm, newest) = (&self.crm, newest.as_ref().filter(|_| !is_ours));
                    if count == 0 || newest.is_some() {
                        crm.tell_of_dead_letters(queue.as_str(), count, newest, now)
                            .await?;
                    }
                }
                Err(error) => tracing::debug!(%error, "dead letters were not counted"),
            }
        }
        Ok(())
    }

    /// A sender whose credentials are refused, a session that is logged out or an egress that is gone:
    /// whatever it is, customers wait.
    async fn look_at_replies(&self, now: Timestamp) -> Result<(), CrmError> {
        let backlog = match self
            .redis
            .backlog(Queue::Outbound, now.as_millisecond())
            .await
        {
            Ok(backlog) => backlog,
            Err(error) => {
                tracing::debug!(%error, "it is not known how long replies wait");
                return Ok(());
            }
        };
        let waited =
            SignedDuration::from_millis(i64::try_from(backlog.oldest_ms).unwrap_or(i64::MAX));
        let since = now.saturating_sub(waited).unwrap_or(now);
        let oldest = backlog.oldest_conversation.unwrap_or_default();
        // `whatsapp:+31…`, `waha:default:31…@c.us`, `chatwoot:1:42`
        let channel = oldest.split(':').next().unwrap_or_default();
        let stalled = (waited > STALLED).then_some((channel, since));
        self.crm.tell_of_stall(stalled, now).await
    }

    async fn deliver(&self) -> Result<(), CrmError> {
        let names: Vec<&'static str> = self.channels.iter().map(|channel| channel.name).collect();
        if names.is_empty() {
            return Ok(());
        }
        let now = Timestamp::now();
        let claimed = self.crm.claim(&names, &self.holder, AT_ONCE, now).await?;
        let delivered = join_all(claimed.iter().map(|claimed| self.bring(claimed))).await;
        delivered.into_iter().collect()
    }

    async fn bring(&self, claimed: &Claimed) -> Result<(), CrmError> {
        let Some(channel) = self.channels.get(&claimed.channel) else {
            return Ok(());
        };
        let outcome = self
            .channels
            .send(channel, &claimed.notice, Timestamp::now())
            .await;
        let now = Timestamp::now();
        let settled = settled(outcome, claimed.tries, now);
        let name = match &settled {
            Settled::Sent => "sent",
            Settled::Later { .. } => "retried",
            Settled::Failed { .. } => "failed",
            Settled::Off => "refused",
        };
        self.metrics.colleagues().notice(channel.name, name);
        if let Settled::Later { error, .. } | Settled::Failed { error } = &settled {
            tracing::warn!(
                channel = channel.name,
                notice = claimed.notice.id,
                error,
                "notice not delivered"
            );
        }
        if self
            .crm
            .settle(claimed, &self.holder, &settled, now)
            .await?
        {
            tracing::error!(
                channel = channel.name,
                "a channel of notices was switched off"
            );
        }
        Ok(())
    }

    async fn count(&self, now: Timestamp) -> Result<(), CrmError> {
        let (waiting, oldest) = self.crm.waiting(now).await?;
        let overdue = oldest.map_or(0, |since| now.duration_since(since).as_secs());
        self.metrics.colleagues().set_waiting(waiting, overdue);
        let off = self.crm.channels_off().await?;
        let is_off = |name: &str| off.iter().any(|(other, _)| other == name);
        let off = self
            .channels
            .iter()
            .filter(|channel| is_off(channel.name))
            .count();
        let on = self.channels.iter().count() - off;
        self.metrics.colleagues().set_channels(on, off);
        Ok(())
    }
}

/// What becomes of a send after a try.
fn settled(outcome: Outcome, tries_before: i64, now: Timestamp) -> Settled {
    let dice = f64::from(now.subsec_nanosecond()) / 1e9;
    match outcome {
        Outcome::Sent => Settled::Sent,
        Outcome::Gone => Settled::Off,
        Outcome::Failed { error, after } => match schedule::pause(tries_before + 1, after, dice) {
            None => Settled::Failed { error },
            Some(pause) => Settled::Later {
                at: now.saturating_add(pause).unwrap_or(Timestamp::MAX),
                error,
            },
        },
    }
}
