//! `worker handovers`, `worker leads` and `worker appointments`: what waits for colleagues, and what
//! they make of it.

mod table;

use std::io;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use crm::csv::Csv;
use crm::desk::{self, DeskError};
use crm::{ByHand, Changed, Crm, CrmConfig, CrmError, Matter, Status, What};
use jiff::Timestamp;
use runtime::Operator;
use serde_json::Value;
use streams::{DeploymentError, Redis, RedisConfig, StreamsError};

use table::Table;

/// `worker handovers`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct HandoversArgs {
    #[command(subcommand)]
    action: HandoverAction,
    #[command(flatten)]
    desk: Desk,
}

/// `worker leads`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct LeadsArgs {
    #[command(subcommand)]
    action: LeadAction,
    #[command(flatten)]
    desk: Desk,
}

/// `worker appointments`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct AppointmentsArgs {
    #[command(subcommand)]
    action: AppointmentAction,
    #[command(flatten)]
    desk: Desk,
}

#[derive(Debug, Clone, Subcommand)]
enum HandoverAction {
    /// Print those that are open, oldest first.
    List(List),
    /// Print one, whole, with who changed it when.
    Show(One),
    /// It is mine: the bot is silent in the conversation from now on.
    Take(Deed),
    /// The customer has heard from a colleague.
    Answered(Deed),
    /// It is done: the bot answers again.
    Close(Deed),
}

#[derive(Debug, Clone, Subcommand)]
enum LeadAction {
    /// Print those that are open, oldest first.
    List(List),
    /// Print one, whole, with who changed it when.
    Show(One),
    /// It is mine.
    Take(Deed),
    /// It is over. What the customer wants after that is a new lead.
    Close {
        #[command(flatten)]
        deed: Deed,
        /// How it ended.
        #[arg(long = "as", value_enum)]
        end: End,
    },
}

