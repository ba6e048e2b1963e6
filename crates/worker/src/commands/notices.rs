//! `worker notices`: what colleagues were told, and whether they can be told.

use std::io;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use crm::{Crm, CrmConfig, CrmError, Kind, Notice};
use jiff::Timestamp;
use runtime::Operator;
use serde_json::json;
use streams::{DeploymentError, Redis, RedisConfig};

use crate::config::{DomainConfig, NoticeConfig};
use crate::domain::DomainError;
use crate::notices::{Channels, Outcome};

/// `worker notices`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct NoticesArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    crm: CrmConfig,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    notices: NoticeConfig,
    #[command(flatten)]
    domain: DomainConfig,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Print them with what became of them on each channel, newest first.
    List {
        /// At most this many lines.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Try what did not arrive again at once, and turn channels on that were switched off.
    Retry {
        /// Only this notice; all without it.
        id: Option<String>,
    },
    /// Send a test notice over a channel now: webhook, mail, adf, whatsapp, slack, ntfy, gotify or apprise.
    Test {
        /// The channel.
        channel: String,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum NoticesError {
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// There is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The domain file is wrong.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The settings of notices are wrong, or the channel is not set.
    #[error("{0}")]
    Settings(String),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl NoticesArgs {
    /// Does what is asked. Exit code 1 when nothing was to be retried, or a test did not arrive.
    ///
    /// # Errors
    /// When the CRM, Redis or the output fails, or a setting is wrong.
    pub async fn run(&self) -> Result<ExitCode, NoticesError> {
        match &self.action {
            Action::List { limit, json } => self.list(*limit, *json).await,
            Action::Retry { id } => self.retry(id.as_deref()).await,
            Action::Test { channel } => self.test(channel).await,
        }
    }

    async fn crm(&self) -> Result<Crm, CrmError> {
        let crm = Crm::new(&self.crm.crm_database_url)?;
        crm.migrate().await?;
        Ok(crm)
    }

    async fn list(&self, limit: u32, as_json: bool) -> Result<ExitCode, NoticesError> {
        let crm = self.crm().await?;
        for send in crm.sends(limit).await? {
            if as_json {
                let line = json!({
                    "id": send.id, "kind": send.kind, "at": send.at, "channel": send.channel,
                    "status": send.status, "tries": send.tries, "error": send.error,
                });
                runtime::print(&line)?;
                continue;
            }
            let (channel, status) = (send.channel.unwrap_or("-".into()), send.status);
            let status = status.unwrap_or_else(|| "waiting".into());
            let tries = send.tries.unwrap_or_default();
            let error = send.error.unwrap_or_default();
            let (id, kind, at) = (send.id, send.kind, send.at);
            runtime::print(&format!(
                "{id}  {at}  {kind:<20} {channel:<8} {status:<8} {tries:>2}x  {error}"
            ))?;
        }
        if !as_json {
            for (name, why) in crm.channels_off().await? {
                runtime::print(&format!(
                    "{name} is switched off ({why}); `worker notices retry` turns it on"
                ))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn retry(&self, id: Option<&str>) -> Result<ExitCode, NoticesError> {
        let redis = Redis::of_deployment(&self.redis).await?;
        let count = self.crm().await?.retry(id, Timestamp::now()).await?;
        runtime::print(&format!("{count} sends are tried again"))?;
        let what = format!("retried {count} sends of notices");
        self.operator.note(&redis, &what).await?;
        Ok(if count > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    async fn test(&self, name: &str) -> Result<ExitCode, NoticesError> {
        let domain = self.domain.load()?;
        // Only WhatsApp goes by it, and says so then.
        let redis = match Redis::of_deployment(&self.redis).await {
            Ok(redis) => redis,
            Err(_) => Redis::new(&self.redis)
                .map_err(|error| NoticesError::Settings(error.to_string()))?,
        };
        let channels = Channels::new(&self.notices, &domain, &redis);
        let channels = channels.map_err(|wrong| NoticesError::Settings(wrong.join("; ")))?;
        let Some(channel) = channels.get(name) else {
            let set: Vec<_> = channels.iter().map(|channel| channel.name).collect();
            let set = if set.is_empty() {
                "none".to_owned()
            } else {
                set.join(", ")
            };
            return Err(NoticesError::Settings(format!(
                "{name} is not set up; set up: {set}"
            )));
        };
        let now = Timestamp::now();
        let data = json!({"name": domain.business.name, "reason": "test"});
        let notice = Notice {
            id: format!("notice_test_{}", now.as_microsecond()),
            kind: Kind::Test,
            at: now.to_string(),
            data: data.as_object().cloned().unwrap_or_default(),
        };
        let (said, code) = match Box::pin(channels.send(channel, &notice, now)).await {
            Outcome::Sent => ("it arrived".to_owned(), ExitCode::SUCCESS),
            Outcome::Gone => (
                "410: the receiver wants no more".to_owned(),
                ExitCode::FAILURE,
            ),
            Outcome::Failed { error, .. } => (error, ExitCode::FAILURE),
        };
        runtime::print(&format!("{name}: {said}"))?;
        Ok(code)
    }
}
