use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use streams::{Letter, Queue, Redis, Shelf};
use tempfile::TempDir;
use test_support::eventually_within;

use crate::webhook::Webhooks;
use crate::{RedisShape, Role, Service, Settings, SimulatorClient};

/// Redis, simulator, ingress, workers, egress and console, each a process of its own; all of them end with
/// this value. The console is started by who wants it.
#[derive(Debug)]
pub struct System {
    /// Redis.
    pub redis: RedisShape,
    settings: Settings,
    services: BTreeMap<Role, Vec<Service>>,
    http: reqwest::Client,
    folder: TempDir,
}

/// How a system is started.
#[derive(Debug)]
pub struct SystemBuilder {
    settings: Settings,
    redis: Option<RedisShape>,
}

impl SystemBuilder {
    /// A system with these settings over one Redis with `appendfsync always`.
    pub const fn new(settings: Settings) -> Self {
        Self {
            settings,
            redis: None,
        }
    }

    /// Over this Redis instead.
    #[must_use]
    pub fn redis(mut self, redis: RedisShape) -> Self {
        self.redis = Some(redis);
        self
    }

    /// Everything is prepared and nothing started but Redis.
    pub fn prepare(self) -> System {
        runtime::install_tls();
        let folder = tempfile::Builder::new().prefix("e2e-").tempdir();
        let folder = folder.expect("a folder");
        let redis = self.redis.unwrap_or_else(|| RedisShape::single("always"));
        let settings = self.settings;
        let log = |name: String| -> PathBuf { folder.path().join(name + ".log") };
        let service = |role: Role, number: usize, environment| {
            let name = format!("{}-{number}", role.as_str());
            Service::new(role, settings.program(role), environment, log(name))
        };
        let at = redis.settings();
        let mut simulator = service(Role::Simulator, 1, settings.simulator());
        let mut ingress = service(Role::Ingress, 1, settings.ingress(&at, folder.path()));
        ingress.set([("PUBLIC_BASE_URL".to_owned(), ingress.url())]);
        ingress.set([("TWILIO_API_BASE_URL".to_owned(), simulator.url())]);
        simulator.set([("SIMULATOR_INGRESS_URL".to_owned(), ingress.url())]);
        let worker = |n| service(Role::Worker, n, settings.worker(&at, folder.path()));
        let workers = (1..=settings.workers).map(worker).collect();
        let egress = |n| service(Role::Egress, n, settings.egress(&at, &simulator, &ingress));
        let egresses = (1..=settings.egresses).map(egress).collect();
        let console = service(Role::Console, 1, settings.console(&at, folder.path()));
        let services = BTreeMap::from([
            (Role::Simulator, vec![simulator]),
            (Role::Ingress, vec![ingress]),
            (Role::Worker, workers),
            (Role::Egress, egresses),
            (Role::Console, vec![console]),
        ]);
        System {
            redis,
            settings,
            services,
            http: client(),
            folder,
        }
    }

    /// Everything is started and ready.
    pub async fn start(self) -> System {
        let mut system = self.prepare();
        for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
            system.start(role).await;
        }
        system
    }
}

/// Ingress answers within its own two seconds for Redis, or not at all.
const WEBHOOK_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder()
        .timeout(WEBHOOK_PATIENCE)
        .no_proxy()
        .build();
    client.expect("an HTTP client")
}

