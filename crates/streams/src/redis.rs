//! The handle through which everything else talks to Redis.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{Object, Pool, Timeouts};
use redis::{FromRedisValue, RedisError, RedisResult, Value, from_redis_value};
use tokio::sync::Mutex as AsyncMutex;

use crate::config::{RedisConfig, RedisConfigError};
use crate::connector::{Connection, Connector};
use crate::error::needs_new_connection;
use crate::observer::{NoObserver, Observer};
use crate::script::{Call, Script};
use crate::together::{Lanes, Turn};
use crate::{Keys, Partition, PartitionCount, StreamsError};

/// Enough for a connection a runtime thread, and a few exclusive connections beside.
const POOL_SIZE: usize = 64;

/// Redis, whatever its shape. Cheap to clone; clones share one connection, see
/// [`Redis::on_own_connection`].
#[derive(Clone)]
pub struct Redis {
    pool: Pool<Connector>,
    shared: Arc<Shared>,
    keys: Keys,
    partitions: PartitionCount,
    observer: Arc<dyn Observer>,
}

/// One connection that many tasks use at once. Their commands share writes and reads, which costs
/// far fewer system calls than a connection for each.
#[derive(Default)]
struct Shared {
    current: Mutex<Option<Arc<Object<Connector>>>>,
    /// Held while connecting, so that a crowd opens one connection and not one each. Holds the
    /// time of the last failure, so that a crowd fails once, together.
    connecting: AsyncMutex<Option<Instant>>,
    lanes: Lanes,
}

