//! Messages that somebody else sent from a number of ours. Twilio reports how far a message got also where
//! another program or a person in its console sent it. Our own reports name our id; the message of one that
//! does not, and that egress never noted, is looked up once.
//!
//! Off the hot path, and best effort: what is missed here, the list of what was sent has.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use shared_types::{ConversationId, DeliveryEvent, DeliveryStatus, Source};
use streams::{Destination, Ingested, Redis, StreamsError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::http::Unreadable;
use super::twilio::Twilio;
use crate::author::{Author, author, is_known};
use crate::config::LimitsConfig;
use crate::event::{Reading, Written, colleague_event};
use crate::metrics::IngressMetrics;

/// Reports that wait. More come of a campaign, whose messages the list has.
const MOST_WAITING: usize = 1_000;
/// Messages that this process remembers to have looked up: each is reported two or three times.
const REMEMBERED: usize = 5_000;
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);

/// A message that was reported and is not known to be ours.
#[derive(Debug)]
struct Sign {
    sid: String,
    conversation: ConversationId,
}

/// Where webhooks leave what is to be looked up.
#[derive(Debug, Clone)]
pub(crate) struct Signs(mpsc::Sender<Sign>);

impl Signs {
    /// Notes a report that does not name our id. Says false when too many wait already.
    pub(crate) fn note(&self, report: &DeliveryEvent) -> bool {
        use DeliveryStatus::{Canceled, Failed, Scheduled, Undelivered};
        let is_unsaid = matches!(report.status, Canceled | Failed | Scheduled | Undelivered);
        if report.outbound_id.is_some() || report.source != Source::Twilio || is_unsaid {
            return true;
        }
        let sign = Sign {
            sid: report.provider_id.clone(),
            conversation: report.conversation_id.clone(),
        };
        self.0.try_send(sign).is_ok()
    }
}

/// Looks reported messages up, one at a time.
pub(crate) struct LookUps {
    twilio: Twilio,
    redis: Redis,
    limits: LimitsConfig,
    metrics: IngressMetrics,
    signs: mpsc::Receiver<Sign>,
    seen: Seen,
}

/// What a look-up came to, as metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Colleague,
    Ours,
    Nothing,
    Failed,
}

impl LookUps {
    pub(crate) fn new(
        twilio: Twilio,
        redis: Redis,
        limits: LimitsConfig,
        metrics: IngressMetrics,
    ) -> (Signs, Self) {
        let (noted, signs) = mpsc::channel(MOST_WAITING);
        let look_ups = Self {
            twilio,
            redis,
            limits,
            metrics,
            signs,
            seen: Seen::default(),
        };
        (Signs(noted), look_ups)
    }

    /// Runs until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            while let Some(sign) = self.signs.recv().await {
                if self.seen.is_new(&sign.sid) {
                    self.follow(&sign).await;
                }
            }
        })
        .await;
    }

    /// Follows a sign to its end, however long Redis is away.
    async fn follow(&self, sign: &Sign) {
        let found = loop {
            match self.judge(sign).await {
                Ok(found) => break found,
                Err(error) => {
                    tracing::warn!(%error, "a report about an unknown message waits for Redis")
                }
            }
            tokio::time::sleep(PAUSE).await;
        };
        let outcome = match found {
            Found::Colleague => "colleague",
            Found::Ours => "ours",
            Found::Nothing => "nothing",
            Found::Failed => "failed",
        };
        self.metrics.report_looked_up(outcome);
    }

    async fn judge(&self, sign: &Sign) -> Result<Found, StreamsError> {
        let Sign { sid, conversation } = sign;
        let own = std::slice::from_ref(conversation);
        let event = colleague_event(Source::Twilio, conversation, sid);
        if self
            .redis
            .was_taken_in(conversation.as_str(), &event)
            .await?
        {
            return Ok(Found::Colleague);
        }
        if is_known(&self.redis, Source::Twilio, sid, own).await? {
            return Ok(Found::Ours);
        }
        match self.look_up(sid).await {
            Ok(Reading::Written(written)) => self.attribute(*written).await,
            Ok(_) | Err(Unreadable::Status(404)) => Ok(Found::Nothing),
            Err(error) => {
                tracing::warn!(%error, provider_id = sid,
                    "nobody knows who sent a message from our number");
                Ok(Found::Failed)
            }
        }
    }

    async fn look_up(&self, sid: &str) -> Result<Reading, Unreadable> {
        let mut tries = 0;
        loop {
            let answer = self.twilio.sent(sid).await;
            tries += 1;
            match answer {
                Err(error) if error.passes() && tries < TRIES => {
                    let pause = match error {
                        Unreadable::Limited(pause) => pause,
                        _ => PAUSE,
                    };
                    tokio::time::sleep(pause).await;
                }
                other => return other,
            }
        }
    }

    /// Takes a message in as a colleague's, when it is not ours.
    async fn attribute(&self, written: Written) -> Result<Found, StreamsError> {
        let Author::Colleague {
            conversation,
            on_the_wire,
        } = author(&self.redis, &written).await?
        else {
            return Ok(Found::Ours);
        };
        let event = written.by_colleague(conversation, on_the_wire);
        let Ok(entry) = event.entry(None) else {
            return Ok(Found::Failed);
        };
        let destination = Destination::Work(event.queue());
        let partitions = self.redis.partitions();
        let ingest = self.limits.ingest(destination, &entry, partitions);
        match self.redis.ingest(&ingest).await? {
            Ingested::Queued { .. } => {
                self.metrics.colleague(Source::Twilio, on_the_wire);
                tracing::info!(
                    conversation = entry.conversation,
                    event = entry.event,
                    "somebody else wrote to a customer"
                );
                Ok(Found::Colleague)
            }
            Ingested::Duplicate { .. } => Ok(Found::Colleague),
            // The list has it later.
            Ingested::RateLimited { .. } | Ingested::Busy { .. } | Ingested::Unreplicated => {
                Ok(Found::Failed)
            }
        }
    }
}

/// The newest names, without repetitions.
#[derive(Debug, Default)]
struct Seen {
    names: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    fn is_new(&mut self, name: &str) -> bool {
        if !self.names.insert(name.to_owned()) {
            return false;
        }
        self.order.push_back(name.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        true
    }
}
