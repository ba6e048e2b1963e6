//! `worker erase`: removes everything that is kept of one person.

use std::fmt::Write;
use std::io;
use std::process::ExitCode;

use clap::Args;
use crm::erasure::{self, Erased};
use crm::person::NobodyError;
use crm::{Crm, CrmConfig, CrmError};
use runtime::Operator;
use streams::{DeploymentError, Redis, RedisConfig};

use super::PersonArgs;

/// `worker erase`.
#[derive(Debug, Clone, Args)]
pub struct EraseArgs {
    #[command(flatten)]
    person: PersonArgs,
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    crm: CrmConfig,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
}

/// Why not everything was removed. The command may be run again.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// Nobody can be called that.
    #[error(transparent)]
    Nobody(#[from] NobodyError),
    /// There is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// Redis or the CRM failed.
    #[error(transparent)]
    Erasure(#[from] erasure::EraseError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl EraseArgs {
    /// Removes and says what was removed, place by place. Exit code 1 when nobody was known, or when
    /// something of the person is still written.
    ///
    /// # Errors
    /// When Redis or the CRM fails.
    pub async fn run(&self) -> Result<ExitCode, EraseError> {
        let person = self.person.read()?;
        let redis = Redis::of_deployment(&self.redis).await?;
        let crm = Crm::new(&self.crm.crm_database_url)?;
        crm.migrate().await?;
        let erased = erasure::erase(person, &crm, &redis, self.dry_run).await?;
        runtime::print(&report(&erased, self.dry_run))?;
        if erased.shown > 0 {
            let count = erased.shown;
            runtime::print(&format!(
                "Chatwoot keeps what it was shown, in {count} conversations that say so: delete the \
                 contact there as well."
            ))?;
        }
        let known = erased.was_known();
        if known && !self.dry_run {
            self.operator.note(&redis, &erased.act()).await?;
        }
        if !known {
            runtime::print(&"Nobody is known by that name; nothing was removed.")?;
        } else if !erased.is_quiet {
            runtime::print(&"Something of this person is still being written. Run this again.")?;
        }
        Ok(if known && erased.is_quiet {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn report(erased: &Erased, dry: bool) -> String {
    let mut lines = String::from(if dry { "would be removed:" } else { "removed:" });
    for (name, count) in erased.places() {
        // Writing into a text cannot fail.
        let _infallible = write!(lines, "\n{count:>6}  {name}");
    }
    lines
}
