//! The environment of each process, by the names that deployments have.

use std::path::Path;

use crate::{Role, Service};

/// The simulator's account, token and number, which every service of a test shares.
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub(crate) const TOKEN: &str = "fake-twilio-token";
/// The key that the simulator signs WAHA's events with.
pub(crate) const WAHA_SECRET: &str = "fake-waha-secret";
pub(crate) const NUMBER: &str = "whatsapp:+14155238886";

/// How a system is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program that consumes the inbound queue: `worker` or `echo`.
    pub consumer: &'static str,
    /// How many of them.
    pub workers: usize,
    /// How many of egress.
    pub egresses: usize,
    /// How many partitions the streams have.
    pub partitions: u16,
    /// How long a dead process's partitions stay closed.
    pub lease_ms: u64,
    /// Whether ingress keeps webhooks on disk while Redis is away.
    pub spool: bool,
    /// Replicas of Redis that must have a message before the 200.
    pub wait_replicas: u16,
    /// Whether each message has a reply of its own, which is what most tests count by.
    pub answer_each: bool,
    /// Feeds of what is for sale; none when empty.
    pub stock: &'static str,
    /// The filter of the services' logs.
    pub log: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            consumer: "worker",
            workers: 1,
            egresses: 1,
            partitions: 16,
            lease_ms: 3_000,
            spool: false,
            wait_replicas: 0,
            answer_each: true,
            stock: "",
            log: "warn",
        }
    }
}

type Environment = Vec<(String, String)>;

fn pairs<const N: usize>(pairs: [(&str, String); N]) -> Environment {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl Settings {
    /// The simulator. Where ingress is gets known later.
    pub(crate) fn simulator(&self) -> Environment {
        pairs([("RUST_LOG", self.log.into())])
    }

    /// What all services share.
    fn common(&self, redis: &[(String, String)]) -> Environment {
        let mut all = pairs([
            ("RUST_LOG", self.log.into()),
            ("LOG_FORMAT", "json".into()),
            ("SHUTDOWN_GRACE_SECS", "10".into()),
            ("REDIS_PARTITIONS", self.partitions.to_string()),
            ("TWILIO_ACCOUNT_SID", ACCOUNT.into()),
            ("TWILIO_AUTH_TOKEN", TOKEN.into()),
            ("TWILIO_WHATSAPP_NUMBER", NUMBER.into()),
        ]);
        all.extend_from_slice(redis);
        all
    }

    /// Ingress, called by its own address.
    pub(crate) fn ingress(&self, redis: &[(String, String)], folder: &Path) -> Environment {
        let mut all = self.common(redis);
        all.extend(pairs([
            ("INGRESS_RATE_LIMIT_PER_MINUTE", "0".into()),
            ("INGRESS_TOTAL_LIMIT_PER_MINUTE", "0".into()),
            ("INGRESS_THREADS", "1".into()),
            // Who wants it says where the provider is as well.
            ("INGRESS_RECONCILE_INTERVAL_SECS", "0".into()),
            ("REDIS_WAIT_REPLICAS", self.wait_replicas.to_string()),
            ("REDIS_WAIT_TIMEOUT_MS", "1000".into()),
        ]));
        if self.spool {
            let spool = folder.join("spool").display().to_string();
            all.extend(pairs([("INGRESS_SPOOL_DIR", spool)]));
        }
        all
    }

    /// A worker or the echo in its place.
    pub(crate) fn worker(&self, redis: &[(String, String)], folder: &Path) -> Environment {
        let mut all = self.common(redis);
        let database = format!("sqlite:{}", folder.join("crm.sqlite").display());
        all.extend(pairs([
            ("WORKER_LEASE_MS", self.lease_ms.to_string()),
            // A turn must fit into a lease, and the lease is short.
            ("WORKER_TURN_BUDGET_MS", (self.lease_ms / 2).to_string()),
            ("ECHO_WORK_MS", "60".into()),
            ("CRM_DATABASE_URL", database),
        ]));
        if !self.stock.is_empty() {
            all.extend(pairs([("WORKER_STOCK", self.stock.into())]));
        }
        if self.answer_each {
            all.extend(pairs([(
                "WORKER_ANSWER_EACH",
                "twilio,waha,chatwoot".into(),
            )]));
        }
        all
    }

    /// The console. It looks into the CRM of the worker; nobody logs in unless a password is set.
    pub(crate) fn console(&self, redis: &[(String, String)], folder: &Path) -> Environment {
        let mut all = self.common(redis);
        let database = format!("sqlite:{}", folder.join("crm.sqlite").display());
        all.extend(pairs([("CRM_DATABASE_URL", database)]));
        all.retain(|(name, _)| !name.starts_with("TWILIO_"));
        all
    }

    /// Egress. It is quick to look up what is in doubt, and not held up by a pace.
    pub(crate) fn egress(
        &self,
        redis: &[(String, String)],
        simulator: &Service,
        ingress: &Service,
    ) -> Environment {
        let mut all = self.common(redis);
        all.extend(pairs([
            ("EGRESS_LEASE_MS", self.lease_ms.to_string()),
            ("EGRESS_REQUEST_TIMEOUT_MS", (self.lease_ms / 2).to_string()),
            ("EGRESS_SETTLE_MS", "500".into()),
            ("EGRESS_TWILIO_PER_SECOND", "0".into()),
            ("TWILIO_API_BASE_URL", simulator.url()),
            ("PUBLIC_BASE_URL", ingress.url()),
        ]));
        all
    }

    /// The program of a role.
    pub(crate) const fn program(&self, role: Role) -> &'static str {
        match role {
            Role::Worker => self.consumer,
            Role::Simulator | Role::Ingress | Role::Egress | Role::Console => role.as_str(),
        }
    }
}
