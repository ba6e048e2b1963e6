//! `worker erase`: removes everything that is kept of one person.

use std::fmt::Write;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use runtime::Operator;
use streams::{DeploymentError, Found, Place, Redis, RedisConfig, StreamsError};

use super::PersonArgs;
use super::who::{self, UnknowableError};
use crate::config::CrmConfig;
use crate::crm::{Crm, CrmError, Rows};
use crate::mirror;
use crate::person::NobodyError;

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
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// Redis or the CRM failed.
    #[error(transparent)]
    Unknowable(#[from] UnknowableError),
    /// The help desk cannot be told.
    #[error("the help desk is not told: {0}")]
    HelpDesk(String),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

/// How often what is written meanwhile is looked for again.
const SWEEPS: u32 = 20;
const BETWEEN_SWEEPS: Duration = Duration::from_millis(250);

impl EraseArgs {
    /// Removes and says what was removed, place by place. Exit code 1 when nobody was known, or when
    /// something of the person is still written.
    ///
    /// # Errors
    /// When Redis or the CRM fails.
    pub async fn run(&self) -> Result<ExitCode, EraseError> {
        let mut person = self.person.read()?;
        let redis = Redis::of_deployment(&self.redis).await?;
        let crm = Crm::new(&self.crm.crm_database_url)?;
        crm.migrate().await?;
        let contacts = who::learn(&mut person, &crm, &redis).await?;
        for notice in crm.notices_of(&contacts).await? {
            person.learn_notice(&notice);
        }
        let shown = redis.shown_of(&person).await?;
        if !self.dry_run {
            // First: afterwards nobody knows any more where they were shown.
            let steps = shown
                .iter()
                .filter_map(|display| mirror::forgotten(*display, Timestamp::now()));
            for step in steps {
                mirror::queue(&redis, &step)
                    .await
                    .map_err(EraseError::HelpDesk)?;
            }
        }
        let mut found = redis.erase(&person, self.dry_run).await?;
        let mut is_quiet = self.dry_run || found.values().sum::<u64>() == 0;
        for _ in 0..SWEEPS {
            if is_quiet {
                break;
            }
            // What was in somebody's hands when it was removed may have been written since.
            tokio::time::sleep(BETWEEN_SWEEPS).await;
            let late = redis.erase(&person, false).await?;
            is_quiet = late.values().sum::<u64>() == 0;
            for (place, count) in late {
                *found.entry(place).or_default() += count;
            }
        }
        let rows = crm.erase(&contacts, self.dry_run).await?;
        runtime::print(&report(&found, rows, self.dry_run))?;
        if !shown.is_empty() {
            let count = shown.len();
            runtime::print(&format!(
                "Chatwoot keeps what it was shown, in {count} conversations that say so: delete the \
                 contact there as well."
            ))?;
        }
        let pieces = found.values().sum::<u64>();
        let known = pieces + rows.contacts > 0;
        if known && !self.dry_run {
            // Who it was is not to be found any more, here neither.
            let contacts = rows.contacts;
            let what = format!(
                "erased a person: {pieces} pieces in Redis, {contacts} contacts of the CRM"
            );
            self.operator.note(&redis, &what).await?;
        }
        if !known {
            runtime::print(&"Nobody is known by that name; nothing was removed.")?;
        } else if !is_quiet {
            runtime::print(&"Something of this person is still being written. Run this again.")?;
        }
        Ok(if known && is_quiet {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn report(found: &Found, rows: Rows, dry: bool) -> String {
    let mut lines = String::from(if dry { "would be removed:" } else { "removed:" });
    let places =
        Place::ALL.map(|(place, name)| (name, found.get(&place).copied().unwrap_or_default()));
    let crm = [
        ("CRM contacts", rows.contacts),
        ("CRM addresses", rows.addresses),
        ("CRM leads", rows.leads),
        ("CRM hand-overs", rows.handovers),
    ];
    for (name, count) in places.into_iter().chain(crm) {
        // Writing into a text cannot fail.
        let _infallible = write!(lines, "\n{count:>6}  {name}");
    }
    lines
}
