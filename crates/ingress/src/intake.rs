//! From a read webhook to the queue: rate limit, dedup, stream, and the spool when Redis is away.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};
use shared_types::Source;
use streams::{Destination, Ingest, Ingested, NewEntry, Redis, StreamsError};
use uuid::Uuid;

use crate::config::LimitsConfig;
use crate::event::{Event, Reading, Rejection};
use crate::metrics::{IngressMetrics, WebhookStatus};
use crate::request::Webhook;
use crate::spool::{Spool, Spooled};

/// Takes webhooks in. One for each thread: it has a connection to Redis of its own.
pub(crate) struct Intake {
    pub(crate) redis: Redis,
    pub(crate) limits: Arc<LimitsConfig>,
    pub(crate) spool: Option<Spool>,
    pub(crate) metrics: IngressMetrics,
}

/// What became of a webhook; each provider has its own way to be told.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Queued, on disk, known already, or none of our business: nothing more to do.
    Done,
    /// It cannot be used; it is kept where an operator finds it.
    Rejected(Rejection),
    /// The client address has used its budget up.
    RateLimited { retry_after: Duration },
    /// It could not be taken in: Redis is away or full, and there is no spool or it is full.
    Unavailable,
}

/// A longer id of a message is no id, and the body's hash names it in the list of rejected webhooks.
const MAX_ID_BYTES: usize = 256;

/// What is kept of a webhook that cannot be used.
#[derive(Serialize)]
struct RejectedWebhook<'a> {
    source: Source,
    rejection: &'a Rejection,
    request_id: &'a str,
    body: std::borrow::Cow<'a, str>,
}

impl Intake {
    /// Takes in what a verified webhook turned out to be.
    pub(crate) async fn take(&self, webhook: &Webhook, source: Source, reading: Reading) -> Taken {
        match reading {
            Reading::Ignored(reason) => {
                self.metrics.ignored(source, reason);
                tracing::debug!(request.id = webhook.id, %source, reason, "webhook ignored");
                Taken::Done
            }
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
            Reading::Rejected(rejection) => self.reject(webhook, source, rejection).await,
        }
    }

    async fn queue(&self, webhook: &Webhook, source: Source, event: &Event) -> Taken {
        let entry = match event.entry(runtime::traces::current_traceparent()) {
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
        let destination = Destination::Work(event.queue());
        let taken = self.store(webhook, source, &entry, destination).await;
        self.log(webhook, source, event, &entry, &taken);
        taken
    }

    async fn reject(&self, webhook: &Webhook, source: Source, rejection: Rejection) -> Taken {
        let kept = RejectedWebhook {
            source,
            rejection: &rejection,
            request_id: &webhook.id,
            body: String::from_utf8_lossy(&webhook.body),
        };
        let id = rejection.event_id.clone();
        let id = id.filter(|id| id.len() <= MAX_ID_BYTES);
        let id = id.unwrap_or_else(|| hex::encode(Sha256::digest(&webhook.body)));
        let event = format!("{source}:rejected:{id}");
        let entry = NewEntry {
            kind: "rejected".into(),
            conversation: event.clone(),
            event,
            payload: serde_json::to_string(&kept).unwrap_or_default(),
            ..NewEntry::default()
        };
        let stored = self
            .store(webhook, source, &entry, Destination::Rejected)
            .await;
        tracing::warn!(
            request.id = webhook.id, %source, code = rejection.code, "webhook rejected: {}", rejection.message
        );
        match stored {
            Taken::Done => {
                self.metrics.rejected(source, rejection.code);
                Taken::Rejected(rejection)
            }
            other => other,
        }
    }

    /// The one round trip. Counts how it ended.
    async fn store(
        &self,
        webhook: &Webhook,
        source: Source,
        entry: &NewEntry,
        destination: Destination,
    ) -> Taken {
        if let Some(spool) = self.spool.as_ref().filter(|spool| !spool.is_empty()) {
            // What waits on disk came first and must stay first.
            return self.spool(spool, source, entry, destination).await;
        }
        let rejected = destination == Destination::Rejected;
        // The caller may have chosen the request's id; one of our own counts it.
        let unique = Uuid::now_v7().simple().to_string();
        let ingest = Ingest {
            destination,
            entry,
            rate: Some((&webhook.client, self.limits.rate())),
            request_id: &unique,
            dedup_for: Duration::from_secs(self.limits.dedup_secs),
            max_backlog: if rejected {
                self.limits.max_rejected_of(self.redis.partitions())
            } else {
                self.limits.max_backlog
            },
            replicas: self.limits.wait_replicas,
            replica_timeout: Duration::from_millis(self.limits.wait_timeout_ms),
        };
        let (taken, status) = match self.ingest(&ingest).await {
            Ok(Ingested::Queued { .. }) if rejected => (Taken::Done, WebhookStatus::Invalid),
            Ok(Ingested::Queued { backlog, .. }) => {
                self.watch_backlog(backlog);
                (Taken::Done, WebhookStatus::Queued)
            }
            Ok(Ingested::Duplicate { .. }) if rejected => (Taken::Done, WebhookStatus::Invalid),
            Ok(Ingested::Duplicate { .. }) => (Taken::Done, WebhookStatus::Duplicate),
            Ok(Ingested::RateLimited { retry_after }) => {
                self.metrics.verified_refused(source, "rate_limited");
                (
                    Taken::RateLimited { retry_after },
                    WebhookStatus::RateLimited,
                )
            }
            Ok(Ingested::Busy { backlog }) => {
                tracing::error!(
                    request.id = webhook.id,
                    backlog,
                    "webhook refused: too much waits already"
                );
                self.metrics.verified_refused(source, "backlog");
                (Taken::Unavailable, WebhookStatus::Error)
            }
            Ok(Ingested::Unreplicated) => {
                tracing::error!(
                    request.id = webhook.id,
                    "webhook refused: too few replicas of Redis have it"
                );
                self.metrics.verified_refused(source, "unreplicated");
                (Taken::Unavailable, WebhookStatus::Error)
            }
            Err(error) => match &self.spool {
                Some(spool) => return self.spool(spool, source, entry, destination).await,
                None => {
                    tracing::error!(request.id = webhook.id, %error, "webhook refused: Redis is away");
                    self.metrics.verified_refused(source, "redis_away");
                    (Taken::Unavailable, WebhookStatus::Error)
                }
            },
        };
        self.metrics.webhook(source, status);
        taken
    }

    /// Tries a second time after a connection that broke while nobody used it, as after a restart
    /// of Redis: most providers would not. If the first try did arrive, dedup knows it.
    async fn ingest(&self, ingest: &Ingest<'_>) -> Result<Ingested, StreamsError> {
        match self.redis.ingest(ingest).await {
            Err(error) if error.connection_broke() => self.redis.ingest(ingest).await,
            first => first,
        }
    }

    async fn spool(
        &self,
        spool: &Spool,
        source: Source,
        entry: &NewEntry,
        destination: Destination,
    ) -> Taken {
        let webhook = Spooled {
            to: destination,
            entry: entry.clone(),
        };
        match spool.store(webhook).await {
            Ok(()) => {
                self.metrics.spooled();
                let status = match destination {
                    Destination::Work(_) => WebhookStatus::Queued,
                    Destination::Rejected => WebhookStatus::Invalid,
                };
                self.metrics.webhook(source, status);
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
            Event::Control { delivery, .. } => delivery,
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
