//! Builds the service and runs it.

use std::net::TcpListener;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::{ConnectionType, KeepAlive};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use prometheus::Error as MetricsError;
use runtime::metrics::Metrics;
use runtime::{
    Readiness, RedisMetrics, RedisNeeds, Status, health_routes, live_route, probe_backlog,
    probe_redis, serve_health,
};
use streams::{Duty, PartitionMismatch, Queue, Redis, RedisConfigError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{IngressConfig, LimitsConfig};
use crate::intake::Intake;
use crate::metrics::IngressMetrics;
use crate::reconcile::{
    LookUps, Providers, ProvidersError, Reconciler, Signs, twilio_api, without_inboxes,
};
use crate::routes::{
    Endpoint, Shared, chatwoot, hexon, method_not_allowed, not_found, twilio, waha,
};
use crate::spool::{Spool, SpoolOpenError, drain};
use crate::strangers::{Bounds, Connection, Strangers};
use crate::total::TotalLimit;
use crate::{openapi, reply, unread_body};

const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// For a peer to close after its last answer.
const DISCONNECT_PATIENCE: Duration = Duration::from_secs(1);
const MAX_CONNECTIONS_A_THREAD: usize = 5_000;
/// For Redis, the spool, the log, and the pages for operators.
const OTHER_FILES: usize = 128;
/// The connection, a second handle that can close it, and as much again for genuine ones.
const FILES_PER_STRANGER: usize = 3;
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);
const PAUSE_BETWEEN_CLAIMS: Duration = Duration::from_secs(1);

