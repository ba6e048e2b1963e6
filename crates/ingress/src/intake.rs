//! From a read webhook to the queue: rate limit, dedup, stream, and the spool when Redis is away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use runtime::traces;
use serde_json::{Value, json};
use shared_types::{ColleagueMessage, DeliveryEvent, Source};
use streams::{Destination, Ingest, Ingested, NewEntry, RateLimit, Redis, Replay, StreamsError};

use crate::again::again;
use crate::author::{Author, author};
use crate::config::LimitsConfig;
use crate::event::{Event, Reading, Rejection, Written};
use crate::metrics::{IngressMetrics, WebhookStatus};
use crate::reconcile::Signs;
use crate::rejected;
use crate::request::Webhook;
use crate::spool::{Spool, Spooled};
use crate::total::{Room, TotalLimit};

/// Takes webhooks in. One for each thread: it has a connection to Redis of its own.
pub(crate) struct Intake {
    pub(crate) redis: Redis,
    pub(crate) limits: Arc<LimitsConfig>,
    pub(crate) total: Arc<TotalLimit>,
    pub(crate) spool: Option<Spool>,
    pub(crate) metrics: IngressMetrics,
    /// Where reports about messages that may be somebody else's are left.
    pub(crate) signs: Option<Signs>,
}

/// What became of a webhook; each provider has its own way to be told.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Queued, on disk, known already, or none of our business: nothing more to do.
    Done,
    /// It cannot be used; it is kept where an operator finds it.
    Rejected(Rejection),
    /// Its conversation, or all together, have used their budget up.
    RateLimited {
        /// The conversation, or `all`.
        whom: String,
        retry_after: Duration,
    },
    /// It could not be taken in: Redis is away or full, and there is no spool or it is full.
    Unavailable,
}

/// Where an event goes, and what it may use up there.
struct Order<'a> {
    entry: &'a NewEntry,
    whose: Whose,
    destination: Destination,
    rate: Option<RateLimit>,
    replay_mark: Option<&'a str>,
}

/// Whose message comes in; each is counted on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Customers,
    Colleagues {
        /// Whether a request of ours had begun.
        on_the_wire: bool,
    },
    /// It is no message.
    Nobodys,
}

impl Intake {
    /// Takes in what a verified webhook turned out to be.
    pub(crate) async fn take(&self, webhook: &Webhook, source: Source, reading: Reading) -> Taken {
        match reading {
            Reading::Ignored(reason) => self.ignore(webhook, source, reason),
            Reading::Session {
                session,
                status,
                working,
                timelocked,
            } => {
                self.metrics.session_changed(working);
                self.metrics.set_timelocked(&session, timelocked);
                if timelocked {
                    tracing::error!(
                        session,
                        "WhatsApp bars the WAHA session from writing to people who did not write first"
                    );
                }
                if working {
                    tracing::info!(session, status, "WAHA session works");
                } else {
                    tracing::warn!(session, status, "WAHA session does not work");
                }
                Taken::Done
            }
            Reading::Event(event) => self.queue(webhook, source, &event).await,
            Reading::Written(written) => self.written(webhook, source, *written).await,
            Reading::Again(message) => self.again(webhook, source, *message).await,
            Reading::Rejected(rejection) => self.reject(webhook, source, rejection).await,
        }
    }

    fn ignore(&self, webhook: &Webhook, source: Source, reason: &'static str) -> Taken {
        self.metrics.ignored(source, reason);
        traces::content("taken", || json!({ "status": "ignored", "reason": reason }));
        tracing::debug!(request.id = webhook.id, %source, reason, "webhook ignored");
        Taken::Done
    }

    /// Takes in what a colleague wrote. While nobody can say who wrote it, the provider repeats it: the
    /// spool must not hold our own messages as a colleague's.
    async fn written(&self, webhook: &Webhook, source: Source, written: Written) -> Taken {
        let first = author(&self.redis, &written).await;
        let author = match first {
            Err(error) if error.connection_broke() => author(&self.redis, &written).await,
            first => first,
        };
        match author {
            Ok(Author::Us(reason)) => self.ignore(webhook, source, reason),
            Ok(Author::Colleague {
                conversation,
                on_the_wire,
            }) => {
                let event = written.by_colleague(conversation, on_the_wire);
                self.queue(webhook, source, &event).await
            }
            Err(error) => {
                tracing::error!(request.id = webhook.id, %error, "nobody knows who wrote a message");
                self.metrics.verified_refused(source, "redis_away");
                self.metrics.webhook(source, WebhookStatus::Error);
                Taken::Unavailable
            }
        }
    }

