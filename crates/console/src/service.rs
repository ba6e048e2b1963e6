//! The service: pages and API on one port, with health and metrics.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, FormConfig, JsonConfig, PathConfig, PayloadConfig, QueryConfig};
use actix_web::{App, HttpServer};
use crm::{Crm, CrmError};
use jiff::tz::TimeZone;
use runtime::metrics::Metrics;
use runtime::{Readiness, Status, health_routes};
use streams::{Redis, RedisConfigError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::access::guard::guard;
use crate::access::password::Password;
use crate::api;
use crate::config::ConsoleConfig;
use crate::desk::Desk;
use crate::metrics::ConsoleMetrics;
use crate::pages;
use crate::services::Services;

/// Why the console cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The settings of Redis are wrong.
    #[error(transparent)]
    Redis(#[from] RedisConfigError),
    /// The CRM's URL is wrong.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The list of templates is wrong.
    #[error("{0}")]
    Templates(String),
    /// A metric cannot be registered, which is a mistake in the code.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The pages cannot be served.
    #[error("pages: {0}")]
    Serve(#[from] std::io::Error),
}

/// What every request needs.
pub(crate) struct State {
    pub(crate) desk: Desk,
    pub(crate) access: Access,
    pub(crate) metrics: ConsoleMetrics,
    pub(crate) zone: TimeZone,
    pub(crate) services: Services,
    /// Pages that are kept fresh.
    pub(crate) listeners: Arc<Semaphore>,
    pub(crate) stop: CancellationToken,
}

/// Pages that are kept fresh at once.
const LISTENERS: usize = 64;
/// The longest form or document.
const MOST_BYTES: usize = 64 * 1024;
const LOOK_EVERY: Duration = Duration::from_secs(2);
const THREADS: usize = 2;

/// The service, ready to run.
pub struct Console {
    config: ConsoleConfig,
    desk: Desk,
    metrics: Arc<Metrics>,
    counters: ConsoleMetrics,
}

impl Console {
    /// Builds the service. Redis and the CRM may be away.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn build(config: ConsoleConfig) -> Result<Self, ConsoleError> {
        let mut metrics = Metrics::new("console", env!("CARGO_PKG_VERSION"))?;
        let counters = ConsoleMetrics::new(&mut metrics)?;
        let desk = Desk {
            crm: Crm::new(&config.crm.crm_database_url)?,
            redis: Redis::new(&config.redis)?,
            country: config.console_country.clone(),
            templates: config.templates.read().map_err(ConsoleError::Templates)?,
        };
        Ok(Self {
            config,
            desk,
            metrics: Arc::new(metrics),
            counters,
        })
    }

    /// Serves until `stop`, then lets open requests end within the grace period.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub async fn run(
        self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> Result<(), ConsoleError> {
        let readiness = Readiness::waiting_for(&["redis", "crm"]);
        let background = TaskTracker::new();
        let config = &self.config;
        let services = Services::at(&config.console_services);
        background.spawn(services.clone().watch(stop.clone()));
        let password = config.console_password_hash.as_ref();
        let password = password.and_then(Password::read);
        let watcher = Watcher {
            desk: self.desk.clone(),
            password: password.as_ref().map(Password::text),
            ready: readiness.clone(),
        };
        background.spawn(watcher.watch(stop.clone()));
        if password.is_none() {
            tracing::warn!("no password: everybody on this machine may use the console");
        }
        if config.console_insecure_cookie {
            tracing::warn!("CONSOLE_INSECURE_COOKIE: sessions go over plain http");
        }
        let state = Data::new(State {
            desk: self.desk,
            access: Access::new(password, config.console_insecure_cookie),
            metrics: self.counters,
            zone: config.zone().unwrap_or(TimeZone::UTC),
            services,
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            stop: stop.clone(),
        });
        let metrics = self.metrics;
        tracing::info!(port = listener.local_addr()?.port(), "console starts");
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .app_data(PayloadConfig::new(MOST_BYTES))
                .app_data(FormConfig::default().limit(MOST_BYTES))
                .app_data(json_config())
                .app_data(QueryConfig::default().error_handler(|error, request| {
                    api::unread(error.into(), request, StatusCode::BAD_REQUEST)
                }))
                .app_data(PathConfig::default().error_handler(|error, request| {
                    api::unread(error.into(), request, StatusCode::NOT_FOUND)
                }))
                .wrap(from_fn(guard))
                .configure(health_routes(&readiness, &metrics))
                .configure(pages::routes)
        })
        .workers(THREADS)
        .disable_signals()
        .shutdown_signal(stop.clone().cancelled_owned())
        .shutdown_timeout(config.runtime.shutdown_grace_secs)
        .listen(listener)?
        .run();
        server.await?;
        stop.cancel();
        background.close();
        background.wait().await;
        Ok(())
    }
}

fn json_config() -> JsonConfig {
    let config = JsonConfig::default().limit(MOST_BYTES);
    config.error_handler(|error, request| {
        let status = api::body_status(&error);
        api::unread(error.into(), request, status)
    })
}

/// Keeps readiness up to date; makes the tables when the CRM is there.
struct Watcher {
    desk: Desk,
    /// What logins are checked by.
    password: Option<String>,
    ready: Readiness,
}

impl Watcher {
    async fn watch(self, stop: CancellationToken) {
        let mut has_tables = false;
        loop {
            if !has_tables {
                has_tables = self.prepare().await.is_ok();
            }
            self.look(has_tables).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Makes the tables, and ends the sessions of an earlier password: nobody could use them, but they would be
    /// listed.
    async fn prepare(&self) -> Result<(), CrmError> {
        let crm = &self.desk.crm;
        crm.migrate().await?;
        if let Some(password) = &self.password {
            let ended = crm.end_sessions_without(password).await?;
            if ended > 0 {
                tracing::info!(ended, "sessions of another password ended");
            }
        }
        Ok(())
    }

    async fn look(&self, has_tables: bool) {
        let Self { desk, ready, .. } = self;
        match desk.crm.ping().await {
            Ok(()) if has_tables => drop(ready.set("crm", Status::Ok)),
            Ok(()) => ready.set_because("crm", Status::Down, "its tables cannot be made"),
            Err(error) => ready.set_because("crm", Status::Down, &error.to_string()),
        }
        // Pages tell of conversations and queues only with it, and all else without.
        match desk.redis.stored_layout().await {
            Ok(Some(stored)) if stored != desk.redis.partitions().to_string() => {
                let wrong = format!("it holds {stored} partitions: set REDIS_PARTITIONS={stored}");
                ready.set_because("redis", Status::Down, &wrong);
            }
            Ok(_) => drop(ready.set("redis", Status::Ok)),
            Err(error) => ready.set_because("redis", Status::Degraded, &error.to_string()),
        }
    }
}
