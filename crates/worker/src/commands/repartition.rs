//! `worker repartition`: changes how many partitions a deployment has.

use std::io;

use clap::Args;
use runtime::Operator;
use streams::{DeploymentError, PartitionCount, Redis, RedisConfig, RepartitionError};

/// `worker repartition`.
#[derive(Debug, Clone, Args)]
pub struct RepartitionArgs {
    /// How many partitions there are to be, 1 to 1024.
    #[arg(long, value_name = "N")]
    to: PartitionCount,
    /// Only say what waits; exit code 0 when nothing does.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask whether ingress is stopped, which Redis does not show.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
}

/// Why the number of partitions was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RepartitionCommandError {
    /// There is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// It is not stopped, or not done.
    #[error("nothing is changed: {0}")]
    Stays(#[from] RepartitionError),
    /// Nobody agreed.
    #[error("nothing is changed: stop ingress as well, and add --yes")]
    NotAgreed,
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl RepartitionArgs {
    /// Changes the number, and says what is left to do.
    ///
    /// # Errors
    /// When a service runs, something waits, nobody agrees, or Redis fails. Nothing is changed then.
    pub async fn run(&self) -> Result<(), RepartitionCommandError> {
        let redis = Redis::of_deployment(&self.redis).await?;
        let (from, to) = (redis.partitions(), self.to);
        if self.dry_run {
            let said = match redis.repartition(None).await {
                Err(RepartitionError::Runs) => {
                    "Nothing waits. Stop ingress, all workers and all egresses."
                }
                looked => looked.map(|()| "Nothing waits, and no worker or egress runs.")?,
            };
            return Ok(runtime::print(&said)?);
        }
        if !self.yes && !runtime::agreed("Is every ingress stopped?")? {
            return Err(RepartitionCommandError::NotAgreed);
        }
        redis.repartition(Some(to)).await?;
        let act = format!("changed the number of partitions from {from} to {to}");
        self.operator.note(&redis, &act).await?;
        runtime::print(&format!(
            "{from} partitions are {to} now: set REDIS_PARTITIONS={to} for ingress, worker and egress, and start them"
        ))?;
        Ok(())
    }
}