    /// Takes in that a colleague wants a message sent again. One that is sent, or on its way, is left alone.
    async fn again(&self, webhook: &Webhook, source: Source, message: ColleagueMessage) -> Taken {
        match again(&self.redis, message).await {
            Ok(Some(message)) => {
                let event = Event::Colleague {
                    message: Box::new(message),
                    on_the_wire: false,
                };
                self.queue(webhook, source, &event).await
            }
            Ok(None) => self.ignore(webhook, source, "event"),
            Err(error) => {
                tracing::error!(request.id = webhook.id, %error, "nobody knows whether a message was sent");
                self.metrics.verified_refused(source, "redis_away");
                self.metrics.webhook(source, WebhookStatus::Error);
                Taken::Unavailable
            }
        }
    }

    async fn queue(&self, webhook: &Webhook, source: Source, event: &Event) -> Taken {
        let entry = match event.entry(traces::current_traceparent()) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::error!(request.id = webhook.id, %error, "event cannot be written as JSON");
                self.metrics.webhook(source, WebhookStatus::Error);
                return Taken::Unavailable;
            }
        };
        if let Event::Message(message) = event {
            self.metrics.unread(source, &message.unread);
        }
        let is_message = matches!(event, Event::Message(_));
        let order = Order {
            entry: &entry,
            whose: match event {
                Event::Message(_) => Whose::Customers,
                Event::Colleague { on_the_wire, .. } => Whose::Colleagues {
                    on_the_wire: *on_the_wire,
                },
                Event::Delivery(_) | Event::Control { .. } => Whose::Nobodys,
            },
            destination: Destination::Work(event.queue()),
            rate: is_message.then(|| self.limits.rate()),
            replay_mark: webhook.replay_mark.as_deref().filter(|_| is_message),
        };
        let taken = self.store(webhook, source, order).await;
        if let (Taken::Done, Event::Delivery(report)) = (&taken, event) {
            self.note(report);
        }
        // A conversation beyond its budget has few lines, and those are not ours.
        if !matches!(taken, Taken::RateLimited { .. }) {
            self.log(webhook, source, event, &entry, &taken);
        }
        taken
    }

    /// Notes a message that went out from a number of ours. Says false when too many wait to be looked up.
    pub(crate) fn note(&self, report: &DeliveryEvent) -> bool {
        let noted = self.signs.as_ref().is_none_or(|signs| signs.note(report));
        if !noted {
            self.metrics.report_looked_up("dropped");
        }
        noted
    }

    async fn reject(&self, webhook: &Webhook, source: Source, rejection: Rejection) -> Taken {
        let sender = rejected::sender(source, &webhook.body);
        let rate = sender.is_some().then(|| self.limits.rate());
        let entry = rejected::entry(source, &rejection, &webhook.id, &webhook.body, sender);
        let order = Order {
            entry: &entry,
            whose: Whose::Nobodys,
            destination: Destination::Rejected,
            rate,
            replay_mark: None,
        };
        match self.store(webhook, source, order).await {
            Taken::Done => {
                tracing::warn!(
                    request.id = webhook.id, %source, code = rejection.code,
                    "webhook rejected: {}", rejection.message
                );
                self.metrics.rejected(source, rejection.code);
                Taken::Rejected(rejection)
            }
            other => other,
        }
    }

    /// The one round trip. Counts how it ended.
    async fn store(&self, webhook: &Webhook, source: Source, order: Order<'_>) -> Taken {
        if let Some(refused) = self.within_total(source) {
            return refused;
        }
        if let Some(spool) = self.spool.as_ref().filter(|spool| !spool.is_empty()) {
            // What waits on disk came first and must stay first.
            return self.spool(spool, source, &order).await;
        }
        let known_for = self.limits.replays_known_for();
        let replay = order.replay_mark.filter(|_| !known_for.is_zero());
        let partitions = self.redis.partitions();
        let ingest = Ingest {
            rate: order.rate,
            replay: replay.map(|mark| Replay { mark, known_for }),
            ..self
                .limits
                .ingest(order.destination, order.entry, partitions)
        };
        let ingested = self.ingest(&ingest).await;
        if ingested.is_err()
            && let Some(spool) = &self.spool
        {
            return self.spool(spool, source, &order).await;
        }
        let (taken, status) = self.judge(webhook, source, &order, ingested);
        self.metrics.webhook(source, status);
        note_content(order.entry, status.as_str());
        taken
    }

    /// What the answer of Redis means.
    fn judge(
        &self,
        webhook: &Webhook,
        source: Source,
        order: &Order<'_>,
        ingested: Result<Ingested, StreamsError>,
    ) -> (Taken, WebhookStatus) {
        let rejected = order.destination == Destination::Rejected;
        let refuse = |reason| {
            self.metrics.verified_refused(source, reason);
            (Taken::Unavailable, WebhookStatus::Error)
        };
        match ingested {
            Ok(Ingested::Queued { .. } | Ingested::Duplicate { .. }) if rejected => {
                (Taken::Done, WebhookStatus::Invalid)
            }
            Ok(Ingested::Queued { backlog, .. }) => {
                self.watch_backlog(backlog);
                self.count(source, order.whose);
                (Taken::Done, WebhookStatus::Queued)
            }
            Ok(Ingested::Duplicate { .. }) => (Taken::Done, WebhookStatus::Duplicate),
            Ok(Ingested::RateLimited { retry_after }) => {
                self.metrics.verified_refused(source, "rate_limited");
                let whom = order.entry.conversation.clone();
                let taken = Taken::RateLimited { whom, retry_after };
                (taken, WebhookStatus::RateLimited)
            }
            Ok(Ingested::Busy { backlog }) => {
                tracing::error!(
                    request.id = webhook.id,
                    backlog,
                    "webhook refused: too much waits already"
                );
                refuse("backlog")
            }
            Ok(Ingested::Unreplicated) => {
                tracing::error!(
                    request.id = webhook.id,
                    "webhook refused: too few replicas of Redis have it"
                );
                refuse("unreplicated")
            }
            Err(error) => {
                tracing::error!(request.id = webhook.id, %error, "webhook refused: Redis did not take it");
                refuse("redis_away")
            }
        }
    }

    /// The answer to what is more than the system takes; none where there is room.
    fn within_total(&self, source: Source) -> Option<Taken> {
        let limit = self.limits.total_limit_per_minute;
        match self.total.spend(Instant::now()) {
            Room::Enough => None,
            Room::Scarce(say_so) => {
                self.metrics.total_alarm();
                if say_so {
                    tracing::warn!(
                        limit,
                        "more than half of INGRESS_TOTAL_LIMIT_PER_MINUTE is used up"
                    );
                }
                None
            }
            Room::None(retry_after) => {
                self.metrics.total_alarm();
                self.metrics.verified_refused(source, "total_limit");
                self.metrics.webhook(source, WebhookStatus::RateLimited);
                let whom = "all".to_owned();
                Some(Taken::RateLimited { whom, retry_after })
            }
        }
    }

    /// Tries a second time after a connection that broke while nobody used it, as after a restart
    /// of Redis: most providers would not. If the first try did arrive, dedup knows it.
    async fn ingest(&self, ingest: &Ingest<'_>) -> Result<Ingested, StreamsError> {
        match self.redis.ingest(ingest).await {
            Err(error) if error.connection_broke() => self.redis.ingest(ingest).await,
            first => first,
        }
    }

    async fn spool(&self, spool: &Spool, source: Source, order: &Order<'_>) -> Taken {
        let spooled = Spooled::new(order.entry, order.destination, order.replay_mark);
        match spool.store(spooled).await {
            Ok(()) => {
                self.metrics.spooled();
                self.count(source, order.whose);
                let status = match order.destination {
                    Destination::Work(_) => WebhookStatus::Queued,
                    Destination::Rejected => WebhookStatus::Invalid,
                };
                self.metrics.webhook(source, status);
                note_content(order.entry, "spooled");
                Taken::Done
            }
            Err(error) => {
                tracing::error!(%error, "webhook refused: Redis is away and the spool takes nothing");
                self.metrics.verified_refused(source, "spool");
                self.metrics.webhook(source, WebhookStatus::Error);
                Taken::Unavailable
            }
        }
    }

    fn count(&self, source: Source, whose: Whose) {
        match whose {
            Whose::Customers => self.metrics.message(source, Timestamp::now()),
            Whose::Colleagues { on_the_wire } => self.metrics.colleague(source, on_the_wire),
            Whose::Nobodys => {}
        }
    }

    fn watch_backlog(&self, backlog: u64) {
        let most = u64::from(self.limits.max_backlog);
        if most > 0 && backlog > most / 2 {
            self.metrics.backlog_alarm();
            if backlog.is_multiple_of((most / 100).max(1)) {
                tracing::warn!(
                    backlog,
                    most,
                    "a partition is more than half full: add workers"
                );
            }
        }
    }

    fn log(
        &self,
        webhook: &Webhook,
        source: Source,
        event: &Event,
        entry: &NewEntry,
        taken: &Taken,
    ) {
        let text = match source {
            Source::Twilio => "Twilio webhook received",
            Source::Waha => "WAHA webhook received",
            Source::Chatwoot => "Chatwoot webhook received",
        };
        let message_id = match event {
            Event::Message(message) => message.id.as_str(),
            Event::Delivery(report) => &report.provider_id,
            Event::Control { dedup, .. } => dedup,
            Event::Colleague { message, .. } => message.id.as_str(),
        };
        tracing::info!(
            request.id = webhook.id,
            source = source.as_str(),
            kind = entry.kind,
            message.id = message_id,
            conversation = entry.conversation,
            queued = matches!(taken, Taken::Done),
            "{text}"
        );
    }
}

/// What became of an event, for who looks on.
fn note_content(entry: &NewEntry, status: &str) {
    traces::content("taken", || {
        let payload: Value = serde_json::from_str(&entry.payload).unwrap_or_default();
        json!({ "event": entry.event, "id": payload["id"], "kind": entry.kind, "status": status })
    });
}
