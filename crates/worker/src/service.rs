//! Builds the service and runs it.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use crm::{Crm, CrmError, DomainNames};
use jiff::Timestamp;
use runtime::metrics::Metrics;
use runtime::{
    Readiness, RedisMetrics, RedisNeeds, Status, probe_backlog, probe_redis, serve_health,
};
use streams::{
    Consumer, DrainReport, Duty, MemberId, PartitionMismatch, Queue, Redis, RedisConfigError,
};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agents::{Agents, Parts};
use crate::burst::Bursts;
use crate::config::WorkerConfig;
use crate::domain::{Domain, DomainError};
use crate::effects::Retention;
use crate::handler::Inbound;
use crate::identity::Identities;
use crate::llm::Model;
use crate::media::{Cards, Transcriber};
use crate::metrics::WorkerMetrics;
use crate::names;
use crate::notices::{Channels, Courier};
use crate::outbox::Outbox;
use crate::register::Register;
use crate::stock::{Keeper, Shelf};
use crate::turns::Turns;
use crate::understanding::Understander;

/// Why the service could not be built or run.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The domain file is wrong.
    #[error("WORKER_DOMAIN_FILE: {0}")]
    Domain(#[from] DomainError),
    /// The Redis settings are wrong.
    #[error(transparent)]
    Redis(#[from] RedisConfigError),
    /// The CRM's URL is wrong.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The deployment has another number of partitions.
    #[error(transparent)]
    Partitions(#[from] PartitionMismatch),
    /// The settings of notices are wrong.
    #[error("notices: {0}")]
    Notices(String),
    /// The settings of the stock are wrong.
    #[error("{0}")]
    Stock(String),
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
pub struct Worker {
    config: WorkerConfig,
    host: String,
    redis: Redis,
    redis_metrics: RedisMetrics,
    metrics: Arc<Metrics>,
    counters: WorkerMetrics,
    crm: Crm,
    names: DomainNames,
    model: Option<Arc<Model>>,
    inbound: Arc<Inbound>,
    channels: Arc<Channels>,
    keeper: Option<Keeper>,
    readiness: Readiness,
}

impl Worker {
    /// Builds the service. Redis, the CRM and the model may be away. `host` names this machine in
    /// Redis.
    ///
    /// # Errors
    /// When a setting or the domain file is wrong.
    pub fn build(config: WorkerConfig, host: &str) -> Result<Self, WorkerError> {
        let mut metrics = Metrics::new("worker", env!("CARGO_PKG_VERSION"))?;
        let redis_metrics = RedisMetrics::new(&mut metrics)?;
        let counters = WorkerMetrics::new(&mut metrics)?;
        let redis = Redis::new(&config.redis)?.with_observer(Arc::new(redis_metrics.clone()));
        let mut domain = config.domain.load()?;
        let crm = Crm::counted(&config.crm.crm_database_url, counters.crm())?;
        let model = Model::new(&config.model, counters.clone())?.map(Arc::new);
        let channels = Channels::new(&config.notices, &domain, &redis);
        let channels = channels.map_err(|wrong| WorkerError::Notices(wrong.join("; ")))?;
        let (names, understander) = (names::of(&domain), Arc::new(Understander::new(&domain)));
        let bursts = Bursts::new(&domain, &config.turns.answer_each);
        // Who looks on is told which patterns spoke for an intent.
        if !config.runtime.trace_content {
            domain.forget_words();
        }
        let domain = Arc::new(domain);
        let readiness = announce(&config, &domain, model.is_some());
        let shelf = Shelf::default();
        let keeper = Keeper::new(
            crm.clone(),
            redis.clone(),
            domain.clone(),
            &config.stock,
            shelf.clone(),
            counters.clone(),
            MemberId::unique(host).as_str().to_owned(),
        );
        let keeper = keeper.map_err(WorkerError::Stock)?;
        let register = Register::new(&config.register, domain.register.as_ref(), counters.clone())?;
        let parts = Parts {
            domain: domain.clone(),
            understander: understander.clone(),
            model: model.clone(),
            crm: Some(crm.clone()),
            register: register.map(Arc::new),
            stock: shelf.clone(),
            metrics: counters.clone(),
        };
        let turns = Turns {
            agents: Agents::new(&parts),
            domain,
            understander,
            transcriber: Transcriber::new(&config.media)?,
            cards: Some(Cards::new(&config.media)?),
            budget: config.turns.budget(),
            shelf: parts.stock.clone(),
            colleagues: config.notices.notice_whatsapp_to.clone(),
            metrics: counters.clone(),
        };
        let inbound = Inbound {
            turns,
            identities: Identities {
                redis: redis.clone(),
                history_lines: config.turns.history_lines,
            },
            redis: redis.clone(),
            slow_after: config.turns.slow_after(),
            retention: Retention {
                history_lines: config.turns.history_lines,
                memory: config.turns.memory(),
                turn: config.turns.turn_kept(),
            },
            bursts,
            mirrors: config.turns.chatwoot_mirror_inbox_id.is_some(),
            metrics: counters.clone(),
        };
        Ok(Self {
            config,
            host: host.to_owned(),
            redis,
            redis_metrics,
            metrics: Arc::new(metrics),
            counters,
            crm,
            names,
            model,
            inbound: Arc::new(inbound),
            channels: Arc::new(channels),
            keeper,
            readiness,
        })
    }

    /// Takes turns until `stop`, then drains within the grace period.
    ///
    /// # Errors
    /// When the deployment has another number of partitions or the health page cannot be served.
    pub async fn run(
        mut self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> Result<(), WorkerError> {
        let background = TaskTracker::new();
        let filled = self.keeper.take().map(|keeper| {
            let (first, filled) = oneshot::channel();
            background.spawn(keeper.run(stop.clone(), first));
            filled
        });
        self.start_probes(&background, &stop);
        let health = serve_health(
            listener,
            self.readiness.clone(),
            self.metrics.clone(),
            stop.clone(),
        );
        let grace = self.config.runtime.shutdown_grace();
        let outbox = Arc::new(Outbox {
            crm: self.crm.clone(),
            metrics: self.counters.clone(),
        });
        let crm_member = MemberId::unique(&self.host);
        let crm_queue = Consumer::new(
            self.redis.clone(),
            self.config.crm_consumer(crm_member),
            outbox,
        );
        let member = MemberId::unique(&self.host);
        let inbound = Consumer::new(
            self.redis.clone(),
            self.config.consumer(member),
            self.inbound,
        );
        let consume = async {
            if let Some(filled) = filled {
                // The first customer is answered from the stock, too, unless it takes long to come.
                if timeout(FIRST_STOCK, filled).await.is_err() {
                    tracing::warn!("the stock is not there yet; customers are answered without it");
                }
            }
            let consumed = tokio::join!(
                stop_with(&stop, inbound.run(stop.clone(), grace)),
                stop_with(&stop, crm_queue.run(stop.clone(), grace)),
            );
            Ok::<_, PartitionMismatch>([consumed.0?, consumed.1?])
        };
        let (served, consumed) = tokio::join!(health, consume);
        let late: usize = consumed?.iter().map(|report| report.late.len()).sum();
        if late > 0 {
            tracing::warn!(
                partitions = late,
                "work did not end in time and stays pending"
            );
        }
        background.wait().await;
        Ok(served?)
    }

    fn start_probes(&self, background: &TaskTracker, stop: &CancellationToken) {
        let (redis, counters) = (self.redis.clone(), self.redis_metrics.clone());
        let ready = self.readiness.clone();
        background.spawn(probe_redis(
            redis,
            RedisNeeds {
                duties: &[Duty::Consume(Queue::Inbound), Duty::Consume(Queue::Crm)],
                away: Status::Down,
                full: Status::Degraded,
            },
            ready,
            counters,
            stop.clone(),
        ));
        for queue in [Queue::Inbound, Queue::Crm] {
            let (redis, counters) = (self.redis.clone(), self.redis_metrics.clone());
            background.spawn(probe_backlog(redis, queue, counters, stop.clone()));
        }
        let (crm, ready) = (self.crm.clone(), self.readiness.clone());
        let counters = self.counters.clone();
        background.spawn(watch_crm(
            (crm, self.names.clone()),
            ready,
            counters,
            stop.clone(),
        ));
        let courier = Courier {
            crm: self.crm.clone(),
            redis: self.redis.clone(),
            channels: self.channels.clone(),
            domain: self.inbound.turns.domain.clone(),
            metrics: self.counters.clone(),
            mirrors: self.inbound.mirrors,
            holder: MemberId::unique(&self.host).as_str().to_owned(),
        };
        background.spawn(courier.run(stop.clone()));
        if let Some(model) = self.model.clone() {
            let domain = self.inbound.turns.domain.clone();
            let stop = stop.clone();
            background
                .spawn(async move { stop.run_until_cancelled(try_out(&model, &domain)).await });
        }
        background.close();
    }
}

/// Says whose business it is, and gives what readiness knows of that.
fn announce(config: &WorkerConfig, domain: &Domain, model: bool) -> Readiness {
    tracing::info!(
        port = config.port,
        business = domain.business.name,
        model,
        "worker starts"
    );
    let readiness = Readiness::waiting_for(&["redis"]);
    if domain.is_example() {
        tracing::warn!(business = domain.business.name, "{AN_EXAMPLE}");
        if config.has_real_customers() {
            readiness.set_because("business", Status::Degraded, AN_EXAMPLE);
        }
    }
    readiness
}

/// What an operator must hear before a customer does.
pub(crate) const AN_EXAMPLE: &str = "customers are answered as the invented business of an example; \
     describe yours and name it with WORKER_DOMAIN_FILE";

/// One consumer that ends takes the other one along.
async fn stop_with(
    stop: &CancellationToken,
    consumer: impl Future<Output = Result<DrainReport, PartitionMismatch>>,
) -> Result<DrainReport, PartitionMismatch> {
    let ended = consumer.await;
    stop.cancel();
    ended
}

/// How long the model may take for the first question, which is no customer's.
pub(crate) const FIRST_QUESTION: Duration = Duration::from_secs(20);

async fn try_out(model: &Model, domain: &Domain) {
    match model.try_out(domain, FIRST_QUESTION).await {
        Ok(asked_for) => tracing::info!("the model answers; asked for: {asked_for}"),
        Err(error) => tracing::error!(error, "the model cannot be used; the rules answer"),
    }
}

/// How long messages wait at start for the stock.
const FIRST_STOCK: Duration = Duration::from_secs(3);

const CRM_EVERY: Duration = Duration::from_secs(5);

/// Makes the CRM's tables as soon as it answers, notes what the domain has for those who label, and tells whether
/// it takes writes. Replies do not need it.
async fn watch_crm(
    (crm, names): (Crm, DomainNames),
    ready: Readiness,
    counters: WorkerMetrics,
    stop: CancellationToken,
) {
    let (mut migrated, mut told) = (false, false);
    let mut trouble = None;
    loop {
        let made = if migrated {
            Ok(())
        } else {
            crm.migrate().await
        };
        migrated |= made.is_ok();
        if migrated && !told {
            told = crm.tell_domain(&names, Timestamp::now()).await.is_ok();
        }
        let answer = match made {
            Ok(()) => crm.check_writable().await,
            Err(error) => Err(error),
        };
        counters.crm().set_up(answer.is_ok());
        let why = answer.err().map(|error| error.to_string());
        if trouble.as_ref() != Some(&why) {
            match &why {
                None => tracing::info!("the CRM takes writes"),
                Some(error) => tracing::error!(error, "the CRM takes no writes; they are kept"),
            }
        }
        match &why {
            None => drop(ready.set("crm", Status::Ok)),
            Some(error) => ready.set_because("crm", Status::Degraded, error),
        }
        trouble = Some(why);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(CRM_EVERY) => {}
        }
    }
}

impl crate::config::DomainConfig {
    /// The domain that is configured.
    ///
    /// # Errors
    /// Everything that is wrong with it, with file and line.
    pub fn load(&self) -> Result<Domain, DomainError> {
        self.domain_file
            .as_deref()
            .map_or_else(Domain::embedded, Domain::load)
    }
}