#[derive(Debug, Clone, Subcommand)]
enum AppointmentAction {
    /// Print those that are not called off, oldest first.
    List(List),
    /// Print one, whole, with who changed it when.
    Show(One),
    /// It is confirmed. The customer is not told by this.
    #[command(alias = "confirm")]
    Take(Deed),
    /// It is called off. The customer is not told by this.
    #[command(alias = "cancel")]
    Close(Deed),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum End {
    Won,
    Dropped,
}

#[derive(Debug, Clone, Args)]
struct List {
    /// Also those that are over.
    #[arg(long, conflicts_with = "status")]
    all: bool,
    /// Only those with this status.
    #[arg(long)]
    status: Option<String>,
    /// One JSON object a line.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV: for a spreadsheet, where no cell is read as a formula, or `--csv=raw` for a program.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "spreadsheet")]
    csv: Option<Csv>,
    /// What stands between the cells, such as `;`.
    #[arg(long, default_value_t = ',', requires = "csv")]
    separator: char,
}

#[derive(Debug, Clone, Args)]
struct One {
    /// Its id.
    id: String,
}

#[derive(Debug, Clone, Args)]
struct Deed {
    /// Its id.
    id: String,
    /// Why, for those who look later.
    #[arg(long)]
    note: Option<String>,
}

#[derive(Debug, Clone, Args)]
struct Desk {
    #[command(flatten)]
    crm: CrmConfig,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum MattersError {
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// There is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The conversation did not change hands.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// There is no such status.
    #[error("a {matter} is never {given}, only {known}")]
    Status {
        /// What was asked for.
        matter: &'static str,
        /// The status that was given.
        given: String,
        /// Those that there are.
        known: String,
    },
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl HandoversArgs {
    /// Does what is asked. Exit code 1 when there is no such hand-over, or somebody else was first.
    ///
    /// # Errors
    /// When the CRM, Redis or the output fails.
    pub async fn run(&self) -> Result<ExitCode, MattersError> {
        const MATTER: Matter = Matter::Handover;
        match &self.action {
            HandoverAction::List(list) => self.desk.list(MATTER, list).await,
            HandoverAction::Show(one) => self.desk.show(MATTER, one).await,
            HandoverAction::Take(deed) => self.desk.change(MATTER, deed, Status::Taken).await,
            HandoverAction::Answered(deed) => {
                self.desk.change(MATTER, deed, Status::Answered).await
            }
            HandoverAction::Close(deed) => self.desk.change(MATTER, deed, Status::Closed).await,
        }
    }
}

impl LeadsArgs {
    /// Does what is asked. Exit code 1 when there is no such lead, or somebody else was first.
    ///
    /// # Errors
    /// When the CRM, Redis or the output fails.
    pub async fn run(&self) -> Result<ExitCode, MattersError> {
        const MATTER: Matter = Matter::Lead;
        match &self.action {
            LeadAction::List(list) => self.desk.list(MATTER, list).await,
            LeadAction::Show(one) => self.desk.show(MATTER, one).await,
            LeadAction::Take(deed) => self.desk.change(MATTER, deed, Status::Taken).await,
            LeadAction::Close { deed, end } => {
                let to = match end {
                    End::Won => Status::Won,
                    End::Dropped => Status::Dropped,
                };
                self.desk.change(MATTER, deed, to).await
            }
        }
    }
}

impl AppointmentsArgs {
    /// Does what is asked. Exit code 1 when there is no such appointment, or somebody else was first.
    ///
    /// # Errors
    /// When the CRM, Redis or the output fails.
    pub async fn run(&self) -> Result<ExitCode, MattersError> {
        const MATTER: Matter = Matter::Appointment;
        match &self.action {
            AppointmentAction::List(list) => self.desk.list(MATTER, list).await,
            AppointmentAction::Show(one) => self.desk.show(MATTER, one).await,
            AppointmentAction::Take(deed) => {
                self.desk.change(MATTER, deed, Status::Confirmed).await
            }
            AppointmentAction::Close(deed) => {
                self.desk.change(MATTER, deed, Status::Cancelled).await
            }
        }
    }
}

impl Desk {
    async fn crm(&self) -> Result<Crm, CrmError> {
        let crm = Crm::new(&self.crm.crm_database_url)?;
        crm.migrate().await?;
        Ok(crm)
    }

    async fn list(&self, matter: Matter, list: &List) -> Result<ExitCode, MattersError> {
        let what = list.what(matter)?;
        let crm = self.crm().await?;
        if let Some(csv) = list.csv {
            // Whole numbers and customers' words leave here: not without a trace.
            let redis = Redis::of_deployment(&self.redis).await?;
            let told = format!("exported {}s as CSV ({})", matter.as_str(), csv.as_str());
            redis.note_act(self.operator.name(), &told).await?;
        }
        let table = Table::new(matter, list.json, list.csv, list.separator);
        table.head()?;
        let (mut count, mut after) = (0, None);
        loop {
            let page = crm.list(matter, what, after).await?;
            for row in &page.rows {
                table.row(row)?;
            }
            count += page.rows.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        table.foot(count)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn show(&self, matter: Matter, one: &One) -> Result<ExitCode, MattersError> {
        let Some(row) = self.crm().await?.show(matter, &one.id).await? else {
            return unknown(matter, &one.id);
        };
        let whole: serde_json::Map<String, Value> = row
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        runtime::print(&format!("{:#}", Value::Object(whole)))?;
        Ok(ExitCode::SUCCESS)
    }

    async fn change(
        &self,
        matter: Matter,
        deed: &Deed,
        to: Status,
    ) -> Result<ExitCode, MattersError> {
        let (name, id) = (matter.as_str(), deed.id.as_str());
        let redis = Redis::of_deployment(&self.redis).await?;
        let crm = self.crm().await?;
        let by = self.operator.name();
        let by_hand = ByHand {
            matter,
            id,
            to,
            by,
            note: deed.note.as_deref(),
            at: Timestamp::now(),
        };
        let changed = crm.change(by_hand).await?;
        let code = match &changed {
            Changed::Unknown => return unknown(matter, id),
            Changed::Done { .. } => {
                runtime::print(&format!("{name} {id} is {}", to.as_str()))?;
                let what = format!("{name} {id} {}", to.as_str());
                self.operator.note(&redis, &what).await?;
                ExitCode::SUCCESS
            }
            Changed::Late { status, by, at, .. } => {
                let status = status.as_str();
                runtime::print(&format!("{name} {id} is {status} since {at}, by {by}"))?;
                ExitCode::FAILURE
            }
        };
        desk::follow(&redis, &by_hand, &changed).await?;
        Ok(code)
    }
}

impl List {
    fn what(&self, matter: Matter) -> Result<What, MattersError> {
        let Some(given) = &self.status else {
            return Ok(if self.all { What::All } else { What::Open });
        };
        let status = Status::read(given).filter(|status| matter.statuses().contains(status));
        status.map(What::Only).ok_or_else(|| {
            let known = matter.statuses().iter().map(|status| status.as_str());
            MattersError::Status {
                matter: matter.as_str(),
                given: given.clone(),
                known: known.collect::<Vec<_>>().join(", "),
            }
        })
    }
}

fn unknown(matter: Matter, id: &str) -> Result<ExitCode, MattersError> {
    runtime::print(&format!("there is no {} {id} (any more)", matter.as_str()))?;
    Ok(ExitCode::FAILURE)
}
