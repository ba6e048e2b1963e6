//! Builds the service and runs it.

use std::net::TcpListener;
use std::sync::Arc;

use runtime::metrics::Metrics;
use runtime::{
    Readiness, RedisMetrics, RedisNeeds, Status, probe_backlog, probe_redis, serve_health,
};
use streams::{Consumer, Duty, MemberId, PartitionMismatch, Queue, Redis, RedisConfigError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::EgressConfig;
use crate::gate::Gate;
use crate::handler::Outbound;
use crate::indicator::Indicator;
use crate::metrics::EgressMetrics;
use crate::reports::Reports;
use crate::senders::Senders;

/// Why the service could not be built or run.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The Redis settings are wrong.
    #[error(transparent)]
    Redis(#[from] RedisConfigError),
    /// The deployment has another number of partitions.
    #[error(transparent)]
    Partitions(#[from] PartitionMismatch),
    /// The metrics contradict each other.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The HTTP client cannot be built.
    #[error("http client: {0}")]
    Client(#[from] reqwest::Error),
    /// The health page cannot be served.
    #[error("health page: {0}")]
    Health(#[from] std::io::Error),
}

/// The service, ready to run.
pub struct Egress {
    config: EgressConfig,
    member: MemberId,
    redis: Redis,
    redis_metrics: RedisMetrics,
    metrics: Arc<Metrics>,
    handler: Arc<Outbound>,
    readiness: Readiness,
}

impl Egress {
    /// Builds the service. Redis may be away. `host` names this machine in Redis.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn build(config: EgressConfig, host: &str) -> Result<Self, EgressError> {
        let mut metrics = Metrics::new("egress", env!("CARGO_PKG_VERSION"))?;
        let redis_metrics = RedisMetrics::new(&mut metrics)?;
        let counters = EgressMetrics::new(&mut metrics)?;
        let redis = Redis::new(&config.redis)?.with_observer(Arc::new(redis_metrics.clone()));
        let senders = Arc::new(Senders::new(&config)?);
        tracing::info!(port = config.port, senders = ?senders.sources(), "egress starts");
        let handler = Outbound {
            indicator: Indicator {
                senders: senders.clone(),
                on: config.twilio.typing_indicator,
                metrics: counters.clone(),
            },
            gate: Gate::new(redis.clone(), senders, &config, counters.clone()),
            reports: Reports {
                redis: redis.clone(),
                ledger_ttl: config.sending.ledger_ttl(),
                wait: config.sending.settle() / 2,
                window_template: config.twilio.window_template(),
                schedule: config.sending.schedule(),
                metrics: counters,
            },
        };
        Ok(Self {
            member: MemberId::unique(host),
            config,
            redis,
            redis_metrics,
            metrics: Arc::new(metrics),
            handler: Arc::new(handler),
            readiness: Readiness::waiting_for(&["redis"]),
        })
    }

    /// Sends until `stop`, then drains within the grace period.
    ///
    /// # Errors
    /// When the deployment has another number of partitions or the health page cannot be served.
    pub async fn run(
        self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> Result<(), EgressError> {
        let background = TaskTracker::new();
        let (redis, counters) = (self.redis.clone(), self.redis_metrics.clone());
        let ready = self.readiness.clone();
        background.spawn(probe_redis(
            redis.clone(),
            RedisNeeds {
                duties: &[Duty::Consume(Queue::Outbound)],
                away: Status::Down,
                full: Status::Degraded,
            },
            ready,
            counters.clone(),
            stop.clone(),
        ));
        background.spawn(probe_backlog(
            redis.clone(),
            Queue::Outbound,
            counters,
            stop.clone(),
        ));
        background.close();
        let health = serve_health(listener, self.readiness.clone(), self.metrics, stop.clone());
        let consumer = Consumer::new(redis, self.config.consumer(self.member), self.handler);
        let grace = self.config.runtime.shutdown_grace();
        let consume = async {
            let consumed = consumer.run(stop.clone(), grace).await;
            stop.cancel();
            consumed
        };
        let (served, consumed) = tokio::join!(health, consume);
        let report = consumed?;
        if !report.late.is_empty() {
            tracing::warn!(
                partitions = report.late.len(),
                "work did not end in time and stays pending"
            );
        }
        background.wait().await;
        Ok(served?)
    }
}