/// Why the service could not be built or run.
#[derive(Debug, thiserror::Error)]
pub enum IngressError {
    /// The Redis settings are wrong.
    #[error(transparent)]
    Redis(#[from] RedisConfigError),
    /// The spool cannot be opened.
    #[error(transparent)]
    Spool(#[from] SpoolOpenError),
    /// A provider's API cannot be asked.
    #[error(transparent)]
    Providers(#[from] ProvidersError),
    /// The deployment has another number of partitions.
    #[error(transparent)]
    Partitions(#[from] PartitionMismatch),
    /// The metrics contradict each other.
    #[error("metrics: {0}")]
    Metrics(#[from] MetricsError),
    /// The API description cannot be written.
    #[error("api description: {0}")]
    OpenApi(#[from] serde_json::Error),
    /// The listener failed.
    #[error("http server: {0}")]
    Server(#[from] std::io::Error),
}

/// The service, ready to run.
pub struct Ingress {
    config: Arc<IngressConfig>,
    redis: Redis,
    redis_metrics: RedisMetrics,
    metrics: Arc<Metrics>,
    counters: IngressMetrics,
    spool: Option<Spool>,
    /// Whose lists are compared with what came, where any are.
    providers: Option<Providers>,
    /// Where reports about messages that may be somebody else's are left, and who looks these up.
    look_ups: Option<(Signs, LookUps)>,
    readiness: Readiness,
    document: String,
}

impl Ingress {
    /// Builds the service. Redis may be away.
    ///
    /// # Errors
    /// When a setting is wrong or the spool cannot be opened.
    pub fn build(config: IngressConfig) -> Result<Self, IngressError> {
        let mut metrics = Metrics::new("ingress", env!("CARGO_PKG_VERSION"))?;
        let redis_metrics = RedisMetrics::new(&mut metrics)?;
        let counters = IngressMetrics::new(&mut metrics)?;
        counters.set_observe_only(config.limits.observe_only);
        let spool = config.spool.spool_dir.as_deref();
        let spool = spool.map(|folder| Spool::open(folder, config.spool.spool_max_entries));
        let redis = Redis::new(&config.redis)?.with_observer(Arc::new(redis_metrics.clone()));
        let look_ups = twilio_api(&config)?.map(|twilio| {
            let limits = config.limits.clone();
            LookUps::new(twilio, redis.clone(), limits, counters.clone())
        });
        Ok(Self {
            redis,
            look_ups,
            redis_metrics,
            metrics: Arc::new(metrics),
            counters,
            spool: spool.transpose()?,
            providers: providers(&config)?,
            readiness: Readiness::waiting_for(&["redis"]),
            document: openapi::document()?,
            config: Arc::new(config),
        })
    }

    /// Serves until `stop`, then lets requests in progress end within the grace period. Readiness
    /// and metrics are on `health`, where there is one.
    ///
    /// # Errors
    /// When a listener fails or the deployment has another number of partitions.
    pub async fn run(
        mut self,
        listener: TcpListener,
        health: Option<TcpListener>,
        stop: CancellationToken,
    ) -> Result<(), IngressError> {
        self.announce();
        let background = self.background(&stop);
        let signs = self.look_ups.take().map(|(signs, look_ups)| {
            background.spawn(look_ups.run(stop.clone()));
            signs
        });
        background.close();
        let redis = self.redis.clone();
        let grace = self.config.runtime.shutdown_grace();
        let pages = health.map(|health| {
            let (readiness, metrics) = (self.readiness.clone(), self.metrics.clone());
            serve_health(health, readiness, metrics, stop.clone())
        });
        let server = self.server(listener, pages.is_none(), signs, stop.clone())?;
        let pages = async {
            match pages {
                Some(pages) => pages.await,
                None => std::future::pending().await,
            }
        };
        let served = tokio::select! {
            served = server => served.map_err(IngressError::from),
            Err(failed) = pages => Err(failed.into()),
            Err(mismatch) = claim_layout(&redis, &stop) => Err(mismatch.into()),
        };
        stop.cancel();
        if tokio::time::timeout(grace, background.wait())
            .await
            .is_err()
        {
            tracing::warn!("background tasks did not end in time");
        }
        served
    }

    /// What runs beside the server.
    fn background(&mut self, stop: &CancellationToken) -> TaskTracker {
        let background = TaskTracker::new();
        let ready = self.readiness.clone();
        let probes = self.redis_metrics.clone();
        let away = if self.spool.is_some() {
            Status::Degraded
        } else {
            Status::Down
        };
        background.spawn(probe_redis(
            self.redis.clone(),
            RedisNeeds {
                duties: &[Duty::TakeIn],
                away,
                full: away,
            },
            ready,
            probes.clone(),
            stop.clone(),
        ));
        // Where nothing is mirrored nobody works on its queue.
        let mirrors = self.config.mirror.chatwoot_mirror_inbox_id.is_some();
        let queues = Queue::ALL.into_iter();
        for queue in queues.filter(|queue| mirrors || *queue != Queue::Mirror) {
            background.spawn(probe_backlog(
                self.redis.clone(),
                queue,
                probes.clone(),
                stop.clone(),
            ));
        }
        if let Some(spool) = self.spool.clone() {
            let limits = self.config.limits.clone();
            let (ready, counters) = (self.readiness.clone(), self.counters.clone());
            background.spawn(drain(
                spool,
                self.redis.clone(),
                limits,
                ready,
                counters,
                stop.clone(),
            ));
        }
        if let Some((providers, interval)) =
            self.providers.take().zip(self.config.reconcile.interval())
        {
            let reconciler = Reconciler {
                providers,
                redis: self.redis.clone(),
                limits: self.config.limits.clone(),
                config: self.config.reconcile.clone(),
                metrics: self.counters.clone(),
                spool: self.spool.clone(),
            };
            background.spawn(reconciler.run(interval, stop.clone()));
        }
        let limits = self.config.limits.clone();
        background.spawn(forget_rejected(self.redis.clone(), limits, stop.clone()));
        background
    }

    fn announce(&self) {
        let config = &self.config;
        tracing::info!(
            port = config.port,
            twilio = config.takes_twilio(),
            waha = config.takes_waha(),
            chatwoot = config.takes_chatwoot(),
            spool = self.spool.is_some(),
            open_files = runtime::file_limit(),
            unverified_connections = self.bounds().all,
            "ingress starts"
        );
        if config.limits.observe_only {
            self.readiness.set("observe_only", Status::Degraded);
            tracing::warn!(
                "OBSERVE MODE: signatures are checked but nothing is refused. Anybody can send \
                 messages in. Unset INGRESS_OBSERVE_ONLY as soon as the counts are right"
            );
        }
    }

    /// How many unverified connections there may be, within the files that may be open.
    fn bounds(&self) -> Bounds {
        let config = &self.config.strangers;
        let fit = strangers_within_the_files();
        let size = |bound: NonZeroU32| usize::try_from(bound.get()).unwrap_or(usize::MAX);
        Bounds {
            all: size(config.unverified_connections).min(fit),
            per_address: size(config.unverified_connections_per_address),
            proxies: if config.behind_proxy() {
                config.trusted_proxies.clone()
            } else {
                Vec::new()
            },
        }
    }

    fn server(
        self,
        listener: TcpListener,
        with_health: bool,
        signs: Option<Signs>,
        stop: CancellationToken,
    ) -> std::io::Result<actix_web::dev::Server> {
        let strangers = Strangers::new(self.bounds(), self.counters.clone());
        let shared = Arc::new(Shared::new(&self.config));
        let limits = Arc::new(self.config.limits.clone());
        let total = TotalLimit::new(limits.total_limit_per_minute, Instant::now());
        let total = Arc::new(total);
        let threads = limits
            .threads
            .map_or_else(available_threads, |threads| usize::from(threads.get()));
        let grace = self.config.runtime.shutdown_grace_secs;
        let patience = self.config.strangers.request_patience();
        let server = HttpServer::new(move || {
            let endpoint = Endpoint {
                config: self.config.clone(),
                base_url: self.config.base_url().unwrap_or_default(),
                twilio_keys: self.config.twilio.keys(),
                shared: shared.clone(),
                intake: Intake {
                    redis: self.redis.on_own_connection(),
                    limits: limits.clone(),
                    total: total.clone(),
                    spool: self.spool.clone(),
                    metrics: self.counters.clone(),
                    signs: signs.clone(),
                },
            };
            App::new()
                .wrap(reply::security_headers())
                .wrap_fn(|mut request, service| {
                    let held = unread_body::hold(&mut request);
                    let answer = service.call(request);
                    async move {
                        let answer = unread_body::release_after(answer.await?, held);
                        Ok(close_to_strangers(answer))
                    }
                })
                .app_data(Data::new(endpoint))
                .configure(|app| webhooks(app, &self.config))
                .configure(|app| {
                    if with_health {
                        app.configure(health_routes(&self.readiness, &self.metrics));
                    } else {
                        app.configure(live_route);
                    }
                })
                .configure(|app| description(app, self.document.clone()))
                .default_service(web::to(not_found))
        });
        // Accepted connections take files before anybody can judge them: what is beyond waits in
        // the listener's queue.
        let connections = 2 * strangers_within_the_files() / threads;
        Ok(server
            .workers(threads)
            .on_connect(move |connection, data| {
                if let Some(connection) = strangers.admit(connection) {
                    data.insert(connection);
                }
            })
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
            .client_request_timeout(patience)
            .client_disconnect_timeout(DISCONNECT_PATIENCE)
            .max_connections(connections.clamp(1, MAX_CONNECTIONS_A_THREAD))
            .disable_signals()
            .shutdown_signal(stop.cancelled_owned())
            .shutdown_timeout(grace)
            .listen(listener)?
            .run())
    }
}

/// The providers whose lists are compared; none where nobody asked for it.
fn providers(config: &IngressConfig) -> Result<Option<Providers>, ProvidersError> {
    if config.reconcile.interval().is_none() {
        return Ok(None);
    }
    if let Some(warning) = without_inboxes(config) {
        tracing::warn!("{warning}");
    }
    let providers = Providers::new(config)?;
    Ok(Some(providers).filter(|providers| !providers.is_empty()))
}

/// As many unverified connections as leave files for as many genuine ones and for the rest.
fn strangers_within_the_files() -> usize {
    let files = usize::try_from(runtime::file_limit()).unwrap_or(usize::MAX);
    files.saturating_sub(OTHER_FILES) / FILES_PER_STRANGER
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// A connection on which nothing was verified ends with its answer.
fn close_to_strangers(mut answer: ServiceResponse) -> ServiceResponse {
    let connection = answer.request().conn_data::<Connection>();
    if connection.is_some_and(|connection| !connection.is_verified()) {
        let head = answer.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    answer
}

/// The endpoints of the providers that are configured; the others do not exist.
fn webhooks(app: &mut ServiceConfig, config: &IngressConfig) {
    let resource = |path: &str| web::resource(path).default_service(web::to(method_not_allowed));
    if config.takes_twilio() {
        app.service(resource("/webhooks/twilio/whatsapp").route(web::post().to(twilio::whatsapp)));
        app.service(resource("/webhooks/twilio/status").route(web::post().to(twilio::status)));
        app.service(resource("/webhooks/twilio/events").route(web::post().to(twilio::events)));
    }
    if config.takes_waha() {
        app.service(resource("/webhooks/waha").route(web::post().to(waha::event)));
    }
    if !config.chatwoot.chatwoot_webhook_secret.is_empty() {
        app.service(resource("/webhooks/chatwoot").route(web::post().to(chatwoot::signed)));
    }
    if config.chatwoot.chatwoot_path_token.is_some() {
        let by_token = web::post().to(chatwoot::by_path_token);
        app.service(resource("/webhooks/chatwoot/{token}").route(by_token));
    }
    if config.hexon_login.is_some() {
        app.service(resource("/webhooks/hexon").route(web::post().to(hexon::push)));
    }
}

fn description(app: &mut ServiceConfig, document: String) {
    let page = move || {
        let document = document.clone();
        async move { document_page(document) }
    };
    app.route("/openapi.json", web::get().to(page));
}

fn document_page(document: String) -> HttpResponse {
    reply::build(actix_web::http::StatusCode::OK, "openapi")
        .content_type("application/json")
        .body(document)
}

/// Waits for Redis and compares the number of partitions. Completes only with a mismatch.
async fn claim_layout(redis: &Redis, stop: &CancellationToken) -> Result<(), PartitionMismatch> {
    loop {
        if let Ok(claimed) = redis.claim_layout().await {
            claimed?;
            stop.cancelled().await;
            return Ok(());
        }
        tokio::time::sleep(PAUSE_BETWEEN_CLAIMS).await;
    }
}

/// Removes rejected webhooks that are too old, until `stop`.
async fn forget_rejected(redis: Redis, limits: LimitsConfig, stop: CancellationToken) {
    loop {
        let age = jiff::SignedDuration::try_from(limits.rejected_for());
        let before = age.map(|age| jiff::Timestamp::now() - age);
        let forgotten = match before {
            Ok(before) => redis.forget_rejected(before.as_millisecond()).await,
            Err(_) => Ok(0),
        };
        let next = match forgotten {
            Ok(_) => FORGET_EVERY,
            Err(_) => PAUSE_BETWEEN_CLAIMS,
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(next) => {}
        }
    }
}
