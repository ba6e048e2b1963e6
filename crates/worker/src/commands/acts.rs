//! `worker acts`: what operators did by hand.

use std::io;

use clap::Args;
use jiff::Timestamp;
use streams::{DeploymentError, Redis, RedisConfig, StreamsError};

/// `worker acts`.
#[derive(Debug, Clone, Args)]
pub struct ActsArgs {
    /// At most this many; the last 1,000 are kept.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    redis: RedisConfig,
}

/// Why the acts could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ActsError {
    /// There is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl ActsArgs {
    /// Prints one act a line.
    ///
    /// # Errors
    /// When Redis or the output fails.
    pub async fn run(&self) -> Result<(), ActsError> {
        let redis = Redis::of_deployment(&self.redis).await?;
        for act in redis.acts(self.limit).await? {
            let at = Timestamp::from_millisecond(act.at_ms).unwrap_or_default();
            runtime::print(&format!("{at:.0}  {:<16} {}", act.by, act.what))?;
        }
        Ok(())
    }
}
