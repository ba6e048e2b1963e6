use crate::script::{CLOCK, LAYOUT};
use crate::{PartitionCount, Redis, RedisConfig, RedisConfigError, StreamsError};

/// The deployment has another number of partitions than this process was configured with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this Redis holds {stored} partitions, but REDIS_PARTITIONS is {wanted}: set \
     REDIS_PARTITIONS={stored}. The number is fixed at the first start, because conversations would \
     change their partition with it; `worker repartition` changes it when nothing waits"
)]
pub struct PartitionMismatch {
    /// The number in Redis.
    pub stored: String,
    /// The number that was configured.
    pub wanted: PartitionCount,
}

/// There is no deployment for a command line to act on.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// The Redis settings are wrong.
    #[error(transparent)]
    Config(#[from] RedisConfigError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// No service ever started with this Redis.
    #[error(
        "no service has started with this Redis yet: check REDIS_URL, or REDIS_HOST and REDIS_PORT"
    )]
    Empty,
    /// The number of partitions is none.
    #[error("this Redis holds {0:?} as its number of partitions")]
    Unreadable(String),
}

impl Redis {
    /// The Redis of a deployment that runs or ran, for a command line: with the number of partitions
    /// that it was started with, whatever REDIS_PARTITIONS says.
    ///
    /// # Errors
    /// When Redis cannot be reached, or no service has started with it.
    pub async fn of_deployment(config: &RedisConfig) -> Result<Self, DeploymentError> {
        let redis = Self::new(config)?;
        let stored = redis.stored_layout().await?.ok_or(DeploymentError::Empty)?;
        match stored.parse() {
            Ok(partitions) => Ok(redis.with_partitions(partitions)),
            Err(_) => Err(DeploymentError::Unreadable(stored)),
        }
    }

    /// Fixes the number of partitions at the first start of a deployment, and compares it later.
    ///
    /// # Errors
    /// When Redis cannot be reached. A different number is the inner error.
    pub async fn claim_layout(&self) -> Result<Result<(), PartitionMismatch>, StreamsError> {
        let wanted = self.partitions();
        let stored: String = self
            .run(&LAYOUT, |invocation| {
                invocation
                    .key(self.keys().partition_count())
                    .arg(wanted.get());
            })
            .await?;
        let same = stored == wanted.to_string();
        Ok(if same {
            Ok(())
        } else {
            Err(PartitionMismatch { stored, wanted })
        })
    }

    /// The number of partitions that the deployment has, where it is fixed already.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn stored_layout(&self) -> Result<Option<String>, StreamsError> {
        let mut command = redis::cmd("GET");
        command.arg(self.keys().partition_count());
        self.with_connection("layout", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// The server's clock in milliseconds since 1970, read by a script: it proves that scripts run.
    ///
    /// # Errors
    /// When Redis cannot be reached or forbids scripts.
    pub async fn clock_ms(&self) -> Result<i64, StreamsError> {
        self.run(&CLOCK, |invocation| {
            invocation.key(self.keys().partition_count());
        })
        .await
    }
}
