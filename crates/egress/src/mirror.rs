//! Shows conversations of other channels in an inbox of Chatwoot, step by step, in order.
//!
//! ```text
//! step → contact and conversation, once → message, note, state or tick → noted in Redis
//! ```
//!
//! It has a queue of its own: while Chatwoot is down steps wait there, and no customer waits for them. A
//! message whose outcome is unknown is looked for by its `source_id` before it is posted again.

mod api;
mod brake;
mod forgotten;
mod known;
mod steps;
mod text;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runtime::traces::consumer_span;
use shared_types::MirrorStep;
use streams::{DeadLetterReason, Entry, Handler, Job, PartitionKeys, Queue, Reads, Settled};
use tracing::Instrument;

use crate::config::EgressConfig;
use crate::metrics::EgressMetrics;
use api::Api;
use brake::Brake;
use known::{FIELDS, Known};
use steps::{Steps, Stop};

/// For how long it is known where a conversation is mirrored, after its last step.
const KNOWN_FOR: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Handles the mirror's queue.
pub(crate) struct Mirror {
    api: Api,
    brake: Brake,
    /// What is older than this is not shown any more.
    keep: SignedDuration,
    metrics: EgressMetrics,
}

impl Mirror {
    /// None when it is not configured.
    pub(crate) fn new(
        config: &EgressConfig,
        metrics: EgressMetrics,
    ) -> reqwest::Result<Option<Self>> {
        let Some(api) = Api::new(config)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            api,
            brake: Brake::default(),
            keep: config.mirror.keep(),
            metrics,
        }))
    }
}

impl Handler for Mirror {
    type Payload = MirrorStep;

    fn reads(&self, entry: &Entry, _: &MirrorStep, keys: PartitionKeys) -> Reads {
        Reads {
            list: None,
            hashes: vec![(keys.mirror(&entry.conversation), FIELDS)],
        }
    }

    async fn handle(&self, job: Job<MirrorStep>) -> Settled {
        let entry = job.entry.clone();
        let span = consumer_span(Queue::Mirror, &entry.kind, entry.trace.as_deref());
        self.show(job).instrument(span).await
    }
}

impl Mirror {
    async fn show(&self, mut job: Job<MirrorStep>) -> Settled {
        let step: Arc<MirrorStep> = job.payload.clone();
        let known = Known::read(job.values.hashes.first());
        // An earlier start may have posted it.
        let mut steps = Steps::new(&self.api, &step, known, job.attempt > 1);
        let mut failures = 0;
        loop {
            if Timestamp::now().duration_since(step.at) > self.keep {
                self.metrics.mirrored(step.what.name(), "expired");
                return job.acknowledge().await;
            }
            if job.wait_for(self.brake.wait()).await.is_err() {
                return job.leave();
            }
            let trouble = match steps.take(&mut job).await {
                Ok(record) => {
                    self.brake.released();
                    self.metrics.mirrored(step.what.name(), "shown");
                    return job.settle(record).await;
                }
                Err(Stop::Settled(settled)) => return settled,
                Err(Stop::Refused(error)) => {
                    self.brake.released();
                    self.metrics.mirrored(step.what.name(), "refused");
                    tracing::error!(
                        step = step.id,
                        error,
                        "Chatwoot refuses a step of the mirror"
                    );
                    let reason = "mirror_refused";
                    return job
                        .dead_letter(DeadLetterReason { reason, error }, None)
                        .await;
                }
                Err(Stop::Wait(trouble)) => trouble,
            };
            failures += 1;
            self.metrics.mirror_failed(trouble.class);
            let pause = self.brake.failed(&trouble, failures);
            tracing::warn!(
                error = trouble.text,
                class = trouble.class,
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "Chatwoot's mirror waits"
            );
            if job.pause(pause).await.is_err() {
                return job.leave();
            }
        }
    }
}
