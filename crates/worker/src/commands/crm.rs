//! `worker crm`: copies of the CRM, and its way to another database.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use crm::CrmConfig;
use crm::{CopyError, Counts, Crm, CrmError, back_up, held, migrate, restore};
use secrecy::SecretString;

/// `worker crm`.
#[derive(Debug, Clone, Args)]
pub struct CrmArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Write everything into a file, while the workers go on.
    ///
    /// The file is a SQLite database, whatever the CRM is in, and holds the state of one moment. It appears when
    /// it is whole: a backup that is killed leaves the file of before, or none. Only its owner may read it.
    Backup {
        /// The file.
        file: PathBuf,
        /// The file may exist; it is replaced in one step.
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        crm: CrmConfig,
    },
    /// Replace everything in the CRM by what a backup holds. Stop the workers first.
    ///
    /// It is one transaction: a restore that is killed changes nothing. What a worker that died left beside a
    /// SQLite file (-wal, -shm) is taken care of. A SQLite file that is damaged is moved aside (.damaged).
    Restore {
        /// A file of `worker crm backup`, or a copy of a SQLite file of the CRM.
        file: PathBuf,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        crm: CrmConfig,
    },
    /// Copy everything into another database, such as from SQLite to PostgreSQL. Stop the workers first, and
    /// set CRM_DATABASE_URL to the new one after.
    ///
    /// It is one transaction: one that is killed leaves the new database empty, and may be repeated.
    Migrate {
        /// Where everything is: `sqlite:<file>` or `postgres://…`.
        #[arg(long, value_name = "URL")]
        from: SecretString,
        /// Where it goes.
        #[arg(long, value_name = "URL")]
        to: SecretString,
        /// What is in the new database goes.
        #[arg(long)]
        replace: bool,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CrmCommandError {
    /// Nothing was copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// A URL is none of a database.
    #[error("{0}: must be sqlite:… or postgres://…")]
    Url(&'static str),
    /// The database cannot be used.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
    /// Nobody agreed.
    #[error("nothing is changed: {0} rows would be replaced; add --yes")]
    NotAgreed(u64),
}

impl CrmArgs {
    /// Copies, and says how much.
    ///
    /// # Errors
    /// When a database or file cannot be used, or nobody agrees.
    pub async fn run(&self) -> Result<ExitCode, CrmCommandError> {
        match &self.action {
            Action::Backup { file, replace, crm } => {
                Crm::check_url(&crm.crm_database_url)?;
                let counts = back_up(&crm.crm_database_url, file, *replace).await?;
                tell(&counts, &format!("are in {}", file.display()))?;
            }
            Action::Restore { file, yes, crm } => {
                Crm::check_url(&crm.crm_database_url)?;
                agree(&crm.crm_database_url, *yes).await?;
                let counts = restore(file, &crm.crm_database_url).await?;
                tell(&counts, "are in the CRM, and nothing else")?;
            }
            Action::Migrate { from, to, replace } => {
                for (flag, url) in [("--from", from), ("--to", to)] {
                    Crm::check_url(url).map_err(|_| CrmCommandError::Url(flag))?;
                }
                let counts = migrate(from, to, *replace).await?;
                tell(
                    &counts,
                    "are in the new database; set CRM_DATABASE_URL to it",
                )?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A CRM that cannot be read has nothing to lose.
async fn agree(url: &SecretString, yes: bool) -> Result<(), CrmCommandError> {
    let Ok(held) = held(url).await else {
        return Ok(());
    };
    let rows = held.values().sum();
    let question = format!("Replace the {rows} rows of the CRM?");
    if yes || rows == 0 || runtime::agreed(&question)? {
        return Ok(());
    }
    Err(CrmCommandError::NotAgreed(rows))
}

fn tell(counts: &Counts, end: &str) -> io::Result<()> {
    for (table, rows) in counts {
        runtime::print(&format!("{rows:>9} {table}"))?;
    }
    let all: u64 = counts.values().sum();
    runtime::print(&format!("{all:>9} rows {end}"))
}