impl Redis {
    /// Prepares the connections; none is opened yet, so Redis may be away.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn new(config: &RedisConfig) -> Result<Self, RedisConfigError> {
        let connector = Connector::new(config.shape()?, config.certificates()?, config.timeout())
            .map_err(|_| RedisConfigError::Url)?;
        let keys = if connector.is_cluster() {
            Keys::tagged()
        } else {
            Keys::plain()
        };
        let wait = Some(config.timeout());
        let pool = Pool::builder(connector)
            .max_size(POOL_SIZE)
            .timeouts(Timeouts {
                wait,
                create: wait,
                recycle: wait,
            })
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|_| RedisConfigError::Url)?;
        Ok(Self {
            pool,
            shared: Arc::default(),
            keys,
            partitions: config.redis_partitions,
            observer: Arc::new(NoObserver),
        })
    }

    /// The same Redis, with its scripts observed.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    pub(crate) fn with_partitions(mut self, partitions: PartitionCount) -> Self {
        self.partitions = partitions;
        self
    }

    /// The same Redis over a connection of its own. A runtime thread that has one is never woken for
    /// another thread's answers.
    #[must_use]
    pub fn on_own_connection(&self) -> Self {
        Self {
            shared: Arc::default(),
            ..self.clone()
        }
    }

    /// The names of the keys.
    pub const fn keys(&self) -> Keys {
        self.keys
    }

    /// The number of partitions: as configured, or as a command line found it.
    pub const fn partitions(&self) -> PartitionCount {
        self.partitions
    }

    pub(crate) fn lanes(&self) -> &Lanes {
        &self.shared.lanes
    }

    pub(crate) fn observer(&self) -> &dyn Observer {
        self.observer.as_ref()
    }

    /// Runs a script on the shared connection.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &'static Script,
        fill: impl FnOnce(&mut Call),
    ) -> Result<T, StreamsError> {
        let mut call = Call::new(script);
        fill(&mut call);
        typed(self.invoke(&call).await?)
    }

    /// Runs a script of a partition that may be run together with others (see `together.rs`).
    pub(crate) async fn run_within<T: FromRedisValue>(
        &self,
        partition: Partition,
        script: &'static Script,
        fill: impl FnOnce(&mut Call),
    ) -> Result<T, StreamsError> {
        let lane = (!self.keys().spans_partitions()).then_some(partition);
        self.run_in(lane, script, fill).await
    }

    /// Runs a script of no partition that may be run together with others where one script may touch
    /// several.
    pub(crate) async fn run_beside<T: FromRedisValue>(
        &self,
        script: &'static Script,
        fill: impl FnOnce(&mut Call),
    ) -> Result<T, StreamsError> {
        if self.keys().spans_partitions() {
            self.run_in(None, script, fill).await
        } else {
            self.run(script, fill).await
        }
    }

    async fn run_in<T: FromRedisValue>(
        &self,
        lane: Option<Partition>,
        script: &'static Script,
        fill: impl FnOnce(&mut Call),
    ) -> Result<T, StreamsError> {
        let mut call = Call::new(script);
        fill(&mut call);
        let asked = Instant::now();
        let (call, _underway) = match self.line_up(lane, call) {
            Turn::Now(call, underway) => (call, Some(underway)),
            Turn::Later(answered) => match answered.await {
                Ok(Ok(answer)) => {
                    self.observer().script(script.name(), asked.elapsed(), true);
                    return typed(answer);
                }
                Ok(Err(call)) => (call, None),
                Err(_) => return Err(StreamsError::Unreachable),
            },
        };
        typed(self.invoke(&call).await?)
    }

    pub(crate) async fn invoke(&self, call: &Call) -> Result<Value, StreamsError> {
        let answer = self
            .with_connection(call.script().name(), |mut connection| async move {
                call.run(&mut connection).await
            })
            .await;
        if let Err(error) = &answer {
            self.note_refusal(call.script(), error);
        }
        answer
    }

    /// A script that Redis runs and refuses is nobody's outage: somebody has to look.
    fn note_refusal(&self, script: &Script, error: &StreamsError) {
        if let Some(code) = error.refused_script() {
            tracing::error!(script = script.name(), %error, "Redis refused a script; nothing was lost");
            self.observer.refused(script.name(), code);
        }
    }

    /// Runs commands on the shared connection, timed and counted under `name`. A connection that
    /// turns out to be dead, or not a master any more, is dropped; the next call opens a new one.
    pub(crate) async fn with_connection<T, F>(
        &self,
        name: &'static str,
        commands: impl FnOnce(Connection) -> F,
    ) -> Result<T, StreamsError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let started = Instant::now();
        let outcome = match self.connection().await {
            Ok(object) => {
                let result = commands(object.connection()).await;
                if result.as_ref().is_err_and(needs_new_connection) {
                    self.drop_connection(&object);
                }
                result.map_err(StreamsError::from)
            }
            Err(error) => Err(error),
        };
        self.observer
            .script(name, started.elapsed(), outcome.is_ok());
        outcome
    }

    /// Runs a script on a connection that nobody else uses meanwhile, and then waits until
    /// `replicas` have it. Answers how many did within `timeout`.
    pub(crate) async fn run_replicated<T: FromRedisValue>(
        &self,
        script: &'static Script,
        replicas: u16,
        timeout: Duration,
        fill: impl FnOnce(&mut Call),
    ) -> Result<(T, u16), StreamsError> {
        let started = Instant::now();
        let object = self.pool.get().await?;
        let mut connection = object.connection();
        let mut call = Call::new(script);
        fill(&mut call);
        let result: RedisResult<(T, u16)> = async {
            let answer = from_redis_value(call.run(&mut connection).await?)?;
            let mut wait = redis::cmd("WAIT");
            wait.arg(replicas)
                .arg(timeout.as_millis().min(60_000) as u64);
            Ok((answer, wait.query_async(&mut connection).await?))
        }
        .await;
        if result.as_ref().is_err_and(needs_new_connection) {
            object.mark_dead();
        }
        self.observer
            .script(script.name(), started.elapsed(), result.is_ok());
        result
            .map_err(StreamsError::from)
            .inspect_err(|error| self.note_refusal(script, error))
    }

    /// The values of several keys of one partition.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn values(&self, keys: &[String]) -> Result<Vec<Option<String>>, StreamsError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("MGET");
        command.arg(keys);
        self.with_connection("values", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// All fields of a hash; empty when there is none.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn hash(&self, key: &str) -> Result<BTreeMap<String, String>, StreamsError> {
        let mut command = redis::cmd("HGETALL");
        command.arg(key);
        self.with_connection("hash", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// The first items of a list.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn list(&self, key: &str, count: usize) -> Result<Vec<String>, StreamsError> {
        let mut command = redis::cmd("LRANGE");
        command.arg(key).arg(0).arg(count.saturating_sub(1));
        self.with_connection("list", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// The last items of a list, oldest first.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn list_end(&self, key: &str, count: usize) -> Result<Vec<String>, StreamsError> {
        let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        let mut command = redis::cmd("LRANGE");
        command.arg(key).arg(-count).arg(-1);
        self.with_connection("list_end", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// A connection of its own for blocking reads of up to `block`.
    pub(crate) async fn blocking_connection(
        &self,
        block: Duration,
        key: &str,
    ) -> Result<Connection, StreamsError> {
        Ok(self.pool.manager().dedicated(block, key).await?)
    }

    fn current(&self) -> Option<Arc<Object<Connector>>> {
        self.shared
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn connection(&self) -> Result<Arc<Object<Connector>>, StreamsError> {
        match self.current() {
            Some(open) => Ok(open),
            // Boxed: rarely taken, and large enough to swell every future that runs a script.
            None => Box::pin(self.connect()).await,
        }
    }

    async fn connect(&self) -> Result<Arc<Object<Connector>>, StreamsError> {
        let asked = Instant::now();
        let mut last_failure = self.shared.connecting.lock().await;
        if let Some(open) = self.current() {
            return Ok(open);
        }
        if last_failure.is_some_and(|failed| failed > asked) {
            return Err(StreamsError::Unreachable);
        }
        let fresh = self
            .pool
            .get()
            .await
            .inspect_err(|_| *last_failure = Some(Instant::now()))?;
        let fresh = Arc::new(fresh);
        *self
            .shared
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        Ok(fresh)
    }

    fn drop_connection(&self, dead: &Arc<Object<Connector>>) {
        dead.mark_dead();
        let mut current = self
            .shared
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|open| Arc::ptr_eq(open, dead)) {
            *current = None;
        }
    }
}

fn typed<T: FromRedisValue>(answer: Value) -> Result<T, StreamsError> {
    from_redis_value(answer).map_err(|error| RedisError::from(error).into())
}