impl System {
    /// Sets what the services need for WAHA and Chatwoot, at no pace.
    pub fn connect_every_provider(&mut self) {
        let simulator = self.service(Role::Simulator, 0).url();
        let settings = [
            ("WAHA_BASE_URL", simulator.as_str()),
            ("WAHA_API_KEY", "fake-waha-key"),
            ("WAHA_WEBHOOK_SECRET", "fake-waha-secret"),
            ("CHATWOOT_BASE_URL", &simulator),
            ("CHATWOOT_API_TOKEN", "fake-chatwoot-bot-token"),
            ("CHATWOOT_WEBHOOK_SECRET", "fake-chatwoot-secret"),
            ("CHATWOOT_ACCOUNT_ID", "1"),
            ("EGRESS_WAHA_PER_SECOND", "0"),
            ("EGRESS_WAHA_TYPING_SPEED", "0"),
            ("EGRESS_CHATWOOT_PER_SECOND", "0"),
        ];
        for role in [Role::Ingress, Role::Worker, Role::Egress] {
            for service in self.all(role) {
                service.set(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
        }
    }

    /// Lets the services tell the simulator's page what they do with each message.
    pub fn show_traces_on_the_page(&mut self) {
        let simulator = self.service(Role::Simulator, 0).url();
        let settings = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", simulator.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("TRACE_CONTENT", "true"),
        ];
        for role in [Role::Ingress, Role::Worker, Role::Egress] {
            for service in self.all(role) {
                service.set(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
        }
    }

    /// Lets the console ask the services how they do.
    pub fn let_the_console_watch(&mut self) {
        let mut places = Vec::new();
        for role in [Role::Ingress, Role::Worker, Role::Egress] {
            let urls = self.all(role).iter().map(Service::url);
            places.extend(urls.map(|url| url.replace("http://", "")));
        }
        let console = self.service(Role::Console, 0);
        console.set([("CONSOLE_SERVICES".to_owned(), places.join(","))]);
    }

    /// Starts what is not running of a role and waits until all of it is ready.
    pub async fn start(&mut self, role: Role) {
        for service in self.all(role) {
            if !service.is_up() {
                service.start();
            }
        }
        for service in self.all(role) {
            service.until_ready().await;
        }
    }

    /// Every service of a role.
    pub fn all(&mut self, role: Role) -> &mut [Service] {
        self.services.get_mut(&role).expect("all roles are there")
    }

    /// One service of a role, from 0.
    pub fn service(&mut self, role: Role, index: usize) -> &mut Service {
        &mut self.all(role)[index]
    }

    /// Starts again what has ended by itself, as a supervisor would; says what it was.
    pub fn revive(&mut self) -> Vec<Role> {
        let mut revived = Vec::new();
        for service in self.services.values_mut().flatten() {
            if service.has_died() {
                revived.push(service.role());
                service.start();
            }
        }
        revived
    }

    /// How it was set up.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the logs are, one file a process, and all other data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The simulator's control API.
    pub fn simulator(&self) -> SimulatorClient {
        let url = self.services[&Role::Simulator][0].url();
        // No time limit: requests that write a message wait for ingress and its retries. No idle
        // connections: a request on one that the simulator is just closing would fail.
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build();
        SimulatorClient::new(client.expect("an HTTP client"), url)
    }

    /// Posts webhooks to ingress.
    pub fn webhooks(&self) -> Webhooks {
        Webhooks::to(self.http.clone(), &self.services[&Role::Ingress][0].url())
    }

    /// A handle on Redis as the services have it.
    pub fn client(&self) -> Redis {
        self.redis.client(self.settings.partitions)
    }

    /// What was set aside, of all queues.
    pub async fn dead_letters(&self) -> Vec<Letter> {
        const MOST: usize = 1000;
        let redis = self.client();
        let mut all = Vec::new();
        for queue in Queue::ALL {
            let letters = redis.letters(Shelf::Dead(queue), None, MOST).await;
            all.extend(letters.expect("Redis answers"));
        }
        all
    }

    /// Waits until nothing waits or is in progress any more in the queues between the services.
    pub async fn until_idle(&self, patience: std::time::Duration) {
        let redis = self.client();
        eventually_within(patience, async || {
            let mut left = Vec::new();
            for queue in Queue::ALL {
                let backlog = redis.backlog(queue, 0).await;
                let backlog = backlog.map_err(|error| format!("{queue}: {error}"))?;
                if backlog.entries > 0 {
                    left.push(format!("{queue}: {} entries", backlog.entries));
                }
            }
            if left.is_empty() {
                Ok(())
            } else {
                Err(left.join(", "))
            }
        })
        .await;
    }
}
