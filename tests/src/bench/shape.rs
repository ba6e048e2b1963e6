//! How the measured system is set up.

use std::time::Duration;

use streams::{Queue, Redis};
use test_support::{PostgresServer, RedisServer};
use tokio::time::{Instant, sleep};

use crate::{RedisShape, Role, Settings, System, SystemBuilder};

const PARTITIONS: u16 = 64;
const LEASE_MS: u64 = 10_000;

/// How the measured system is set up.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Redis' `appendfsync`: `always`, `everysec`, or `no` for no append-only file.
    pub fsync: String,
    /// Whether the CRM is in PostgreSQL, not in SQLite.
    pub postgres: bool,
}

/// A system with its database.
pub(crate) struct Measured {
    pub(crate) system: System,
    postgres: Option<PostgresServer>,
}

impl Measured {
    /// Where the CRM is.
    pub(crate) fn crm_url(&self) -> String {
        let file = self.system.folder().join("crm.sqlite");
        let sqlite = || format!("sqlite:{}", file.display());
        self.postgres
            .as_ref()
            .map_or_else(sqlite, PostgresServer::url)
    }
}

const PATIENCE: Duration = Duration::from_secs(600);
/// Looking costs Redis too.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until nothing waits or is in progress any more in these queues.
pub(crate) async fn until_empty(redis: &Redis, queues: &[Queue]) {
    let began = Instant::now();
    for queue in queues {
        while redis
            .backlog(*queue, 0)
            .await
            .expect("Redis answers")
            .entries
            > 0
        {
            assert!(began.elapsed() < PATIENCE, "{queue} is not emptied");
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Shape {
    pub(crate) fn settings() -> Settings {
        Settings {
            partitions: PARTITIONS,
            lease_ms: LEASE_MS,
            ..Settings::default()
        }
    }

    /// Redis runs, and nothing else.
    pub(crate) fn prepare(&self, settings: Settings) -> Measured {
        let redis = match self.fsync.as_str() {
            "no" => RedisShape::Single(RedisServer::builder().tcp().start()),
            fsync => RedisShape::single(fsync),
        };
        let postgres = self.postgres.then(PostgresServer::start);
        let mut system = SystemBuilder::new(settings).redis(redis).prepare();
        if let Some(postgres) = &postgres {
            let url = ("CRM_DATABASE_URL".to_owned(), postgres.url());
            system.service(Role::Worker, 0).set([url]);
        }
        Measured { system, postgres }
    }

    /// Everything runs.
    pub(crate) async fn start(&self) -> Measured {
        let mut measured = self.prepare(Self::settings());
        for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
            measured.system.start(role).await;
        }
        measured
    }

    pub(crate) fn name(&self) -> String {
        let redis = match self.fsync.as_str() {
            "no" => "no append-only file".to_owned(),
            fsync => format!("appendfsync {fsync}"),
        };
        let database = if self.postgres {
            "PostgreSQL"
        } else {
            "SQLite"
        };
        format!("{redis}, {database}")
    }
}
