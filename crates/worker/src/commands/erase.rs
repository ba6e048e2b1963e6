//! `worker erase`: removes everything that is kept of one person.

use std::io;
use std::process::ExitCode;

use clap::Args;
use shared_types::ConversationId;
use streams::{Redis, RedisConfig, RedisConfigError, StreamsError};

use crate::config::CrmConfig;
use crate::crm::{Crm, CrmError};

/// `worker erase`.
#[derive(Debug, Clone, Args)]
pub struct EraseArgs {
    /// The person's address, such as `whatsapp:+31612345678`.
    address: ConversationId,
    #[command(flatten)]
    crm: CrmConfig,
    #[command(flatten)]
    redis: RedisConfig,
}

/// Why not everything was removed. The command may be run again.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The Redis settings are wrong.
    #[error(transparent)]
    Config(#[from] RedisConfigError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl EraseArgs {
    /// Removes and says what was removed. Exit code 1 while something of the person is in progress.
    ///
    /// # Errors
    /// When Redis or the CRM fails.
    pub async fn run(&self) -> Result<ExitCode, EraseError> {
        let redis = Redis::new(&self.redis)?;
        let address = self.address.as_str();
        if redis.is_waiting(address).await? {
            let advice =
                "A message of this person waits or is in progress. Try again when it is done.";
            runtime::print(&advice)?;
            return Ok(ExitCode::FAILURE);
        }
        let erased = redis.erase(address).await?;
        let crm = Crm::new(&self.crm.crm_database_url)?;
        crm.migrate().await?;
        let contacts = crm.erase(address).await?;
        runtime::print(&format!(
            "removed: {} keys, {} set-aside entries, {contacts} contacts",
            erased.keys, erased.letters
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
