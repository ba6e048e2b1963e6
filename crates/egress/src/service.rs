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
use crate::mirror::Mirror;
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
    host: String,
    redis: Redis,
    redis_metrics: RedisMetrics,
    metrics: Arc<Metrics>,
    handler: Arc<Outbound>,
    mirror: Option<Arc<Mirror>>,
    readiness: Readiness,
}

const ITS_QUEUE: &[Queue] = &[Queue::Outbound];
const ITS_DUTY: &[Duty] = &[Duty::Consume(Queue::Outbound)];
/// With the mirror's.
const BOTH_QUEUES: &[Queue] = &[Queue::Outbound, Queue::Mirror];
const BOTH_DUTIES: &[Duty] = &[Duty::Consume(Queue::Outbound), Duty::Consume(Queue::Mirror)];

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
        let mirror = Mirror::new(&config, counters.clone())?.map(Arc::new);
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
                ticks: config.ticks(),
                metrics: counters,
            },
        };
        Ok(Self {
            host: host.to_owned(),
            config,
            redis,
            redis_metrics,
            metrics: Arc::new(metrics),
            handler: Arc::new(handler),
            mirror,
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
        let (queues, duties) = match self.mirror {
            Some(_) => (BOTH_QUEUES, BOTH_DUTIES),
            None => (ITS_QUEUE, ITS_DUTY),
        };
        background.spawn(probe_redis(
            redis.clone(),
            RedisNeeds {
                duties,
                away: Status::Down,
                full: Status::Degraded,
            },
            ready,
            counters.clone(),
            stop.clone(),
        ));
        for queue in queues {
            background.spawn(probe_backlog(
                redis.clone(),
                *queue,
                counters.clone(),
                stop.clone(),
            ));
        }
        background.close();
        let health = serve_health(listener, self.readiness.clone(), self.metrics, stop.clone());
        let member = MemberId::unique(&self.host);
        let consumer = Consumer::new(redis.clone(), self.config.consumer(member), self.handler);
        let grace = self.config.runtime.shutdown_grace();
        let mirror = self.mirror.map(|mirror| {
            let member = MemberId::unique(&self.host);
            Consumer::new(redis, self.config.mirror_consumer(member), mirror)
        });
        let mirror = async {
            match mirror {
                Some(mirror) => {
                    let mirrored = mirror.run(stop.clone(), grace).await;
                    stop.cancel();
                    mirrored.map(Some)
                }
                None => Ok(None),
            }
        };
        let consume = async {
            let consumed = consumer.run(stop.clone(), grace).await;
            stop.cancel();
            consumed
        };
        let (served, consumed, mirrored) = tokio::join!(health, consume, mirror);
        let reports = [Some(consumed?), mirrored?];
        let late: usize = reports
            .iter()
            .flatten()
            .map(|report| report.late.len())
            .sum();
        if late > 0 {
            tracing::warn!(
                partitions = late,
                "work did not end in time and stays pending"
            );
        }
        background.wait().await;
        Ok(served?)
    }
}
