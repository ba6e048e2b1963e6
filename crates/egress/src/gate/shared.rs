//! What the hand-overs of this process share.

use std::time::Duration;

use jiff::Timestamp;
use shared_types::{OutboundMessage, Template};
use streams::Redis;

use super::admission::{Admission, Seen, admit};
use super::health::SenderHealth;
use super::pacer::Pacer;
use super::recent::Recent;
use super::step::{Stop, set_aside};
use crate::config::{EgressConfig, SendingConfig};
use crate::metrics::EgressMetrics;

/// A sender may have one in this many of the process's requests in progress.
const SENDERS_SHARE: usize = 4;

/// What is known and counted across messages.
pub(super) struct Shared {
    pub(super) redis: Redis,
    pub(super) settings: SendingConfig,
    window_template: Option<Template>,
    pub(super) pacer: Pacer,
    pub(super) health: SenderHealth,
    pub(super) recent: Recent,
    pub(super) metrics: EgressMetrics,
}

impl Shared {
    pub(super) fn new(redis: Redis, config: &EgressConfig, metrics: EgressMetrics) -> Self {
        let settings = config.sending.clone();
        let ms = Duration::from_millis;
        let (jitter, warning) = (ms(settings.pace_jitter_ms), ms(settings.pace_warning_ms));
        Self {
            pacer: Pacer::new(
                redis.clone(),
                settings.in_flight.get().div_ceil(SENDERS_SHARE),
                jitter,
                warning,
                metrics.clone(),
            ),
            health: SenderHealth::new(ms(settings.probe_ms), metrics.clone()),
            recent: Recent::default(),
            window_template: config.twilio.window_template(),
            redis,
            settings,
            metrics,
        }
    }

    /// What may be done with a message, by how things stand.
    pub(super) fn judge(
        &self,
        message: &OutboundMessage,
        seen: &Seen,
        now: Timestamp,
    ) -> Result<Admission, Stop> {
        let template = self.window_template.as_ref();
        let admission = admit(message, &seen.into(), template, now);
        if let Admission::Refuse(reason) = admission {
            self.metrics.refused(message.source, reason);
            let why = set_aside(reason, "the message may not be sent");
            return Err(Stop::SetAside(why));
        }
        Ok(admission)
    }
}
